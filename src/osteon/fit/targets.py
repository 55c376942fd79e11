"""What a model is fitted to: one task per arm, with its values and their errors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from osteon.endpoints import ENDPOINTS
from osteon.evidence.loader import load_trials, table_rows
from osteon.evidence.score import MISSES, person_in
from osteon.regimen import Course, Regimen, prior_courses
from osteon.units import MONTH_DAYS

if TYPE_CHECKING:
    from osteon.evidence.schema import Curve, Point, Trial
    from osteon.models import Model
    from osteon.person import Person

LIFE = "natural history"
LEAST = 0.01  # weight of a curve
# Points of trials that are no change from month 0: row number, month from which and month to which; "%/year" is
# taken times the years between. PEPI's rates after stopping are told for about four and two years.
LATER = {1440: (72.0, 108.0), 1441: (72.0, 108.0), 1577: (36.0, 84.0), 1578: (36.0, 84.0), 1579: (12.0, 36.0),
         1580: (12.0, 36.0)}  # fmt: skip
LATER_ERROR = 0.3  # of a yearly rate after stopping, points a year; assumed
YOUNG = 25.0  # age to which BMD by decade refers
# Rows of the natural-history table: loss rates (first and last year from the final menstrual period), falls over some
# years, and BMD by decade.
RATES = (("45", -2.0, 0.0), ("46", 0.0, 2.0), ("47", 2.0, 7.0))
FALLS = (("35", "lumbar_spine_bmd", -1.0, 2.0), ("37", "femoral_neck_bmd", -1.0, 2.0),
         ("34", "lumbar_spine_bmd", -5.0, 5.0), ("36", "femoral_neck_bmd", -5.0, 5.0))  # fmt: skip
HIP_DECADES = (("21", 35.0), ("22", 45.0), ("23", 55.0), ("24", 65.0))
DECADES = (("woman", "lumbar_spine_bmd", "7", ("8", "9", "10", "11", "12")),
           ("man", "lumbar_spine_bmd", "1", ("2", "3", "4", "5", "6")),
           ("man", "total_hip_bmd", "13", ("14", "15", "16", "17", "18")))  # fmt: skip
ROWS = {row[0] for row in (*RATES, *FALLS, *HIP_DECADES)} | {r for d in DECADES for r in (d[2], *d[3])}
RATE_ERROR = 0.095  # of a loss rate round the menopause, points a year; assumed, small beside the goal of 0.5
DECADE_ERROR = 0.55  # of a survey's mean by decade relative to 25, points; assumed, about what some 900 people give
RISE_ERROR = 0.016  # of the rise of a marker over the menopause, logarithm; assumed, a third of half the published
# range, so that the fit stays inside it against the many values of trials


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
    traits: Mapping[str, float] = field(default_factory=dict)
    """Parameters that who the people are decides (sex, menopause)."""


def targets(model: Model) -> Targets:
    """Every arm of the trials marked `fit` that the model can simulate, differences between them, and untreated
    lives."""
    found = trial_targets(model, load_trials("fit").values())
    return Targets((*found.tasks, *life_tasks(model)), found.differences)


def trial_targets(model: Model, trials: Iterable[Trial]) -> Targets:
    """The arms of some trials that the model can simulate, and differences between them."""
    tasks: list[Task] = []
    differences: list[Difference] = []
    for trial in trials:
        _add(model, trial, tasks, differences)
    return Targets(tuple(tasks), tuple(differences))


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
            months[c.arm] |= {month for p in c.points for month in LATER.get(p.row, ())}
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
            (c.endpoint, float(p.month or 0.0), float(p.value or 0.0), _error(c), 0.0)
            for c in curves
            if c.arm == arm.id
            for p in c.scored_points()
        ]  # fmt: skip
        points += [
            _later(c, p) for c in curves if c.arm == arm.id and not c.minus for p in c.points if p.row in LATER
        ]
        person = person_in(model, trial, arm)
        numbers[arm.id] = len(tasks)
        tasks.append(_task(model, (trial.id, arm.id), person, *schedules, points, months[arm.id]))
    for endpoint, one, other, month, value in between:
        if one in numbers and other in numbers:
            first, second = (Side(n, tasks[n].days.index(month * MONTH_DAYS)) for n in (numbers[one], numbers[other]))
            differences.append(Difference(endpoint, first, second, value, MISSES[endpoint]))


def _later(curve: Curve, point: Point) -> tuple[str, float, float, float, float]:
    """A change from a later month than 0."""
    first, last = LATER[point.row]
    years, error = 1.0, _error(curve)
    if curve.unit == "%/year":
        years = (last - first) / 12.0
        error = LATER_ERROR * years
    return curve.endpoint, last, float(point.value or 0.0) * years, error, first


def life_tasks(model: Model) -> list[Task]:
    """The untreated lives of a woman and a man, from the natural-history and physiology tables: loss of bone round
    the final menstrual period (Michigan, SWAN), BMD by decade (NHANES), the rise of markers."""
    menopause = float(model.parameters().menopause_age)
    natural = {row["row_id"]: float(row["value"]) for row in table_rows("natural_history") if row["row_id"] in ROWS}
    physiology = {row["id"]: row for row in table_rows("physiology")}
    woman = _Life(model, menopause)
    for row, first, last in RATES:
        change = 100.0 * ((1.0 + natural[row] / 100.0) ** (last - first) - 1.0)
        woman.add("lumbar_spine_bmd", change, RATE_ERROR * (last - first), last, first)
    for row, endpoint, first, last in FALLS:
        woman.add(endpoint, natural[row], RATE_ERROR * (last - first), last, first)
    for row, age in HIP_DECADES:
        woman.add("total_hip_bmd", 100.0 * (natural[row] - 1.0), DECADE_ERROR, age - menopause, YOUNG - menopause)
    man = _Life(model, 60.0, {"male": 1.0})
    for life, endpoint, young, rows in DECADES:
        one = woman if life == "woman" else man
        for row, age in zip(rows, (35.5, 45.5, 55.5, 65.5, 75.5), strict=True):
            change = 100.0 * (natural[row] / natural[young] - 1.0)
            one.add(endpoint, change, DECADE_ERROR, age - one.age, YOUNG - one.age)
    for row, endpoint in (("BTM-051", "ctx"), ("BTM-050", "p1np")):
        rise = (float(physiology[row]["low"]) + float(physiology[row]["high"])) / 200.0
        woman.add(endpoint, float(np.log1p(rise)), RISE_ERROR, 5.0, -5.0)
    return [woman.task("woman"), man.task("man")]


class _Life:
    """Values of an untreated life, by years from `age`."""

    def __init__(self, model: Model, age: float, traits: Mapping[str, float] | None = None) -> None:
        self.model, self.age, self.traits = model, age, dict(traits or {})
        self.rows: list[tuple[str, float, float, float, float]] = []

    def add(self, endpoint: str, change: float, error: float, year: float, since: float) -> None:
        """A change between two years."""
        self.rows.append((endpoint, change, error, year, since))

    def task(self, name: str) -> Task:
        """All of it as a task."""
        years = sorted({y for row in self.rows for y in row[3:]})
        at = {year: index for index, year in enumerate(years)}
        values = tuple(Value(e, at[year], change, error, at[since]) for e, change, error, year, since in self.rows)
        days = tuple(year * self.model.year_days for year in years)
        return Task(LIFE, name, self.age, (), 0.0, days, values, self.traits)


def _task(
    model: Model,
    name: tuple[str, str],
    person: Person,
    schedule: Regimen,
    before: Regimen,
    points: Sequence[tuple[str, float, float, float, float]],
    months: Iterable[float],
) -> Task:
    days = sorted({0.0, *(month * MONTH_DAYS for month in months)})
    values = []
    for endpoint, month, value, error, since in points:
        marker = ENDPOINTS[endpoint].kind == "marker"
        change = float(np.log1p(value / 100)) if marker else value
        base = days.index(since * MONTH_DAYS) if since else None
        values.append(Value(endpoint, days.index(month * MONTH_DAYS), change, error, base))
    earlier = prior_courses(before, year_days=model.year_days)
    courses = (*earlier, *schedule.courses(days[-1], year_days=model.year_days))
    second = min((c.start for c in earlier), default=0.0)
    return Task(*name, person.age, tuple(courses), second, tuple(days), tuple(values), model.traits(person))
