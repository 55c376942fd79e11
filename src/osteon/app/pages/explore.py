"""The page "Explore": one person, one plan or two, live.

The page is plain HTML that `static/explore.js` brings to life; it asks `live` for curves.
"""

from __future__ import annotations

import json
from importlib import resources

from nicegui import ui

from osteon.app import theme
from osteon.app.parts import cards


def page() -> None:
    """What the page shows."""
    ui.add_head_html('<link rel="stylesheet" href="/static/explore.css">')
    theme.heading("Explore one person", "Move a slider, add a treatment, and see bone change.")
    ui.html(_html(), sanitize=False).classes("explore-root")
    ui.add_body_html(f'<script type="application/json" id="offered">{_offered()}</script>')
    ui.add_body_html('<script type="module" src="/static/explore.js"></script>')


def _html() -> str:
    text = resources.files("osteon.app.parts").joinpath("explore.html").read_text("utf-8")
    groups = "".join(
        f'<h3 class="group">{heading}</h3><div class="tcards">'
        + "".join(cards.html(card) for card in cards.cards() if card.group == group)
        + "</div>"
        for group, heading in cards.groups().items()
    )
    return text.replace("{{cards}}", groups)


def _offered() -> str:
    """What the cards add, as JSON."""
    offered = {
        card.treatment.therapy: {
            "label": cards.label(card.treatment.therapy),
            "grade": card.therapy.evidence,
            "treatment": card.treatment.model_dump(),
            "routes": list(card.therapy.routes),
        }
        for card in cards.cards()
    }
    return json.dumps(offered).replace("<", "\\u003c")
