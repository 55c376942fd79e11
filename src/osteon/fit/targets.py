"""What a model is fitted to: one task per arm, with its values and their errors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from osteon.endpoints import ENDPOINTS
from osteon.evidence.loader import load_trials, table_rows
from osteon.evidence.score import ASSUMED_AGE, MISSES
from osteon.regimen import Course, Regimen, prior_courses
from osteon.units import MONTH_DAYS

if TYPE_CHECKING:
    from osteon.evidence.schema import Curve, Trial
    from osteon.models import Model

LEAST = 0.01  # weight of a curve
ROWS = ("21", "22", "23", "24", "45", "46", "47")  # of the natural-history table
RATE_ERROR = 0.3  # of a loss rate round the menopause, points a year; assumed
DECADE_ERROR = 1.5  # of a cross-sectional mean by decade relative to 25, points; assumed
RISE_ERROR = 0.1  # of the rise of a marker over the menopause, logarithm; assumed


@dataclass(frozen=True)
class Value:
    """One published change from baseline: % for BMD, natural logarithm of the ratio for markers."""

    endpoint: str
    output: int
    change: float
    error: float
    base: int | None = None
    """The output that it is relative to; that of month 0 when None."""


@dataclass(frozen=True)
class Side:
    """A place where a difference is read: the task's number and its output."""

    task: int
    output: int


@dataclass(frozen=True)
class Difference:
    """A published difference of two arms' % changes from baseline (BMD): `one` less `other`."""

    endpoint: str
    one: Side
    other: Side
    change: float
    error: float


@dataclass(frozen=True)
class Targets:
    """All that a model is fitted to."""

    tasks: tuple[Task, ...]
    differences: tuple[Difference, ...] = ()

    @property
    def count(self) -> int:
        """How many values there are."""
        return sum(len(t.values) for t in self.tasks) + len(self.differences)


@dataclass(frozen=True)
class Task:
    """An arm to simulate: at `age` (years) at month 0, read at `days` from there."""

    trial: str
    arm: str
    age: float
    courses: tuple[Course, ...]
    second: float
    """Where the prior treatment begins, in days from month 0; 0 without one."""
    days: tuple[float, ...]
    values: tuple[Value, ...]


def targets(model: Model) -> Targets:
    """Every arm of the trials marked `fit` that the model can simulate, differences between them, and the untreated
    life."""
    tasks: list[Task] = []
    differences: list[Difference] = []
    for trial in load_trials("fit").values():
        _add(model, trial, tasks, differences)
    return Targets((*tasks, *life_tasks(model)), tuple(differences))


def _error(curve: Curve) -> float:
    """Of the curve's values; one that counts for half has an error √2 times as large."""
    return float(MISSES[curve.endpoint] / max(curve.weight, LEAST) ** 0.5)


def _add(model: Model, trial: Trial, tasks: list[Task], differences: list[Difference]) -> None:
    """Add a trial's arms and differences."""
    kinetics = model.kinetics(model.parameters())
    curves = [c for c in trial.curves if c.endpoint in model.endpoints and c.endpoint in MISSES]
    months: dict[str, set[float]] = {a.id: set() for a in trial.arms}
    for c in curves:
        if c.arm is not None:
            months[c.arm] |= {float(p.month) for p in c.scored_points() if p.month is not None}
    between: list[tuple[str, str, str, float, float]] = []
    for c in curves:
        if c.arm is None or c.minus is None or c.arm == c.minus or ENDPOINTS[c.endpoint].kind != "bmd":
            continue
        for p in c.points:
            if p.likelihood and p.month is not None and p.value is not None:
                between.append((c.endpoint, c.arm, c.minus, float(p.month), float(p.value)))
                months[c.arm].add(float(p.month))
                months[c.minus].add(float(p.month))
    numbers: dict[str, int] = {}
    for arm in trial.arms:
        schedules = (arm.schedule, arm.prior_schedule)
        if not months[arm.id] or any(name not in kinetics for s in schedules for name in s.therapies()):
            continue
        points = [
            (c.endpoint, float(p.month or 0.0), float(p.value or 0.0), _error(c))
            for c in curves
            if c.arm == arm.id
            for p in c.scored_points()
        ]  # fmt: skip
        age = trial.mean_age(arm) or ASSUMED_AGE
        numbers[arm.id] = len(tasks)
        tasks.append(_task(model, (trial.id, arm.id), age, *schedules, points, months[arm.id]))
    for endpoint, one, other, month, value in between:
        if one in numbers and other in numbers:
            first, second = (Side(n, tasks[n].days.index(month * MONTH_DAYS)) for n in (numbers[one], numbers[other]))
            differences.append(Difference(endpoint, first, second, value, MISSES[endpoint]))


def life_tasks(model: Model) -> list[Task]:
    """The untreated life of a woman round her final menstrual period, from the natural-history and physiology tables:
    loss rates of the Michigan cohort, hip BMD by decade (NHANES III), the rise of markers."""
    menopause = float(model.parameters().menopause_age)
    natural = {row["row_id"]: float(row["value"]) for row in table_rows("natural_history") if row["row_id"] in ROWS}
    physiology = {row["id"]: row for row in table_rows("physiology")}
    decades = dict(zip(("21", "22", "23", "24"), (35.0, 45.0, 55.0, 65.0), strict=True))
    years = sorted({-5.0, -2.0, 0.0, 2.0, 5.0, 7.0, *(age - menopause for age in (25.0, *decades.values()))})
    at = {year: index for index, year in enumerate(years)}
    values = []
    for row, first, last in (("45", -2.0, 0.0), ("46", 0.0, 2.0), ("47", 2.0, 7.0)):
        change = 100.0 * ((1.0 + natural[row] / 100.0) ** (last - first) - 1.0)
        values.append(Value("lumbar_spine_bmd", at[last], change, RATE_ERROR * (last - first), at[first]))
    for row, age in decades.items():
        change = 100.0 * (natural[row] - 1.0)
        values.append(Value("total_hip_bmd", at[age - menopause], change, DECADE_ERROR, at[25.0 - menopause]))
    for row, endpoint in (("BTM-051", "ctx"), ("BTM-050", "p1np")):
        rise = (float(physiology[row]["low"]) + float(physiology[row]["high"])) / 200.0
        values.append(Value(endpoint, at[5.0], float(np.log1p(rise)), RISE_ERROR, at[-5.0]))
    days = tuple(year * model.year_days for year in years)
    return [Task("natural history", "woman", menopause, (), 0.0, days, tuple(values))]


def _task(
    model: Model,
    name: tuple[str, str],
    age: float,
    schedule: Regimen,
    before: Regimen,
    points: Sequence[tuple[str, float, float, float]],
    months: Iterable[float],
) -> Task:
    days = sorted({0.0, *(month * MONTH_DAYS for month in months)})
    values = []
    for endpoint, month, value, error in points:
        marker = ENDPOINTS[endpoint].kind == "marker"
        change = float(np.log1p(value / 100)) if marker else value
        values.append(Value(endpoint, days.index(month * MONTH_DAYS), change, error))
    earlier = prior_courses(before, year_days=model.year_days)
    courses = (*earlier, *schedule.courses(days[-1], year_days=model.year_days))
    second = min((c.start for c in earlier), default=0.0)
    return Task(*name, age, tuple(courses), second, tuple(days), tuple(values))
