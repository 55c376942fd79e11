"""The page "Trials to join": studies that may fit a person, from the records on this machine."""

from __future__ import annotations

from html import escape
from typing import Any

from nicegui import ui

from osteon.app import records, theme
from osteon.app.api.deps import current
from osteon.app.api.errors import ApiError
from osteon.app.parts import html
from osteon.app.parts.svg import world
from osteon.errors import InputError

_LEAD = "Studies that may fit you. They may fit; only the site can say."
_TAGS = {"may fit": "good", "unclear": "maybe", "does not fit": "no"}
_MOST = 30


class _Join:
    def __init__(self) -> None:
        with theme.card("About you"):
            with ui.element("div").classes("fields"):
                self.condition = ui.input("Condition", value="osteoporosis").props("outlined dense maxlength=120")
                self.age = ui.number("Age, years", min=0, max=130).props("outlined dense")
                self.sex = ui.select(
                    {"": "not said", "female": "female", "male": "male"}, label="Sex", value=""
                ).props("outlined dense")
                self.near = ui.input("Near (town, country)", placeholder="Lyon, France").props(
                    "outlined dense maxlength=120"
                )
                self.within = ui.input("Within", placeholder="300 km").props("outlined dense maxlength=20")
            self.every = ui.checkbox("Also those that do not fit, with the reason")
            with ui.element("div").classes("row"):
                self.button = ui.element("button").classes("btn main-act").props("type=button")
                with self.button:
                    ui.label("Look for studies")
                self.button.on("click", self.look)
                self.wait = ui.label("looking through the records …").classes("small")
                self.wait.visible = False
            self.problem = ui.label("").classes("bad").props("role=alert")
            html.show("<p class=small>Nothing you enter leaves this machine.</p>")
        self.box = ui.element("div").classes("stack")
        with self.box:
            state_card()

    async def look(self) -> None:
        """Ask the helper process, so that the page stays live."""
        self.problem.text, self.wait.visible = "", True
        try:
            told = await current().clerk(
                records.find_trials, self.condition.value or "", self.age.value, self.sex.value or None,
                self.near.value or None, self.within.value or None, self.every.value,
            )  # fmt: skip
        except ApiError as problem:
            self.problem.text = "; ".join(filter(None, (problem.what, problem.hint)))
            return
        finally:
            self.wait.visible = False
        self._show(told)

    def _show(self, told: dict[str, Any]) -> None:
        found = told["trials"]
        self.box.clear()
        with self.box:
            with theme.card("Where they are"):
                html.show(_map(found, self.near.value or ""))
            fit = sum(one["fit"] == "may fit" for one in found)
            with theme.card("Studies"):
                theme.sentence(
                    f"{fit} of {len(found)} may fit by all that is asked; of the others something is not known. Ask!"
                    if found
                    else "None of your records of this condition may fit; tick the box above to see why."
                )
                for one in found[:_MOST]:
                    html.show(_match(one), "match")
                if len(found) > _MOST:
                    html.show(f"<p class=small>and {len(found) - _MOST} more; give age, sex and place</p>")
            with theme.card("Before you ask"):
                html.show(html.bullets([*told["warnings"], told["source"]]))
                theme.notice()


def _map(found: list[dict[str, Any]], near: str) -> str:
    points = [(p["lat"], p["lon"], f"{one['nct']}: {p['name']}") for one in found for p in one["places"]]
    own = None
    if near:
        from osteon.registry import places

        try:
            place = places.parse(near)
        except InputError:
            place = None
        own = (place.lat, place.lon) if place else None
    said = f"Map with {len(points)} sites of {len(found)} studies; the list below names the nearest of each"
    return world(points, said, own) + "<p class=small>Land: towns of GeoNames (CC BY 4.0).</p>"


def _match(one: dict[str, Any]) -> str:
    site = one["nearest_open_site"] or {}
    place = (
        ", ".join(str(site[key]) for key in ("facility", "city", "country") if site.get(key)) or "none listed as open"
    )
    km = f", {one['km']:.0f} km away" if one["km"] is not None else ""
    status = one["status"].casefold().replace("_", " ")
    lines = [
        f"<h3>{escape(one['title'])}</h3>",
        f'<div class="row"><span class="tag {_TAGS.get(one["fit"], "")}">{escape(one["fit"])}</span> '
        f"{html.link(one['link'], one['nct'])} <span class=small>{escape(status)}, as of "
        f"{escape(str(one['snapshot']))}</span></div>",
        f"<div>Nearest open site: {escape(place)}{km}</div>",
    ]
    for label, value in (("Fits", "yes"), ("Not known", "unknown"), ("Against", "no")):
        parts = [f"{name} ({one['why'][name]})" for name, said in one["criteria"].items() if said == value]
        if parts:
            lines.append(f"<div><strong>{label}:</strong> {escape('; '.join(parts))}</div>")
    for label, parts in (("Ask the site about", one["ask"]), ("Careful", one["warnings"])):
        if parts:
            lines.append(f"<div><strong>{label}:</strong> {escape('; '.join(parts))}</div>")
    return "".join(lines)


def state_card() -> None:
    """Whether there are records, and how to get some."""
    try:
        state = records.state()
    except Exception as problem:
        state = {"there": False, "snapshot": None, "warning": str(problem)}
    if not state["there"]:
        with theme.card("No records yet"):
            theme.empty(
                "No trial records are on this machine yet.", "osteon asks no network by itself. Bring some in:"
            )
            html.show('<pre class=yaml tabindex=0>osteon registry refresh --query "osteoporosis"\n'
                      "osteon registry import FILE…</pre>")  # fmt: skip
        return
    html.show(f"<p class=small>Records as of {escape(str(state['snapshot']))}. {escape(state['warning'])}</p>")


def page() -> None:
    """The whole page."""
    theme.heading("Trials to join", _LEAD)
    _Join()
