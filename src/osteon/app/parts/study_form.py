"""A form that writes a study file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import yaml
from nicegui import ui

from osteon.endpoints import ENDPOINTS

_SHOWN = ("lumbar_spine_bmd", "total_hip_bmd", "femoral_neck_bmd", "p1np", "ctx", "senescent_burden")


class StudyForm:
    """Fields for people, arms, visits and end points; `take` gets the text."""

    def __init__(self, take: Callable[[str], None]) -> None:
        self._take = take
        self.arms: list[tuple[ui.input, ui.input]] = []
        with ui.element("div").classes("stack"):
            with ui.element("div").classes("fields"):
                self.title = ui.input("Title", value="My study").props("outlined dense maxlength=200")
                self.sex = ui.select(["female", "male"], label="Sex", value="female").props("outlined dense")
                self.age = ui.number("Age, years", value=68, min=30, max=95).props("outlined dense")
                self.spine = ui.number("Spine T-score", value=-2.5, min=-6, max=6, step=0.1).props("outlined dense")
                self.hip = ui.number("Hip T-score", value=-2.0, min=-6, max=6, step=0.1).props("outlined dense")
                self.n = ui.number("People in each arm", value=100, min=1, max=100_000, precision=0).props(
                    "outlined dense"
                )
            self.rows = ui.element("div").classes("stack")
            self._arm("no treatment", "none")
            self._arm("treatment", "alendronate 70 mg PO weekly for 36 months")
            with ui.element("div").classes("fields"):
                self.visits = ui.input("Visits, months", value="0, 6, 12, 24, 36").props("outlined dense")
                self.endpoints = ui.select(
                    {name: ENDPOINTS[name].label for name in _SHOWN}, label="End points", multiple=True,
                    value=["lumbar_spine_bmd", "total_hip_bmd", "ctx"],
                ).props("outlined dense")  # fmt: skip
            with ui.element("div").classes("row"):
                for label, act in (("Add an arm", lambda: self._arm("", "")), ("Write the study", self.write)):
                    button = ui.element("button").classes("btn").props("type=button")
                    with button:
                        ui.label(label)
                    button.on("click", act)

    def _arm(self, name: str, regimen: str) -> None:
        number = len(self.arms) + 1
        with self.rows, ui.element("div").classes("fields"):
            self.arms.append(
                (
                    ui.input(f"Arm {number}: name", value=name).props("outlined dense maxlength=200"),
                    ui.input(f"Arm {number}: regimen", value=regimen).props("outlined dense maxlength=2000"),
                )
            )

    def write(self) -> None:
        """Put the study's text where the file is; the check there says what is wrong with it."""
        self._take(self.text())

    def text(self) -> str:
        """The study as YAML; what cannot be read stays as it was written."""
        people: dict[str, Any] = {"species": "human", "sex": self.sex.value, "age": self.age.value}
        scores = {"lumbar_spine": self.spine.value, "total_hip": self.hip.value}
        people["t_score"] = {site: value for site, value in scores.items() if value is not None}
        people["n_per_arm"] = int(self.n.value) if self.n.value else self.n.value
        content = {
            "id": "".join(c if c.isascii() and c.isalnum() else "-" for c in self.title.value.casefold())[:60]
            or "study",
            "title": self.title.value,
            "people": people,
            "arms": [{"name": a.value, "regimen": b.value} for a, b in self.arms if a.value or b.value],
            "visits": [_number(part.strip()) for part in self.visits.value.split(",") if part.strip()],
            "endpoints": list(self.endpoints.value),
        }
        return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=110)


def _number(text: str) -> Any:
    try:
        value = float(text)
    except ValueError:
        return text
    return int(value) if value.is_integer() else value
