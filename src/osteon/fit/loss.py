"""The loss of a residual: its square near 0, its size far away (soft-L1)."""

from __future__ import annotations

import numpy as np

SCALE = 2.0  # errors beyond which a residual of a trial counts by its size, no longer by its square
SQUARE = 1e3  # the same of natural history: means of large surveys hold no outliers, so that squares count throughout


def soft(r: np.ndarray, scale: float | np.ndarray = SCALE) -> np.ndarray:
    """Soft-L1 loss of residuals: r² near 0, 2 · scale · |r| far away."""
    return np.asarray(2 * scale**2 * (np.sqrt(1 + (r / scale) ** 2) - 1))


def weight(r: np.ndarray, scale: float | np.ndarray = SCALE) -> np.ndarray:
    """What the squares of residuals count for in the loss, near these: 1 near 0."""
    return np.asarray(1 / np.sqrt(1 + (r / scale) ** 2))
