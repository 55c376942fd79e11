"""Trials that count fractures: their power by simulation.

Each person has a chance of a first fracture by the month, with death in competition (`osteon.fractures`). Of n people
drawn from the pool with replacement, the number with a fracture is binomial with the mean of these chances, and so is
drawn from that directly; fractures after leaving are not seen. Arms are compared by the logarithm of the ratio of
their cumulative hazards at the month,

    ln(-ln(1 - share₁)) - ln(-ln(1 - share₀)),    SE² = Σ share / ((1 - share) n ln(1 - share)²)

with half a fracture more in each arm, so that an arm without any has a place too. For hazards in proportion and few
fractures its power is that of the log-rank test (tested against lifelines').
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from osteon.power.replicates import Z95, Interval, Replicates

if TYPE_CHECKING:
    from jaxtyping import Bool, Float

    from osteon.power.pool import Pool
    from osteon.trial.settings import Measurement

_GRID = 41  # differences at which power is simulated for assurance; between them it is linear
_HALVINGS = 40
_FAR = 6.0  # largest logarithm of a ratio that is looked for
YEAR_MONTHS = 12.0


@dataclass(frozen=True)
class Counts(Replicates):
    """Replicates of which `estimate` is the logarithm of a ratio of cumulative hazards; `chances` the mean chance of
    a fracture that is seen, in the first arm and the other, `uniform` what each trial's number in the other arm comes
    from, so that it moves with the chance."""

    first: Float[np.ndarray, " replicate"] | None = None
    uniform: Float[np.ndarray, " replicate"] | None = None
    chances: tuple[float, float] = (0.0, 0.0)

    @property
    def sd(self) -> float:
        """SD that would give the standard error for a mean of n people in each arm."""
        return float(np.sqrt(sum(_variance(np.array(p), 1.0) for p in self.chances) / 2.0))

    def found(self, shift: float = 0.0) -> Bool[np.ndarray, " replicate"]:
        """Which trials find a difference when the logarithm of the ratio is `shift` more than in the pool."""
        from scipy.stats import binom

        assert self.first is not None
        assert self.uniform is not None
        treated = float(-np.expm1(np.log1p(-self.chances[1]) * np.exp(shift)))
        estimate, se = _compare(self.first, binom.ppf(self.uniform, self.n, treated), self.n)
        from scipy.stats import norm

        return np.asarray(np.abs(estimate) > norm.isf(self.alpha / 2) * se)

    def assurance(self, shifts: Float[np.ndarray, " draw"]) -> Interval:
        """Mean power over draws; as of `Replicates`."""
        at = np.linspace(shifts.min(), shifts.max(), _GRID if np.ptp(shifts) else 1)
        by_draw = np.interp(shifts, at, [self.found(x).mean() for x in at])
        mean = float(by_draw.mean())
        variance = mean * (1.0 - mean) / len(self) + by_draw.var() / max(len(shifts) - 1, 1)
        error = Z95 * float(np.sqrt(variance))
        return Interval(mean, max(0.0, mean - error), min(1.0, mean + error))

    def detectable(self, target: float) -> Interval:
        """The smallest true logarithm of a ratio, in the direction of the effect, that a share `target` of trials
        finds; infinite where none is."""
        sign = 1.0 if self.effect > 0 else -1.0
        error = Z95 * (target * (1.0 - target) / len(self)) ** 0.5
        low, middle, high = (sign * self._smallest(x, sign) for x in (target - error, target, target + error))
        return Interval(middle, min(low, high), max(low, high))

    def _smallest(self, target: float, sign: float) -> float:
        def power(size: float) -> float:
            return float(self.found(sign * size - self.effect).mean())

        low, high = 0.0, _FAR
        if power(high) < target:
            return np.inf
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            low, high = (low, middle) if power(middle) >= target else (middle, high)
        return high


def draw(
    pool: Pool, arm: int, endpoint: str, month: float, n: int, *, replicates: int, alpha: float,
    rng: np.random.Generator, settings: Measurement,
) -> Counts:  # fmt: skip
    """Trials of `n` per arm that count a kind of fracture up to a month."""
    by_person = [seen(pool, k, endpoint, month, settings)[pool.who] for k in (0, arm)]
    chances = (float(by_person[0].mean()), float(by_person[1].mean()))
    first = rng.binomial(n, chances[0], replicates).astype(float)
    uniform = rng.random(replicates)
    from scipy.stats import binom

    estimate, se = _compare(first, binom.ppf(uniform, n, chances[1]), n)
    effect = float(np.log(np.log1p(-chances[1]) / np.log1p(-chances[0])))
    spread = float(np.std(by_person[1] / chances[1] - by_person[0] / chances[0]))
    df = np.full(replicates, np.inf)
    return Counts(estimate, se, df, effect, spread, n, len(pool.who), alpha, first, uniform, chances)


def seen(pool: Pool, arm: int, endpoint: str, month: float, settings: Measurement) -> Float[np.ndarray, " person"]:
    """Chance of a fracture by a month while still in the trial, dropout being at its constant rate."""
    last = pool.months.index(month)
    months = np.array(pool.months[: last + 1])
    chance = np.diff(pool.true[endpoint][arm][:, : last + 1], axis=1)
    middle = (months[1:] + months[:-1]) / 2
    stay = (1.0 - settings.dropout.per_year) ** (middle / YEAR_MONTHS)
    return np.asarray(chance @ stay)


def log_hazard(chance: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """The logarithm of the cumulative hazard of a chance."""
    return np.asarray(np.log(-np.log1p(-chance)))


def _variance(share: np.ndarray, n: float) -> np.ndarray:
    return np.asarray(share / ((1.0 - share) * n * np.log1p(-share) ** 2))


def _compare(first: np.ndarray, other: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    a, b = ((np.asarray(x) + 0.5) / (n + 1.0) for x in (first, other))
    return log_hazard(b) - log_hazard(a), np.sqrt(_variance(a, n) + _variance(b, n))
