"""A whole fit: the optimum from several starts, what the data say of each parameter, a posterior sample, and the
files that keep it all."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from osteon import files, parameters
from osteon.fit import optimise
from osteon.fit import sample as samples
from osteon.fit.effects import Effects
from osteon.fit.optimise import Found
from osteon.fit.problem import Problem, coordinates
from osteon.fit.sample import Posterior
from osteon.fit.targets import Targets, targets
from osteon.result import platform_facts

if TYPE_CHECKING:
    from osteon.models import Model

STARTS = 4
EFFECTS = False  # trial effects in the fit unless it is told otherwise
SAME = 0.05  # starts whose misfit is so near the best have found the same place
WEAK = 1.0  # directions in which the data say less than the prior: eigenvalue of JᵀJ in prior widths below this


@dataclass
class Fit:
    """What a fit found."""

    problem: Problem
    best: Found
    starts: list[float]
    posterior: Posterior | None
    seed: int
    rounds: int

    def values(self) -> list[dict[str, Any]]:
        """Per parameter: fitted value, prior center, standard deviation on its scale (Laplace), 5–95 % of draws."""
        covariance = np.linalg.inv(self.best.jacobian.T @ self.best.jacobian)
        found = []
        for i, c in enumerate(self.problem.free):
            row: dict[str, Any] = {
                "id": c.id,
                "value": float(c.value(self.best.z[i])),
                "prior": float(c.value(np.array(c.center))),
                "scale": "logit" if c.share else "log",
                "sd": float(np.sqrt(covariance[i, i])),
                "prior_sd": c.width,
            }
            if self.posterior is not None:
                draws = c.value(self.posterior.z[:, i])
                row |= {"low": float(np.quantile(draws, 0.05)), "high": float(np.quantile(draws, 0.95))}
                row |= {"r_hat": float(self.posterior.r_hat[i]), "effective": float(self.posterior.effective[i])}
            found.append(row)
        return found

    def weak(self) -> list[dict[str, Any]]:
        """Directions of which the data say less than the priors: their strength, and the parameters most in them."""
        n, width = self.problem.count, self.problem.width[: self.problem.count]
        normal = self.best.jacobian.T @ self.best.jacobian
        rest = normal[:n, n:]
        told = normal[:n, :n] - rest @ np.linalg.solve(normal[n:, n:], rest.T)  # of the parameters, effects unknown
        strength, vectors = np.linalg.eigh(told * np.outer(width, width) - np.eye(n))
        names = [c.id for c in self.problem.free]
        found = []
        for value, vector in zip(strength, vectors.T, strict=True):
            if value < WEAK:
                top = np.argsort(-np.abs(vector))[:3]
                found.append({"strength": float(value), "parameters": {names[i]: float(vector[i]) for i in top}})
        return found

    def effects(self) -> list[dict[str, Any]]:
        """Trial effects with their standard errors; none when the fit had none."""
        if self.problem.effects is None:
            return []
        n = self.problem.count
        sd = np.sqrt(np.diag(np.linalg.inv(self.best.jacobian.T @ self.best.jacobian)))
        return self.problem.effects.rows(self.best.z[n:], sd[n:])

    def errors(self) -> list[dict[str, Any]]:
        """RMSE of the optimum by trial and end point (BMD points, markers as logarithms), without trial effects as in
        a prediction, and with them where there are."""
        return table_of_errors(self.problem, self.best.z)


def table_of_errors(problem: Problem, z: np.ndarray) -> list[dict[str, Any]]:
    """RMSE by trial, end point and kind (a difference between arms or not)."""
    tasks = problem.tasks
    keys = [(t.trial, v.endpoint, False) for t in tasks for v in t.values]
    keys += [(tasks[d.one.task].trial, d.endpoint, True) for d in problem.targets.differences]
    columns = {"rmse": problem.residuals(z[: problem.count])[0] * problem.error}
    if problem.effects is not None:
        columns["rmse_with_effects"] = problem.residuals(z)[0] * problem.error
    rows: dict[tuple[str, str, bool], list[int]] = {}
    for i, key in enumerate(keys):
        rows.setdefault(key, []).append(i)
    return [
        {"trial": t, "endpoint": e, "difference": d, "n": len(at)}
        | {name: float(np.sqrt(np.mean(np.square(x[at])))) for name, x in columns.items()}
        for (t, e, d), at in rows.items()
    ]


def fit(
    model: Model,
    *,
    rounds: int = 400,
    draws: int = 400,
    seed: int = 0,
    starts: int = STARTS,
    every: Targets | None = None,
    effects: bool = EFFECTS,
    progress: Callable[[float], None] | None = None,
) -> Fit:
    """Fit a model to the trials marked `fit` and to natural history; 0 `rounds` of sampling leave the sample out.
    `effects` adds trial effects (see `osteon.fit.effects`) as nuisances."""
    every = every or targets(model)
    problem = Problem(model, every, coordinates(model.name), effects=Effects(every) if effects else None)
    problem.prepare(problem.center)
    best = optimise.fit(problem, problem.center)
    for _ in range(2):  # steps are chosen anew where it ended
        problem.prepare(best.z)
        best = optimise.fit(problem, best.z)
    rng, ends = np.random.default_rng(seed), []
    for _ in range(starts):
        start = problem.center.copy()
        start[: problem.count] += problem.width[: problem.count] * rng.standard_normal(problem.count)
        end = optimise.fit(problem, start)
        ends.append(end.cost)
        best = end if end.cost < best.cost - SAME else best
    posterior = None
    if rounds:
        posterior = samples.sample(problem, best, rounds=rounds, draws=draws, seed=seed, progress=progress)
    return Fit(problem, best, ends, posterior, seed, rounds)


def write(found: Fit, folder: Path) -> None:
    """fit.json (values, errors, weak directions, the run that made them) and draws.csv into a folder."""
    model = found.problem.model
    posterior = found.posterior
    told = {
        "run": {
            **platform_facts(), "model": model.name, "records": parameters.load(model.name).hash, "seed": found.seed,
            "rounds": found.rounds, "values": found.problem.targets.count,
            "trials": sorted({t.trial for t in found.problem.tasks}),
        },
        "misfit": found.best.cost,
        "starts": found.starts,
        "convergence": posterior and {
            "r_hat_max": float(posterior.r_hat.max()), "effective_min": float(posterior.effective.min()),
            "accepted": posterior.accepted,
        },
        "values": found.values(),
        "weak": found.weak(),
        "trial_effects": found.effects(),
        "errors": found.errors(),
    }  # fmt: skip
    files.write_whole(folder / "fit.json", json.dumps(told, indent=1, ensure_ascii=False) + "\n")
    if posterior is not None:
        free = found.problem.free
        columns = np.array([c.value(posterior.z[:, i]) for i, c in enumerate(free)]).T
        lines = [",".join(c.id for c in free), *(",".join(f"{v:.8g}" for v in row) for row in columns)]
        files.write_whole(folder / "draws.csv", "\n".join(lines) + "\n")
