"""The page "Evidence": the scoreboard, each published arm beside the model, where each number comes from, and where
the model is wrong."""

from __future__ import annotations

from html import escape
from typing import Any

from nicegui import ui

from osteon.app import scoreboard, theme
from osteon.app.jobs import Job
from osteon.app.parts import html
from osteon.app.parts.progress import Progress
from osteon.app.parts.svg import Chart
from osteon.endpoints import ENDPOINTS

USES = {"fit": "fitted", "validate": "never fitted"}
_FIRST = "FRAME"
_LEAD = "The model beside every published trial: those it was fitted to, and those it never saw."
_WRONG = (
    "Some courses it cannot follow, and what no fitted trial holds is extrapolation: combinations, men under "
    "treatment, teriparatide after denosumab, stem cells and senolytics in people.",
    "The list that is kept by hand comes with the scores (docs/validation.md); `make scores` writes both.",
)


class _Evidence:
    def __init__(self) -> None:
        self.board = scoreboard.board()
        self.trials = {one["id"]: one for one in self.board["trials"]}
        with theme.card("Scoreboard"):
            html.show(_state(self.board), "small")
            html.show(_pooled(self.board))
            with ui.element("details").props("open"):
                with ui.element("summary"):
                    ui.label(f"All {len(self.trials)} trials")
                html.show(_trials(self.board))
        with theme.card("One trial"):
            names = {key: f"{key} · {one['title']} ({one['year']})" for key, one in self.trials.items()}
            first = _FIRST if _FIRST in names else next(iter(names))
            ui.select(
                names, label="Trial", value=first, with_input=True, on_change=lambda e: self.show(e.value)
            ).props("outlined dense")
            self.progress = Progress(self._scored)
            self.box = ui.element("div").classes("stack")
        with theme.card("Where the model is wrong"):
            text = self.board["parts"].get("where-the-model-is-wrong.md")
            html.show(_items(text) if text else html.bullets(_WRONG))
        self.shown = first
        self.show(first)

    def show(self, ident: str | None) -> None:
        """Put a trial on the page."""
        if ident is None or ident not in self.trials:
            return
        self.shown = ident
        told = scoreboard.arms(ident)
        self.box.clear()
        with self.box:
            _summary(told)
            if not told["is_simulated"]:
                self._offer(ident, len(told["arms"]))
            for arm in told["arms"]:
                _arm(arm, told)
            _sources(told)

    def _offer(self, ident: str, arms: int) -> None:
        with ui.element("div").classes("row"):
            button = ui.element("button").classes("btn main-act").props("type=button")
            with button:
                ui.label("Simulate its arms")
            html.show(f"with draws, some 20 seconds an arm ({arms} here); kept for the next time", "small")
        payload = {"trial": ident, "model": "osteon"}
        button.on("click", lambda: self.progress.start("score", f"osteon on {ident}", payload))

    def _scored(self, job: Job) -> None:
        if job.payload["trial"] == self.shown:
            self.show(self.shown)


def _state(board: dict[str, Any]) -> str:
    shipped = board["shipped"]
    words = [f"Model osteon, parameters {board['parameters_hash']}."]
    if not shipped["there"]:
        words.append("This copy came without scores; trials can be simulated one by one below.")
    elif not shipped["current"]:
        words.append("The shipped scores were made with other parameters; they are shown for orientation only.")
    words.append("RMSE in points of % (markers: of logarithms); covered: values inside their 90 % interval.")
    return escape(" ".join(words))


def _pooled(board: dict[str, Any]) -> str:
    if not board["pooled"]:
        return ""
    rows = [
        (ENDPOINTS[row["endpoint"]].label, USES[row["use"]], str(row["n"]), row["rmse"], row["bias"], row["slope"],
         _share(row["coverage90"]))
        for row in board["pooled"]
    ]  # fmt: skip
    return html.table(("end point", "trials", "values", "RMSE", "bias", "slope", "covered"), rows, left=2,
                      caption="All trials together")  # fmt: skip


def _trials(board: dict[str, Any]) -> str:
    rows = []
    for one in board["trials"]:
        found = {row["endpoint"]: row["rmse"] for row in one["rows"]}
        errors = (found.get(name) for name in ("lumbar_spine_bmd", "total_hip_bmd", "p1np", "ctx"))
        rows.append((one["id"], one["title"], str(one["year"]), USES[one["use"]], str(one["values"]), *errors))
    heads = ("trial", "what", "year", "use", "values", "RMSE spine", "hip", "P1NP", "CTX")
    return html.table(heads, rows, left=4, caption="All trials")


def _share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f} %"


def _summary(told: dict[str, Any]) -> None:
    text = f"{told['summary']} Marked “{USES[told['use']]}”."
    parts = []
    for row in told["rows"]:
        off = "on average right" if abs(row["bias"]) < 0.05 else f"{html.signed(row['bias'], 2)} on average"
        name = ENDPOINTS[row["endpoint"]].label + (" (ln)" if ENDPOINTS[row["endpoint"]].kind == "marker" else "")
        parts.append(f"{name}: misses by {html.number(row['rmse'])} ({off}, {row['n']} values)")
    theme.sentence(text)
    if parts:
        html.show(html.bullets(parts))
    html.show('<span class="key"><span><i class="line"></i>model</span><span><i class="seen"></i>published, bars as '
              "printed</span></span>")  # fmt: skip


def _arm(arm: dict[str, Any], told: dict[str, Any]) -> None:
    n = f", {arm['n']} people" if arm["n"] else ""
    with ui.element("div").classes("stack arm"):
        html.show(f"<h3 class=arm-title>{escape(arm['title'])}{n}</h3><code>{escape(arm['regimen'])}</code>")
        if arm["not_simulated"]:
            html.show(f"<p class=small>Not simulated: {escape(arm['not_simulated'])}</p>")
        names = dict.fromkeys(curve["endpoint"] for curve in arm["curves"])
        figures = "".join(
            f"<figure><figcaption>{escape(ENDPOINTS[name].label)}, %</figcaption>{chart(arm, name)}</figure>"
            for name in names
        )
        html.show(f'<div class="charts">{figures}</div>')
        with ui.element("details"):
            with ui.element("summary"):
                ui.label("Where each number comes from")
            html.show(_numbers(arm, told["sources"]))


def chart(arm: dict[str, Any], endpoint: str) -> str:
    """All published values of an end point in an arm with the model's course, % change from baseline over months."""
    simulated = arm["simulated"] or {}
    values = [p for curve in arm["curves"] if curve["endpoint"] == endpoint for p in curve["points"]]
    last = max((p["month"] for p in values), default=12.0)
    course = zip(simulated.get("months", ()), simulated.get("course", {}).get(endpoint, ()), strict=False)
    line = [(month, value) for month, value in course if month <= last + 1e-9]
    points = [
        (p["month"], p["value"], p["low"], p["high"], f"month {p['month']:g}: {html.signed(p['value'], 2)} %")
        for p in values
    ]
    return Chart(f"{ENDPOINTS[endpoint].label}, % change over {last:g} months", line, points).svg()


def _numbers(arm: dict[str, Any], sources: dict[str, Any]) -> str:
    predicted = {(p["endpoint"], p["month"], p["observed"]): p for p in (arm["simulated"] or {}).get("points", ())}
    rows = []
    for curve in arm["curves"]:
        for p in curve["points"]:
            said = predicted.get((curve["endpoint"], p["month"], p["value"]), {})
            where = sources[p["source"]]["citation"]
            rows.append((curve["label"], f"{p['month']:g}", p["value"], said.get("predicted"), where, p["at"] or "–",
                         p["kind"]))  # fmt: skip
    heads = ("end point", "month", "published %", "model %", "source", "where in it", "how")
    return html.table(heads, rows, left=len(heads), caption="Where each number comes from")


def _sources(told: dict[str, Any]) -> None:
    with ui.element("details"):
        with ui.element("summary"):
            ui.label("Sources")
        lines = []
        for one in told["sources"].values():
            doi = html.link(f"https://doi.org/{one['doi']}", f"doi:{one['doi']}") if one.get("doi") else ""
            via = f" (by way of {escape(one['via'])})" if one.get("via") else ""
            lines.append(f"<li>{escape(one['citation'])}{via} {doi}</li>")
        html.show(f"<ul class=bullets>{''.join(lines)}</ul>")


def _items(text: str) -> str:
    """The hand-written list as HTML: its items, links as their words."""
    import re

    plain = re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", text).replace("`", "")
    lead, *items = re.split(r"^- ", plain, flags=re.MULTILINE)
    return f"<p>{escape(' '.join(lead.split()))}</p>" + html.bullets(" ".join(item.split()) for item in items)


def page() -> None:
    """The whole page."""
    theme.heading("Evidence", _LEAD)
    _Evidence()
