"""The loss of a residual: its square near 0, its size far away (soft-L1)."""

from __future__ import annotations

import numpy as np

SCALE = 2.0  # errors beyond which a residual counts by its size, no longer by its square


def soft(r: np.ndarray) -> np.ndarray:
    """Soft-L1 loss of residuals: r² near 0, 2 · SCALE · |r| far away."""
    return np.asarray(2 * SCALE**2 * (np.sqrt(1 + (r / SCALE) ** 2) - 1))
