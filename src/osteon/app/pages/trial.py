"""The page "Trial": a study file, opened or written here, run in the background, with its report and all files."""

from __future__ import annotations

import json
from html import escape
from typing import Any

from nicegui import events, ui

from osteon.app import studies, theme
from osteon.app.api.deps import current
from osteon.app.examples import EXAMPLES
from osteon.app.jobs import Job
from osteon.app.limits import MAX_BODY
from osteon.app.parts import html
from osteon.app.parts.progress import Progress
from osteon.app.parts.study_form import StudyForm
from osteon.endpoints import ENDPOINTS
from osteon.errors import OsteonError

DRAWS = {0: "none: the most probable course", 50: "50: quick intervals", 200: "200: the usual"}


class _Trial:
    """What the page holds: the text, whether it is a study, and the last run."""

    def __init__(self) -> None:
        self.study: Any = None
        with ui.element("div").classes("grid2"):
            with theme.card("Study"):
                self._choose()
                self.text = (
                    ui.textarea("Study file (YAML)", value=next(iter(EXAMPLES.values())), on_change=self.check)
                    .props('outlined autogrow debounce=400 spellcheck=false aria-label="Study file, YAML"')
                    .classes("code w-full")
                )
                self.verdict = html.show("").props("role=status aria-live=polite")
                self.as_trial = ui.checkbox("Also as a virtual trial, person by person", on_change=self.check)
                self._run_row()
                with ui.element("details"):
                    with ui.element("summary"):
                        ui.label("Build a study from a form")
                    StudyForm(self._take)
            with ui.element("div").classes("stack"):
                with theme.card("Run"):
                    self.progress = Progress(self._done)
                    self.idle = ui.element("div")
                    with self.idle:
                        theme.empty("Nothing has been run yet.", "Check the study on the left, then press Run.")
                self.results = ui.element("div").classes("stack")
        self.check()

    def _choose(self) -> None:
        with ui.element("div").classes("row"):
            ui.select(
                list(EXAMPLES), label="Begin with an example", value=next(iter(EXAMPLES)),
                on_change=lambda e: self._take(EXAMPLES[e.value]),
            ).props("outlined dense").classes("grow")  # fmt: skip
            upload = (
                ui.upload(auto_upload=True, max_file_size=MAX_BODY, max_files=1, on_upload=self._opened,
                          on_rejected=lambda: self._say("that file is not a study: it is larger than a megabyte"))
                .props('accept=".yaml,.yml,.json,.txt"').classes("hidden")
            )  # fmt: skip
            button = ui.element("button").classes("btn").props("type=button")
            with button:
                ui.label("Open a file")
            button.on("click", lambda: upload.run_method("pickFiles"))

    def _run_row(self) -> None:
        with ui.element("div").classes("row"):
            self.draws = ui.select(DRAWS, label="Draws (how sure?)", value=50).props("outlined dense").classes("grow")
            self.run = ui.element("button").classes("btn main-act").props("type=button")
            with self.run:
                ui.label("Run")
            self.run.on("click", self._start)
            save = ui.element("button").classes("btn").props("type=button")
            with save:
                ui.label("Save the file")
            save.on("click", lambda: ui.download.content(self.text.value or "", "study.yaml", "application/yaml"))

    async def _opened(self, event: events.UploadEventArguments) -> None:
        try:
            text = (await event.file.read()).decode("utf-8")
        except UnicodeDecodeError:
            self._say("that file is not text (UTF-8)")
            return
        self._take(text)

    def _take(self, text: str) -> None:
        self.text.value = text

    def _say(self, problem: str) -> None:
        self.verdict.content = f'<span class="bad">{escape(problem)}</span>'

    def check(self) -> None:
        """Read the text anew and say what it is, or what is wrong and where."""
        self.study = None
        try:
            self.study = studies.read(self.text.value or "", trial=self.as_trial.value)
        except OsteonError as problem:
            self._say(" ".join(str(problem).split()))
        else:
            told = self.study
            arms = f"{len(told.arms)} arms" if told.factors is None else f"a design of {len(told.arms)} cells"
            people = f"{told.people.n_per_arm:,} people in each"
            more = ""
            if self.as_trial.value and told.factors is not None:
                more = " It is compared cell by cell; a virtual trial needs arms, and is left out."
            self.verdict.content = (
                f'<span class="ok">This is a study: {arms}, {people}, {len(told.visits)} visits.{more}</span>'
            )
        self.run.props(remove="disabled") if self.study is not None else self.run.props("disabled")

    def _start(self) -> None:
        self.check()
        if self.study is None:
            return
        kind = "factorial" if self.study.factors is not None else "run"
        payload = {"study": studies.as_dict(self.study), "draws": self.draws.value, "seed": 0, "model": "osteon"}
        payload |= {"trial": True} if self.as_trial.value and kind == "run" else {}
        self.results.clear()
        self.idle.visible = False
        self.progress.start(kind, self.study.title or self.study.id, payload)

    def _done(self, job: Job) -> None:
        name = "summary.json" if job.kind == "run" else "contrasts.json"
        path = current().jobs.file(job.id, name)
        told = json.loads(path.read_text("utf-8")) if path else {"summary": []}
        with self.results:
            with theme.card("In plain words"):
                for text in told["words"] if job.kind == "factorial" else sentences(told["summary"]):
                    theme.sentence(text.rstrip(".") + ".")
                _grades(job.payload["study"])
                theme.notice()
            with theme.card("At the last visit"):
                html.show(last_visit(told["summary"]))
            if virtual := told.get("trial"):
                with theme.card("The virtual trial"):
                    theme.sentence(trial_sentence(virtual))
                    html.show(comparisons(virtual))
                    for note in virtual["notes"]:
                        ui.label(note).classes("small")
                    theme.notice()
            with theme.card("Everything that was written"):
                html.show(html.downloads(job.id, job.files))
            reports = {"report.html": "Report", "trial_report.html": "Report of the virtual trial",
                       "factorial.html": "Report"}  # fmt: skip
            for report, title in reports.items():
                if report in job.files:
                    with theme.card(title):
                        html.show(
                            f'<iframe class="report" title="{title}" sandbox loading="lazy" '
                            f'src="/api/jobs/{job.id}/files/{report}?inline=true"></iframe>'
                        )


def _grades(study: dict[str, Any]) -> None:
    """What each therapy's numbers rest on."""
    from osteon.study import study_from
    from osteon.therapies import catalogue

    found = [catalogue.get(name) for name in study_from(study).therapies()]
    if found:
        rows = [(one.id, html.Raw(theme.grade(one.evidence)), one.evidence_why) for one in found if one.evidence]
        html.show(html.table(("therapy", "grade", "its size rests on"), rows, left=3, caption="What it rests on"))


def sentences(rows: list[dict[str, Any]]) -> list[str]:
    """What changed by the last visit, and how sure that is, for each BMD end point."""
    found = []
    last = max((row["month"] for row in rows), default=0)
    for name in dict.fromkeys(row["endpoint"] for row in rows):
        if ENDPOINTS[name].kind != "bmd":
            continue
        here = [r for r in rows if r["endpoint"] == name and r["month"] == last]
        change = {r["arm"]: r for r in here if r["statistic"] == "mean_pct_change"}
        apart = {r["arm"]: r for r in here if r["statistic"].startswith("difference_vs_")}
        told = ", ".join(f"{html.signed(r['value'])} % with “{arm}”" for arm, r in change.items())
        text = f"{ENDPOINTS[name].label} after {last:g} months: {told}"
        for arm, row in apart.items():
            if row["lower"] is None:
                continue
            first = row["statistic"].removeprefix("difference_vs_")
            sure = (
                "clearly above"
                if row["lower"] > 0
                else "clearly below"
                if row["upper"] < 0
                else "not surely apart from"
            )
            text += (
                f"; “{arm}” is {sure} “{first}” (difference {html.signed(row['value'])} points, "
                f"nine in ten such trials would see {html.signed(row['lower'])} to {html.signed(row['upper'])})"
            )
        found.append(text)
    if not found:
        found.append("This study has no BMD end point; the table shows the rest")
    elif all(row["lower"] is None for row in rows):
        found.append("Without draws nothing can be said of how sure this is; run it with draws")
    return found


def trial_sentence(told: dict[str, Any]) -> str:
    """What the trial found for its primary end point, in plain words."""
    label = ENDPOINTS[told["endpoint"]].label
    parts = []
    for row in _main_rows(told):
        arm, low, high = row["arm"], row["lower"], row["upper"]
        if low is None or high is None:
            parts.append(f"“{arm}” cannot be compared")
            continue
        ratio = "ratio" in row["statistic"]
        even, show = (1.0, html.number) if ratio else (0.0, html.signed)
        found = "a difference" if not low <= even <= high else "no clear difference"
        marker = ENDPOINTS[told["endpoint"]].kind == "marker"  # whose change is compared as a ratio, told in %
        what = "ratio" if ratio else "difference in %" if marker else "difference in points"
        parts.append(f"{found} of “{arm}” ({what} {show(row['value'])}, 95 % interval {show(low)} to {show(high)})")
    said = "; ".join(parts) or "nothing to compare with one arm"
    return f"One such trial, {label} at month {told['month']:g} against “{told['reference']}”: {said}."


def comparisons(told: dict[str, Any]) -> str:
    """All comparisons at the last visit that each end point has."""
    rows = [row for row in told["table"] if "_vs_" in row["statistic"]]
    last = {name: max(r["month"] for r in rows if r["endpoint"] == name) for name in {r["endpoint"] for r in rows}}
    lines = []
    for row in (r for r in rows if r["month"] == last[r["endpoint"]]):
        kind = row["statistic"].split("_vs_")[0].replace("_", " ")
        span = "–" if row["lower"] is None else f"{html.number(row['lower'])} to {html.number(row['upper'])}"
        p = "–" if row["p"] is None else "< 0.001" if row["p"] < 0.001 else f"{row['p']:.3f}"
        lines.append((ENDPOINTS[row["endpoint"]].label, row["arm"], kind, row["value"], span, p))
    heads = ("end point", "arm", f"against “{told['reference']}”", "value", "95 % interval", "p")
    return html.table(heads, lines, left=3, caption="What the trial would report at its end")


def _main_rows(told: dict[str, Any]) -> list[dict[str, Any]]:
    """Comparisons of the primary end point at its month; the first of each arm."""
    rows: dict[str, dict[str, Any]] = {}
    for row in told["table"]:
        if row["endpoint"] == told["endpoint"] and row["month"] == told["month"] and "_vs_" in row["statistic"]:
            rows.setdefault(row["arm"], row)
    return list(rows.values())


def last_visit(rows: list[dict[str, Any]]) -> str:
    """The last visit as a table: change in %, interval, difference from the first arm."""
    last = max((row["month"] for row in rows), default=0)
    here = [row for row in rows if row["month"] == last]
    apart = {(r["arm"], r["endpoint"]): r["value"] for r in here if r["statistic"].startswith("difference")}
    lines = []
    for row in (r for r in here if r["statistic"] == "mean_pct_change"):
        span = f"{html.number(row['lower'])} to {html.number(row['upper'])}" if row["lower"] is not None else "–"
        name = row["endpoint"]
        lines.append((ENDPOINTS[name].label, row["arm"], row["value"], span, apart.get((row["arm"], name))))
    heads = ("end point", "arm", "change in %", "5 to 95 %", "difference from the first arm")
    return html.table(heads, lines, left=2, caption=f"Changes at month {last:g}")


def page() -> None:
    """The whole page."""
    theme.heading("Trial", "Open a study file or write one, run it, see the report, keep everything.")
    _Trial()
