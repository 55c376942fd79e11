"""One person in milliseconds: the kernel on steps that need no search, for curves that follow a slider.

One kernel serves every person, regimen and draw: all sampled parameters and all traits vary, all channels are there.
Steps are laid out by rule, not by error: short after doses and where the person's own life bends, growing to
`LONGEST`. Against steps cut in four, BMD keeps to 0.02 % and markers to 1 % (tests/app/test_quick.py).
"""

from __future__ import annotations

import functools
import itertools
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from osteon import dosing, draws, parameters
from osteon.engine import cohort as cohorts
from osteon.engine import grid as grids
from osteon.engine import kernel as kernels
from osteon.engine import plan as plans
from osteon.engine.cohort import Cohort
from osteon.engine.grid import Grid
from osteon.engine.kernel import Kernel, Use
from osteon.engine.plan import Plan
from osteon.mechanisms import COMPARTMENTS, remodelling
from osteon.person import Person
from osteon.regimen import Regimen
from osteon.skeleton import Osteon

SHORTEST, LONGEST, LATE, EARLY = 1.0, 16.0, 30.0, 120.0  # days
"""Steps after something has happened, at rest, in the last years before month 0, and earlier."""
LAST_YEARS = 5 * 365.25
GROWTH = 1.5  # of steps
OFTEN = 15.0  # days; doses closer to each other than that are met by two steps each
TRAITS = ("male", "menopause_age", "senescent_burden", "body_size")
BALANCE = tuple(f"{what}_{k}" for what in ("formation", "resorption", "gain") for k in COMPARTMENTS)
"""What is seen beside the end points."""


class Seen(Osteon):
    """osteon's model, of which formation, resorption and gain (% of the bone there a year) of each compartment are
    seen."""

    def parameters(self, **changes: float) -> Any:
        """As the model's own, which are looked up once."""
        return _most_probable()._replace(**changes)

    def observe(self, x: Any, p: Any) -> dict[str, Any]:
        """The usual, and the rates of both compartments."""
        states = dict(zip(self.states, x, strict=True))
        found = super().observe(x, p)
        for k in COMPARTMENTS:
            found[f"formation_{k}"] = remodelling.formation(states, p, k)
            found[f"resorption_{k}"] = remodelling.resorption(states, p, k)
            net = found[f"formation_{k}"] - found[f"resorption_{k}"]
            found[f"gain_{k}"] = 100.0 * 365.25 * remodelling.turnover(p, k) * net / states[f"volume_{k}"]
        return found

    def derive(self, observed: Mapping[str, Any], p: Any) -> dict[str, Any]:
        """The end points, and the rates of both compartments."""
        return super().derive(observed, p) | {name: observed[name] for name in BALANCE}


@functools.cache
def model() -> Seen:
    """The model of the app."""
    return Seen()


@functools.cache
def _most_probable() -> Any:
    return Osteon().parameters()


_loading = threading.Lock()


@functools.cache
def _varying() -> tuple[str, ...]:
    names = {*parameters.draws("osteon"), *TRAITS}
    return tuple(name for name in model().parameters()._fields if name in names)


@functools.cache
def _kernel() -> Kernel:
    return kernels.load(model(), Use(_varying(), tuple(range(len(model().channels))), frozenset()))


def kernel() -> Kernel:
    """The one kernel; compiled on first use on a machine."""
    with _loading:
        return _kernel()


@functools.lru_cache(4)
def _drawn(n: int) -> dict[str, np.ndarray]:
    return draws.pick(model(), n)


def cohort(person: Person, n: int = 0) -> Cohort:
    """The person with the most probable parameters, and in n draws after that, as one cohort of n + 1."""
    best, traits = model().parameters(), model().traits(person)
    drawn = _drawn(n) if n else {}
    changes: dict[str, Any] = {}
    for name in _varying():
        values = np.full(n + 1, float(getattr(best, name)))
        if name in drawn:
            values[1:] = drawn[name]
        if name in traits:
            values[:] = traits[name]
        changes[name] = values
    return cohorts.make(model(), n + 1, changes=changes, age=person.age)


def run(person: Person, regimen: Regimen, days: np.ndarray, n: int = 0, *, cut: int = 1) -> dict[str, np.ndarray]:
    """End points and rates [1 + n, time] of a person under a regimen at `days` from month 0: first with the most
    probable parameters, then in n draws. `cut` makes every step so many times shorter. Raises InputError."""
    people, chosen = cohort(person, n), kernel()
    (_, courses), *_ = dosing.arms(model(), person, Regimen(), [regimen], float(days[-1]))
    plan = _plan(people, courses, days)
    grid = _grid(plan)
    layout = chosen.source.layout
    arrays = cohorts.arrays(people, plan, layout, chosen.dtype)
    shared = chosen.shared_array(people.p, np.zeros(layout.states))
    observed, _ = grids.run(chosen, grid if cut == 1 else grid.finer(cut), plan, arrays, shared)
    with np.errstate(all="ignore"):
        found = model().derive({name: observed[:, i] for i, name in enumerate(layout.outputs)}, people.p)
    return {name: np.ascontiguousarray(np.asarray(values, float).T) for name, values in found.items()}


def _plan(people: Cohort, courses: Sequence[Any], days: np.ndarray) -> Plan:
    start = -float(np.max(people.now - people.born))
    plan = plans.make(courses, model().kinetics(people.p), start=start, outputs=days.tolist())
    plan.kinks = cohorts.kink_spans(people, plan)
    return plan


def _grid(plan: Plan) -> Grid:
    """The steps between each two breaks: short ones after something has happened, then longer ones."""
    kinks = {t for span in plan.kinks for t in span if plan.start < t < plan.end}
    breaks = sorted({*plan.breaks(), *kinks, max(plan.start, -LAST_YEARS)})
    fresh = {*plan.events, *kinks}
    gap = dict(itertools.pairwise(sorted(plan.events)))
    lengths: list[float] = []
    counts: list[int] = []
    h = EARLY
    for begin, end in itertools.pairwise(breaks):
        longest = LONGEST if end > 0 else EARLY if end <= -LAST_YEARS else LATE
        if begin in fresh:
            h = SHORTEST if gap.get(begin, np.inf) > OFTEN else gap[begin] / 2
        h = min(h, longest)
        left, before = end - begin, len(lengths)
        while h < longest and left > 1.5 * h:
            lengths.append(h)
            left -= h
            h = min(longest, h * GROWTH)
        pieces = max(1, int(np.ceil(left / h - 1e-9)))
        lengths += [left / pieces] * pieces
        counts.append(len(lengths) - before)
    return _as_grid(plan, np.array(breaks), np.array(lengths), np.array(counts))


def _as_grid(plan: Plan, breaks: np.ndarray, h: np.ndarray, counts: np.ndarray) -> Grid:
    """What `grids.from_steps` makes of steps, from their lengths and how many lie between each two breaks: what acts
    changes at breaks alone, so that it is asked for there alone."""
    first = np.concatenate([[0], np.cumsum(counts)])
    passed = np.cumsum(h) - h
    t = np.repeat(breaks[:-1] - passed[first[:-1]], counts) + passed
    t[first[:-1]] = breaks[:-1]
    here = [plan.active(time) for time in breaks[:-1].tolist()]
    codes = [plan.codes(active) for active in here]
    events = [plan.events.get(time, []) for time in breaks[:-1].tolist()]
    flat = [e for some in events for e in some]
    fresh, happens = np.zeros(len(h), np.uint8), np.zeros(len(h), np.int64)
    special = (plan.bend, plan.second)
    fresh[first[:-1]] = [
        bool(some) or i == 0 or here[i] != here[i - 1] or breaks[i] in special for i, some in enumerate(events)
    ]
    happens[first[:-1]] = [len(some) for some in events]
    acting = np.repeat([len(c) for c in codes], counts)
    out_at = np.full(len(h), -1)
    read = np.array(plan.outputs)
    late = read > plan.start
    out_at[first[np.searchsorted(breaks, read[late])] - 1] = np.flatnonzero(late)
    kinked = np.zeros(len(h), bool)
    for low, high in plan.kinks:
        kinked |= (low < t + h) & (t < high) | (np.abs(t - low) < 1e-6)
    return Grid(
        t=t,
        h=h,
        kind=np.where(acting > 0, 2, t >= plan.first_event).astype(np.uint8),
        fresh=fresh,
        kinked=kinked.astype(np.uint8),
        bend=int(np.searchsorted(t, plan.bend)),
        second_phase=int(np.searchsorted(t, plan.second)),
        events_from=np.concatenate([[0], np.cumsum(happens)]),
        event_kind=np.array([e.kind for e in flat], np.int64),
        event_index=np.array([e.index for e in flat], np.int64),
        event_value=np.array([e.value for e in flat], float),
        event_who=np.array([e.component for e in flat], np.int64),
        active_from=np.concatenate([[0], np.cumsum(acting)]),
        active=np.array([code for c, n in zip(codes, counts, strict=True) for _ in range(n) for code in c], np.int64),
        out_at=out_at,
        n_outputs=len(plan.outputs),
    )


def grid_of(person: Person, regimen: Regimen, days: np.ndarray) -> Grid:
    """The steps of a run, to be looked at."""
    (_, courses), *_ = dosing.arms(model(), person, Regimen(), [regimen], float(days[-1]))
    return _grid(_plan(cohort(person), courses, days))
