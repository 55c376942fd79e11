"""The study file: people, arms, visits and end points, in YAML."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, FiniteFloat, field_validator, model_validator

from osteon import design, files
from osteon.endpoints import ENDPOINTS
from osteon.errors import StudyError, nearest, shorten
from osteon.person import People
from osteon.regimen import Regimen, parse_regimen, prior_length
from osteon.trial.settings import Analysis, Measurement
from osteon.units import number
from osteon.validation import RegimenText, Strict, validate

MAX_NAME = 200  # characters of an arm's name


def _printable(text: str) -> str:
    """Names end up in tables and files; line breaks and control characters would break them."""
    if any(ord(c) < 32 or ord(c) == 127 for c in text):
        raise ValueError(f"{shorten(repr(text))} holds a line break or control character; use plain text")
    return text


class Arm(Strict):
    """An arm: any text as its name, and a regimen text."""

    name: Annotated[str, Field(min_length=1, max_length=MAX_NAME), AfterValidator(_printable)]
    regimen: RegimenText

    @property
    def schedule(self) -> Regimen:
        return parse_regimen(self.regimen)


def _levels(value: Any) -> Any:
    """A factor given as a regimen alone is that regimen or none."""
    return {"none": "none", "yes": value} if isinstance(value, str) else value


Name = Annotated[str, Field(min_length=1, max_length=60), AfterValidator(_printable)]
Levels = Annotated[dict[Name, RegimenText], BeforeValidator(_levels), AfterValidator(design.ordered)]


class Study(Strict):
    """People + arms + visits (months from month 0) + end points; `prior` is what all had before month 0. With
    `factors` in place of arms, the arms are all cells of their design."""

    id: str
    title: Annotated[str, Field(max_length=400), AfterValidator(_printable)] = ""
    people: People
    prior: RegimenText | None = None
    arms: list[Arm]
    factors: dict[Name, Levels] | None = None
    visits: list[FiniteFloat]
    endpoints: list[str]
    measurement: Measurement | None = None
    analysis: Analysis | None = None

    @field_validator("id")
    @classmethod
    def _plain(cls, value: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9_.-]+", value):
            raise ValueError(f"{value!r}: use letters, digits, '_', '.' and '-' only")
        return value

    @field_validator("prior")
    @classmethod
    def _prior_ends(cls, value: str | None) -> str | None:
        if value is not None and prior_length(parse_regimen(value)) == float("inf"):
            raise ValueError(f"prior {value!r} has no end: give it a length, such as 'for 36 months'")
        return value

    @field_validator("visits")
    @classmethod
    def _ascending(cls, value: list[float]) -> list[float]:
        if not value:
            raise ValueError("there is no visit; give months, for instance [0, 12, 24]")
        for before, after in zip([None, *value], value, strict=False):
            if after < 0:
                raise ValueError(f"month {number(after)} is negative; visits count from month 0")
            if before is not None and after <= before:
                raise ValueError(f"month {number(after)} after month {number(before)}: visits must ascend, each once")
        return value

    @field_validator("endpoints")
    @classmethod
    def _known(cls, value: list[str]) -> list[str]:
        if not value:
            raise ValueError("there is no end point; for instance [total_hip_bmd, ctx]")
        for name in value:
            if name not in ENDPOINTS:
                raise ValueError(f"unknown end point {name!r}{nearest(name, ENDPOINTS)}")
            if value.count(name) > 1:
                raise ValueError(f"end point {name!r} stands twice")
        return value

    @model_validator(mode="before")
    @classmethod
    def _arms_or_factors(cls, data: Any) -> Any:
        if isinstance(data, dict) and "factors" in data and "arms" not in data:
            return {**data, "arms": []}  # the cells, once the factors are known to be right
        return data

    @model_validator(mode="after")
    def _arms_differ(self) -> Study:
        if self.factors is not None:
            self._lay_out(self.factors)
        if not self.arms:
            raise ValueError("arms: there is no arm; give at least one {name, regimen}")
        names = [arm.name for arm in self.arms]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"arms: the name {name!r} stands twice; arms need different names")
        return self

    @model_validator(mode="after")
    def _analysis_fits(self) -> Study:
        plan = self.analysis
        names = [arm.name for arm in self.arms]
        if plan and plan.reference is not None and plan.reference not in names:
            raise ValueError(f"analysis: there is no arm {plan.reference!r}{nearest(plan.reference, names)}")
        if plan and plan.primary is not None and plan.primary not in self.endpoints:
            raise ValueError(f"analysis: {plan.primary!r} is not in endpoints{nearest(plan.primary, self.endpoints)}")
        if plan and plan.month is not None and plan.month not in self.visits:
            months = ", ".join(number(month) for month in self.visits)
            raise ValueError(f"analysis: there is no visit at month {number(plan.month)}; visits: {months}")
        return self

    def _lay_out(self, factors: dict[str, dict[str, str]]) -> None:
        """Make the cells of the factors the arms."""
        design.check(factors)
        cells = design.cells(factors)
        if longest := next((name for name, _ in cells if len(name) > MAX_NAME), ""):
            raise ValueError(f"factors: the cell {shorten(longest)!r} has too long a name; give levels shorter ones")
        arms = [Arm(name=name, regimen=text) for name, text in cells]
        if self.arms and self.arms != arms:
            raise ValueError("arms: give either arms or factors; with factors, the arms are all their combinations")
        object.__setattr__(self, "arms", arms)

    def therapies(self) -> tuple[str, ...]:
        """Ids of the therapies of all arms, each once, in order of appearance."""
        return tuple(dict.fromkeys(name for arm in self.arms for name in arm.schedule.therapies()))

    @property
    def prior_regimen(self) -> Regimen:
        return parse_regimen(self.prior) if self.prior else Regimen()


def load_study(path: str | Path) -> Study:
    """Read a study file; raises StudyError with file, line, field and what to do."""
    return study_from(files.read_yaml(path, StudyError), str(path))


def study_from(document: files.Document | dict[str, Any], where: str = "study") -> Study:
    """A study from parsed YAML or a dict."""
    if isinstance(document, dict):
        document = files.Document(document)
    return validate(Study, document, where, StudyError)
