"""Many people under one regimen: chunks over threads, with a certificate of how right each answer is.

The numbers do not depend on threads, chunks or the order of people: the step sequence comes from a pilot, and whom to
run again is decided by a threshold that the pilot set, not by rank within a chunk.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from osteon.endpoints import ENDPOINTS
from osteon.engine import cohort as cohorts
from osteon.engine import goal as goals
from osteon.engine import grid as grids
from osteon.engine import kernel as kernels
from osteon.engine import pilot as pilots
from osteon.engine import plan as plans
from osteon.engine.cohort import Cohort
from osteon.engine.grid import Grid
from osteon.engine.kernel import Kernel, Use
from osteon.engine.plan import Jump, Plan
from osteon.errors import OsteonError
from osteon.models import Model
from osteon.regimen import Course

TARGET = 6e-5  # relative error of BMD that 19 of 20 people are to keep to (0.006 %) before anyone is run again
EXTREME = 3e-4  # that the extremes of every parameter are to keep to
PILOT = 64  # people on whom steps are made; a multiple of a block
LIMIT = 1e-4  # what nearly everyone is to keep to (0.01 %)
RERUN_SHARE = 0.06  # of people, those with the largest error estimates
POOL = 4096  # people from whom the pilot is taken, and on whom steps and the threshold are judged
SAMPLE = 256  # people checked against a finer run
CHUNK = 4096
OK, RERUN, FINER, FAILED = range(4)

People = Callable[[int, int], Cohort]


@dataclass
class Certificate:
    """How right a run is. Errors are of BMD, relative to the person's own at month 0 or the first output after it.

    The steps are such that 19 of 20 judges keep to `target` before re-runs: `pilot_error` is what they did keep to.
    `flags` counts people by what became of them; `sample_max` and `sample_within` (share within 0.01 %) come from
    `sample` people spread over the population and run again on steps cut in four; `sample_markers` is the largest
    error of a marker among them (logarithm). Steps are chosen for BMD, so markers are less close.
    """

    steps: int
    target: float
    pilot_error: float
    threshold: float
    sample: int = 0
    sample_max: float = 0.0
    sample_within: float = 1.0
    sample_markers: float = 0.0
    flags: dict[str, int] = field(default_factory=dict)
    dtype: str = "float64"

    def facts(self) -> dict[str, Any]:
        """As plain numbers, for provenance."""
        return {k: (v if isinstance(v, dict | str) else float(v)) for k, v in vars(self).items()}


@dataclass
class Setup:
    """What all chunks of a run share."""

    model: Model
    kernel: Kernel
    plan: Plan
    grid: Grid
    fine: Grid
    finest: Grid
    weights: np.ndarray
    target: float
    threshold: float
    reference: int
    """Index of the output to which errors are relative."""

    def run(self, people: Cohort, grid: Grid) -> tuple[np.ndarray, np.ndarray]:
        """What is observed [output, observed, person] and error estimates of people on a grid."""
        source = self.kernel.source
        if source.dormant - people.zero:
            raise OsteonError("people whose observed begin at 0 and others cannot be in one run")
        arrays = cohorts.arrays(people, self.plan, source.layout, self.kernel.dtype)
        s = self.kernel.shared_array(people.p, self.weights)
        return grids.run(self.kernel, grid, self.plan, arrays, s)

    def goal(self, observed: np.ndarray) -> np.ndarray:
        """The goal (BMD) [output, person]."""
        return goals.of(self.model, self.kernel.source.layout.outputs)(observed)

    def endpoints(self, people: Cohort, observed: np.ndarray) -> dict[str, np.ndarray]:
        """The model's end points [output, person]."""
        names = self.kernel.source.layout.outputs
        return self.model.derive({name: observed[:, i].astype(float) for i, name in enumerate(names)}, people.p)

    def difference(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        """Largest relative difference of the goal over the outputs, per person."""
        a, b = self.goal(one), self.goal(other)
        with np.errstate(invalid="ignore"):
            return np.asarray(np.max(np.abs(a - b), axis=0) / grids.scale(b[self.reference]))

    def marker_difference(self, people: Cohort, one: np.ndarray, other: np.ndarray) -> float:
        """Largest difference of a marker's logarithm over people and outputs."""
        a, b = self.endpoints(people, one), self.endpoints(people, other)
        names = [n for n in a if n in ENDPOINTS and ENDPOINTS[n].kind == "marker"]
        with np.errstate(invalid="ignore", divide="ignore"):
            return max((float(np.nanmax(np.abs(np.log(a[n] / b[n])))) for n in names), default=0.0)

    def chunk(self, people: Cohort) -> tuple[np.ndarray, np.ndarray]:
        """What is observed of some people, and flags; those with large error estimates run again on finer steps."""
        observed, estimate = self.run(people, self.grid)
        flags = np.full(people.n, OK, np.int8)
        with np.errstate(invalid="ignore"):
            # A number that is not finite never becomes finite again, so that the last output tells.
            again = np.flatnonzero(~(estimate <= self.threshold) | ~np.isfinite(observed[-1]).all(axis=0))
        if len(again):
            some = people.take(again)
            better, _ = self.run(some, self.fine)
            off = self.difference(observed[:, :, again], better)
            observed[:, :, again], flags[again] = better, RERUN
            # The finer run is about 15 times closer than the difference between the two.
            far = np.flatnonzero(~(off <= 5 * LIMIT))
            if len(far):
                observed[:, :, again[far]], flags[again[far]] = self.run(some.take(far), self.finest)[0], FINER
            flags[again[~np.isfinite(observed[:, :, again]).all(axis=(0, 1))]] = FAILED
        return observed, flags


def prepare(
    model: Model,
    people: People,
    n: int,
    courses: Sequence[Course],
    days: Sequence[float] | np.ndarray,
    *,
    second: float = 0.0,
    jumps: Sequence[Jump] = (),
    dtype: str = "float64",
    target: float = TARGET,
    channels: Collection[int] = (),
) -> Setup:
    """Choose kernel and steps for n people under some courses (days from month 0), read at `days`.

    `channels` are drug channels that the kernel is to have beside those of the courses, so that several arms can
    share one.

    `people(first, last)` gives a range of them. `second` is where the prior treatment begins (0 without one).
    """
    pool = people(0, min(n, POOL))
    pilot = cohorts.pilot(pool, PILOT)
    outputs = sorted({float(d) for d in days})
    start = -float(np.max(pilot.now - pilot.born))
    plan = plans.make(
        courses, model.kinetics(pool.p), start=min(start, second), second=second, outputs=outputs, jumps=jumps
    )
    cohorts.bend(pool, plan)
    plan.kinks = [
        (low - 0.1 * (high - low), high + 0.1 * (high - low)) for low, high in cohorts.kink_spans(pool, plan)
    ]
    reference = int(np.searchsorted(outputs, 0.0)) if outputs[-1] >= 0 else len(outputs) - 1
    zero = pool.zero - plan.jumping
    use = Use(pilot.varying, tuple(sorted({*plan.channel.tolist(), *channels})), zero)
    double = kernels.load(model, use)
    weights = goals.weights(double, pilot.take(np.array([PILOT - 1])), plan.start)
    seen = goals.of(model, double.source.layout.outputs)
    loose = target / TARGET
    aim = pilots.Aim(seen, weights, reference, target, LIMIT * loose, RERUN_SHARE, EXTREME * loose)
    grid = pilots.choose(double, plan, pilot, pool, aim)
    kernel = double if dtype == "float64" else kernels.load(model, use, dtype)
    setup = Setup(model, kernel, plan, grid, grid.finer(2), grid.finer(6), weights, target, np.inf, reference)
    _, estimates = setup.run(pool, grid.silent())
    setup.threshold = float(np.nanquantile(estimates, 1 - RERUN_SHARE)) if pool.n > 1 else np.inf
    return setup


def chunks(
    setup: Setup,
    people: People,
    n: int,
    *,
    threads: int | None = None,
    chunk: int = CHUNK,
    progress: Callable[[float], None] | None = None,
) -> Iterator[tuple[int, int, np.ndarray, np.ndarray]]:
    """(first, last, observed[output, observed, person], flags) of each range of people, in order.

    At most a few ranges are held at a time. Ctrl-C is answered when the ranges that are running have ended, within a
    fraction of a second.
    """
    if chunk < 1:
        raise OsteonError(f"a chunk holds at least one person, not {chunk}")
    threads = threads or os.cpu_count() or 1
    ranges = deque((first, min(n, first + chunk)) for first in range(0, n, chunk))

    def work(first: int, last: int) -> tuple[np.ndarray, np.ndarray]:
        return setup.chunk(people(first, last))

    running: deque[tuple[int, int, Future[tuple[np.ndarray, np.ndarray]]]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            while ranges or running:
                while ranges and len(running) < 2 * threads:
                    first, last = ranges.popleft()
                    running.append((first, last, pool.submit(work, first, last)))
                first, last, future = running.popleft()
                observed, flags = future.result()
                yield first, last, observed, flags
                if progress is not None:
                    progress(last / n)
        finally:
            for _, _, future in running:
                future.cancel()


def certify(setup: Setup, people: People, n: int, flags: dict[str, int]) -> Certificate:
    """Check a sample of the people against steps cut in four, and put the certificate together."""
    found = Certificate(
        len(setup.grid),
        setup.target,
        setup.grid.pilot_error,
        setup.threshold,
        flags=flags,
        dtype=str(setup.kernel.dtype),
    )
    picks = np.unique(np.linspace(0, n - 1, min(n, SAMPLE)).astype(np.int64))
    parts = [people(int(i), int(i) + 1) for i in picks] if n > POOL else [people(0, n).take(picks)]
    errors, markers = [], [0.0]
    for some in _joined(parts):
        observed, marks = setup.chunk(some)
        truth, _ = setup.run(some, setup.grid.finer(4))
        off = setup.difference(observed, truth)
        errors.append(off[marks != FAILED])
        markers.append(setup.marker_difference(some, observed, truth))
    whole = np.concatenate(errors)
    if len(whole):
        found.sample, found.sample_max = len(whole), float(np.max(whole))
        found.sample_within = float(np.mean(whole <= LIMIT))
        found.sample_markers = max(markers)
    return found


def _joined(parts: list[Cohort]) -> list[Cohort]:
    """Cohorts of one person each as one cohort."""
    if len(parts) == 1:
        return parts
    first = parts[0]
    values = []
    for name in first.p._fields:
        each = [getattr(c.p, name) for c in parts]
        values.append(np.concatenate(each) if np.ndim(each[0]) else each[0])
    factor = None if first.dose_factor is None else np.concatenate([c.dose_factor for c in parts], axis=1)
    x0 = np.concatenate([c.x0 for c in parts], axis=1)
    born, now = np.concatenate([c.born for c in parts]), np.concatenate([c.now for c in parts])
    zero = frozenset.intersection(*(c.zero for c in parts))
    return [Cohort(first.model, len(parts), first.p._make(values), x0, born, now, factor, zero)]


def count_flags(total: dict[str, int], flags: np.ndarray) -> dict[str, int]:
    """Add a chunk's flags to the counts."""
    names = {"ok": OK, "run_again": RERUN, "run_again_finer": FINER, "failed": FAILED}
    for name, value in names.items():
        total[name] = total.get(name, 0) + int(np.sum(flags == value))
    return total
