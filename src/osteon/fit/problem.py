"""Residuals of a model in its parameters, for many sets of parameters at a time: they take the place of people in the
kernel's lanes, so that a whole Jacobian costs about what one run does."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from osteon import parameters
from osteon.endpoints import ENDPOINTS
from osteon.engine import batch
from osteon.engine import cohort as cohorts
from osteon.engine.batch import Setup
from osteon.engine.cohort import Cohort
from osteon.fit.targets import Side, Targets, Task, Value

if TYPE_CHECKING:
    from osteon.models import Model

TARGET = 3e-4  # relative error of BMD in steps: small beside that of any published value
DRAWS = 128  # sets of parameters on which steps are chosen
SPREAD = 0.3  # of them, as a share of the prior's width
STEP = 1e-3  # of a coordinate, for derivatives
SHARE_MARGIN = 1e-6
FAR = 1e3  # the residual of a run that failed


@dataclass(frozen=True)
class Coordinate:
    """One fitted parameter on a scale without ends: logarithm, or logit for shares; the prior is normal there."""

    id: str
    share: bool
    center: float
    width: float

    def at(self, value: float) -> float:
        """The coordinate of a value of the parameter."""
        return float(np.log(value / (1 - value)) if self.share else np.log(value))

    def value(self, z: np.ndarray) -> np.ndarray:
        """The parameter at a coordinate."""
        return np.asarray(1.0 / (1.0 + np.exp(-z)) if self.share else np.exp(z))


def coordinates(name: str) -> list[Coordinate]:
    """The fitted parameters of a model: those whose record has a prior."""
    found = []
    for record in parameters.load(name).values():
        if record.prior is None:
            continue
        share = record.prior["scale"] == "logit"
        v = float(record.prior.get("center", record.value))
        v = min(max(v, SHARE_MARGIN), 1 - SHARE_MARGIN) if share else v
        center = np.log(v / (1 - v)) if share else np.log(v)
        found.append(Coordinate(record.id, share, float(center), float(record.prior["sd"])))
    return found


class Problem:
    """Residuals of all tasks. `z` is [set, coordinate]; residuals are divided by their errors."""

    def __init__(self, model: Model, targets: Targets, free: Sequence[Coordinate], threads: int = 2) -> None:
        self.model, self.targets, self.free, self.threads = model, targets, list(free), threads
        self.tasks = targets.tasks
        self.center = np.array([c.center for c in free])
        self.width = np.array([c.width for c in free])
        self._setups: list[Setup] = []

    def prepare(self, z: np.ndarray, seed: int = 0) -> None:
        """Choose the steps of every task for sets near z [coordinate]."""
        noise = np.random.default_rng(seed).standard_normal((DRAWS, len(self.free)))
        near = np.vstack([z, z + SPREAD * self.width * noise])
        channels = range(len(self.model.channels))

        def setup(task: Task) -> Setup:
            people = self.cohort(task, near)
            return batch.prepare(
                self.model, lambda a, b: people.take(slice(a, b)), len(near), task.courses, task.days,
                second=task.second, target=TARGET, channels=channels,
            )  # fmt: skip

        self._setups = [setup(self.tasks[0])]  # compiles
        with ThreadPoolExecutor(self.threads) as pool:
            self._setups += list(pool.map(setup, self.tasks[1:]))

    def cohort(self, task: Task, z: np.ndarray) -> Cohort:
        """Sets of parameters as people of a task."""
        changes: dict[str, Any] = {c.id: c.value(z[:, i]) for i, c in enumerate(self.free)}
        if task.sex == "male":
            changes["male"] = 1.0
        return cohorts.make(self.model, len(z), changes=changes, age=task.age)

    def residuals(self, z: np.ndarray) -> np.ndarray:
        """(model - published)/error [set, value]; a run that failed counts as far off."""
        z = np.atleast_2d(z)

        def of(pair: tuple[Task, Setup]) -> dict[str, np.ndarray]:
            task, setup = pair
            people = self.cohort(task, z)
            with np.errstate(all="ignore"):  # hopeless sets end as not-a-number
                return setup.endpoints(people, setup.run(people, setup.grid)[0])

        with ThreadPoolExecutor(self.threads) as pool, np.errstate(all="ignore"):
            read = list(pool.map(of, zip(self.tasks, self._setups, strict=True)))
            found = [
                (predicted(mine, v, setup.reference) - v.change) / v.error
                for task, mine, setup in zip(self.tasks, read, self._setups, strict=True)
                for v in task.values
            ]
            for d in self.targets.differences:
                one, other = (self._change(read, d.endpoint, side) for side in (d.one, d.other))
                found.append((one - other - d.change) / d.error)
        return np.asarray(np.nan_to_num(np.array(found).T, nan=FAR, posinf=FAR, neginf=-FAR).clip(-FAR, FAR))

    def _change(self, read: list[dict[str, np.ndarray]], endpoint: str, side: Side) -> np.ndarray:
        value = Value(endpoint, side.output, 0.0, 1.0)
        return predicted(read[side.task], value, self._setups[side.task].reference)

    def jacobian(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Residuals at z [coordinate], and their derivatives [value, coordinate], from one call."""
        sets = np.vstack([z, z + STEP * np.eye(len(z)), z - STEP * np.eye(len(z))])
        found = self.residuals(sets)
        n = len(z)
        return found[0], ((found[1 : n + 1] - found[n + 1 :]) / (2 * STEP)).T

    def prior(self, z: np.ndarray) -> np.ndarray:
        """Distance from the priors' centers, in their widths."""
        return np.asarray((z - self.center) / self.width)


def predicted(read: dict[str, np.ndarray], value: Value, reference: int) -> np.ndarray:
    """The model's change from baseline [set] for a published value."""
    x = read[value.endpoint]
    ratio = x[value.output] / x[reference if value.base is None else value.base]
    marker = ENDPOINTS[value.endpoint].kind == "marker"
    return np.asarray(np.log(ratio) if marker else 100.0 * (ratio - 1.0))
