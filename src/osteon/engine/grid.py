"""The step sequence that all people of an arm share, chosen on a pilot drawn from them.

Steps begin and end at every dose, window edge, jump and visit. In between, a pilot of one block of people is
integrated with step doubling; the error that counts is the one in the goal (BMD), so each state is weighted by what
a change of it would do to the goal later. The loosest sequence is taken with which, over the whole course, the pilot
(the extremes of every parameter) and some hundred people as they come stay within their targets against a much finer
one: the extremes alone may be lucky. Sequences are cached by content.
"""

from __future__ import annotations

import hashlib
import itertools
import threading
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from osteon.engine import cohort as cohorts
from osteon.engine.cohort import Arrays, Cohort
from osteon.engine.kernel import LANES, Kernel
from osteon.engine.plan import DOSE, INFLOW, TIMES, Plan

FINE = 4  # how many times finer the sequence is that the pilot is judged against (order 4: 256 times closer)
TOLERANCES = np.geomspace(3e-3, 1e-7, 46)
SMALLEST = 1e-4  # days
FIRST = 100.0  # days; the first step tried
FLOOR = 0.05  # of the goal; BMD at peak is near 1 in every model so far
SCRATCH = 16_000_000  # bytes kept for the next run, at most
SHARE = 0.95  # of the judges
GROW, SHRINK, SAFETY = 3.0, 0.2, 0.9
LONGER = 1.4  # a step grows when it may be so much longer
EQUAL = 5  # a rest of up to so many steps is cut in equal ones


def scale(reference: np.ndarray) -> np.ndarray:
    """What errors are relative to: a person's own goal, but no less than `FLOOR`. A published model may take
    someone's bone to nothing and below, where a relative error has no meaning."""
    return np.asarray(np.maximum(np.abs(reference), FLOOR))


@dataclass(frozen=True)
class Grid:
    """Steps of an arm as the kernel takes them. `tolerance` says how it was chosen, `pilot_error` what `SHARE` of the
    judges keep to with it, `extreme_error` what everyone on the pilot does."""

    t: np.ndarray
    h: np.ndarray
    kind: np.ndarray
    """0 before anything has happened, 1 without drugs, 2 with drugs."""
    fresh: np.ndarray
    """Whether a step may not go on from the end of the one before: something happens at its start."""
    kinked: np.ndarray
    second_phase: int
    events_from: np.ndarray
    event_kind: np.ndarray
    event_index: np.ndarray
    event_value: np.ndarray
    event_who: np.ndarray
    active_from: np.ndarray
    active: np.ndarray
    out_at: np.ndarray
    n_outputs: int
    tolerance: float = 0.0
    pilot_error: float = 0.0
    extreme_error: float = 0.0

    def __len__(self) -> int:
        return len(self.h)

    def silent(self) -> Grid:
        """The same without outputs, for error estimates alone."""
        return replace(self, out_at=np.full(len(self.h), -1), n_outputs=0)

    def finer(self, parts: int) -> Grid:
        """The same with every step cut into equal parts."""
        n = len(self.h)
        h = np.repeat(self.h / parts, parts)
        t = (self.t[:, None] + self.h[:, None] / parts * np.arange(parts)).ravel()
        out_at = np.full(n * parts, -1)
        out_at[parts - 1 :: parts] = self.out_at

        def spread(start: np.ndarray, each: bool) -> np.ndarray:
            counts = np.diff(start)
            wide = np.zeros((n, parts), np.int64)
            if each:
                wide[:] = counts[:, None]
            else:
                wide[:, 0] = counts
            return np.concatenate([[0], np.cumsum(wide.ravel())])

        pieces = [self.active[a:b] for a, b in zip(self.active_from[:-1], self.active_from[1:], strict=True)]
        active = np.concatenate([np.tile(p, parts) for p in pieces]) if len(self.active) else self.active
        return replace(
            self,
            t=t,
            h=h,
            kind=np.repeat(self.kind, parts),
            fresh=np.where(np.arange(n * parts) % parts == 0, np.repeat(self.fresh, parts), 0).astype(np.uint8),
            kinked=np.repeat(self.kinked, parts),
            second_phase=self.second_phase * parts,
            events_from=spread(self.events_from, each=False),
            active_from=spread(self.active_from, each=True),
            active=active,
            out_at=out_at,
        )


def from_steps(plan: Plan, times: np.ndarray) -> Grid:
    """A grid from its step edges (ascending, all breaks among them)."""
    t, h = times[:-1], _equal(np.diff(times))
    events_from, events, active_from, active = [0], [], [0], []
    fresh, before = [], None
    for time in t.tolist():
        here = plan.active(time)
        fresh.append(time in plan.events or here != before or time == plan.second)
        events += plan.events.get(time, [])
        events_from.append(len(events))
        active += plan.codes(here)
        active_from.append(len(active))
        before = here
    out_at = np.full(len(h), -1)
    for index, time in enumerate(plan.outputs):
        if time > plan.start:
            out_at[int(np.searchsorted(times, time)) - 1] = index
    return Grid(
        t=t,
        h=h,
        kind=np.where(np.diff(active_from) > 0, 2, t >= plan.first_event).astype(np.uint8),
        fresh=np.array(fresh, np.uint8),
        kinked=np.array([plan.kinked(a, b) for a, b in zip(t, times[1:], strict=True)], np.uint8),
        second_phase=int(np.searchsorted(t, plan.second)),
        events_from=np.array(events_from),
        event_kind=np.array([e.kind for e in events], np.int64),
        event_index=np.array([e.index for e in events], np.int64),
        event_value=np.array([e.value for e in events], float),
        event_who=np.array([e.component for e in events], np.int64),
        active_from=np.array(active_from),
        active=np.array(active, np.int64),
        out_at=out_at,
        n_outputs=len(plan.outputs),
    )


def _equal(h: np.ndarray) -> np.ndarray:
    """Lengths that differ from the one before by rounding alone made the same, so that the kernel can tell."""
    for i in range(1, len(h)):
        if abs(h[i] - h[i - 1]) < 1e-10 * h[i]:
            h[i] = h[i - 1]
    return h


def call(
    kernel: Kernel, grid: Grid, plan: Plan, people: Arrays, s: np.ndarray, out: np.ndarray, error: np.ndarray,
    first: int = 0, last: int | None = None,
) -> None:  # fmt: skip
    """Run people first … last − 1 of `people.order` over the grid; fills out[output, observed, person] and
    error[person] in that order."""
    f = kernel.dtype
    kernel.module.run(
        first, people.x0.shape[1] if last is None else last, people.order, people.x0, people.par, s, people.clock,
        grid.t.astype(f), grid.h.astype(f), grid.kind, grid.fresh, grid.kinked, people.kink, grid.second_phase,
        grid.events_from, grid.event_kind, grid.event_index, grid.event_value.astype(f), grid.event_who,
        grid.active_from, grid.active, kernel.channels(plan), people.gain, people.decay, people.dose_factor,
        grid.out_at, out, error,
    )  # fmt: skip


def run(kernel: Kernel, grid: Grid, plan: Plan, people: Arrays, s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What the kernel observes [output, observed, person] and error estimates [person] of all the people."""
    n = people.x0.shape[1]
    shape = (grid.n_outputs, len(kernel.source.layout.outputs), n)
    out, error = np.empty(shape, kernel.dtype), np.empty(n, kernel.dtype)
    if (people.order[1:] < people.order[:-1]).any():
        back = np.empty(n, np.int64)
        back[people.order] = np.arange(n)
        found = _scratch(shape, kernel.dtype)
        call(kernel, grid, plan, people, s, found, error)
        np.take(found, back, axis=2, out=out, mode="clip")
        error = error[back]
    else:
        call(kernel, grid, plan, people, s, out, error)
    for index, time in enumerate(plan.outputs[: grid.n_outputs]):
        if time <= plan.start:
            out[index] = people.observed
    return out, error


_kept = threading.local()


def _scratch(shape: tuple[int, ...], dtype: np.dtype[Any]) -> np.ndarray:
    """An array for the moment, one for each thread: fresh memory costs as much as filling it."""
    kept: np.ndarray | None = getattr(_kept, "array", None)
    if kept is None or kept.shape != shape or kept.dtype != dtype:
        kept = np.empty(shape, dtype)
        if kept.nbytes <= SCRATCH:
            _kept.array = kept
    return kept


@dataclass
class Pilot:
    """One block of people, stepped from Python while the sequence is chosen."""

    kernel: Kernel
    plan: Plan
    people: Arrays
    s: np.ndarray
    w: np.ndarray
    levels: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
    channel: np.ndarray

    @classmethod
    def make(cls, kernel: Kernel, plan: Plan, people: Arrays, s: np.ndarray) -> Pilot:
        f, layout = kernel.dtype, kernel.source.layout
        w = np.zeros((layout.row("end"), LANES), f)
        w[: layout.states] = people.x0
        w[layout.row("p") : layout.row("p") + len(layout.varying)] = people.par[: len(layout.varying)]
        w[layout.row("base")], w[layout.row("scale")] = people.clock[0], people.clock[1]
        agents = max(1, len(plan.agents))
        lev, plat, dec, fade = (np.zeros((agents, LANES), f) for _ in range(4))
        dec[: len(plan.agents)] = people.decay
        levels = (lev.ravel(), plat.ravel(), dec.ravel(), fade.ravel())
        pilot = cls(kernel, plan, people, s, w.ravel(), levels, kernel.channels(plan))
        kernel.module.prepare(pilot.w, s)
        return pilot

    def rows(self, name: str, count: int = 1) -> np.ndarray:
        at = self.kernel.source.layout.row(name)
        return self.w.reshape(-1, LANES)[at : at + count]

    def second_phase(self) -> None:
        self.rows("base")[:] = self.people.clock[2]
        self.rows("scale")[:] = 1.0

    def happen(self, time: float) -> None:
        lev, plat, _, _ = (a.reshape(-1, LANES) for a in self.levels)
        for e in self.plan.events.get(time, []):
            if e.kind == DOSE:
                lev[e.index] += self.people.gain[e.index] * e.value * self.people.dose_factor[e.component]
            elif e.kind == INFLOW:
                rate = self.people.gain[e.index] * e.value * self.people.dose_factor[e.component]
                plat[e.index] = rate / self.people.decay[e.index]
            elif e.kind == TIMES:
                self.rows("x", e.index + 1)[e.index] *= e.value
            else:
                self.rows("x", e.index + 1)[e.index] += e.value

    def advance(self, t: float, h: float, active: np.ndarray, parts: int = 1) -> None:
        """One step, cut at the people's own kinks as the kernel does it; each piece in `parts` equal parts.

        Halving the step as a whole would not do: before a kink at rest, both ways would make the same step after it.
        """
        if not self.plan.kinked(t, t + h):
            for i in range(parts):
                self._step(t + i * h / parts, h / parts, active)
            return
        base, scale = self.rows("base").copy(), self.rows("scale").copy()
        at, end = base + scale * t, base + scale * (t + h)
        for kink in [*self.people.kink, np.inf]:
            stop = np.minimum(np.maximum(kink, at), end)
            piece = (stop - at) / parts
            for i in range(parts):
                self.rows("scale")[:] = piece / h
                self.rows("base")[:] = at + i * piece - piece / h * t
                self._step(t, h, active)
            at = stop
        self.rows("base")[:], self.rows("scale")[:] = base, scale

    def _step(self, t: float, h: float, active: np.ndarray) -> None:
        f, module = self.kernel.dtype.type, self.kernel.module
        kind = 2 if len(active) else int(t >= self.plan.first_event)
        module.advance(kind, True, True, self.w, self.s, *self.levels, self.channel, active, len(active), f(t), f(h))

    def keep(self) -> tuple[np.ndarray, np.ndarray]:
        return self.w.copy(), self.levels[0].copy()

    def restore(self, kept: tuple[np.ndarray, np.ndarray]) -> None:
        self.w[:], self.levels[0][:] = kept


def adapt(
    kernel: Kernel, plan: Plan, people: Arrays, s: np.ndarray, weights: np.ndarray, tolerance: float
) -> np.ndarray:
    """Step edges with a weighted error (twice the root mean square over a block of people) of at most `tolerance` in
    each step. Runs of equal steps are liked: the kernel has less to do in them."""
    pilot = Pilot.make(kernel, plan, people, s)
    n = kernel.source.layout.states
    edges, breaks = [plan.start], plan.breaks()
    h = FIRST
    for begin, end in itertools.pairwise(breaks):
        if begin == plan.second:
            pilot.second_phase()
        pilot.happen(begin)
        active = np.array(plan.codes(plan.active(begin)), np.int64)
        t = begin
        while t < end:
            pieces = max(1, int(np.ceil((end - t) / h - 1e-9)))
            h = (end - t) / pieces if pieces <= EQUAL else h
            kept = pilot.keep()
            pilot.advance(t, h, active)
            whole = pilot.rows("x", n).astype(float)
            pilot.restore(kept)
            pilot.advance(t, h, active, parts=2)
            halves = pilot.rows("x", n).astype(float)
            with np.errstate(invalid="ignore"):
                error = 2.0 * float(np.sqrt(np.mean((np.abs(weights) @ np.abs(whole - halves)) ** 2)))
            if not np.isfinite(error):
                error = np.inf
            factor = SAFETY * (tolerance / max(error, 1e-300)) ** 0.2
            if error <= tolerance or h <= SMALLEST:
                t = end if pieces == 1 else t + h
                edges.append(t)
                h = h * min(GROW, factor if factor > LONGER else 1.0)
            else:
                pilot.restore(kept)
                h = max(SMALLEST, h * min(0.8, max(SHRINK, factor)))
    return np.array(edges)


@dataclass(frozen=True)
class Aim:
    """What steps are to achieve. Errors are of the goal at any output relative to its value at output `reference`."""

    goal: Any
    """Maps [output, observed, person] to the goal [output, person]."""
    weights: np.ndarray
    """What an absolute error of each state is worth in relative error of the goal [state]."""
    reference: int
    most: float
    """What `SHARE` of the judges are to keep to."""
    extreme: float
    """What everyone on the pilot, the extremes of every parameter among them, is to keep to."""


_chosen: dict[bytes, Grid] = {}


def choose(kernel: Kernel, plan: Plan, pilot: Cohort, judges: Cohort, aim: Aim) -> Grid:
    """The loosest sequence, made on the pilot, with which pilot and judges (people as they come) keep to the aim."""
    groups = [cohorts.arrays(c, plan, kernel.source.layout, kernel.dtype) for c in (pilot, judges)]
    content: list[Any] = [kernel.source.text, repr(plan.key()), repr((aim.reference, aim.most, aim.extreme))]
    content += [aim.weights.tobytes(), repr(pilot.p)]
    content += [array.tobytes() for group in groups for array in vars(group).values()]
    key = hashlib.sha256(repr(content).encode()).digest()
    if key not in _chosen:
        s = kernel.shared_array(pilot.p, np.zeros(kernel.source.layout.states))
        _chosen[key] = _search(kernel, plan, groups[0], groups[1], s, aim)
    return _chosen[key]


def _search(kernel: Kernel, plan: Plan, pilot: Arrays, judges: Arrays, s: np.ndarray, aim: Aim) -> Grid:
    def goals(grid: Grid) -> list[np.ndarray]:
        return [aim.goal(run(kernel, grid, plan, people, s)[0]) for people in (pilot, judges)]

    def steps(tolerance: float) -> Grid:
        return from_steps(plan, adapt(kernel, plan, pilot, s, aim.weights, tolerance))

    tight = steps(float(TOLERANCES[-1]) * 100)
    truth = goals(tight.finer(FINE))
    low, high, best = 0, len(TOLERANCES) - 1, None
    while low <= high:  # bisection for the loosest tolerance that will do
        middle = (low + high) // 2
        grid = steps(float(TOLERANCES[middle]))
        with np.errstate(invalid="ignore"):
            off = [
                np.max(np.abs(found - true) / scale(true[aim.reference]), axis=0)
                for found, true in zip(goals(grid), truth, strict=True)
            ]
        extreme, most = float(np.max(off[0])), float(np.quantile(off[1], SHARE))
        if extreme <= aim.extreme and most <= aim.most:
            best = replace(grid, tolerance=float(TOLERANCES[middle]), pilot_error=most, extreme_error=extreme)
            high = middle - 1
        else:
            low = middle + 1
    return best if best is not None else replace(tight.finer(2), pilot_error=np.nan, extreme_error=np.nan)
