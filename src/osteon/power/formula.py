"""The standard formulas for two arms of equal size, two-sided.

    normal    n = 2 (z_{1−α/2} + z_{power})² (SD / difference)²        rounded up
    t         the same with the noncentral t distribution, 2n − 2 degrees of freedom
    events    d = 4 (z_{1−α/2} + z_{power})² / ln(hazard ratio)²       Schoenfeld 1981, of both arms together

The normal and t based ones are those of statsmodels. Published sample sizes most often are the normal one. The
normal formula for power counts both tails.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from osteon.errors import InputError
from osteon.units import number

METHODS = ("normal", "t")
LARGEST_N = 1_000_000
FEWEST_N = 2


def check_share(name: str, value: float, low: float = 0.0) -> float:
    """A probability strictly between `low` and 1; raises InputError."""
    if not low < value < 1:
        why = " (alpha)" if low else ""
        raise InputError(f"{name} must lie between {number(low)}{why} and 1, both left out, not {number(value)}")
    return float(value)


def check_positive(name: str, value: float) -> float:
    """A finite number above 0; raises InputError."""
    if not 0 < value < math.inf:
        raise InputError(f"{name} must be a number above 0, not {number(value)}")
    return float(value)


def check_n(n: float, name: str = "n") -> int:
    """People per arm; raises InputError."""
    if not (n == n and abs(n) < math.inf and FEWEST_N <= n <= LARGEST_N and n == int(n)):
        raise InputError(f"{name} must be a whole number from {FEWEST_N} to {LARGEST_N:,} per arm, not {number(n)}")
    return int(n)


def power(difference: float, sd: float, n: int, *, alpha: float = 0.05, method: str = "t") -> float:
    """Power of the comparison of two means that differ by `difference`, SD `sd` in both arms, `n` in each."""
    if difference == 0:
        return alpha
    found = _solver(method).power(effect_size=abs(difference) / sd, nobs1=n, alpha=alpha, ratio=1.0)
    return min(1.0, float(found))


def sample_size(
    difference: float, sd: float, *, target: float = 0.9, alpha: float = 0.05, method: str = "normal"
) -> int:
    """People per arm that give the power `target`, rounded up; raises InputError when it is more than a million."""
    check_positive("the SD", sd)
    if not 0 < abs(difference) < math.inf:
        raise InputError(f"the difference must be a number other than 0, not {number(difference)}")
    check_share("alpha", alpha)
    check_share("the target", target, alpha)
    low, high = FEWEST_N - 1, FEWEST_N  # power(low) < target ≤ power(high); power grows with n
    while power(difference, sd, high, alpha=alpha, method=method) < target:
        low, high = high, high * 2
        if low > LARGEST_N:
            raise InputError(
                f"a difference of {number(difference)} with SD {number(sd)} would take over {LARGEST_N:,} per arm"
            )
    while high - low > 1:
        middle = (low + high) // 2
        enough = power(difference, sd, middle, alpha=alpha, method=method) >= target
        low, high = (low, middle) if enough else (middle, high)
    return high


def detectable(sd: float, n: int, *, target: float = 0.9, alpha: float = 0.05, method: str = "t") -> float:
    """The smallest difference that `n` per arm find with the power `target`."""
    found = _solver(method).solve_power(effect_size=None, nobs1=n, alpha=alpha, power=target, ratio=1.0)
    return sd * float(np.squeeze(found))


def events_needed(hazard_ratio: float, *, target: float = 0.9, alpha: float = 0.05) -> float:
    """Events in both arms together that the log-rank test needs for the power `target`."""
    if hazard_ratio == 1 or not 0 < hazard_ratio < math.inf:
        raise InputError(f"the hazard ratio must be a number above 0 other than 1, not {number(hazard_ratio)}")
    from scipy.stats import norm

    return float(4.0 * (norm.isf(alpha / 2) + norm.ppf(target)) ** 2 / math.log(hazard_ratio) ** 2)


def logrank_sample_size(hazard_ratio: float, risk: float, *, target: float = 0.9, alpha: float = 0.05) -> int:
    """People per arm when a share `risk` of the untreated has the event, hazards being in proportion."""
    check_share("the risk", risk)
    check_share("alpha", alpha)
    check_share("the target", target, alpha)
    treated = 1.0 - (1.0 - risk) ** hazard_ratio
    n: int = math.ceil(events_needed(hazard_ratio, target=target, alpha=alpha) / (risk + treated))
    if n > 1000 * LARGEST_N:
        raise InputError(f"a hazard ratio of {number(hazard_ratio)} would take over {1000 * LARGEST_N:,} per arm")
    return n


def logrank_power(hazard_ratio: float, risk: float, n: int, *, alpha: float = 0.05) -> float:
    """Power of the log-rank test with `n` per arm."""
    from scipy.stats import norm

    events = n * (risk + 1.0 - (1.0 - risk) ** hazard_ratio)
    reach, line = abs(math.log(hazard_ratio)) * math.sqrt(events) / 2.0, norm.isf(alpha / 2)
    return float(norm.sf(line - reach) + norm.cdf(-line - reach))


def _solver(method: str) -> Any:
    from statsmodels.stats.power import NormalIndPower, TTestIndPower

    return NormalIndPower() if method == "normal" else TTestIndPower()
