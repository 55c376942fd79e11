"""Power over the options of a design: arms, end points, months, people per arm, and whom to enrol."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from osteon import endpoints as known_endpoints
from osteon.errors import InputError, nearest
from osteon.power import formula, pool, replicates, size
from osteon.power.assurance import Drawn
from osteon.units import number

if TYPE_CHECKING:
    from osteon.models import Model
    from osteon.power.assurance import Differences
    from osteon.power.pool import Pool, Progress
    from osteon.power.replicates import Replicates
    from osteon.study import Study

MOST = 400  # combinations
_POOL, _DRAWS = 0.5, 0.15  # shares of the work, for the progress bar


@dataclass(frozen=True)
class Options:
    """What is asked; what is None is taken from the study: its first end point, its last visit, every arm but the
    first, its n_per_arm. With enrichment, everyone is shown beside those who meet all of it."""

    endpoints: Sequence[str] | None = None
    months: Sequence[float] | None = None
    arms: Sequence[str] | None = None
    n: Sequence[float] | None = None
    target: float = 0.9
    alpha: float = 0.05
    replicates: int = replicates.DEFAULT
    people: int = pool.DEFAULT
    draws: int | None = None
    t_score_max: Mapping[str, float] = field(default_factory=dict)
    burden_min: float | None = None


@dataclass(frozen=True)
class Curve:
    """One design of one comparison: what a search for its sample size found, and its power at the n asked for."""

    arm: str
    endpoint: str
    month: float
    design: str
    size: size.Size
    asked: tuple[tuple[int, replicates.Interval], ...]


@dataclass(frozen=True)
class Answer:
    """`power` has a row per comparison, design and n; `sizes` one per comparison and design, as do `curves`."""

    power: list[dict[str, Any]]
    sizes: list[dict[str, Any]]
    curves: list[Curve]
    draws: int


@dataclass(frozen=True)
class _Checked:
    endpoints: list[str]
    months: list[float]
    arms: list[int]
    n: list[int]


def power_of(
    study: Study, options: Options, *, model: Model, seed: int = 0, progress: Progress | None = None
) -> Answer:
    """Power of a study's trial, sample sizes and detectable differences; see `Options`. Raises InputError (and its
    kinds) for anything invalid, before anything is run."""
    asked = _check(study, options)
    tell = progress or (lambda share: None)
    everyone = pool.simulate(
        study, endpoints=asked.endpoints, months=asked.months, model=model, people=options.people, seed=seed,
        progress=lambda share: tell(_POOL * share),
    )  # fmt: skip
    pools = [everyone]
    if options.t_score_max or options.burden_min is not None:
        pools.append(everyone.enrich(options.t_score_max, options.burden_min))
    drawn = Drawn(
        study, endpoints=asked.endpoints, months=asked.months, model=model, draws=options.draws, seed=seed,
        progress=lambda share: tell(_POOL + _DRAWS * share),
    )  # fmt: skip
    cells = list(itertools.product(asked.arms, asked.endpoints, asked.months, pools))
    answer = Answer([], [], [], drawn.count)
    for done, (arm, endpoint, month, people) in enumerate(cells):
        tell(_POOL + _DRAWS + (1.0 - _POOL - _DRAWS) * done / len(cells))
        _cell(answer, people, arm, endpoint, month, asked.n, drawn.of(arm, endpoint, month), options, seed)
    tell(1.0)
    return answer


def _cell(
    answer: Answer, people: Pool, arm: int, endpoint: str, month: float, numbers: Sequence[int], differences: Differences,
    options: Options, seed: int,
) -> None:  # fmt: skip
    """Add one comparison in one design to the answer."""

    def draw(n: int) -> Replicates:
        return replicates.draw(
            people, arm, endpoint, month, n, replicates=options.replicates, alpha=options.alpha, seed=seed
        )

    names = {
        "arm": people.arms[arm], "reference": people.arms[0], "endpoint": endpoint, "month": month,
        "design": people.design,
    }  # fmt: skip
    by_n = []
    for n in numbers:
        trials = draw(n)
        by_n.append((n, trials.power(differences.shift)))
        answer.power.append({**names, **_row(trials, people, arm, endpoint, month, differences, options.target)})
    found = size.search(draw, differences.shift, options.target)
    answer.sizes.append(
        {**names, "target": options.target, "n_per_arm": found.n, "lower": found.lower, "upper": found.upper,
         "screened_per_arm": _screened(found.n, people), "why": found.why}
    )  # fmt: skip
    answer.curves.append(Curve(people.arms[arm], endpoint, month, people.design, found, tuple(by_n)))


def _row(
    trials: Replicates, people: Pool, arm: int, endpoint: str, month: float, differences: Differences, target: float
) -> dict[str, Any]:
    shift = differences.shift
    power, least = trials.power(shift), trials.detectable(target)
    effect, sd = trials.effect + shift, trials.sd
    mde = [pool.shown(endpoint, x) if np.isfinite(x) else None for x in (least.value, least.lower, least.upper)]
    row: dict[str, Any] = {
        "n_per_arm": trials.n, "screened_per_arm": _screened(trials.n, people),
        "power": power.value, "lower": power.lower, "upper": power.upper,
        "assurance": None, "assurance_lower": None, "assurance_upper": None, "assurance_response": None,
        "effect": pool.shown(endpoint, effect), "sd": sd if np.isfinite(sd) else None,
        "mde": mde[0], "mde_lower": mde[1], "mde_upper": mde[2],
        "formula": formula.power(effect, sd, trials.n, alpha=trials.alpha) if sd > 0 else None,
        "pool_error": _pool_error(trials, people, arm, endpoint, month, effect), "replicates": len(trials),
    }  # fmt: skip
    if len(differences.draws):
        assurance = trials.assurance(differences.shifts)
        row |= {
            "assurance": assurance.value, "assurance_lower": assurance.lower, "assurance_upper": assurance.upper,
            "assurance_response": trials.assurance(differences.with_response).value,
        }  # fmt: skip
    return row


def _pool_error(
    trials: Replicates, people: Pool, arm: int, endpoint: str, month: float, effect: float
) -> float | None:
    """Standard error of the power because the pool itself is a sample: by the t formula, from the errors of its mean
    difference and of its SD."""
    if not trials.sd > 0:
        return None
    y = pool.change(endpoint, people.of(endpoint, month)[:, people.who])
    count = len(people.who)
    far = float(np.std(y[arm] - y[0])) / count**0.5
    power = formula.power(effect, trials.sd, trials.n, alpha=trials.alpha)
    by_effect = formula.power(effect + far, trials.sd, trials.n, alpha=trials.alpha) - power
    by_sd = formula.power(effect, trials.sd * (1.0 + (2.0 * count) ** -0.5), trials.n, alpha=trials.alpha) - power
    return float(np.hypot(by_effect, by_sd))


def _screened(n: int | None, people: Pool) -> int | None:
    return None if n is None else int(np.ceil(n / people.share - 1e-9))


def _check(study: Study, options: Options) -> _Checked:
    """The options with the study's own in place of None. Raises InputError."""
    formula.check_share("alpha", options.alpha)
    formula.check_share("the target", options.target, options.alpha)
    names = [arm.name for arm in study.arms]
    if len(names) < 2:
        raise InputError("the study has one arm; power compares an arm with the first, so give it two or more")
    arms = names[1:] if options.arms is None else list(options.arms)
    for name in arms:
        if name not in names:
            raise InputError(f"the study has no arm {name!r}{nearest(name, names, 0.3)}; it has {', '.join(names)}")
        if name == names[0]:
            raise InputError(f"{name!r} is the first arm, with which the others are compared; name another one")
    endpoints = study.endpoints[:1] if options.endpoints is None else list(options.endpoints)
    for name in endpoints:
        known_endpoints.get(name)
    months = study.visits[-1:] if options.months is None else list(options.months)
    for month in months:
        if not 0 < month <= 1200:
            raise InputError(f"month {number(month)}: power is that of a change from month 0; give a month above 0")
    n = [study.people.n_per_arm] if options.n is None else list(options.n)
    what = "n_per_arm of the study" if options.n is None else "--n"
    checked = [formula.check_n(each, what) for each in n]
    for each in checked:
        replicates.check(options.replicates, each)
    if (many := len(arms) * len(endpoints) * len(months) * len(n)) > MOST:
        raise InputError(f"{many:,} combinations of arms, end points, months and n; ask for {MOST} at most")
    unique: Callable[[Sequence[Any]], list[Any]] = lambda values: list(dict.fromkeys(values))  # noqa: E731
    return _Checked(unique(endpoints), unique(months), [names.index(a) for a in unique(arms)], unique(checked))
