"""How the step sequence of an arm is chosen: made on a pilot, judged on people as they come.

Between the breaks (doses, window edges, jumps, visits) a pilot with the extremes of every parameter is integrated
with step doubling; the error that counts is the one in the goal (BMD), so each state is weighted by what a change of
it would do to the goal later. The loosest sequence is taken with which, over the whole course, the pilot and some
hundred people as they come stay within their targets against a much finer one: the extremes alone may be lucky.
Sequences are cached by content.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from osteon.engine import cohort as cohorts
from osteon.engine import grid as grids
from osteon.engine.cohort import Arrays, Cohort
from osteon.engine.grid import Grid
from osteon.engine.kernel import Kernel
from osteon.engine.plan import DOSE, INFLOW, TIMES, Plan

FINE = 4  # how many times finer the sequence is that the pilot is judged against (order 4: 256 times closer)
TOLERANCES = np.geomspace(3e-3, 1e-7, 46)
SMALLEST = 1e-4  # days
FIRST = 100.0  # days; the first step tried
SHARE = 0.95  # of the judges
ONE_OF = 3000  # judges may be further off than the limit, though not run again
GROW, SHRINK, SAFETY = 3.0, 0.2, 0.9
LONGER = 1.4  # a step grows when it may be so much longer
EARLY = (
    8.0  # times the tolerance before month 0 where nothing is read there: what matters of those years is their end
)
REMEMBERED = 64  # early years
EQUAL = 5  # a rest of up to so many steps is cut in equal ones


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
        w = np.zeros((layout.row("end"), layout.lanes), f)
        w[: layout.states] = people.x0
        w[layout.row("p") : layout.row("p") + len(layout.varying)] = people.par[: len(layout.varying)]
        w[layout.row("base")], w[layout.row("scale")] = people.clock[0], people.clock[1]
        agents = max(1, len(plan.agents))
        lev, plat, dec, fade = (np.zeros((agents, layout.lanes), f) for _ in range(4))
        dec[: len(plan.agents)] = people.decay
        levels = (lev.ravel(), plat.ravel(), dec.ravel(), fade.ravel())
        pilot = cls(kernel, plan, people, s, w.ravel(), levels, kernel.channels(plan))
        kernel.module.prepare(pilot.w, s)
        return pilot

    def rows(self, name: str, count: int = 1) -> np.ndarray:
        layout = self.kernel.source.layout
        at = layout.row(name)
        return self.w.reshape(-1, layout.lanes)[at : at + count]

    @functools.cached_property
    def clock(self) -> tuple[np.ndarray, np.ndarray]:
        """Base and scale of the people's clocks, as views; the steps before month 0 ask for them without end."""
        return self.rows("base"), self.rows("scale")

    def bend(self) -> None:
        self.rows("base")[:], self.rows("scale")[:] = self.people.clock[2], self.people.clock[3]

    def second_phase(self) -> None:
        self.rows("base")[:] = self.people.clock[4]
        self.rows("scale")[:] = 1.0

    def happen(self, time: float) -> None:
        lev, plat, _, _ = (a.reshape(-1, self.kernel.source.layout.lanes) for a in self.levels)
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
        own_base, own_scale = self.clock
        base, scale = own_base.copy(), own_scale.copy()
        at, end = base + scale * t, base + scale * (t + h)
        for kink in [*self.people.kink, np.inf]:
            stop = np.minimum(np.maximum(kink, at), end)
            if (stop == at).all():
                continue
            piece = (stop - at) / parts
            for i in range(parts):
                own_scale[:] = piece / h
                own_base[:] = at + i * piece - piece / h * t
                self._step(t, h, active)
            at = stop
        own_base[:], own_scale[:] = base, scale

    def _step(self, t: float, h: float, active: np.ndarray) -> None:
        f, module = self.kernel.dtype.type, self.kernel.module
        kind = 2 if len(active) else int(t >= self.plan.first_event)
        module.advance(kind, True, True, self.w, self.s, *self.levels, self.channel, active, len(active), f(t), f(h))

    def keep(self) -> tuple[np.ndarray, np.ndarray]:
        return self.w.copy(), self.levels[0].copy()

    def restore(self, kept: tuple[np.ndarray, np.ndarray]) -> None:
        self.w[:], self.levels[0][:] = kept


class Pilots:
    """Some blocks of people, stepped as one."""

    def __init__(self, kernel: Kernel, plan: Plan, people: Arrays, s: np.ndarray) -> None:
        size, lanes = people.x0.shape[1], kernel.source.layout.lanes
        self.blocks = [
            Pilot.make(kernel, plan, people.part(at, at + lanes), s) for at in range(0, size - size % lanes, lanes)
        ]

    def states(self) -> np.ndarray:
        """[state, person]"""
        n = self.blocks[0].kernel.source.layout.states
        return np.concatenate([b.rows("x", n) for b in self.blocks], axis=1).astype(float)

    def keep(self) -> list[Any]:
        return [b.keep() for b in self.blocks]

    def restore(self, kept: list[Any]) -> None:
        for block, mine in zip(self.blocks, kept, strict=True):
            block.restore(mine)

    def each(self, act: str, *arguments: Any, **options: Any) -> None:
        """Have every block do something."""
        for block in self.blocks:
            getattr(block, act)(*arguments, **options)


_lived: dict[bytes, tuple[tuple[float, ...], float, list[np.ndarray]]] = {}
"""Edges, length of the next step and the pilots' blocks where phase 2 begins: arms that differ in what is given share
the life before it."""


def _early_years(
    kernel: Kernel, plan: Plan, people: Arrays, s: np.ndarray, weights: np.ndarray, tolerance: float
) -> bytes:
    """All that the steps of phase 1 rest on; nothing is given in it."""
    content: list[Any] = [
        kernel.module.__name__, str(kernel.dtype), tolerance, plan.start, plan.second, plan.bent, plan.bend,
        plan.kinks, [t for t in plan.breaks() if t <= plan.second], weights.tobytes(), s.tobytes(),
    ]  # fmt: skip
    content += [array.tobytes() for array in (people.x0, people.par, people.clock, people.kink)]
    return hashlib.sha256(repr(content).encode()).digest()


def adapt(
    kernel: Kernel, plan: Plan, people: Arrays, s: np.ndarray, weights: np.ndarray, tolerance: float
) -> np.ndarray:
    """Step edges with a weighted error (twice the root mean square over the people) of at most `tolerance` in
    each step (`EARLY` times as much where nothing is read). Runs of equal steps are liked: the kernel has less to do
    in them."""
    pilot = Pilots(kernel, plan, people, s)
    edges, breaks = [plan.start], plan.breaks()
    h, unread = FIRST, not any(plan.start < t < plan.second for t in plan.outputs)
    early = _early_years(kernel, plan, people, s, weights, tolerance) if plan.start < plan.second else None
    if early in _lived:
        before, h, states = _lived[early]
        edges, breaks = list(before), [t for t in breaks if t >= plan.second]
        for block, w in zip(pilot.blocks, states, strict=True):
            block.w[:] = w
    for begin, end in itertools.pairwise(breaks):
        allowed = tolerance * (EARLY if unread and begin < plan.second else 1.0)
        if begin == plan.bend:
            pilot.each("bend")
        if begin == plan.second:
            if early is not None and early not in _lived:
                while len(_lived) >= REMEMBERED:
                    _lived.pop(next(iter(_lived)), None)
                _lived[early] = tuple(edges), h, [block.w.copy() for block in pilot.blocks]
            pilot.each("second_phase")
        pilot.each("happen", begin)
        active = np.array(plan.codes(plan.active(begin)), np.int64)
        t = begin
        while t < end:
            pieces = max(1, int(np.ceil((end - t) / h - 1e-9)))
            h = (end - t) / pieces if pieces <= EQUAL else h
            kept = pilot.keep()
            pilot.each("advance", t, h, active)
            whole = pilot.states()
            pilot.restore(kept)
            pilot.each("advance", t, h, active, parts=2)
            halves = pilot.states()
            with np.errstate(invalid="ignore"):
                error = 2.0 * float(np.sqrt(np.mean((np.abs(weights) @ np.abs(whole - halves)) ** 2)))
            if not np.isfinite(error):
                error = np.inf
            factor = SAFETY * (allowed / max(error, 1e-300)) ** 0.2
            if error <= allowed or h <= SMALLEST:
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
    limit: float
    """What all judges are to keep to (but one of `ONE_OF`), save those with the largest error estimates (a share of
    `again`), who are run again."""
    again: float
    extreme: float
    """What everyone on the pilot, the extremes of every parameter among them, is to keep to."""


_chosen: dict[bytes, Grid] = {}


def choose(kernel: Kernel, plan: Plan, pilot: Cohort, judges: Cohort, aim: Aim) -> Grid:
    """The loosest sequence, made on the pilot, with which pilot and judges (people as they come) keep to the aim."""
    groups = [cohorts.arrays(c, plan, kernel.source.layout, kernel.dtype) for c in (pilot, judges)]
    content: list[Any] = [
        kernel.source.text,
        repr(plan.key()),
        repr((aim.reference, aim.most, aim.limit, aim.again, aim.extreme)),
    ]
    content += [aim.weights.tobytes(), repr(pilot.p)]
    content += [array.tobytes() for group in groups for array in vars(group).values()]
    key = hashlib.sha256(repr(content).encode()).digest()
    if key not in _chosen:
        s = kernel.shared_array(pilot.p, aim.weights)
        _chosen[key] = _search(kernel, plan, groups[0], groups[1], s, aim)
    return _chosen[key]


def _search(kernel: Kernel, plan: Plan, pilot: Arrays, judges: Arrays, s: np.ndarray, aim: Aim) -> Grid:
    def steps(tolerance: float) -> Grid:
        return grids.from_steps(plan, adapt(kernel, plan, pilot, s, aim.weights, tolerance))

    def goal(grid: Grid, people: Arrays) -> tuple[np.ndarray, np.ndarray]:
        observed, estimates = grids.run(kernel, grid, plan, people, s)
        return aim.goal(observed), estimates

    def off(grid: Grid, people: Arrays, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        found, estimates = goal(grid, people)
        with np.errstate(invalid="ignore"):
            return np.max(np.abs(found - truth) / grids.scale(truth[aim.reference]), axis=0), estimates

    tight = steps(float(TOLERANCES[-1]) * 100)
    truth = [goal(tight.finer(FINE), people)[0] for people in (pilot, judges)]
    low, high, best = 0, len(TOLERANCES) - 1, None
    while low <= high:  # bisection for the loosest tolerance that will do
        middle = (low + high) // 2
        grid = steps(float(TOLERANCES[middle]))
        extreme = float(np.max(off(grid, pilot, truth[0])[0]))
        errors, estimates = off(grid, judges, truth[1])
        most = float(np.quantile(errors, SHARE))
        estimates = np.where(np.isfinite(estimates), estimates, np.inf)  # steps so long that someone failed
        kept = np.sort(errors[estimates <= np.quantile(estimates, 1 - aim.again, method="lower")])
        last = float(kept[max(0, len(kept) - 1 - len(kept) // ONE_OF)])
        if extreme <= aim.extreme and most <= aim.most and last <= aim.limit:
            best = replace(grid, tolerance=float(TOLERANCES[middle]), pilot_error=most, extreme_error=extreme)
            high = middle - 1
        else:
            low = middle + 1
    return best if best is not None else replace(tight.finer(2), pilot_error=np.nan, extreme_error=np.nan)
