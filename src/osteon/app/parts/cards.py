"""Treatment cards: what each does, how well that is known, known harms, and what is added to the timeline first."""

from __future__ import annotations

import functools
import tomllib
from dataclasses import dataclass
from html import escape
from importlib import resources
from typing import Any

from osteon.app import theme
from osteon.app.plan import Treatment
from osteon.therapies import catalogue

_NAMES = {
    "msc": "Stem cells (MSC)", "homing msc": "Homing stem cells", "dasatinib+quercetin": "Dasatinib + quercetin",
}  # fmt: skip


@dataclass(frozen=True)
class Card:
    """A therapy as the page offers it; `source` says where dose and schedule come from."""

    what: str
    group: str
    source: str
    treatment: Treatment

    @property
    def therapy(self) -> catalogue.Therapy:
        """What the catalogue knows of it."""
        return catalogue.get(self.treatment.therapy)


@functools.cache
def _content() -> dict[str, Any]:
    return tomllib.loads(resources.files("osteon.app.parts").joinpath("cards.toml").read_text("utf-8"))


def groups() -> dict[str, str]:
    """Groups of cards and their headings."""
    return dict(_content()["groups"])


@functools.cache
def cards() -> tuple[Card, ...]:
    """All cards, in the order of the page."""
    found = []
    for row in _content()["card"]:
        given = {key: value for key, value in row.items() if key not in ("what", "group", "from")}
        found.append(Card(row["what"], row["group"], row["from"], Treatment(**given)))
    return tuple(found)


def label(name: str) -> str:
    """A therapy's name for people: "MSC infusion" for "msc"."""
    named = {
        "msc": "Stem cells (MSC)",
        "homing msc": "Homing stem cells",
        "dasatinib+quercetin": "Dasatinib + quercetin",
    }
    return named.get(name, name[:1].upper() + name[1:])


def html(card: Card) -> str:
    """The card as HTML: it can be dragged, its button adds it, its details open."""
    t, plan = card.therapy, card.treatment
    name = escape(label(t.id))
    harms = [("Known harm", fact) for fact in t.harms] + [("Not for", fact) for fact in t.contraindications]
    rows = "".join(f"<li><b>{kind}:</b> {escape(f.what)} <cite>{_source(f.source)}</cite></li>" for kind, f in harms)
    if not rows:
        rows = "<li>None is listed here. That is no sign of safety.</li>"
    dose = escape(plan.regimen.removeprefix(t.id).strip())
    grade = theme.grade(t.evidence)
    return (
        f'<article class="tcard" draggable="true" data-therapy="{escape(t.id)}">'
        f'<div class="tcard-top"><span class="grip" aria-hidden="true">⠿</span><h3>{name}</h3>{grade}</div>'
        f'<p>{escape(card.what)}</p><div class="tcard-acts">'
        f'<button type="button" class="btn add" data-add="{escape(t.id)}" aria-label="Add {name} to the plan">+ Add'
        f"</button><details><summary>Evidence, harms<span class=sr> of {name}</span></summary><ul>"
        f"<li><b>Acts on:</b> {escape(', '.join(t.targets))} ({escape(t.kind)})</li>"
        f"<li><b>Grade {t.evidence}:</b> {escape(t.evidence_why)}</li>"
        f"<li><b>Added as:</b> {dose} <cite>{escape(card.source)}</cite>; no dose is recommended here</li>{rows}"
        "</ul></details></div></article>"
    )


def _source(text: str) -> str:
    """A source as text, long addresses shortened: a link would leave the machine, which the reader decides."""
    short = text.removeprefix("https://").removeprefix("http://")
    return f'<span title="{escape(text)}">{escape(short if len(short) < 44 else short[:42] + "…")}</span>'
