"""A quantity of a study's people: normal with mean and SD as the study gives them, cut at its limits.

The mean and SD of a published table are those of the people who were taken, after the limits. So the normal
distribution is sought which, cut, has them; where none has, the nearest is taken.
"""

from __future__ import annotations

import functools

import numpy as np

from osteon.person import Distribution

POINTS = 2001
FAR = 8.0  # SDs beyond which nothing is looked for
WIDEST = 30.0  # times the width between limits: by then it is flat, or an exponential
HALVINGS = 60


class Spread:
    """`quantity` over people: `usual_sd` where it has limits but no SD; a bare number is the same for all. `low` and
    `high` are what is possible at all."""

    def __init__(self, quantity: Distribution, usual_sd: float, low: float, high: float) -> None:
        self.mean = quantity.mean
        self.fixed = quantity.sd == 0 or (quantity.sd is None and quantity.min is None and quantity.max is None)
        wanted = quantity.sd if quantity.sd is not None else usual_sd
        self.low = max(low, quantity.min if quantity.min is not None else low)
        self.high = min(high, quantity.max if quantity.max is not None else high)
        if not self.low < self.mean < self.high:
            self.fixed = True
        self.sd = 0.0 if self.fixed else wanted
        if not self.fixed:
            self._grid = np.linspace(max(self.low, self.mean - FAR * 2 * wanted),
                                     min(self.high, self.mean + FAR * 2 * wanted), POINTS)  # fmt: skip
            center, width = _parent(self.mean, quantity.sd, usual_sd, self._grid[0], self._grid[-1])
            weight = _weights(self._grid, center, width)
            inside = np.concatenate([[0.0], np.cumsum((weight[1:] + weight[:-1]) / 2)])
            self._share = inside / inside[-1]
            self.sd = _moments(self._grid, weight)[1]

    def at(self, z: np.ndarray) -> np.ndarray:
        """Values [person] at standard normal scores."""
        if self.fixed:
            return np.full(len(z), self.mean)
        from scipy.special import ndtr

        return np.asarray(np.interp(ndtr(z), self._share, self._grid))


@functools.lru_cache(256)
def _parent(mean: float, sd: float | None, usual: float, low: float, high: float) -> tuple[float, float]:
    """Center and width of the normal distribution that between limits has that mean and SD (None: its own width is
    `usual`)."""
    grid = np.linspace(low, high, POINTS)
    if sd is None:
        return _center(grid, mean, usual), usual
    narrow, wide = np.log(sd), np.log(max(WIDEST * (high - low), 2 * sd))
    for _ in range(HALVINGS // 2):
        middle = (narrow + wide) / 2
        width = float(np.exp(middle))
        if _moments(grid, _weights(grid, _center(grid, mean, width), width))[1] < sd:
            narrow = middle
        else:
            wide = middle
    width = float(np.exp((narrow + wide) / 2))
    return _center(grid, mean, width), width


def _center(grid: np.ndarray, mean: float, width: float) -> float:
    """Center with which the cut distribution has that mean; its mean grows with the center."""
    span = grid[-1] - grid[0]
    reach = FAR * width + 100.0 * width**2 / span + span  # an exponential is a normal far out
    low, high = mean - reach, mean + reach
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if _moments(grid, _weights(grid, middle, width))[0] < mean:
            low = middle
        else:
            high = middle
    return float((low + high) / 2)


def _weights(grid: np.ndarray, center: float, width: float) -> np.ndarray:
    power = -0.5 * ((grid - center) / width) ** 2
    return np.asarray(np.exp(power - power.max()))


def _moments(grid: np.ndarray, weight: np.ndarray) -> tuple[float, float]:
    inner = weight.copy()
    inner[[0, -1]] /= 2
    total = inner.sum()
    mean = float(inner @ grid / total)
    return mean, float(np.sqrt(max(inner @ (grid - mean) ** 2 / total, 0.0)))
