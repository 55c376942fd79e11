"""What accuracy is for: the goal (BMD) that errors are measured in, and what each state's error is worth in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from osteon.endpoints import ENDPOINTS
from osteon.engine import cohort as cohorts
from osteon.engine import grid as grids
from osteon.engine import plan as plans
from osteon.engine.cohort import Cohort
from osteon.engine.kernel import Kernel
from osteon.models import Model

HORIZON_DAYS = 3650.0  # how far ahead a disturbance is followed
DISTURBANCE = 1e-3  # relative
STEPS = 400

Goal = Callable[[np.ndarray], np.ndarray]


def of(model: Model, p: Any) -> Goal:
    """Maps states [output, state, person] to the mean of the model's BMD end points [output, person]."""
    names = [name for name in model.endpoints if name in ENDPOINTS and ENDPOINTS[name].kind == "bmd"]

    def goal(states: np.ndarray) -> np.ndarray:
        read = model.read_out(np.moveaxis(states, 1, 0), p)
        return np.asarray(sum(read[name] for name in names) / len(names))

    return goal


def weights(kernel: Kernel, person: Cohort, start: float) -> np.ndarray:
    """Relative change of the goal, `HORIZON_DAYS` on, per unit of each state at month 0, untreated.

    `person` is a cohort of one; `start` (days from month 0, negative) is where the life begins on the plan's axis.
    """
    model, n = person.model, kernel.source.layout.states
    zero = kernel.shared_array(person.p, np.zeros(n))

    def run(people: Cohort, begin: float, end: float) -> np.ndarray:
        plan = plans.make((), {}, start=begin, outputs=[end])
        grid = grids.from_steps(plan, np.linspace(begin, end, STEPS + 1))
        arrays = cohorts.arrays(people, plan, kernel.source.layout.varying, kernel.dtype)
        return grids.run(kernel, grid, plan, arrays, zero)[0].astype(float)

    x = run(person, start, 0.0)[0, :, 0] if start < 0 else person.x0[:, 0]
    states = np.repeat(x[:, None], n + 1, axis=1)
    step = np.where(x != 0, np.abs(x) * DISTURBANCE, 1.0)
    states[np.arange(n), np.arange(n) + 1] += step
    many = person.take(np.zeros(n + 1, np.int64))
    disturbed = Cohort(model, n + 1, many.p, states, many.now, many.now)
    final = of(model, disturbed.p)(run(disturbed, 0.0, HORIZON_DAYS))[0]
    return np.asarray((final[1:] / final[0] - 1.0) / step)
