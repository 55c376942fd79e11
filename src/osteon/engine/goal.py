"""What accuracy is for: the goal (BMD) that errors are measured in, and what each state's error is worth in it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np

from osteon.endpoints import ENDPOINTS
from osteon.engine import cohort as cohorts
from osteon.engine import pilot as pilots
from osteon.engine import plan as plans
from osteon.engine.cohort import Cohort
from osteon.engine.kernel import Kernel
from osteon.models import Model

HORIZON_DAYS = (30.0, 90.0, 180.0, 365.0, 1095.0, 3650.0)  # how far ahead a disturbance is followed
DISTURBANCE = 1e-3  # relative
STEPS = 400
OLDEST = 1.2  # times the oldest age that a life may begin a run with: where all runs end, and a disturbance with them

Goal = Callable[[np.ndarray], np.ndarray]


def of(model: Model, outputs: Sequence[str]) -> Goal:
    """Maps what a kernel observes [output, observed, person] to the mean of the model's BMD end points
    [output, person]."""
    names = _names(model)
    places = [list(outputs).index(name) for name in names]

    def goal(observed: np.ndarray) -> np.ndarray:
        return np.asarray(sum(observed[:, i].astype(float) for i in places) / len(places))

    return goal


def _names(model: Model) -> list[str]:
    return [name for name in model.endpoints if name in ENDPOINTS and ENDPOINTS[name].kind == "bmd"]


def weights(kernel: Kernel, person: Cohort, start: float) -> np.ndarray:
    """Largest relative change of the goal, at once or over `HORIZON_DAYS`, per unit of each state at month 0,
    untreated: an error in mineral content is seen at once and fades, one in the osteocytes works for years.

    `person` is a cohort of one; `start` (days from month 0, negative) is where the life begins on the plan's axis.
    """
    model, n, lanes = person.model, kernel.source.layout.states, kernel.source.layout.lanes
    zero = kernel.shared_array(person.p, np.zeros(n))

    def run(x: np.ndarray, born: np.ndarray, begin: float, end: float, steps: int = STEPS) -> np.ndarray:
        """States [state, person] at `end` of people who begin with the columns of x."""
        found = np.empty_like(x)
        plan = plans.make((), {}, start=begin, outputs=[end])
        plan.events[begin] = []  # so that no state sleeps that drugs may wake: its errors count too
        times, no_drugs = np.linspace(begin, end, steps + 1), np.empty(0, np.int64)
        for at in range(0, x.shape[1], lanes):
            here = x[:, at : at + lanes]
            whole = person.take(np.zeros(lanes, np.int64))
            whole.x0, whole.born = np.resize(here.T, (lanes, n)).T, np.resize(born, lanes)
            arrays = cohorts.arrays(whole, plan, kernel.source.layout, kernel.dtype)
            pilot = pilots.Pilot.make(kernel, plan, arrays, zero)
            if begin >= 0:
                pilot.second_phase()
            for t, after in itertools.pairwise(times):
                pilot.advance(t, after - t, no_drugs)
            found[:, at : at + lanes] = pilot.rows("x", n)[:, : here.shape[1]]
        return found

    x = run(person.x0, person.born, start, 0.0)[:, 0] if start < 0 else person.x0[:, 0]
    states = np.repeat(x[:, None], n + 1, axis=1)
    step = np.where(x != 0, np.abs(x) * DISTURBANCE, 1.0)
    states[np.arange(n), np.arange(n) + 1] += step
    found, before = np.zeros(n), 0.0
    # A mouse does not live for ten years, and the model of one has no numbers there.
    left = OLDEST * model.age_range[1] * model.age_days - float(person.now[0])
    for after in (0.0, *(days for days in HORIZON_DAYS if days <= max(left, HORIZON_DAYS[0]))):
        if after > before:
            states = run(states, person.now, before, after, STEPS // len(HORIZON_DAYS))
        read = model.observe(states, person.p)
        goal = np.sum([read[name] for name in _names(model)], axis=0)
        change = (goal[1:] / goal[0] - 1.0) / step
        found, before = np.where(np.abs(change) > np.abs(found), change, found), after
    return found
