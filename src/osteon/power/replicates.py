"""Trials drawn from a pool, each analysed: what they found, and all that follows from it.

The analysis is that of `osteon.trial.analyse`: the change from month 0 (% of BMD, the logarithm of the ratio of
markers) by ANCOVA with arm and the value at month 0, two-sided.

A constant added to everybody's change in the treated arm moves the estimate by just as much and leaves its standard
error alone. So the same trials also tell the power under any other difference: that of each draw of the parameters,
or the smallest one that is found often enough.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from osteon.endpoints import ENDPOINTS
from osteon.errors import InputError
from osteon.power.formula import check_n
from osteon.power.formula import power as t_power
from osteon.power.pool import change
from osteon.power.seen import expected, see
from osteon.trial.analyse.ancova import ancova_many

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int

    from osteon.power.pool import Pool
    from osteon.trial.settings import Measurement

DEFAULT, LARGEST = 1000, 1_000_000
MOST_WORK = 1_000_000_000  # people in all replicates
_BLOCK, _TRIALS = 2**20, 250  # people and trials in a block of replicates, which has random numbers of its own
Z95 = 1.959963984540054


@dataclass(frozen=True)
class Interval:
    """A number with its 95 % interval, Monte Carlo error alone."""

    value: float
    lower: float
    upper: float


@dataclass(frozen=True)
class Replicates:
    """Estimate, standard error and degrees of freedom by replicate. `effect` is the true mean difference in the pool
    of `people`, `spread` its SD between them, `n` the people per arm. Differences are in points of %, of markers
    logarithms of ratios."""

    estimate: Float[np.ndarray, " replicate"]
    se: Float[np.ndarray, " replicate"]
    df: Float[np.ndarray, " replicate"]
    effect: float
    spread: float
    n: int
    people: int
    alpha: float = 0.05

    def __len__(self) -> int:
        return len(self.estimate)

    @property
    def line(self) -> Float[np.ndarray, " replicate"]:
        """How far from 0 an estimate must be to count; infinite where a trial cannot be analysed."""
        from scipy.stats import t

        kinds, at = np.unique(np.maximum(self.df, 0.0), return_inverse=True)
        critical = np.array([t.isf(self.alpha / 2, df) if df > 0 else np.inf for df in kinds])[at]
        return np.asarray(np.where(np.isfinite(self.se) & (self.df > 0), critical * self.se, np.inf))

    @property
    def sd(self) -> float:
        """SD of the change within an arm that the standard errors speak of, at `n` per arm."""
        known = self.se[np.isfinite(self.se)]
        return float(np.sqrt(np.mean(known**2) * self.n / 2.0)) if len(known) else float("nan")

    def found(self, shift: float = 0.0) -> Bool[np.ndarray, " replicate"]:
        """Which trials find a difference when it is `shift` more than in the pool."""
        return np.asarray(np.abs(np.nan_to_num(self.estimate) + shift) > self.line)

    def power(self, shift: float = 0.0) -> Interval:
        """The share of trials that find it, with Wilson's interval."""
        return share(int(self.found(shift).sum()), len(self))

    def pool_error(self, shift: float = 0.0) -> float | None:
        """Standard error of the power because the pool is a sample itself, by the t formula from the errors of its
        mean difference and of its SD; None where no trial could be analysed."""
        if not self.sd > 0:
            return None
        effect, sd = self.effect + shift, self.sd
        far, wide = self.spread / self.people**0.5, sd * (1.0 + (2.0 * self.people) ** -0.5)
        power = t_power(effect, sd, self.n, alpha=self.alpha)
        by_effect = t_power(effect + far, sd, self.n, alpha=self.alpha) - power
        by_sd = t_power(effect, wide, self.n, alpha=self.alpha) - power
        return float(np.hypot(by_effect, by_sd))

    def assurance(self, shifts: Float[np.ndarray, " draw"]) -> Interval:
        """Mean power over draws, each with a difference of its own (`shifts`, less that in the pool). The interval
        holds the error of finitely many trials and of finitely many draws."""
        estimate, line = np.nan_to_num(self.estimate), self.line
        by_trial, by_draw = np.zeros(len(self)), np.empty(len(shifts))
        for i, shift in enumerate(shifts):
            found = np.abs(estimate + shift) > line
            by_trial += found
            by_draw[i] = found.mean()
        by_trial /= len(shifts)
        variance = by_trial.var() / max(len(self) - 1, 1) + by_draw.var() / max(len(shifts) - 1, 1)
        mean = float(by_draw.mean())
        error = Z95 * float(np.sqrt(variance))
        return Interval(mean, max(0.0, mean - error), min(1.0, mean + error))

    def detectable(self, target: float) -> Interval:
        """The smallest true difference, in the direction of the effect, that a share `target` of trials finds."""
        sign = -1.0 if self.effect < 0 else 1.0
        enough = np.sort(self.line - sign * (np.nan_to_num(self.estimate) - self.effect))
        error = Z95 * (target * (1.0 - target) / len(self)) ** 0.5
        low, middle, high = (
            sign * float(enough[min(len(self) - 1, max(0, int(np.ceil(part * len(self))) - 1))])
            for part in (target - error, target, target + error)
        )
        return Interval(middle, min(low, high), max(low, high))


def share(count: int, of: int) -> Interval:
    """A binomial share with Wilson's 95 % interval."""
    from statsmodels.stats.proportion import proportion_confint

    lower, upper = proportion_confint(count, of, alpha=0.05, method="wilson")
    value = count / of
    return Interval(value, max(0.0, min(value, float(lower))), min(1.0, max(value, float(upper))))  # of rounding


def check(replicates: int, n: int) -> None:
    """Raises InputError when that is no number of trials, or more than can be drawn in reasonable time."""
    if not 1 <= replicates <= LARGEST:
        raise InputError(f"replicates must be from 1 to {LARGEST:,}, not {replicates:,}")
    check_n(n)
    if 2 * n * replicates > MOST_WORK:
        raise InputError(
            f"{replicates:,} replicates of {n:,} per arm hold {2 * n * replicates:,} people, over {MOST_WORK:,}; "
            "ask for fewer replicates or a smaller n"
        )


def draw(
    pool: Pool, arm: int, endpoint: str, month: float, n: int, *, replicates: int = DEFAULT, alpha: float = 0.05,
    seed: int = 0, settings: Measurement | None = None,
) -> Replicates:  # fmt: skip
    """Trials of `n` per arm, arm number `arm` of the pool against the first, seen with `settings`. The same seed
    draws the same people for every arm and month."""
    from osteon.trial.settings import Measurement

    check(replicates, n)
    settings = settings or Measurement()
    if ENDPOINTS[endpoint].kind == "fracture":
        from osteon.power import events

        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(zlib.crc32(endpoint.encode()), n)))
        return events.draw(
            pool, arm, endpoint, month, n, replicates=replicates, alpha=alpha, rng=rng, settings=settings
        )
    size = max(1, min(_TRIALS, _BLOCK // (2 * n)))  # so that more replicates begin with the same ones
    found = []
    for block in range(-(-replicates // size)):
        key = (zlib.crc32(endpoint.encode()), n, block)
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))
        who = pool.who[rng.integers(len(pool.who), size=(2, size, n))]
        seen = [see(pool, k, endpoint, month, people, settings, rng) for k, people in zip((0, arm), who, strict=True)]
        found.append(np.stack(analyse(endpoint, np.concatenate(seen, axis=1), np.repeat([0, 1], n))))
    estimate, se, df = np.concatenate(found, axis=1)[:, :replicates]
    treated, beside = (expected(pool, k, endpoint, month, settings)[pool.who] for k in (arm, 0))
    apart = treated - beside
    return Replicates(estimate, se, df, float(apart.mean()), float(apart.std()), n, len(apart), alpha)


def analyse(
    endpoint: str, seen: Float[np.ndarray, "replicate person 2"], arm: Int[np.ndarray, " person"]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Estimate, standard error and degrees of freedom [replicate] of the second arm's difference, by ANCOVA."""
    baseline = seen[..., 0]
    if ENDPOINTS[endpoint].kind == "marker":
        baseline = np.log(baseline)
    found = ancova_many(change(endpoint, seen), baseline, arm, arms=2)
    return found.estimate[..., 0], found.se[..., 0], np.nan_to_num(found.df[..., 0])
