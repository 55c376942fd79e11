"""The frame of every page: navigation, the notice, light and dark, and the few parts that pages share.

The look is `static/osteon.css`: plain CSS with custom properties, no utility classes (Tailwind is switched off: it
works in the browser at every change of a page). Pages are made of `card()`, `heading()`, `sentence()`, `notice()`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from nicegui import ui

NOTICE = "Research tool, not medical advice."
PAGES = (
    ("/", "Explore", "One person, one plan"),
    ("/trial", "Trial", "Run a study file"),
    ("/evidence", "Evidence", "How right the model is"),
    ("/ageing", "Ageing", "Combinations against ageing"),
    ("/join", "Trials to join", "Studies near a person"),
    ("/hosts", "Ancillary hosts", "Trials that could teach about bone"),
    ("/glossary", "Glossary", "The words explained"),
)
"""Path, name and a line about every page, in the order of the navigation."""
BLUE, ORANGE, GREEN, PINK, GREY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#6B7280"
"""Okabe and Ito's colours: told apart with every kind of colour vision. Plan A is blue, plan B orange."""
GRADES = {
    "A": "trials in people",
    "B": "small or indirect trials",
    "C": "animals or one uncertain trial",
    "D": "assumed",
}
_LOGO = (
    '<svg viewBox="0 0 24 24" width="26" height="26" aria-hidden="true"><circle cx="12" cy="12" r="10.5" fill="none" '
    'stroke="currentColor" stroke-width="1.5"/><circle cx="12" cy="12" r="6.8" fill="none" stroke="currentColor" '
    'stroke-width="1.5" stroke-dasharray="3.2 1.6"/><circle cx="12" cy="12" r="2.6" fill="currentColor"/></svg>'
)


@contextlib.contextmanager
def frame(path: str) -> Iterator[None]:
    """A page: header with navigation, then what is made inside, then the notice once more and the footer."""
    name = next(name for where, name, _ in PAGES if where == path)
    ui.page_title(f"{name} · osteon")
    ui.add_head_html(_HEAD)
    ui.query(".nicegui-content").classes("page")
    links = "".join(
        f'<a href="{where}"{" aria-current=page" if where == path else ""}>{label}</a>' for where, label, _ in PAGES
    )
    ui.html(
        f'<a class="skip" href="#main">Skip to the content</a><div class="bar"><a class="brand" href="/" '
        f'aria-label="osteon, to the first page">{_LOGO}<span>osteon</span></a>'
        f'<nav aria-label="Pages" id="nav">{links}</nav>'
        '<button class="icon" id="theme" type="button" aria-label="Light or dark">◐</button>'
        '<button class="icon menu" id="menu" type="button" aria-label="Menu" aria-expanded="false" '
        'aria-controls="nav">☰</button></div>',
        sanitize=False,
        tag="header",
    ).classes("top")
    with ui.element("main").props('id=main tabindex="-1"').classes("main"):
        notice()
        yield
    ui.html(f"osteon · {NOTICE} Nothing you enter leaves this machine.", sanitize=False, tag="footer").classes("foot")


def notice() -> None:
    """The line that stands on every page with results."""
    ui.html(
        f"<strong>{NOTICE}</strong> The curves are a model's answer for a person like this, with its gaps; talk to a "
        "doctor about treatment.",
        sanitize=False,
        tag="p",
    ).classes("notice").props("role=note")


def heading(text: str, lead: str = "") -> None:
    """The title of a page, and a line that says what it is for."""
    with ui.element("div").classes("heading"):
        ui.label(text).classes("title").props("role=heading aria-level=1")
        if lead:
            ui.label(lead).classes("lead")


@contextlib.contextmanager
def card(title: str = "", *, classes: str = "") -> Iterator[ui.element]:
    """A panel with a title of its own."""
    box = ui.element("section").classes(f"card {classes}".strip())
    if title:
        box.props(f'aria-label="{title}"')
    with box:
        if title:
            ui.label(title).classes("cardtitle").props("role=heading aria-level=2")
        yield box


def sentence(text: str) -> ui.label:
    """A result in plain words."""
    return ui.label(text).classes("sentence")


def empty(text: str, how: str = "") -> None:
    """What stands where there is nothing yet, and how to get something."""
    with ui.element("div").classes("empty"):
        ui.label(text).classes("emptytitle")
        if how:
            ui.label(how)


def grade(letter: str) -> str:
    """The badge of an evidence grade, as HTML."""
    return (
        f'<span class="grade grade-{letter}" title="Evidence of grade {letter}: {GRADES.get(letter, "")}">'
        f"<span class=sr>evidence grade </span>{letter}</span>"
    )


_HEAD = (
    '<link rel="stylesheet" href="/static/osteon.css"><link rel="stylesheet" href="/static/pages.css">'
    '<script src="/static/frame.js"></script>'
    '<meta name="description" content="osteon: an in-silico laboratory for treatments of osteoporosis">'
)
