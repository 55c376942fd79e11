"""What is asked of the power of a study, and what the study itself says where nothing is asked."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from osteon import endpoints as known_endpoints
from osteon.errors import InputError, OsteonWarning, nearest
from osteon.power import formula, pool, replicates
from osteon.trial.settings import Analysis, Measurement
from osteon.units import number

if TYPE_CHECKING:
    from osteon.study import Study

MOST = 400  # combinations
MOST_MONTHS = 1200.0
T = TypeVar("T")


@dataclass(frozen=True)
class Options:
    """What is None is taken from the study: its primary or first end point, the month of its analysis or its last
    visit, every arm but the reference (the first, if `analysis` names none), its n_per_arm, its alpha. With
    enrichment, everyone is shown beside those who meet all of it."""

    endpoints: Sequence[str] | None = None
    months: Sequence[float] | None = None
    arms: Sequence[str] | None = None
    n: Sequence[float] | None = None
    target: float = 0.9
    alpha: float | None = None
    replicates: int = replicates.DEFAULT
    people: int = pool.DEFAULT
    draws: int | None = None
    t_score_max: Mapping[str, float] = field(default_factory=dict)
    burden_min: float | None = None


@dataclass(frozen=True)
class Plan:
    """Options that were checked: `study` has the reference as its first arm and the visits that the trials need;
    `arms` are numbers in it."""

    study: Study
    endpoints: list[str]
    months: list[float]
    arms: list[int]
    n: list[int]
    alpha: float
    settings: Measurement


def plan(study: Study, options: Options) -> Plan:
    """The options with the study's own in place of None. Raises InputError."""
    analysis = study.analysis or Analysis()
    alpha = formula.check_share("alpha", analysis.alpha if options.alpha is None else options.alpha)
    formula.check_share("the target", options.target, alpha)
    ordered, arms = _arms(study, options.arms, analysis.reference)
    endpoints = [analysis.primary or study.endpoints[0]] if options.endpoints is None else list(options.endpoints)
    for name in endpoints:
        if known_endpoints.get(name).kind == "exploration":
            raise InputError(f"{name}: no error of measurement is on record; take BMD, a marker or fractures")
    months = [analysis.month or study.visits[-1]] if options.months is None else list(options.months)
    for month in months:
        if not 0 < month <= MOST_MONTHS:
            raise InputError(f"month {number(month)}: power is that of a change from month 0; give a month above 0")
    n = [study.people.n_per_arm] if options.n is None else list(options.n)
    what = "n_per_arm of the study (or --n)" if options.n is None else "--n"
    checked = [formula.check_n(each, what) for each in n]
    for each in checked:
        replicates.check(options.replicates, each)
    if (many := len(arms) * len(endpoints) * len(months) * len(n)) > MOST:
        raise InputError(f"{many:,} combinations of arms, end points, months and n; ask for {MOST} at most")
    if analysis.method != "ancova" or analysis.missing != "observed" or analysis.robust:
        warnings.warn(
            "power is that of an ANCOVA of those seen at the month; the study's analysis says otherwise",
            OsteonWarning, stacklevel=2,
        )  # fmt: skip
    visits = sorted({0.0, *months, *(v for v in study.visits if v < max(months))})
    return Plan(
        ordered.model_copy(update={"visits": visits}), _unique(endpoints), _unique(months), arms, _unique(checked),
        alpha, study.measurement or Measurement(),
    )  # fmt: skip


def _arms(study: Study, asked: Sequence[str] | None, reference: str | None) -> tuple[Study, list[int]]:
    """The study with the reference as its first arm, and the numbers of the arms to compare with it."""
    names = [arm.name for arm in study.arms]
    if len(names) < 2:
        raise InputError("the study has one arm; power compares an arm with the first, so give it two or more")
    first = reference or names[0]
    arms = [study.arms[names.index(first)], *(arm for arm in study.arms if arm.name != first)]
    order = [arm.name for arm in arms]
    for name in asked or []:
        if name not in names:
            raise InputError(f"the study has no arm {name!r}{nearest(name, names, 0.3)}; it has {', '.join(names)}")
        if name == first:
            raise InputError(f"{name!r} is the arm with which the others are compared; name another one")
    return study.model_copy(update={"arms": arms}), [order.index(a) for a in _unique(asked or order[1:])]


def _unique(values: Sequence[T]) -> list[T]:
    return list(dict.fromkeys(values))
