"""A job on a page: how far it is, a button to stop it, and what to do when it is done."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

from nicegui import ui

from osteon.app.api.deps import current
from osteon.app.jobs import DONE, ENDED, Job
from osteon.app.parts import html
from osteon.errors import OsteonError

EVERY = 0.5  # seconds between looks


class Progress:
    """One job at a time; `done` is called with it when it has ended well."""

    def __init__(self, done: Callable[[Job], None]) -> None:
        self._done, self.job, self._seen = done, None, ""
        self.box = ui.element("div").classes("stack").props("role=status aria-live=polite")
        self.box.visible = False
        with self.box:
            self._text = ui.label("").classes("small")
            self._bar = html.show("")
            self._stop = ui.element("button").classes("btn").props('type=button aria-label="Cancel the run"')
            with self._stop:
                ui.label("Cancel")
            self._stop.on("click", self.cancel)
        self._problem = ui.label("").classes("bad").props("role=alert")
        self._problem.visible = False
        self._timer = ui.timer(EVERY, self._look, active=False)

    job: Job | None

    def start(self, kind: str, title: str, payload: dict[str, Any]) -> bool:
        """Queue the work; says so and returns False when there is no room."""
        self.cancel()
        try:
            self.job = current().jobs.add(kind, title, payload)
        except OsteonError as problem:
            self.fail(str(problem))
            return False
        self._problem.visible = False
        self.box.visible, self._stop.visible, self._seen = True, True, ""
        self._timer.active = True
        self._look()
        return True

    def cancel(self) -> None:
        """Stop the job, if one runs."""
        if self.job is not None and self.job.state not in ENDED:
            current().jobs.cancel(self.job.id)

    def fail(self, text: str) -> None:
        """Say in one line what is wrong."""
        self.box.visible = False
        self._problem.text, self._problem.visible = " ".join(text.split()), bool(text)

    def _look(self) -> None:
        job = self.job
        if job is None:
            return
        told = job.as_dict()
        left = f", about {told['seconds_left']} s left" if told["seconds_left"] is not None else ""
        text = f"{told['what']}, {100 * told['share']:.0f} % after {told['seconds']:.0f} s{left}"
        if text != self._seen:
            self._seen = self._text.text = text
            share = 100 * told["share"]
            self._bar.content = (
                f'<div class="progress" role="progressbar" aria-label="{escape(job.title[:80], quote=True)}" '
                f'aria-valuemin="0" aria-valuemax="100" aria-valuenow="{share:.0f}"><div style="width:{share:.1f}%">'
                "</div></div>"
            )
        if job.state not in ENDED:
            return
        self._timer.active = self._stop.visible = False
        if job.state == DONE:
            self._text.text = f"done in {told['seconds']:.0f} s" + "".join(f" · {w}" for w in job.warnings)
            self._done(job)
        elif job.error is not None:
            error = job.error
            self.fail(
                "; ".join(filter(None, (f"{error['where']}: " * bool(error["where"]) + error["what"], error["hint"])))
            )
        else:
            self._text.text = "cancelled; nothing was kept"
