"""Many people under one regimen, read as they come: means and spreads, and parts on disk, in constant memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from osteon.endpoints import ENDPOINTS
from osteon.engine import batch
from osteon.engine.batch import Setup
from osteon.engine.cohort import Cohort
from osteon.errors import InputError
from osteon.variation import BLOCK

if TYPE_CHECKING:
    import pandas as pd

    from osteon.models import Model
    from osteon.regimen import Course

CHUNK = 8 * BLOCK


@dataclass
class Moments:
    """Running mean and spread over people of the % change from month 0, per end point and time.

    BMD and rates as they are, markers as logarithms (so that `mean` is the geometric one). Sums are kept per block of
    people and added in order, so that the result does not depend on chunks.
    """

    names: tuple[str, ...]
    n: int = 0
    failed: int = 0
    total: dict[str, np.ndarray] = field(default_factory=dict)
    squares: dict[str, np.ndarray] = field(default_factory=dict)

    def add(self, change: dict[str, np.ndarray], whole: np.ndarray) -> None:
        """Add one block: `change[name]` is [time, person], `whole` says whose run did not fail."""
        self.n += int(whole.sum())
        self.failed += int((~whole).sum())
        for name in self.names:
            x = change[name][:, whole]
            self.total[name] = self.total.get(name, 0.0) + x.sum(axis=1)
            self.squares[name] = self.squares.get(name, 0.0) + (x * x).sum(axis=1)

    def mean_pct(self, name: str) -> np.ndarray:
        """Mean % change per time; for markers that of the geometric mean."""
        mean = self.total[name] / self.n
        return 100.0 * np.expm1(mean) if is_log(name) else 100.0 * mean

    def sd_pct(self, name: str) -> np.ndarray:
        """Standard deviation between people; for markers of 100 · ln ratio."""
        mean = self.total[name] / self.n
        variance = np.maximum(self.squares[name] / self.n - mean * mean, 0.0) * self.n / max(1, self.n - 1)
        return 100.0 * np.sqrt(variance)


def is_log(name: str) -> bool:
    """Whether an end point is averaged on the log scale."""
    return ENDPOINTS[name].kind == "marker"


@dataclass
class Many:
    """What `simulate_many` found: means over people by end point and time, and how right they are."""

    days: np.ndarray
    moments: Moments
    certificate: batch.Certificate | None
    provenance: dict[str, Any]


def change_of(setup: Setup, people: Cohort, observed: np.ndarray) -> dict[str, np.ndarray]:
    """Change from the reference output [time, person] by end point: x/x₀ − 1, for markers ln(x/x₀)."""
    found = {}
    for name, x in setup.endpoints(people, observed).items():
        ratio = x / x[setup.reference]
        found[name] = np.log(ratio) if is_log(name) else ratio - 1.0
    return found


def simulate_many(
    model: Model,
    people: batch.People,
    n: int,
    courses: Sequence[Course],
    days: Sequence[float] | np.ndarray,
    *,
    second: float = 0.0,
    dtype: str = "float64",
    threads: int | None = None,
    chunk: int = CHUNK,
    parts: Path | None = None,
    progress: Callable[[float], None] | None = None,
    facts: dict[str, Any] | None = None,
) -> Many:
    """Run n people and keep means and spreads; with `parts`, also each person's numbers as Parquet files there.

    Memory does not grow with n. The numbers are the same, bit for bit, for any `threads` and `chunk`.
    """
    if chunk % BLOCK:
        raise InputError(f"a chunk is a multiple of {BLOCK} people, not {chunk}")
    setup = batch.prepare(model, people, n, courses, days, second=second, dtype=dtype)
    moments = Moments(tuple(model.endpoints))
    flags: dict[str, int] = {}
    outputs = np.array(setup.plan.outputs)
    for first, last, observed, marks in batch.chunks(
        setup, people, n, threads=threads, chunk=chunk, progress=progress
    ):
        cohort = people(first, last)
        change = change_of(setup, cohort, observed)
        for at in range(0, last - first, BLOCK):
            block = slice(at, at + BLOCK)
            moments.add({name: x[:, block] for name, x in change.items()}, marks[block] != batch.FAILED)
        batch.count_flags(flags, marks)
        if parts is not None:
            write_part(parts, first, outputs, change, marks)
    certificate = batch.certify(setup, people, n, flags)
    engine = {"name": "kernel", "method": "rational ETDRK4", "certificate": certificate.facts()}
    return Many(outputs, moments, certificate, {**(facts or {}), "engine": engine})


def exact_many(
    model: Model,
    people: batch.People,
    n: int,
    courses: Sequence[Course],
    days: Sequence[float] | np.ndarray,
    *,
    progress: Callable[[float], None] | None = None,
    facts: dict[str, Any] | None = None,
) -> Many:
    """As `simulate_many`, each person with the reference integrator."""
    import dataclasses

    from osteon.engine import exact
    from osteon.engine.exposure import Exposure

    moments, times = Moments(tuple(model.endpoints)), np.asarray(days, float)
    for first in range(0, n, BLOCK):
        cohort = people(first, min(n, first + BLOCK))
        series: dict[str, list[np.ndarray]] = {name: [] for name in model.endpoints}
        for i in range(cohort.n):
            p = cohort.p._make([float(v[i]) if np.ndim(v) else v for v in cohort.p])
            now = float(cohort.now[i])
            own = [dataclasses.replace(c, start=c.start + now, stop=c.stop + now) for c in courses]
            exposure = Exposure(own, model.kinetics(p), len(model.channels))
            read = model.read_out(exact.solve(model, p, exposure, times + now).T, p)
            for name, x in read.items():
                ratio = x / x[0]
                series[name].append(np.log(ratio) if is_log(name) else ratio - 1.0)
            if progress is not None:
                progress((first + i + 1) / n)
        moments.add({name: np.array(rows).T for name, rows in series.items()}, np.ones(cohort.n, bool))
    engine = {"name": "exact", "method": "DOP853", "rtol": exact.RTOL, "atol": exact.ATOL}
    return Many(times, moments, None, {**(facts or {}), "engine": engine})


def write_part(folder: Path, first: int, days: np.ndarray, change: dict[str, np.ndarray], marks: np.ndarray) -> Path:
    """People's % changes as a Parquet file named after the first of them; whole or not at all."""
    from osteon import files

    table = part_table(first, days, change, marks)
    return files.write_whole(folder / f"part-{first:010d}.parquet", lambda path: table.to_parquet(path, index=False))


def part_table(first: int, days: np.ndarray, change: dict[str, np.ndarray], marks: np.ndarray) -> pd.DataFrame:
    """One row per person and time: person, day, flag and `<endpoint>_pct`."""
    import pandas as pd

    n = len(marks)
    columns: dict[str, Any] = {
        "person": np.repeat(np.arange(first, first + n), len(days)),
        "day": np.tile(days, n),
        "flag": np.repeat(marks, len(days)),
    }
    for name, x in change.items():
        columns[f"{name}_pct"] = 100.0 * (np.expm1(x) if is_log(name) else x).T.ravel()
    return pd.DataFrame(columns)
