"""Residuals of a model in its parameters, for many sets of parameters at a time: they take the place of people in the
kernel's lanes, so that a whole Jacobian costs about what one run does."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from osteon import parameters
from osteon.endpoints import ENDPOINTS
from osteon.engine import batch
from osteon.engine import cohort as cohorts
from osteon.engine.batch import Setup
from osteon.engine.cohort import Cohort
from osteon.fit.effects import Effects
from osteon.fit.loss import SCALE, SQUARE, soft
from osteon.fit.targets import LIFE, Difference, Side, Targets, Task, Value
from osteon.parameters.priors import is_fitted

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
        if record.prior is None or not is_fitted(record):
            continue
        share = record.prior["scale"] == "logit"
        v = float(record.prior.get("center", record.value))
        v = min(max(v, SHARE_MARGIN), 1 - SHARE_MARGIN) if share else v
        center = np.log(v / (1 - v)) if share else np.log(v)
        found.append(Coordinate(record.id, share, float(center), float(record.prior["sd"])))
    return found


class Problem:
    """Residuals of all tasks. `z` is [set, coordinate]: parameters, then trial effects where there are `effects`;
    with parameters alone the effects are 0. Residuals are divided by their errors."""

    def __init__(
        self, model: Model, targets: Targets, free: Sequence[Coordinate], threads: int = 2,
        effects: Effects | None = None,
    ) -> None:  # fmt: skip
        self.model, self.targets, self.free, self.threads, self.effects = model, targets, list(free), threads, effects
        self.tasks = targets.tasks
        widths = effects.width if effects is not None else np.zeros(0)
        self.center = np.concatenate([[c.center for c in free], np.zeros(len(widths))])
        self.width = np.concatenate([[c.width for c in free], widths])
        values: list[Value | Difference] = [*(v for t in self.tasks for v in t.values), *targets.differences]
        self.change = np.array([v.change for v in values])
        self.error = np.array([v.error for v in values])
        life = [t.trial == LIFE for t in self.tasks for _ in t.values] + [False] * len(targets.differences)
        self.scale = np.where(life, SQUARE, SCALE)
        self._setups: list[Setup] = []

    @property
    def count(self) -> int:
        """How many parameters are fitted, trial effects apart."""
        return len(self.free)

    def prepare(
        self, z: np.ndarray, seed: int = 0, spread: float = SPREAD, draws: int = DRAWS, target: float = TARGET
    ) -> None:
        """Choose the steps of every task on sets near z [coordinate], `spread` (in the priors' widths) round it, with
        which BMD is within `target` (relative)."""
        noise = np.random.default_rng(seed).standard_normal((draws, self.count))
        middle, width = z[: self.count], self.width[: self.count]
        near = np.vstack([middle, middle + spread * width * noise])
        channels = getattr(self.model, "usual_channels", range(len(self.model.channels)))

        def setup(task: Task) -> Setup:
            people = self.cohort(task, near)
            return batch.prepare(
                self.model, lambda a, b: people.take(slice(a, b)), len(near), task.courses, task.days,
                second=task.second, target=target, channels=channels,
            )  # fmt: skip

        self._setups = [setup(self.tasks[0])]  # compiles
        with ThreadPoolExecutor(self.threads) as pool:
            self._setups += list(pool.map(setup, self.tasks[1:]))

    def without(self, trial: str) -> Problem:
        """The same less a trial, with the steps that were chosen; its effects stay, with nothing but their priors."""
        kept = [i for i, t in enumerate(self.tasks) if t.trial != trial]
        at = {number: i for i, number in enumerate(kept)}
        differences = [
            replace(d, one=replace(d.one, task=at[d.one.task]), other=replace(d.other, task=at[d.other.task]))
            for d in self.targets.differences
            if d.one.task in at and d.other.task in at
        ]
        targets = Targets(tuple(self.tasks[i] for i in kept), tuple(differences))
        effects = self.effects and Effects(targets, self.effects.trials)
        found = Problem(self.model, targets, self.free, self.threads, effects)
        found._setups = [self._setups[i] for i in kept]
        return found

    def cohort(self, task: Task, z: np.ndarray) -> Cohort:
        """Sets of parameters as people of a task."""
        changes: dict[str, Any] = {c.id: c.value(z[:, i]) for i, c in enumerate(self.free)}
        changes |= task.traits
        return cohorts.make(self.model, len(z), changes=changes, age=task.age)

    def changes(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The model's changes from baseline [set, value], and what differences between arms subtract from them."""

        def of(pair: tuple[Task, Setup]) -> dict[str, np.ndarray]:
            task, setup = pair
            people = self.cohort(task, z)
            with np.errstate(all="ignore"):  # hopeless sets end as not-a-number
                return setup.endpoints(people, setup.run(people, setup.grid)[0])

        with ThreadPoolExecutor(self.threads) as pool, np.errstate(all="ignore"):
            read = list(pool.map(of, zip(self.tasks, self._setups, strict=True)))
            one = [
                predicted(mine, v, setup.reference)
                for task, mine, setup in zip(self.tasks, read, self._setups, strict=True)
                for v in task.values
            ]
            other = [np.zeros(len(z)) for _ in one]
            for d in self.targets.differences:
                one.append(self._change(read, d.endpoint, d.one))
                other.append(self._change(read, d.endpoint, d.other))
        return np.array(one).T, np.array(other).T

    def residuals(self, z: np.ndarray) -> np.ndarray:
        """(model - published)/error [set, value]; a run that failed counts as far off."""
        z = np.atleast_2d(z)
        return self._residuals(*self.changes(z[:, : self.count]), z[:, self.count :])

    def _residuals(self, one: np.ndarray, other: np.ndarray, effects: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            if self.effects is not None and effects.shape[1]:
                found = self.effects.predicted(one, other, effects)
            else:
                found = one - other
            found = (found - self.change) / self.error
        return np.asarray(np.nan_to_num(found, nan=FAR, posinf=FAR, neginf=-FAR).clip(-FAR, FAR))

    def _change(self, read: list[dict[str, np.ndarray]], endpoint: str, side: Side) -> np.ndarray:
        value = Value(endpoint, side.output, 0.0, 1.0)
        return predicted(read[side.task], value, self._setups[side.task].reference)

    def jacobian(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Residuals at z [coordinate], and their derivatives [value, coordinate], from one call."""
        n = self.count
        steps, effects = STEP * np.eye(n), np.broadcast_to(z[n:], (2 * n + 1, len(z) - n))
        one, other = self.changes(np.vstack([z[:n], z[:n] + steps, z[:n] - steps]))
        found = self._residuals(one, other, effects)
        slopes = ((found[1 : n + 1] - found[n + 1 :]) / (2 * STEP)).T
        if self.effects is not None and len(z) > n:
            columns = self.effects.columns(one[0], other[0], z[n:]) / self.error[:, None]
            slopes = np.hstack([slopes, np.nan_to_num(columns, nan=0.0, posinf=0.0, neginf=0.0)])
        return found[0], slopes

    def misfit(self, z: np.ndarray) -> np.ndarray:
        """Half of the losses and of the priors' squares [set], for parameters; trial effects are integrated out."""
        z = np.atleast_2d(z)[:, : self.count]
        one, other = self.changes(z)
        if self.effects is None:
            data = 0.5 * soft(self._residuals(one, other, np.zeros((len(z), 0))), self.scale).sum(axis=1)
        else:
            with np.errstate(all="ignore"):
                data = self.effects.integrated(one, other, self.change, self.error, self.scale, FAR)
        prior = (z - self.center[: self.count]) / self.width[: self.count]
        return np.asarray(data + 0.5 * (prior**2).sum(axis=1))

    def prior(self, z: np.ndarray) -> np.ndarray:
        """Distance from the priors' centers, in their widths."""
        return np.asarray((z - self.center) / self.width)


def predicted(read: dict[str, np.ndarray], value: Value, reference: int) -> np.ndarray:
    """The model's change from baseline [set] for a published value."""
    x = read[value.endpoint]
    ratio = x[value.output] / x[reference if value.base is None else value.base]
    marker = ENDPOINTS[value.endpoint].kind == "marker"
    return np.asarray(np.log(ratio) if marker else 100.0 * (ratio - 1.0))
