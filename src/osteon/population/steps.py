"""Steps for the people of a trial, made without a search: quick to begin with, and checked.

`engine/batch.prepare` looks for the loosest steps that keep a tight target, which pays for millions of people. For
thousands the search would take longer than the run. Here untreated lives take even steps, a sixteenth of a year, and
arms take steps made on a pilot at a tolerance that is judged on the pilot by steps cut in two; where none of a few
tolerances keeps to the target, `prepare` is asked.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from osteon.engine import batch
from osteon.engine import cohort as cohorts
from osteon.engine import goal as goals
from osteon.engine import grid as grids
from osteon.engine import kernel as kernels
from osteon.engine import pilot as pilots
from osteon.engine import plan as plans
from osteon.engine.batch import Setup
from osteon.engine.cohort import Cohort
from osteon.engine.kernel import Use
from osteon.engine.plan import Plan

STEP = 0.0625  # of a unit of age (a year; of mice a month)
TOLERANCES = (3e-5, 1e-5, 2e-6)  # of one step of an arm, tried in turn
TARGET = 2e-4  # relative error of BMD that 19 of 20 people of the pilot are to keep to, far below that of a scan
EXTREME = 1e-3  # that all of them are to keep to
POOL = 512  # people by whom steps are made


def lives(people: Cohort, days: Sequence[float] | np.ndarray = (0.0,), *, states: bool = False) -> Setup:
    """Untreated lives from birth to `days` from month 0, in even steps; with `states`, these are what is seen."""
    model = people.model
    pool = people.take(slice(0, POOL))
    use = Use(cohorts.pilot(pool, batch.PILOT).varying, usual_channels(model), people.zero)
    if states:
        use = Use(use.varying, (), people.zero, raw=True)
    kernel = kernels.load(model, use)
    start = -float(np.max(pool.now - pool.born))
    plan = _plan(pool, [], start, 0.0, days)
    edges = [np.array([plan.start])]
    breaks = plan.breaks()
    for begin, end in itertools.pairwise(breaks):
        parts = max(1, int(np.ceil((end - begin) / (STEP * model.age_days) - 1e-9)))
        edges.append(np.linspace(begin, end, parts + 1)[1:])
    grid = grids.from_steps(plan, np.concatenate(edges))
    weights = np.zeros(len(model.states))
    return Setup(model, kernel, plan, grid, grid.finer(2), grid.finer(6), weights, TARGET, np.inf, _reference(plan))


def arm(
    people: Cohort, courses: Sequence[Any], days: Sequence[float] | np.ndarray, *, second: float = 0.0,
    channels: Collection[int] = (),
) -> Setup:  # fmt: skip
    """An arm under some courses, read at `days` from month 0; `second` is where a prior treatment begins."""
    model = people.model
    pool = people.take(slice(0, POOL))
    pilot = cohorts.pilot(pool, batch.PILOT)
    start = min(-float(np.max(pilot.now - pilot.born)), second)
    plan = _plan(pool, courses, start, second, days)
    use = Use(pilot.varying, tuple(sorted({*plan.channel.tolist(), *channels})), pool.zero)
    kernel = kernels.load(model, use)
    weights = goals.weights(kernel, pilot.take(np.array([batch.PILOT - 1])), plan.start)
    shared = kernel.shared_array(pilot.p, weights)
    few = cohorts.arrays(
        pilot.take(slice(0, 2 * kernel.source.layout.lanes)), plan, kernel.source.layout, kernel.dtype
    )
    judges = pool.take(slice(0, batch.PILOT))
    for tolerance in TOLERANCES:
        grid = grids.from_steps(plan, pilots.adapt(kernel, plan, few, shared, weights, tolerance))
        setup = Setup(
            model, kernel, plan, grid, grid.finer(2), grid.finer(6), weights, TARGET, np.inf, _reference(plan)
        )
        worst = 0.0, 0.0
        for some in (pilot, judges):
            off = setup.difference(setup.run(some, grid)[0], setup.run(some, setup.fine)[0])
            off = np.where(np.isfinite(off), off, np.inf)
            worst = max(worst[0], float(np.quantile(off, pilots.SHARE))), max(worst[1], float(off.max()))
        if worst[0] <= TARGET and worst[1] <= EXTREME:
            if pool.n > 1:
                estimates = setup.run(pool, grid.silent())[1]
                setup.threshold = float(np.nanquantile(estimates, 1 - batch.RERUN_SHARE))
            return setup
    return batch.prepare(
        model, lambda a, b: people.take(slice(a, b)), min(people.n, POOL), courses, days, second=second,
        channels=channels, target=TARGET,
    )  # fmt: skip


def _plan(
    pool: Cohort, courses: Sequence[Any], start: float, second: float, days: Sequence[float] | np.ndarray
) -> Plan:
    outputs = sorted({float(d) for d in days})
    kinetics = pool.model.kinetics(pool.p)
    plan = plans.make(courses, kinetics, start=start, second=second, outputs=outputs)
    cohorts.bend(pool, plan)
    plan.kinks = [
        (low - 0.1 * (high - low), high + 0.1 * (high - low)) for low, high in cohorts.kink_spans(pool, plan)
    ]
    return plan


def _reference(plan: Plan) -> int:
    return int(np.searchsorted(plan.outputs, 0.0)) if plan.outputs[-1] >= 0 else len(plan.outputs) - 1


def usual_channels(model: Any) -> tuple[int, ...]:
    """The drug channels that one kernel for all of today's drugs has."""
    return tuple(sorted(getattr(model, "usual_channels", range(len(model.channels)))))
