"""The most probable parameters: Levenberg–Marquardt on the soft-L1 misfit plus the priors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from osteon.fit.loss import soft, weight
from osteon.fit.problem import Problem

DAMPING = (1e-2, 0.3, 4.0)  # first, factor after a success, factor after a failure
ENOUGH = 1e-4  # relative gain below which a fit has ended


@dataclass
class Found:
    """Where a fit ended: coordinates, misfit (half the sum over data and priors), the last Jacobian with priors."""

    z: np.ndarray
    cost: float
    jacobian: np.ndarray
    rounds: int


def cost(problem: Problem, r: np.ndarray, z: np.ndarray) -> float:
    """Half of the losses and of the priors' squares."""
    return float(0.5 * np.sum(soft(r, problem.scale)) + 0.5 * np.sum(problem.prior(z) ** 2))


def fit(
    problem: Problem, z: np.ndarray, *, rounds: int = 40, progress: Callable[[int, float], None] | None = None
) -> Found:
    """The optimum from z. Several damping factors are tried in one call, as further sets of parameters."""
    damping, shrink, grow = DAMPING
    r, J = problem.jacobian(z)
    best = cost(problem, r, z)
    whole = J
    for index in range(rounds):
        root = np.sqrt(weight(r, problem.scale))
        whole = np.vstack([J * root[:, None], np.diag(1 / problem.width)])
        right = np.concatenate([r * root, problem.prior(z)])
        normal, gradient = whole.T @ whole, whole.T @ right
        factors = damping * np.array([shrink**2, shrink, 1.0, grow, grow**2, grow**4])
        tries = np.array([z - np.linalg.solve(normal + f * np.diag(np.diag(normal)), gradient) for f in factors])
        found = [cost(problem, each, at) for each, at in zip(problem.residuals(tries), tries, strict=True)]
        which = int(np.argmin(found))
        if progress is not None:
            progress(index, min(best, found[which]))
        if not found[which] < best:
            damping *= grow**5
            if damping > 1e8:
                return Found(z, best, whole, index)
            continue
        gain, best, z = best - found[which], found[which], tries[which]
        damping = max(factors[which], 1e-9)
        r, J = problem.jacobian(z)
        if gain < ENOUGH * best:
            return Found(z, best, whole, index)
    return Found(z, best, whole, rounds)
