"""Regimens: therapies with doses and times, as a typed schedule, and what is given on which day.

`parse_regimen(text)` reads the text grammar (see `osteon.grammar`); `str(regimen)` writes it back, and
reading that again gives the same schedule. `Regimen.courses` lays the schedule out in days.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from osteon.errors import InputError
from osteon.therapies import catalogue
from osteon.units import MONTH_DAYS, YEAR_DAYS, Span, convert_dose, number

if TYPE_CHECKING:
    from jaxtyping import Float

_INTERVAL_WORDS = {
    Span(1, "day"): "daily",
    Span(1, "week"): "weekly",
    Span(1, "month"): "monthly",
    Span(1, "year"): "yearly",
}
_ROUNDING = 1e-9  # share of an interval by which n·I may miss the end of a duration


@dataclass(frozen=True)
class Dose:
    """An amount and its unit as written."""

    value: float
    unit: str

    def __str__(self) -> str:
        return f"{number(self.value)} {self.unit}"


@dataclass(frozen=True)
class Component:
    """One therapy in a block, or a gap (`therapy` "none").

    `interval` None is a single dose; `count` is the xN of the text, `duration` its "for …"; with neither,
    a repeated dose goes on to the end of its block or study. `start` counts from the start of the block. Of cells:
    `donor`'s age, `source`, and `kinship` (autologous or allogeneic).
    """

    therapy: str
    dose: Dose | None = None
    route: str | None = None
    interval: Span | None = None
    count: int | None = None
    duration: Span | None = None
    start: Span | None = None
    donor: Span | None = None
    source: str | None = None
    kinship: str | None = None
    column: int = field(default=1, compare=False, repr=False)

    @property
    def is_gap(self) -> bool:
        return self.therapy == "none"

    @property
    def is_open(self) -> bool:
        """Repeated with no end of its own."""
        return (self.interval is not None or self.is_gap) and self.count is None and self.duration is None

    def start_days(self, year_days: float = YEAR_DAYS) -> float:
        return self.start.days(year_days) if self.start else 0.0

    def length_days(self, year_days: float = YEAR_DAYS) -> float:
        """Days from the start of the block to the end of this component; infinite when open."""
        if self.is_open:
            return math.inf
        if self.duration is not None:
            span = self.duration.days(year_days)
        elif self.interval is not None and self.count is not None:
            span = self.count * self.interval.days(year_days)
        else:
            span = 0.0
        return self.start_days(year_days) + span

    def __str__(self) -> str:
        if self.is_gap:
            return f"none for {self.duration}" if self.duration else "none"
        words = [self.therapy]
        if self.dose:
            words.append(str(self.dose))
        if self.route:
            words.append(self.route)
        words.append("once" if self.interval is None else _interval_text(self.interval))
        if self.count is not None:
            words.append(f"x{self.count}")
        elif self.duration is not None:
            words.append(f"for {self.duration}")
        if self.start is not None:
            words.append(f"starting at {self.start.unit} {number(self.start.value)}")
        if self.source is not None:
            words.append(f"source {self.source}")
        if self.kinship is not None:
            words.append(self.kinship)
        if self.donor is not None:
            words.append(f"donor {self.donor}")
        return " ".join(words)


def _interval_text(interval: Span) -> str:
    return _INTERVAL_WORDS.get(interval, f"every {interval}")


@dataclass(frozen=True)
class Block:
    """Components that run at the same time; it lasts as long as the longest of them."""

    components: tuple[Component, ...]

    def length_days(self, year_days: float = YEAR_DAYS) -> float:
        """Days to the end of the last component that has one; open ones fill whatever there is."""
        return max((c.length_days(year_days) for c in self.components if not c.is_open), default=0.0)

    @property
    def is_open(self) -> bool:
        return any(c.is_open for c in self.components)

    def __str__(self) -> str:
        return " + ".join(str(c) for c in self.components)


@dataclass(frozen=True)
class Course:
    """A component laid out in days from month 0: `dose` in the therapy's own unit (0 when it has none),
    `count` doses every `interval` days from `start`; treatment covers `start` ≤ t < `stop`."""

    therapy: str
    dose: float
    unit: str
    route: str | None
    start: float
    stop: float
    interval: float
    count: int
    donor_days: float | None = None
    source: str | None = None
    autologous: bool = False

    @property
    def times(self) -> Float[np.ndarray, " dose"]:
        """Days of the doses."""
        return self.start + self.interval * np.arange(self.count)


@dataclass(frozen=True)
class Regimen:
    """Blocks one after the other; no blocks is "none"."""

    blocks: tuple[Block, ...] = ()

    def __str__(self) -> str:
        return "; then ".join(str(block) for block in self.blocks) or "none"

    def components(self) -> Iterator[Component]:
        """Every component that is not a gap."""
        for block in self.blocks:
            yield from (c for c in block.components if not c.is_gap)

    def therapies(self) -> tuple[str, ...]:
        """Ids of the therapies, each once, in order of appearance."""
        return tuple(dict.fromkeys(c.therapy for c in self.components()))

    def length_days(self, year_days: float = YEAR_DAYS) -> float:
        """Days from the first block's start to the last block's end; infinite when the end is open."""
        if self.blocks and self.blocks[-1].is_open:
            return math.inf
        return sum(block.length_days(year_days) for block in self.blocks)

    def courses(
        self,
        until: float,
        *,
        start: float = 0.0,
        year_days: float = YEAR_DAYS,
        weight_kg: float | None = None,
    ) -> tuple[Course, ...]:
        """The schedule in days. `start` is the day of the first block (negative for what came before
        month 0), `until` the day on which the study ends; doses after it are left out."""
        courses, day = [], start
        for index, block in enumerate(self.blocks):
            last = index == len(self.blocks) - 1
            end = until if last and block.is_open else day + block.length_days(year_days)
            for component in block.components:
                course = None if component.is_gap else _course(component, day, end, until, year_days, weight_kg)
                if course is not None and course.start <= until:
                    courses.append(course)
            day = end
        return tuple(courses)


def _course(
    component: Component, day: float, end: float, until: float, year_days: float, weight_kg: float | None
) -> Course | None:
    therapy = catalogue.get(component.therapy)
    dose = component.dose
    if dose is None and therapy.default_dose not in ("", "none"):
        value, unit = therapy.default_dose.split()
        dose = Dose(float(value), unit)
    # What has no dose unit, or whose size belongs to the model, counts by the time: a session, a course.
    by_time = not therapy.unit or therapy.default_dose == "none"
    amount = 1.0 if by_time else convert_dose(dose.value, dose.unit, therapy.unit, weight_kg) if dose else 0.0
    first = day + component.start_days(year_days)
    if component.interval is None:
        interval, count, stop = 0.0, 1, first
    else:
        interval = component.interval.days(year_days)
        stop = end if component.is_open else day + component.length_days(year_days)
        count = component.count or math.ceil((stop - first) / interval * (1 - _ROUNDING) - _ROUNDING)
        count = min(count, max(0, math.floor((until - first) / interval + _ROUNDING)) + 1)
    if count < 1:
        return None
    donor = component.donor.days(year_days) if component.donor else None
    return Course(
        therapy.id, amount, therapy.unit, component.route, first, stop, interval, count, donor_days=donor,
        source=component.source, autologous=component.kinship == "autologous",
    )  # fmt: skip


def parse_regimen(text: str | Regimen) -> Regimen:
    """Read a regimen text; raises RegimenError with the column of the first thing that is wrong."""
    if isinstance(text, Regimen):
        return text
    from osteon.grammar import parse

    return parse(text)


def together(regimens: Sequence[Regimen]) -> Regimen:
    """One regimen that gives all of these at the same time, each by its own schedule (a year being 365.25 days)."""
    given = [regimen for regimen in regimens if regimen.therapies()]
    if len(given) < 2:
        return given[0] if given else Regimen()
    return Regimen((Block(tuple(component for regimen in given for component in _one_block(regimen))),))


def _one_block(regimen: Regimen) -> Iterator[Component]:
    """The components of a sequence as those of one block, each with the start that it has in the sequence."""
    day = 0.0
    for index, block in enumerate(regimen.blocks):
        length = block.length_days()
        for c in block.components:
            if c.is_gap:
                continue
            if c.is_open and index < len(regimen.blocks) - 1:
                c = replace(c, duration=_span(length - c.start_days()))
            yield replace(c, start=_span(day + c.start_days())) if day else c
        day += length


def _span(days: float) -> Span:
    """Days as months where they are whole ones, so that the text reads well."""
    months = round(days / MONTH_DAYS)
    whole = abs(months * MONTH_DAYS - days) < _ROUNDING * max(1.0, days)
    return Span(months, "month") if whole else Span(days, "day")


def prior_length(prior: Regimen, year_days: float = YEAR_DAYS) -> float:
    """Days that a prior regimen takes; a repeated dose without an end stops with its block, if that has one."""
    if prior.blocks and prior.blocks[-1].is_open and not prior.blocks[-1].length_days(year_days):
        return math.inf
    return sum(block.length_days(year_days) for block in prior.blocks)


def prior_courses(
    prior: Regimen, *, year_days: float = YEAR_DAYS, weight_kg: float | None = None
) -> tuple[Course, ...]:
    """A prior regimen laid out so that it ends at month 0; raises InputError if it has no end."""
    length = prior_length(prior, year_days)
    if math.isinf(length):
        raise InputError(
            f"prior {str(prior)!r} has no end: give each repeated dose a length, such as 'for 36 months' or 'x36'"
        )
    return prior.courses(0.0, start=-length, year_days=year_days, weight_kg=weight_kg)
