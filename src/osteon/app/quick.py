"""One person in milliseconds: the kernel on steps that need no search, for curves that follow a slider.

Two kernels serve every person, regimen and draw (all sampled parameters and all traits vary in both): one with the
channels of today's drugs, which is quick to compile, and one with all of them for plans that need it. Plan and no
treatment run side by side in the lanes of one call: a dose counts for nothing in the lanes of the untreated.

Steps are laid out by rule, not by error: short after doses and where the person's own life bends, growing to
`LONGEST`. Against steps cut in four, BMD keeps to 0.05 % and markers to 1 % (tests/app/test_quick.py).
"""

from __future__ import annotations

import functools
import itertools
import math
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from osteon import dosing, draws, parameters
from osteon.engine import cohort as cohorts
from osteon.engine import grid as grids
from osteon.engine import kernel as kernels
from osteon.engine import plan as plans
from osteon.engine.cohort import Arrays, Cohort
from osteon.engine.grid import Grid
from osteon.engine.kernel import Kernel, Use
from osteon.engine.layout import FEW, Layout
from osteon.engine.plan import Plan
from osteon.mechanisms import COMPARTMENTS, remodelling
from osteon.person import Person
from osteon.regimen import Course, Regimen
from osteon.skeleton import Osteon

SHORTEST, LONGEST, LATE, EARLY = 1.0, 31.0, 30.0, 80.0  # days
"""Steps after something has happened, at rest, in the last years before month 0, and earlier."""
LAST_YEARS = 5 * 365.25
GROWTH = 1.5  # of steps
OFTEN = 15.0  # days; doses closer to each other than that are met by two steps each
TRAITS = ("male", "menopause_age", "senescent_burden", "body_size")
BALANCE = tuple(f"{what}_{k}" for what in ("formation", "resorption", "gain") for k in COMPARTMENTS)
"""What is seen beside the end points."""
Courses = dict[str, np.ndarray]


class Seen(Osteon):
    """osteon's model, of which formation, resorption and gain (% of the bone there a year) of each compartment are
    seen."""

    def parameters(self, **changes: float) -> Any:
        """As the model's own, which are looked up once."""
        return _most_probable()._replace(**changes)

    def kinetics(self, p: Any) -> dict[str, Any]:
        """As the model's own; of traits they rest on body size alone, so that they are kept for the others."""
        if _of_many(p):
            return super().kinetics(p)
        return _kinetics(p._replace(male=0.0, menopause_age=50.0, senescent_burden=1.0))

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


def _of_many(p: Any) -> bool:
    """Whether the parameters are arrays: `_many` makes all that vary so, body size among them, `_alone` none."""
    return isinstance(p.body_size, np.ndarray)


@functools.cache
def model() -> Seen:
    """The model of the app."""
    return Seen()


@functools.cache
def _most_probable() -> Any:
    return Osteon().parameters()


@functools.lru_cache(64)
def _kinetics(p: Any) -> dict[str, Any]:
    return Osteon().kinetics(p)


_loading = threading.Lock()


@functools.cache
def _varying() -> tuple[str, ...]:
    names = {*parameters.draws("osteon"), *TRAITS}
    return tuple(name for name in model().parameters()._fields if name in names)


@functools.cache
def _kernel(everything: bool, few: bool) -> Kernel:
    channels = range(len(model().channels)) if everything else model().usual_channels
    zero = _many(Person(age=60.0), 1).zero
    return kernels.load(model(), Use(_varying(), tuple(channels), zero, short=True, few=few))


def kernel(everything: bool = False, few: bool = False) -> Kernel:
    """The kernel of today's drugs, or the one of `everything`; compiled on first use on a machine. `few`: the one for
    a person without draws, while a slider moves."""
    with _loading:
        return _kernel(everything, few)


@functools.lru_cache(4)
def _drawn(n: int) -> dict[str, np.ndarray]:
    return draws.pick(model(), n)


def cohort(person: Person, n: int = 0) -> Cohort:
    """The person with the most probable parameters, and in n draws after that, as one cohort of n + 1."""
    return _many(person, n) if n else _alone(person, 1)


def _many(person: Person, n: int) -> Cohort:
    best, traits = model().parameters(), model().traits(person)
    drawn = _drawn(n)
    changes: dict[str, Any] = {}
    for name in _varying():
        values = np.full(n + 1, float(getattr(best, name)))
        if name in drawn:
            values[1:] = drawn[name]
        if name in traits:
            values[:] = traits[name]
        changes[name] = values
    return cohorts.make(model(), n + 1, changes=changes, age=person.age)


def _alone(person: Person, lanes: int) -> Cohort:
    """The person so many times, with plain numbers for parameters, which are worked out faster than arrays."""
    p = model().parameters(**model().traits(person))
    born, states = model().start(p)
    now = np.full(lanes, person.age * model().age_days)
    x0 = np.repeat(np.array(states, float)[:, None], lanes, axis=1)
    return Cohort(model(), lanes, p, x0, np.full(lanes, float(born)), now)


def run(person: Person, regimen: Regimen, days: np.ndarray, n: int = 0, *, cut: int = 1) -> dict[str, np.ndarray]:
    """End points and rates [1 + n, time] of a person under a regimen at `days` from month 0: first with the most
    probable parameters, then in n draws. `cut` makes every step so many times shorter. Raises InputError."""
    return both(person, regimen, days, n, cut=cut)[0]


def both(person: Person, regimen: Regimen, days: np.ndarray, n: int = 0, *, cut: int = 1) -> tuple[Courses, Courses]:
    """As `run`, under a regimen and without treatment, in one call of the kernel."""
    courses = _courses(person, regimen, float(days[-1]))
    arms = 2 if courses else 1
    size = arms * (n + 1)
    people = _many(person, n).take(np.tile(np.arange(n + 1), arms)) if n else _alone(person, arms)
    plan = _plan(people, courses, days)
    chosen = kernel(not set(plan.channel.tolist()) <= set(model().usual_channels), few=size <= FEW)
    if courses:
        people.dose_factor = np.repeat([[1.0, 0.0]], n + 1, axis=1) * np.ones((plan.components, 1))
    grid = _grid(plan, tuple(courses))
    layout = chosen.source.layout
    arrays = (cohorts.arrays if n else _arrays)(people, plan, layout, chosen.dtype)
    shared = chosen.shared_array(people.p, np.zeros(layout.states))
    observed, _ = grids.run(chosen, grid if cut == 1 else grid.finer(cut), plan, arrays, shared)
    with np.errstate(all="ignore"):
        found = model().derive({name: observed[:, i] for i, name in enumerate(layout.outputs)}, people.p)
    whole = np.empty((len(found), len(days), size))
    for row, x in zip(whole, found.values(), strict=True):
        row[:] = x
    rows = dict(zip(found, np.ascontiguousarray(whole.transpose(0, 2, 1)), strict=True))
    treated = {name: x[: n + 1] for name, x in rows.items()}
    return treated, {name: x[n + 1 :] for name, x in rows.items()} if courses else treated


def _courses(person: Person, regimen: Regimen, until: float) -> Sequence[Course]:
    (_, courses), *_ = dosing.arms(model(), person, Regimen(), [regimen], until)
    return courses


def _arrays(people: Cohort, plan: Plan, layout: Layout, dtype: Any) -> Arrays:
    """What `cohorts.arrays` makes of one person in every lane."""
    n, p, kinetics = people.n, people.p, model().kinetics(people.p)

    def rows(values: Sequence[float]) -> np.ndarray:
        return np.repeat(np.array(values, dtype).reshape(-1, 1), n, axis=1)

    factor = np.ones((plan.components, n)) if people.dose_factor is None else people.dose_factor
    agents = [kinetics[name] for name in plan.agents]
    return Arrays(
        x0=people.x0.astype(dtype),
        par=rows([getattr(p, name) for name in layout.varying]),
        clock=np.array([people.now, np.ones(n), people.now, np.ones(n), people.now], dtype),
        gain=rows([a.gain for a in agents]),
        decay=rows([cohorts.DAYS_IN_HALF_LIFE / a.half_life for a in agents]),
        dose_factor=factor.astype(dtype),
        kink=np.sort(rows(model().kinks(p)), axis=0),
        observed=np.zeros((len(layout.outputs), n), dtype),  # of the first day of life; nobody asks for it
        order=np.arange(n),
    )


def _plan(people: Cohort, courses: Sequence[Course], days: np.ndarray) -> Plan:
    now, born = float(people.now[0]), float(people.born[0])
    plan = plans.make(courses, model().kinetics(people.p), start=born - now, outputs=days.tolist())
    if _of_many(people.p):
        plan.kinks = cohorts.kink_spans(people, plan)
    else:
        plan.kinks = [(k - now,) * 2 for k in model().kinks(people.p) if k > born and k - now < plan.end]
    return plan


def _grid(plan: Plan, courses: tuple[Course, ...]) -> Grid:
    """The steps: of the life until month 0, and from there on, which stay as they are for all people of a plan unless
    something in their lives bends then."""
    kinks = tuple((low, high) for low, high in plan.kinks if high > -1.0)
    late = _late(plan.outputs, courses, kinks, _Kept(plan))
    breaks = [plan.start, *_inside(plan, plan.start, 0.0, {max(plan.start, -LAST_YEARS)}), 0.0]
    early = _steps(plan, breaks)
    joined: dict[str, Any] = {name: np.concatenate([getattr(early, name), getattr(late, name)]) for name in _EACH}
    n = len(early)
    return replace(
        late,
        **joined,
        events_from=np.concatenate([np.zeros(n, int), late.events_from]),
        active_from=np.concatenate([np.zeros(n, int), late.active_from]),
        bend=n + len(late),
        second_phase=n,
    )


_EACH = ("t", "h", "kind", "fresh", "kinked", "out_at")


class _Kept:
    """A plan that is no part of a key: what counts of it stands beside it."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Kept)

    def __hash__(self) -> int:
        return 0


@functools.lru_cache(64)
def _late(outputs: tuple[float, ...], courses: tuple[Course, ...], kinks: tuple[Any, ...], kept: _Kept) -> Grid:
    plan = kept.plan
    return _steps(plan, [0.0, *_inside(plan, 0.0, plan.end, set()), plan.end])


def _inside(plan: Plan, begin: float, end: float, more: set[float]) -> list[float]:
    """Breaks of the plan and kinks between two times."""
    found = more | {t for t in plan.breaks() if begin < t < end} | {t for span in plan.kinks for t in span}
    return sorted(t for t in found if begin < t < end)


def _steps(plan: Plan, breaks: list[float]) -> Grid:
    """The steps between each two breaks: short ones after something has happened, then longer ones."""
    fresh = {*plan.events, *(t for span in plan.kinks for t in span)}
    gap = dict(itertools.pairwise(sorted(plan.events)))
    lengths: list[float] = []
    counts: list[int] = []
    h = EARLY if breaks[0] < 0 else LATE
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
        pieces = max(1, math.ceil(left / h - 1e-9))
        lengths += [left / pieces] * pieces
        counts.append(len(lengths) - before)
    return _as_grid(plan, np.array(breaks), np.array(lengths), np.array(counts))


def _as_grid(plan: Plan, breaks: np.ndarray, h: np.ndarray, counts: np.ndarray) -> Grid:
    """What `grids.from_steps` makes of steps, from their lengths and how many lie between each two breaks: what acts
    changes at breaks alone, so that it is asked for there alone, and not before the first event."""
    first, first_event = np.concatenate([[0], np.cumsum(counts)]), plan.first_event
    passed = np.cumsum(h) - h
    t = np.repeat(breaks[:-1] - passed[first[:-1]], counts) + passed
    t[first[:-1]] = breaks[:-1]
    here = [plan.active(time) if time >= first_event else [] for time in breaks[:-1].tolist()]
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
    ours = (read > breaks[0]) & (read <= breaks[-1])
    out_at[first[np.searchsorted(breaks, read[ours])] - 1] = np.flatnonzero(ours)
    kinked = np.zeros(len(h), bool)
    for low, high in plan.kinks:
        kinked |= (low < t + h) & (t < high) | (np.abs(t - low) < 1e-6)
    return Grid(
        t=t,
        h=h,
        kind=np.where(t >= first_event, 2, 0).astype(np.uint8),
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
    courses = tuple(_courses(person, regimen, float(days[-1])))
    return _grid(_plan(cohort(person), courses, days), courses)
