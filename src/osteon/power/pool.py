"""The pool: many people of a study, simulated once in every arm, from which trials are drawn.

A trial is 2n people drawn from the pool with replacement, half of them seen in one arm and half in the other, each
measured with errors of its own. Given the pool, such trials are independent, so that the interval of a power is that
of a binomial share. What the pool misses as a sample itself goes with one over the root of its size, whatever the
number of trials; `Replicates.pool_error` says how much it is. Fresh people for every trial would have no such error
and else give the same, at thousands of times the work (tested).

Conditioning the same pool (`Pool.enrich`) shows what choosing people would change.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from osteon import tscores
from osteon.endpoints import ENDPOINTS
from osteon.errors import InputError, OsteonWarning, nearest
from osteon.trial.settings import Measurement
from osteon.units import number

if TYPE_CHECKING:
    from jaxtyping import Float, Int

    from osteon.models import Model
    from osteon.study import Study

DEFAULT, LARGEST, FEWEST = 5_000, 200_000, 200
Progress = Callable[[float], None]


@dataclass(frozen=True)
class Pool:
    """Error-free values of people who are the same in each arm.

    `months` begins with 0; `true` by end point [arm, person, visit], of fractures the chance of one since month 0;
    `people` their features [person] at month 0; `who` the numbers of those from whom trials are drawn, and `design`
    how they were chosen.
    """

    arms: tuple[str, ...]
    months: tuple[float, ...]
    true: Mapping[str, Float[np.ndarray, "arm person visit"]]
    people: Mapping[str, Float[np.ndarray, " person"]]
    who: Int[np.ndarray, " chosen"]
    design: str = "everyone"

    @property
    def share(self) -> float:
        """The share of the people who were chosen."""
        return float(len(self.who) / next(iter(self.true.values())).shape[1])

    def enrich(self, t_score_max: Mapping[str, float] | None = None, burden_min: float | None = None) -> Pool:
        """Only people with T-scores at or below limits, and a senescent burden at or above one. Raises InputError
        when the people lack the feature, or fewer than 200 are left."""
        keep, told = np.ones(len(self.who), bool), []
        for site, limit in (t_score_max or {}).items():
            known = [name.removeprefix("t_") for name in self.people if name.startswith("t_")]
            if site not in known:
                raise InputError(f"no T-score of {site!r} in this study{nearest(site, known, 0.3)}")
            keep &= self.people[f"t_{site}"][self.who] <= limit
            told.append(f"{site} T-score ≤ {_signed(limit)}")
        if burden_min is not None:
            burden = self.people.get("senescent_burden")
            if burden is None or np.ptp(burden) == 0:
                raise InputError(
                    "the senescent burden does not differ between these people: give it a spread in the study's "
                    "people, for instance senescent_burden: {mean: 1, sd: 0.3}"
                )
            keep &= burden[self.who] >= burden_min
            told.append(f"senescent burden ≥ {number(burden_min)}")
        if keep.sum() < FEWEST:
            raise InputError(
                f"{' and '.join(told)}: met by {keep.sum():,} of {len(keep):,} people, fewer than {FEWEST}; "
                "loosen it, or make the pool larger (--pool)"
            )
        return replace(self, who=self.who[keep], design=", ".join(told))


def _signed(value: float) -> str:
    return number(value).replace("-", "−")


def change(endpoint: str, x: Float[np.ndarray, "... 2"]) -> Float[np.ndarray, "..."]:
    """Change from month 0: % of BMD and all else, the logarithm of the ratio of markers."""
    ratio = x[..., 1] / x[..., 0]
    return np.asarray(np.log(ratio) if ENDPOINTS[endpoint].kind == "marker" else 100.0 * (ratio - 1.0))


def shown(endpoint: str, value: float) -> float:
    """A difference in change as it is told: points of %; of markers and fractures % of the ratio."""
    return float(value) if ENDPOINTS[endpoint].kind == "bmd" else float(100.0 * np.expm1(value))


def simulate(
    study: Study,
    *,
    endpoints: Sequence[str],
    model: Model,
    settings: Measurement | None = None,
    people: int = DEFAULT,
    seed: int = 0,
    progress: Progress | None = None,
) -> Pool:
    """Run `people` of a study in all of its arms, to all of its visits. Raises InputError when the model lacks an end
    point, or someone has no change of it."""
    if not FEWEST <= people <= LARGEST:
        raise InputError(f"a pool holds {FEWEST} to {LARGEST:,} people, not {people:,}")
    lacking = [name for name in endpoints if name not in model.endpoints and not _breaks(name, model)]
    if lacking:
        has = [name for name in ENDPOINTS if name in model.endpoints or _breaks(name, model)]
        raise InputError(
            f"{model.name} has no end point {lacking[0]!r}{nearest(lacking[0], has)}; it has {', '.join(has)}"
        )
    wanted = study.model_copy(
        update={
            "endpoints": list(dict.fromkeys([*endpoints, *needed(settings or Measurement())])),
            "people": study.people.model_copy(update={"n_per_arm": people}),
        }
    )
    true, features = _run(wanted, model, settings or Measurement(), seed, progress)
    ran = np.all([np.isfinite(x).all(axis=(0, 2)) for x in true.values()], axis=0)
    if not ran.all():
        warnings.warn(f"left out {(~ran).sum()} of {people:,} people, whose runs failed", OsteonWarning, stacklevel=2)
    if ran.sum() < FEWEST:
        raise InputError(f"only {ran.sum()} of {people:,} people could be run, fewer than {FEWEST}")
    return Pool(tuple(arm.name for arm in study.arms), tuple(study.visits), true, features, np.flatnonzero(ran))


def _breaks(name: str, model: Model) -> bool:
    """Whether it is a fracture, and the model one whose bone breaks: BMD in g/cm2."""
    units = {model.endpoints.get(f"{site}_bmd") for site in ("lumbar_spine", "total_hip", "femoral_neck")}
    return ENDPOINTS[name].kind == "fracture" and units == {tscores.UNITS}


def needed(settings: Measurement) -> tuple[str, ...]:
    """End points on which it depends who leaves a trial."""
    sites = [settings.dropout.site] if settings.dropout.per_pct_lost and settings.dropout.per_year else []
    sites += [settings.rescue.site] if settings.rescue is not None else []
    return tuple(dict.fromkeys(f"{site}_bmd" for site in sites))


def _run(
    study: Study, model: Model, settings: Measurement, seed: int, progress: Progress | None
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """True values of the end points [arm, person, visit], and features of the people [person]."""
    from osteon.trial.measure import adherence
    from osteon.trial.simulate import run_people

    taken = None
    if settings.adherence.mean != 1.0 or settings.adherence.sd:
        share = adherence(settings, seed, study.people.n_per_arm)
        taken = {arm.name: share for arm in study.arms}
    fractures = [name for name in study.endpoints if ENDPOINTS[name].kind == "fracture"]
    measured = [name for name in study.endpoints if name not in fractures]
    wanted = study.model_copy(update={"endpoints": [*measured, *(["ctx"] if fractures else [])]})
    result = run_people(wanted, model=model, seed=seed, dose_factor=taken, progress=progress)
    true = {name: result[name].to_numpy()[0] for name in measured}
    if fractures:
        from osteon.fractures.incidence import risk

        chances = risk(result)
        true |= {name: chances[name].to_numpy()[0] for name in fractures}
    features = {
        str(name): x.to_numpy().astype(float)
        for name, x in result.coords.items()
        if x.dims == ("person",) and (str(name).startswith("t_") or name == "senescent_burden")
    }
    return true, features
