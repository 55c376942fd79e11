"""Many people for the kernel: their parameters, start and clock as arrays with people in the last axis."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from osteon.engine.layout import Layout
from osteon.engine.plan import Plan
from osteon.models import Model

DAYS_IN_HALF_LIFE = float(np.log(2.0))
BEND_FROM = 0.1  # share of phase 1 that must lie before a kink and after it, if phase 1 is to be bent there


@dataclass
class Cohort:
    """`n` people of a model. `p` is the model's parameter tuple, each a number or an array of n; `x0[state, n]` and
    `born` (days on the person's clock) are where the lives begin, `now` their clock at month 0."""

    model: Model
    n: int
    p: Any
    x0: np.ndarray
    born: np.ndarray
    now: np.ndarray
    dose_factor: np.ndarray | None = None  # [component, n]; what share of each dose is taken
    zero: frozenset[int] = frozenset()
    """States that are 0 at everyone's start."""

    @property
    def varying(self) -> tuple[str, ...]:
        """Parameters that differ between people."""
        return tuple(name for name in self.p._fields if np.ndim(getattr(self.p, name)))

    def take(self, who: np.ndarray | slice) -> Cohort:
        """Some of the people, as a cohort."""
        values = [v[who] if np.ndim(v) else v for v in self.p]
        factor = self.dose_factor[:, who] if self.dose_factor is not None else None
        x0, born, now = self.x0[:, who], self.born[who], self.now[who]
        return Cohort(self.model, len(now), self.p._make(values), x0, born, now, factor, self.zero)


def make(
    model: Model,
    n: int,
    *,
    changes: Mapping[str, Any] | None = None,
    age: float | np.ndarray,
    start: tuple[float | np.ndarray, Sequence[Any]] | None = None,
    dose_factor: np.ndarray | None = None,
) -> Cohort:
    """A cohort: `changes` of parameters by id (numbers or arrays of n), `age` in years at month 0.

    `start` is (clock in days, states) where the lives begin; by default the model's own.
    """
    from osteon import parameters

    names = dict(changes or {})
    known = parameters.load(model.name)
    for name in names:
        known[name]
    base = model.parameters()
    values = {k: np.asarray(v, float) if np.ndim(v) else float(v) for k, v in names.items()}
    p = base._replace(**values)
    born, states = model.start(p) if start is None else start
    x0 = np.stack([np.broadcast_to(np.asarray(x, float), n) for x in states])
    clock = np.broadcast_to(np.asarray(age, float) * model.age_days, n)
    zero = frozenset(i for i, x in enumerate(states) if np.ndim(x) == 0 and x == 0)
    return Cohort(model, n, p, x0, np.broadcast_to(np.asarray(born, float), n), clock, dose_factor, zero)


@dataclass
class Arrays:
    """A cohort laid out for the kernel of one number type."""

    x0: np.ndarray
    par: np.ndarray
    clock: np.ndarray
    gain: np.ndarray
    decay: np.ndarray
    dose_factor: np.ndarray
    kink: np.ndarray
    observed: np.ndarray
    """What is seen of people at the start [observed, n]."""
    order: np.ndarray
    """In which people are put in blocks: by the time of a kink, so that few blocks meet one in a step."""

    def part(self, first: int, last: int) -> Arrays:
        """People first … last − 1, in their own order."""
        found = copy.copy(self)
        for f in fields(self)[:-1]:
            setattr(found, f.name, getattr(self, f.name)[..., first:last])
        found.order = np.arange(last - first)
        return found


def kink_times(cohort: Cohort, plan: Plan) -> list[np.ndarray]:
    """When each kink lies for each person, in days from month 0; infinite where it lies outside the run."""
    times = []
    bend, own, before, after = _stretch(cohort, plan)
    for number, kink in enumerate(cohort.model.kinks(cohort.p)):
        clock = np.broadcast_to(np.asarray(kink, float), cohort.n)
        late = clock - cohort.now
        with np.errstate(divide="ignore", invalid="ignore"):
            early = np.where(clock < own, plan.start + (clock - cohort.born) / before, bend + (clock - own) / after)
        time = np.where(late >= plan.second, late, early)
        inside = (clock > cohort.born) & (time < plan.end)
        times.append(np.where(inside & ~((clock == own) & (number == plan.bent)), time, np.inf))
    return times


def bend(cohort: Cohort, plan: Plan) -> None:
    """Bend the plan at the kink before `second` that differs most between people, if all of them have it there and
    nothing is read or given before."""
    if any(plan.start < t < plan.second for t in (*plan.outputs, *plan.events)):
        return
    length = cohort.now + plan.second - cohort.born
    found = 0.0
    for number, kink in enumerate(cohort.model.kinks(cohort.p)):
        share = (np.broadcast_to(np.asarray(kink, float), cohort.n) - cohort.born) / np.maximum(length, 1e-9)
        if share.min() >= BEND_FROM and share.max() <= 1 - BEND_FROM and np.ptp(share) > found:
            found, plan.bent = float(np.ptp(share)), number
            plan.bend = plan.start + float(np.median(share)) * (plan.second - plan.start)


def _stretch(cohort: Cohort, plan: Plan) -> tuple[float, np.ndarray, np.ndarray, np.ndarray]:
    """Where phase 1 is bent: its time and everyone's clock there; and the days on everyone's clock per day of the
    plan before it and after. Without a bend that is the end of phase 1. Someone whose kink lies too near to an end of
    phase 1 is bent elsewhere."""
    end = cohort.now + plan.second
    if plan.bent < 0:
        scale = (end - cohort.born) / max(plan.second - plan.start, 1e-9)
        return plan.second, end, scale, scale
    near = BEND_FROM / 2 * (end - cohort.born)
    own = np.clip(cohort.model.kinks(cohort.p)[plan.bent], cohort.born + near, end - near)
    return plan.bend, own, (own - cohort.born) / (plan.bend - plan.start), (end - own) / (plan.second - plan.bend)


def kink_spans(cohort: Cohort, plan: Plan) -> list[tuple[float, float]]:
    """Earliest and latest time (days from month 0) of each kink over the people."""
    spans = []
    for time in kink_times(cohort, plan):
        inside = time[np.isfinite(time)]
        if inside.size:
            spans.append((float(inside.min()), float(inside.max())))
    return spans


def arrays(cohort: Cohort, plan: Plan, layout: Layout, dtype: Any) -> Arrays:
    """The kernel's inputs. Phase 1 runs from the start of life to month 0 less the prior treatment, phase 2 on."""
    n = cohort.n
    kinetics = cohort.model.kinetics(cohort.p)

    def rows(values: Sequence[Any], count: int) -> np.ndarray:
        found = np.empty((max(count, 1), n), dtype)
        for i, value in enumerate(values):
            found[i] = value
        return found

    par = rows([getattr(cohort.p, name) for name in layout.varying], len(layout.varying))
    seen = dict(zip(cohort.model.states, cohort.x0, strict=True)) | cohort.model.observe(cohort.x0, cohort.p)
    agents = plan.agents
    kinks = cohort.model.kinks(cohort.p)
    factor = np.ones((plan.components, n), dtype)
    if cohort.dose_factor is not None:
        factor[: len(cohort.dose_factor)] = cohort.dose_factor
    bend, own, scale, after = _stretch(cohort, plan)
    if plan.second <= plan.start:
        scale = after = np.ones(n)
    clock = np.stack([cohort.born - scale * plan.start, scale, own - after * bend, after, cohort.now]).astype(dtype)
    own_kinks = [
        np.where((np.asarray(kink) == own) & (number == plan.bent), np.inf, kink) for number, kink in enumerate(kinks)
    ]
    return Arrays(
        np.ascontiguousarray(cohort.x0, dtype),
        par,
        clock,
        rows([kinetics[a].gain for a in agents], len(agents))[: len(agents)],
        rows([DAYS_IN_HALF_LIFE / np.asarray(kinetics[a].half_life) for a in agents], len(agents))[: len(agents)],
        factor,
        np.sort(rows(own_kinks, len(kinks))[: len(kinks)], axis=0),
        np.stack([seen[name] for name in layout.outputs]).astype(dtype),
        _order(kink_times(cohort, plan), n),
    )


def _order(kinks: list[np.ndarray], n: int) -> np.ndarray:
    """People by the time of the kink that differs most between them."""
    spans = [float(np.ptp(t[np.isfinite(t)])) if np.isfinite(t).any() else 0.0 for t in kinks]
    return np.argsort(kinks[int(np.argmax(spans))], kind="stable") if spans else np.arange(n)


def pilot(cohort: Cohort, size: int, seed: int = 0) -> Cohort:
    """People on whom steps are chosen: those with the least and the most of each varying parameter, and others drawn
    at random; `size` of them, repeated if there are fewer. Extremes matter: a drug that wears off twice as fast in
    someone puts fast change where the others are at rest."""
    chosen: list[int] = []
    values = [getattr(cohort.p, name) for name in cohort.varying] + [cohort.now]
    for value in values:
        if np.ptp(value) > 0:
            chosen += [int(np.argmin(value)), int(np.argmax(value))]
    chosen = list(dict.fromkeys(chosen))[: size - size // 4]
    others = np.random.default_rng(seed).permutation(min(cohort.n, 100_000))[:size].tolist()
    chosen += [i for i in others if i not in set(chosen)]
    return cohort.take(np.resize(np.array(chosen[:size]), size))
