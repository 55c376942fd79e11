"""What a host trial would teach, in units of the decision: expected value of sample information, and power.

Decision: start an osteoporosis programme with a therapy if and only if its mean effect θ (percentage points of BMD
against control) exceeds θ*, with net benefit b per point above it. Prior θ ~ N(μ₀, σ₀²); a host gives y ~ N(θ, v)
with v = s²(1/n_T + 1/n_C)/retention + τ², τ the transport bias. The preposterior mean has SD σ̃ = σ₀²/√(σ₀² + v), and
EVSI = b[σ̃φ(z) + (μ₀ − θ*)Φ(z)] − b·max(0, μ₀ − θ*), z = (μ₀ − θ*)/σ̃; as v → 0 it becomes the EVPI.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from scipy import stats


def evsi(mean: float, sd: float, threshold: float, variance: Any, benefit: float = 1.0) -> Any:
    """Expected value of sample information, in units of `benefit`.

    mean, sd: the prior's μ₀ and σ₀; threshold: θ*; variance: v of the host's estimate, a number or an array
    (infinite: nothing is learnt).
    """
    variance = np.asarray(variance, float)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.where(np.isfinite(variance), sd**2 / np.sqrt(sd**2 + variance), 0.0)
        gap = mean - threshold
        z = np.where(spread > 0, gap / np.where(spread > 0, spread, 1.0), 0.0)
        value = spread * stats.norm.pdf(z) + gap * stats.norm.cdf(z) - max(0.0, gap)
    found = benefit * np.where(spread > 0, np.maximum(value, 0.0), 0.0)
    return float(found) if found.ndim == 0 else found


def evpi(mean: float, sd: float, threshold: float, benefit: float = 1.0) -> float:
    """Expected value of perfect information: the limit of `evsi` as the variance goes to 0."""
    return float(evsi(mean, sd, threshold, 0.0, benefit))


def variance(treated: float, control: float, sd: float, *, retention: float = 1.0, bias: float = 0.0) -> float:
    """v of a randomised comparison; people per arm, SD of the change, share kept to the end, SD of transport bias."""
    if treated <= 0 or control <= 0 or retention <= 0:
        return math.inf
    return sd**2 * (1 / treated + 1 / control) / retention + bias**2


def variance_without_control(
    people: float, sd: float, trend: float, *, retention: float = 1.0, bias: float = 0.0
) -> float:
    """v of a before-and-after change: `trend` is the SD of what would have happened anyway."""
    return math.inf if people <= 0 or retention <= 0 else sd**2 / (people * retention) + trend**2 + bias**2


def pooled(
    variances: Iterable[float], shared: Mapping[str, float] | None = None, classes: Iterable[str] = ()
) -> float:
    """v of a set: precisions add; hosts of a class share the bias variance of that class.

    variances: each host's own v without the shared part; classes: each host's class; shared: bias variance by class.
    """
    groups: dict[str, float] = {}
    names = list(classes)
    for index, v in enumerate(variances):
        name = names[index] if names else str(index)
        groups[name] = groups.get(name, 0.0) + (1 / v if v > 0 else math.inf)
    precision = 0.0
    for name, own in groups.items():
        total = (1 / own if own > 0 else math.inf) + (shared or {}).get(name, 0.0)
        precision += 1 / total if total > 0 else math.inf
    return 1 / precision if precision > 0 else math.inf


def per_arm(difference: float, sd: float, *, alpha: float = 0.05, power: float = 0.8) -> int:
    """People per arm to see a difference, two-sided, equal arms; the t distribution where that is small."""
    z = stats.norm.ppf(1 - alpha / 2) + stats.norm.ppf(power)
    n = 2 * z**2 * sd**2 / difference**2
    return max(2, math.ceil(n - 1e-9))


def detectable(n: float, sd: float, *, alpha: float = 0.05, power: float = 0.8) -> float:
    """The difference that two arms of n people each can see."""
    z = float(stats.norm.ppf(1 - alpha / 2) + stats.norm.ppf(power))
    return math.inf if n <= 0 else z * sd * math.sqrt(2 / n)
