"""The page "Ageing": a senolytic, stem cells and a drug, alone and in all combinations, with probabilities."""

from __future__ import annotations

import json
from html import escape
from typing import Any

import yaml
from nicegui import ui

from osteon.app import studies, theme
from osteon.app.api.deps import current
from osteon.app.jobs import Job
from osteon.app.parts import html
from osteon.app.parts.progress import Progress
from osteon.app.parts.svg import Dot, dots
from osteon.endpoints import ENDPOINTS
from osteon.errors import OsteonError
from osteon.therapies import catalogue

SENOLYTICS = {
    "": "none",
    "dasatinib+quercetin every 28 days x5": "dasatinib with quercetin, five courses",
    "fisetin every 28 days x5": "fisetin, five courses",
}
CELLS = {
    "": "none",
    "msc 1e8 cells IV once starting at month 1": "stem cells, 100 million into a vein",
    "homing msc 1e8 cells IV once starting at month 1": "stem cells made to home to bone",
}
DRUGS = {
    "": "none",
    "zoledronate 5 mg IV once": "zoledronate, one infusion",
    "alendronate 70 mg PO weekly for 24 months": "alendronate for two years",
    "denosumab 60 mg SC every 6 months for 24 months": "denosumab for two years",
    "teriparatide 20 ug SC daily for 24 months": "teriparatide for two years",
    "romosozumab 210 mg SC monthly x12": "romosozumab for a year",
}
ENDS = ["lumbar_spine_bmd", "total_hip_bmd", "senescent_burden", "progenitors"]
DRAWS = {50: "50: quick", 200: "200: the usual"}
_LEAD = (
    "Take worn cells away, bring young ones in, add a bone drug: what is each worth, and what do they add together?"
)
_RESTS = (
    "What senolytics and stem cells do to human bone rests on animals and assumed numbers. Read the probabilities as "
    "“if those numbers hold”; the table below says which of them decide."
)


def known(options: dict[str, str]) -> dict[str, str]:
    """The options whose therapy the catalogue has."""
    from osteon.regimen import parse_regimen

    found = {}
    for text, words in options.items():
        try:
            parse_regimen(text or "none")
        except OsteonError:
            continue
        found[text] = words
    return found


def design(
    sex: str, age: float, score: float | None, burden: float | None, months: int, chosen: dict[str, str]
) -> dict[str, Any]:
    """The study of all combinations; factors that are "" are left out. Raises StudyError in `studies.read`."""
    people: dict[str, Any] = {"species": "human", "sex": sex, "age": age, "n_per_arm": 1}
    if score is not None:
        people["t_score"] = {"lumbar_spine": score, "total_hip": score}
    if burden is not None and burden != 1:
        people["senescent_burden"] = burden
    visits = sorted({0, *(m for m in (6, 12, 24, 36) if m < months), months})
    return {
        "id": "ageing", "title": f"Combinations at {age:g}", "people": people,
        "factors": {name: text for name, text in chosen.items() if text}, "visits": visits, "endpoints": ENDS,
    }  # fmt: skip


class _Ageing:
    def __init__(self) -> None:
        with ui.element("div").classes("grid2"):
            with theme.card("Who, and what"):
                self._form()
            with ui.element("div").classes("stack"):
                with theme.card("Answer"):
                    html.show(f"<p class=small>{escape(_RESTS)}</p>")
                    self.progress = Progress(self._done)
                    self.idle = ui.element("div")
                    with self.idle:
                        theme.empty("Nothing has been compared yet.", "Choose two or three treatments, then Compare.")
                self.results = ui.element("div").classes("stack")

    def _form(self) -> None:
        with ui.element("div").classes("fields"):
            self.sex = ui.select(["female", "male"], label="Sex", value="female").props("outlined dense")
            self.age = ui.number("Age, years", value=70, min=50, max=90).props("outlined dense")
            self.score = ui.number("T-score", value=-2.5, min=-6, max=3, step=0.1).props("outlined dense")
            self.burden = ui.number("Senescent cells, times the usual", value=1, min=0, max=10, step=0.1).props(
                "outlined dense"
            )
        self.factors = {
            name: ui.select(known(options), label=label, value=value).props("outlined dense")
            for name, options, label, value in (
                ("senolytic", SENOLYTICS, "Senolytic", "dasatinib+quercetin every 28 days x5"),
                ("stem cells", CELLS, "Stem cells", "msc 1e8 cells IV once starting at month 1"),
                ("drug", DRUGS, "Bone drug", "zoledronate 5 mg IV once"),
            )
        }
        with ui.element("div").classes("fields"):
            self.months = ui.select([6, 12, 24, 36], label="Months", value=12).props("outlined dense")
            self.draws = ui.select(DRAWS, label="Draws", value=50).props("outlined dense")
        with ui.element("div").classes("row"):
            for label, act, kind in (
                ("Compare", self._start, "btn main-act"),
                ("Save as a study file", self._save, "btn"),
            ):
                button = ui.element("button").classes(kind).props("type=button")
                with button:
                    ui.label(label)
                button.on("click", act)
        for therapy in ("dasatinib+quercetin", "msc"):
            one = catalogue.get(therapy)
            html.show(f"<p class=small>{theme.grade(one.evidence)} <strong>{escape(one.id)}</strong>: "
                      f"{escape(one.evidence_why)}.</p>")  # fmt: skip

    def _study(self) -> dict[str, Any]:
        chosen = {name: select.value or "" for name, select in self.factors.items()}
        if sum(map(bool, chosen.values())) < 2:
            raise OsteonError("choose two treatments or more: one alone has nothing to combine with")
        if self.age.value is None:
            raise OsteonError("age: give a number of years")
        return design(self.sex.value, self.age.value, self.score.value, self.burden.value, self.months.value, chosen)

    def _save(self) -> None:
        try:
            text = yaml.safe_dump(self._study(), sort_keys=False, allow_unicode=True)
        except OsteonError as problem:
            self.progress.fail(str(problem))
            return
        ui.download.content(text, "ageing.yaml", "application/yaml")

    def _start(self) -> None:
        try:
            study = studies.read(self._study(), self.draws.value)
        except OsteonError as problem:
            self.progress.fail(str(problem))
            return
        payload = {"study": studies.as_dict(study), "draws": self.draws.value, "seed": 0, "model": "osteon"}
        self.results.clear()
        self.idle.visible = False
        self.progress.start("factorial", study.title, payload)

    def _done(self, job: Job) -> None:
        path = current().jobs.file(job.id, "contrasts.json")
        if path is None:
            return
        told = json.loads(path.read_text("utf-8"))
        with self.results:
            with theme.card("In plain words"):
                for text in told["words"]:
                    theme.sentence(text.rstrip(".") + ".")
                theme.notice()
            for endpoint in dict.fromkeys(row["endpoint"] for row in told["contrasts"]):
                _picture(told, endpoint)
            _deciders(told)
            with theme.card("Everything that was written"):
                html.show(html.downloads(job.id, job.files))


def _picture(told: dict[str, Any], endpoint: str) -> None:
    last = max(row["month"] for row in told["contrasts"])
    rows = [row for row in told["contrasts"] if row["endpoint"] == endpoint and row["month"] == last]
    label = ENDPOINTS[endpoint].label
    effects = [_dot(row, "effect: ", "a") for row in rows if row["name"].startswith("effect: ")]
    better = [
        _dot(row, "excess over better single: ", "b") for row in rows if row["name"].startswith("excess over better")
    ]
    with theme.card(f"{label} after {last:g} months"):
        html.show("<p class=small>Against no treatment, points of % with 5 to 95 % of the draws; P: probability of "
                  "being above 0.</p>")  # fmt: skip
        html.show(dots(f"{label} against no treatment", effects))
        if better:
            html.show("<p class=small>What a combination adds to the better of its parts.</p>")
            html.show(dots(f"{label}: gain over the better single", better))


def _dot(row: dict[str, Any], head: str, tone: str) -> Dot:
    p = row["p_positive"]
    words = f"{html.signed(row['value'])}" + ("" if p is None else f", P {p:.2f}")
    return Dot(row["name"].removeprefix(head), row["value"], row["lower"], row["upper"], words, tone)


def _deciders(told: dict[str, Any]) -> None:
    if not told["deciding"]:
        return
    with theme.card("What decides the answer"):
        rows = [
            (one["name"], one["rests_on"], html.Raw(theme.grade(one["grade"])) if one["grade"] else "–", one["id"])
            for one in told["deciding"]
        ]
        html.show(
            html.table(("what", "rests on", "grade", "parameter"), rows, left=4, caption="What decides the answer")
        )


def page() -> None:
    """The whole page."""
    theme.heading("Ageing", _LEAD)
    _Ageing()
