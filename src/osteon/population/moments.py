"""Running means and spreads between people, added up block by block in the order of the people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from osteon.endpoints import ENDPOINTS


def is_log(name: str) -> bool:
    """Whether an end point is averaged on the log scale."""
    return ENDPOINTS[name].kind == "marker"


@dataclass
class Sums:
    """What is kept of each of some blocks of people: sums and squares [block, end point, time], and who failed."""

    n: np.ndarray
    failed: np.ndarray
    total: np.ndarray
    squares: np.ndarray

    @classmethod
    def of(cls, names: Sequence[str], change: dict[str, np.ndarray], whole: np.ndarray) -> Sums:
        """Of one block: `change[name]` is [time, person], `whole` says whose run did not fail."""
        kept = [change[name][:, whole] for name in names]
        return cls(
            np.array([whole.sum()]),
            np.array([(~whole).sum()]),
            np.array([[x.sum(axis=1) for x in kept]]),
            np.array([[(x * x).sum(axis=1) for x in kept]]),
        )

    @classmethod
    def joined(cls, parts: Sequence[Sums]) -> Sums:
        """Blocks one after another."""
        return cls(*(np.concatenate([getattr(p, name) for p in parts]) for name in vars(parts[0])))


@dataclass
class Moments:
    """Running mean and spread over people of the % change from month 0, per end point and time.

    BMD and rates as they are, markers as logarithms (so that `mean` is the geometric one). Sums are kept per block of
    people and added in order, so that the result does not depend on chunks, threads or machines.
    """

    names: tuple[str, ...]
    n: int = 0
    failed: int = 0
    total: dict[str, np.ndarray] = field(default_factory=dict)
    squares: dict[str, np.ndarray] = field(default_factory=dict)

    def add(self, blocks: Sums) -> None:
        """Add some blocks, one by one."""
        for n, failed, total, squares in zip(blocks.n, blocks.failed, blocks.total, blocks.squares, strict=True):
            self.n += int(n)
            self.failed += int(failed)
            for name, x, xx in zip(self.names, total, squares, strict=True):
                self.total[name] = self.total.get(name, 0.0) + x
                self.squares[name] = self.squares.get(name, 0.0) + xx

    def mean_pct(self, name: str) -> np.ndarray:
        """Mean % change per time; for markers that of the geometric mean."""
        mean = self.total[name] / self.n
        return 100.0 * np.expm1(mean) if is_log(name) else 100.0 * mean

    def sd_pct(self, name: str) -> np.ndarray:
        """Standard deviation between people; for markers of 100 · ln ratio."""
        mean = self.total[name] / self.n
        variance = np.maximum(self.squares[name] / self.n - mean * mean, 0.0) * self.n / max(1, self.n - 1)
        return 100.0 * np.sqrt(variance)
