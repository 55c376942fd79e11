"""Leave one trial out: what a fit that has never seen a trial says of it, beside what the whole fit says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from osteon import files, uncertainty
from osteon.endpoints import ENDPOINTS
from osteon.errors import InputError
from osteon.fit import optimise
from osteon.fit.problem import Problem
from osteon.fit.targets import LIFE
from osteon.skeleton import Osteon

ORDER = list(ENDPOINTS)
FILE = "leave_one_out.csv"
ALL, SHARED = "all", "all whose drugs are in other trials"


@dataclass(frozen=True)
class Row:
    """Scores of one trial (or several) and end point: RMSE of the whole fit, and of the one that did not see it."""

    trial: str
    endpoint: str
    n: int
    fitted: float
    held_out: float
    alone: str = ""
    """Drugs that no other trial has, so that left out nothing but their priors tells of them."""
    size: float = 0.0
    """Root of the mean square of the published changes."""

    @property
    def ratio(self) -> float | None:
        """Held out over fitted."""
        return self.held_out / self.fitted if self.fitted else None

    def plain(self) -> dict[str, Any]:
        """As a row of leave_one_out.csv."""
        return {
            "trial": self.trial, "endpoint": self.endpoint, "n": self.n, "fitted": self.fitted,
            "held_out": self.held_out, "ratio": self.ratio, "size": self.size, "alone": self.alone,
        }  # fmt: skip


def write(rows: Sequence[Row], folder: Path) -> None:
    """leave_one_out.csv into a folder."""
    table = pd.DataFrame([row.plain() for row in rows])
    files.write_whole(folder / FILE, table.to_csv(index=False, lineterminator="\n"))


def fitted(problem: Problem, z: np.ndarray) -> Osteon:
    """The model of a problem with fitted values in place."""
    model = problem.model
    if not isinstance(model, Osteon):
        raise InputError(f"{model.name} takes no other values; only osteon's own model does")
    values = {c.id: float(c.value(z[i])) for i, c in enumerate(problem.free)}
    return Osteon(model.without, {**model.values, **values}, bounded=False)


def scored_errors(problem: Problem, z: np.ndarray) -> dict[tuple[str, str], np.ndarray]:
    """Model less published by trial and end point, on the values that `osteon validate` scores (changes from month 0
    in one arm), without trial effects."""
    return _by_key(problem, (problem.residuals(z[: problem.count]) * problem.error)[0])


def _by_key(problem: Problem, numbers: np.ndarray) -> dict[tuple[str, str], np.ndarray]:
    """Numbers of all values, those that are scored, by trial and end point."""
    found: dict[tuple[str, str], list[float]] = {}
    values = [(t.trial, v) for t in problem.tasks for v in t.values]
    for (trial, value), number in zip(values, numbers[: len(values)], strict=True):
        if trial != LIFE and value.base is None:
            found.setdefault((trial, value.endpoint), []).append(float(number))
    return {key: np.array(some) for key, some in found.items()}


def response(rows: Iterable[Mapping[str, Any]], kind: str) -> float:
    """How far a trial's response lies from what the other trials say of it, as a share of the change (SD): what the
    errors of trials left out hold beyond the errors of single values. `rows` are those of leave_one_out.csv, of which
    it takes the end points of a `kind` over all trials whose drugs are in other trials; 0 where nothing is left."""
    some = [r for r in rows if r["trial"] == SHARED and ENDPOINTS[r["endpoint"]].kind == kind]
    beyond = [(r["held_out"] ** 2 - uncertainty.misses()[r["endpoint"]] ** 2) / r["size"] ** 2 for r in some]
    return float(max(np.average(beyond, weights=[r["n"] for r in some]), 0.0) ** 0.5)


def rmse(errors: Iterable[np.ndarray]) -> float:
    """Root of the mean square of all errors together."""
    return float(np.sqrt(np.mean(np.square(np.concatenate(list(errors))))))


def alone(problem: Problem) -> dict[str, list[str]]:
    """By trial: therapies that no other trial has."""
    drugs: dict[str, set[str]] = {}
    for task in problem.tasks:
        drugs.setdefault(task.trial, set()).update(c.therapy for c in task.courses)
    return {
        trial: sorted(mine - set().union(*(d for other, d in drugs.items() if other != trial)))
        for trial, mine in drugs.items()
    }


def leave_one_out(
    problem: Problem, z: np.ndarray, *, progress: Callable[[float, str], None] | None = None
) -> list[Row]:
    """Rows of every trial with values to score, then of all together, by end point. `z` is the optimum with all.

    Each fit starts from there and from the priors' centers; the better end is taken.
    """
    whole = scored_errors(problem, z)
    trials = list(dict.fromkeys(trial for trial, _ in whole))
    own = alone(problem)
    left: dict[tuple[str, str], np.ndarray] = {}
    for number, trial in enumerate(trials):
        if progress is not None:
            progress(number / len(trials), trial)
        part = problem.without(trial)
        ends = [optimise.fit(part, start) for start in (z, problem.center)]
        best = min(ends, key=lambda end: end.cost)
        left |= {key: x for key, x in scored_errors(problem, best.z).items() if key[0] == trial}
    seen = _by_key(problem, problem.change)
    rows = [
        Row(t, e, len(x), rmse([x]), rmse([left[t, e]]), ", ".join(own[t]), rmse([seen[t, e]]))
        for (t, e), x in whole.items()
    ]
    for name, some in ((ALL, trials), (SHARED, [t for t in trials if not own[t]])):
        for endpoint in sorted({e for t, e in whole if t in some}, key=ORDER.index):
            keys = [key for key in whole if key[0] in some and key[1] == endpoint]
            n = sum(len(whole[key]) for key in keys)
            fitted, held, size = (rmse(some[k] for k in keys) for some in (whole, left, seen))
            rows.append(Row(name, endpoint, n, fitted, held, size=size))
    return rows
