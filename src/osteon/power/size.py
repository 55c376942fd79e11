"""How many people per arm a power takes, by simulation.

Power is simulated at several n round the one that the t formula gives for the difference and SD of a pilot; then
power = Φ(a + b √n) is fitted to all of them (a probit regression by statsmodels), and n is where it crosses the
target. For a normal end point that curve is the normal formula, with b = difference/(SD √2) and
a = −z_{1−α/2}. The interval of n is that of the crossing, by Fieller's method.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from osteon.errors import InputError
from osteon.power import formula
from osteon.power.replicates import Z95

if TYPE_CHECKING:
    from jaxtyping import Float

    from osteon.power.replicates import Interval, Replicates

PILOT = 50
SPREAD = (0.6, 0.75, 0.9, 1.05, 1.25, 1.55)  # of the n that the formula gives
LARGEST = 20_000  # per arm; a longer search would say no more than the formula


@dataclass(frozen=True)
class Size:
    """`n` per arm for the target, its 95 % interval (Monte Carlo error; None where open), and the curve: power at
    the n that were simulated, and the coefficients a and b. `n` is None, with `why`, where there is none."""

    n: int | None
    lower: int | None = None
    upper: int | None = None
    why: str = ""
    tried: tuple[tuple[int, Interval], ...] = ()
    a: float = np.nan
    b: float = np.nan

    def curve(self, n: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """Power by the fitted curve."""
        from scipy.stats import norm

        return np.asarray(norm.cdf(self.a + self.b * np.sqrt(n)))


def search(draw: Callable[[int], Replicates], shift: float, target: float) -> Size:
    """The number per arm at which trials that `draw(n)` gives reach the power `target`, the difference being `shift`
    more than in the pool."""
    pilot = draw(PILOT)
    difference = pilot.effect + shift
    if not np.isfinite(pilot.sd) or pilot.sd <= 0:
        return Size(None, why="trials of this design cannot be analysed")
    try:
        first = formula.sample_size(difference, pilot.sd, target=target, alpha=pilot.alpha, method="t")
    except InputError:
        first = LARGEST + 1
    if first > LARGEST:
        return Size(None, why=f"the difference is so small that it would take over {LARGEST:,} per arm")
    numbers = sorted({max(formula.FEWEST_N, round(first * part)) for part in SPREAD} | {first})
    while len(numbers) < 4:
        numbers.append(numbers[-1] + 1)
    trials = [(n, draw(n)) for n in numbers]
    tried = tuple((n, each.power(shift)) for n, each in trials)
    if tried[0][0] == formula.FEWEST_N and tried[0][1].lower >= target:
        return Size(formula.FEWEST_N, why="even the smallest trial finds it", tried=tried)
    return _cross(tried, len(pilot), target)


def _cross(tried: tuple[tuple[int, Interval], ...], replicates: int, target: float) -> Size:
    """Where the fitted curve crosses the target."""
    import warnings

    import statsmodels.api as sm
    from scipy.stats import norm

    root = np.sqrt([n for n, _ in tried])
    # Half a trial more of either kind, so that a share of 0 or 1 has a place on the curve.
    share = np.array([(p.value * replicates + 0.5) / (replicates + 1.0) for _, p in tried])
    link = sm.families.Binomial(link=sm.families.links.Probit())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = sm.GLM(
            share,
            np.column_stack([np.ones_like(root), root]),
            family=link,
            freq_weights=np.full(len(root), replicates),
        ).fit()
    (a, b), cov = fit.params, fit.cov_params()
    goal = float(norm.ppf(target))
    if not b > 0:
        return Size(None, why="power does not grow with n; ask for more replicates", tried=tried)
    n = max(formula.FEWEST_N, int(np.ceil(((goal - a) / b) ** 2 if goal > a else 0.0)))
    # Fieller: all x with (a + b x − goal)² ≤ z² var(a + b x).
    z2 = Z95**2
    quadratic = (
        b * b - z2 * cov[1, 1],
        2.0 * ((a - goal) * b - z2 * cov[0, 1]),
        (a - goal) ** 2 - z2 * cov[0, 0],
    )
    lower = upper = None
    if quadratic[0] > 0:
        low, high = sorted(np.roots(quadratic).real)
        lower, upper = (max(formula.FEWEST_N, int(np.ceil(max(0.0, x) ** 2))) for x in (low, high))
    return Size(n, lower, upper, "", tried, float(a), float(b))
