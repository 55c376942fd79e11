"""What a trial would see of a mean: draws, what even the right model misses, and the people it happens to take.

    change seen = change of a draw + N(0, miss² + (response · change)²) + N(0, (between² + 2 precision²)/n)

with the change in % for BMD and as the logarithm of the ratio to baseline for markers. `miss` is the model's
discrepancy of an end point, `response` how far the people of one trial respond more or less than those of others, as
a share of the change, `between` the spread of the change between people under the same treatment, `precision` the
error of one measurement, of which a change has two. The numbers are records of the set "observation". `miss` was
judged on arms of about 50 women and so holds some of their sampling already: intervals err on the wide side.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping

import numpy as np

from osteon import parameters
from osteon.endpoints import ENDPOINTS

LOWER, UPPER = 0.05, 0.95
_HALVINGS = 60


@functools.cache
def _numbers(kind: str) -> Mapping[str, float]:
    start = f"{kind}_"
    records = parameters.load("observation").values()
    return {r.id.removeprefix(start): r.value for r in records if r.id.startswith(start)}


def misses() -> Mapping[str, float]:
    """Standard deviation by end point of what even the right model misses a published mean by."""
    return _numbers("discrepancy")


def spread(endpoint: str) -> float:
    """Standard deviation of one person's observed change round the mean: between people, and two measurements."""
    return float(np.hypot(_numbers("between").get(endpoint, 0.0), 2**0.5 * _numbers("precision").get(endpoint, 0.0)))


def discrepancy(endpoint: str, change: np.ndarray | float) -> np.ndarray:
    """Standard deviation of what even the right model misses a trial's mean change by; 0 for what no trial measures.
    The change is in % for BMD, the logarithm of the ratio for markers."""
    if endpoint not in misses():
        return np.zeros_like(np.asarray(change, float))
    share = _numbers("response")[ENDPOINTS[endpoint].kind]
    return np.asarray(np.hypot(misses()[endpoint], share * np.abs(change)))


def error(endpoint: str, n: int, change: np.ndarray | float = 0.0) -> np.ndarray:
    """Standard deviation of the observed mean of n people round that of a draw; 0 for what no trial measures."""
    return np.asarray(np.hypot(discrepancy(endpoint, change), spread(endpoint) / n**0.5))


def interval(endpoint: str, ratio: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """5 and 95 % of the observed mean % change of n people, from each draw's ratio to baseline [draw, time].

    Where all draws are at baseline the change is 0 by definition.
    """
    marker = ENDPOINTS[endpoint].kind == "marker"
    change = np.log(ratio) if marker else 100.0 * (ratio - 1.0)
    found = [quantile(change, error(endpoint, n, change), share) for share in (LOWER, UPPER)]
    lower, upper = (np.where((ratio == 1).all(axis=0), 0.0, x) for x in found)
    return (100.0 * np.expm1(lower), 100.0 * np.expm1(upper)) if marker else (lower, upper)


def difference_interval(endpoint: str, one: np.ndarray, other: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """5 and 95 % of the observed difference of two arms of n people each, in points of % change, from each draw's
    ratios to baseline [draw, time]. What a value is missed by is left out: it is mostly the sampling of arms, which
    `spread` holds. Where the arms are the same in all draws, at baseline, it is 0."""
    apart = 100.0 * (one - other)
    marker = ENDPOINTS[endpoint].kind == "marker"
    scale = 100.0 * np.hypot(one, other) if marker else 2**0.5
    share = _numbers("response").get(ENDPOINTS[endpoint].kind, 0.0)
    sd = np.hypot(share * np.abs(apart), spread(endpoint) / n**0.5 * scale)
    still = ((one == 1) & (other == 1)).all(axis=0)
    lower, upper = (np.where(still, 0.0, quantile(apart, sd, part)) for part in (LOWER, UPPER))
    return lower, upper


def quantile(means: np.ndarray, sd: np.ndarray | float, share: float) -> np.ndarray:
    """Quantile over the first axis of a mixture of normal distributions with equal weights, and SD one for all or of
    the shape of the means."""
    if np.all(sd == 0):
        return np.asarray(np.quantile(means, share, axis=0))
    from scipy.special import ndtr

    far = 8 * np.max(sd)
    low, high = means.min(axis=0) - far, means.max(axis=0) + far
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        below = ndtr((middle - means) / sd).mean(axis=0) < share
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.asarray((low + high) / 2)
