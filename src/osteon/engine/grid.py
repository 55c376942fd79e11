"""The step sequence that all people of an arm share, as the kernel takes it, and the call of the kernel.

Steps begin and end at every dose, window edge, jump and visit. `osteon.engine.pilot` chooses them.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from osteon.engine.cohort import Arrays
from osteon.engine.kernel import Kernel
from osteon.engine.plan import Plan

FLOOR = 0.05  # of the goal; BMD at peak is near 1 in every model so far
SCRATCH = 16_000_000  # bytes kept for the next run, at most


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
    bend: int
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
            bend=self.bend * parts,
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
        fresh.append(time in plan.events or here != before or time in (plan.bend, plan.second))
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
        bend=int(np.searchsorted(t, plan.bend)),
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
        grid.t.astype(f), grid.h.astype(f), grid.kind, grid.fresh, grid.kinked, people.kink, grid.bend,
        grid.second_phase, grid.events_from, grid.event_kind, grid.event_index, grid.event_value.astype(f),
        grid.event_who, grid.active_from, grid.active, kernel.channels(plan), people.gain, people.decay,
        people.dose_factor, grid.out_at, out, error,
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
        kernel.module.put_back(found.reshape(-1, n), back, out.reshape(-1, n))
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
