"""The page "Ancillary hosts": trials run for other diseases that could also teach about bone, ranked."""

from __future__ import annotations

from html import escape
from typing import Any

from nicegui import ui

from osteon.app import records, theme
from osteon.app.api.deps import current
from osteon.app.api.errors import ApiError
from osteon.app.pages.join import state_card
from osteon.app.parts import html
from osteon.app.parts.svg import world

_LEAD = (
    "Trials of stem cells or senolytics in other diseases that could measure bone as well, and what that is worth."
)
_HOW = (
    "Value is what knowing more is worth (expected value of sample information), net of what measuring would cost. A "
    "trial comes first when many people are treated and compared, its patients are like those with osteoporosis, and "
    "scans are cheap to add.",
    "Transport bias (τ, points of BMD) is how far an answer in another disease may be off for osteoporosis.",
    "Ranks move with what is assumed; “rank 5–95 %” shows by how much.",
)


class _Hosts:
    def __init__(self) -> None:
        with theme.card("How hosts are ranked"):
            html.show(html.bullets(_HOW))
            with ui.element("div").classes("row"):
                self.button = ui.element("button").classes("btn main-act").props("type=button")
                with self.button:
                    ui.label("Rank the records")
                self.button.on("click", self.rank)
                self.wait = ui.label("judging every record; up to a minute …").classes("small").props("role=status")
                self.wait.visible = False
            self.problem = ui.label("").classes("bad").props("role=alert")
        self.box = ui.element("div").classes("stack")
        with self.box:
            state_card()

    async def rank(self) -> None:
        """Ask the helper process, so that the page stays live."""
        self.problem.text, self.wait.visible = "", True
        try:
            told = await current().clerk(records.hosts, 40, 500)
        except ApiError as problem:
            self.problem.text = "; ".join(filter(None, (problem.what, problem.hint)))
            return
        finally:
            self.wait.visible = False
        self._show(told)

    def _show(self, told: dict[str, Any]) -> None:
        hosts, money = told["hosts"], f"thousand {told['currency']}"
        self.box.clear()
        with self.box:
            with theme.card("Where they are"):
                points = [(p["lat"], p["lon"], f"{h['nct']}: {p['name']}") for h in hosts for p in h["places"]]
                html.show(world(points, f"Map with {len(points)} sites of {len(hosts)} hosts"))
                html.show("<p class=small>Land: towns of GeoNames (CC BY 4.0).</p>")
            with theme.card(f"{told['hosts_in_all']} hosts, best first"):
                theme.sentence(_sentence(told))
                rows = [_row(one) for one in hosts]
                heads = ("study", "title", "disease", "way", "net", "value", "cost", "people", "τ", "rank 5–95 %")
                html.show(f"<p class=small>Net, value and cost in {escape(money)} of {told['year']}.</p>")
                html.show(html.table(heads, rows, left=4, caption="Hosts, best first"))
            with theme.card("Why the best ones"):
                for one in hosts[:5]:
                    html.show(f"<h3>{html.link(one['link'], one['nct'])} {escape(one['title'])}</h3>"
                              + html.bullets(one["why"]), "match")  # fmt: skip
            with theme.card("Left out"):
                gates = [(gate, str(count)) for gate, count in told["gates"].items()]
                html.show(html.table(("closed at", "studies"), gates, caption="Studies left out, by gate"))
                html.show(html.bullets([f"Assumed: {told['assumed']}", *told["warnings"]]))
                theme.notice()


def _sentence(told: dict[str, Any]) -> str:
    if not told["hosts"]:
        return "None of your records can be a host today; the table of what was left out says why."
    best = told["hosts"][0]
    worth = "is worth more than it costs" if best["enbs"] > 0 else "would cost more than it is worth"
    return (
        f"{best['nct']} comes first: adding bone there ({best['mode']}) {worth}, by "
        f"{abs(best['enbs']) / 1e3:,.0f} thousand {told['currency']}. All of this rests on assumed effects and costs."
    )


def _row(one: dict[str, Any]) -> tuple[Any, ...]:
    spread = one["stability"]
    return (
        html.link(one["link"], one["nct"]), one["title"], one["disease"], one["mode"],
        *(f"{one[key] / 1e3:,.0f}".replace("-", "−") for key in ("enbs", "evsi", "cost")), str(one["participants"]),
        one["tau"], f"{spread['low']:.0f}–{spread['high']:.0f}" if spread else "–",
    )  # fmt: skip


def page() -> None:
    """The whole page."""
    theme.heading("Ancillary hosts", _LEAD)
    _Hosts()
