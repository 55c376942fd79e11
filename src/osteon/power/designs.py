"""Power over the options of a design: arms, end points, months, people per arm, and whom to enrol."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from osteon.power import formula, pool, replicates, size
from osteon.power.assurance import Drawn
from osteon.power.options import Options, Plan, plan

if TYPE_CHECKING:
    from osteon.models import Model
    from osteon.power.assurance import Differences
    from osteon.power.pool import Pool, Progress
    from osteon.power.replicates import Replicates
    from osteon.study import Study

__all__ = ["Answer", "Curve", "Options", "power_of"]
_POOL, _DRAWS = 0.5, 0.15  # shares of the work, for the progress bar


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
    alpha: float


def power_of(
    study: Study, options: Options, *, model: Model, seed: int = 0, progress: Progress | None = None
) -> Answer:
    """Power of a study's trial, sample sizes and detectable differences; see `Options`. Raises InputError (and its
    kinds) for anything invalid, most of it before anything is run."""
    asked = plan(study, options)
    tell = progress or (lambda share: None)
    everyone = pool.simulate(
        asked.study, endpoints=asked.endpoints, model=model, settings=asked.settings, people=options.people,
        seed=seed, progress=lambda share: tell(_POOL * share),
    )  # fmt: skip
    pools = [everyone]
    if options.t_score_max or options.burden_min is not None:
        pools.append(everyone.enrich(options.t_score_max, options.burden_min))
    drawn = Drawn(
        asked.study,
        model=model,
        draws=options.draws,
        progress=lambda share: tell(_POOL + _DRAWS * share),
    )
    cells = list(itertools.product(asked.arms, asked.endpoints, asked.months, pools))
    answer = Answer([], [], [], drawn.count, asked.alpha)
    for done, (arm, endpoint, month, people) in enumerate(cells):
        tell(_POOL + _DRAWS + (1.0 - _POOL - _DRAWS) * done / len(cells))
        _cell(answer, asked, people, arm, endpoint, month, drawn.of(arm, endpoint, month), options, seed)
    tell(1.0)
    return answer


def _cell(
    answer: Answer, asked: Plan, people: Pool, arm: int, endpoint: str, month: float, differences: Differences,
    options: Options, seed: int,
) -> None:  # fmt: skip
    """Add one comparison in one design to the answer."""

    def draw(n: int) -> Replicates:
        return replicates.draw(
            people, arm, endpoint, month, n,
            replicates=options.replicates, alpha=asked.alpha, seed=seed, settings=asked.settings,
        )  # fmt: skip

    names = {
        "arm": people.arms[arm], "reference": people.arms[0], "endpoint": endpoint, "month": month,
        "design": people.design,
    }  # fmt: skip
    by_n = []
    for n in asked.n:
        trials = draw(n)
        by_n.append((n, trials.power(differences.shift)))
        answer.power.append({**names, **_row(trials, people, endpoint, differences, options.target)})
    found = size.search(draw, differences.shift, options.target)
    answer.sizes.append(
        {**names, "target": options.target, "n_per_arm": found.n, "lower": found.lower, "upper": found.upper,
         "screened_per_arm": _screened(found.n, people), "why": found.why}
    )  # fmt: skip
    answer.curves.append(Curve(people.arms[arm], endpoint, month, people.design, found, tuple(by_n)))


def _row(trials: Replicates, people: Pool, endpoint: str, differences: Differences, target: float) -> dict[str, Any]:
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
        "pool_error": trials.pool_error(shift), "replicates": len(trials),
    }  # fmt: skip
    if len(differences.draws):
        assurance = trials.assurance(differences.shifts)
        row |= {
            "assurance": assurance.value, "assurance_lower": assurance.lower, "assurance_upper": assurance.upper,
            "assurance_response": trials.assurance(differences.with_response).value,
        }  # fmt: skip
    return row


def _screened(n: int | None, people: Pool) -> int | None:
    return None if n is None else int(np.ceil(n / people.share - 1e-9))
