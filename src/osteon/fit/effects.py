"""Trial effects: what sets one trial apart from the others in ways that the model does not know.

    change of BMD = exp(e) · change by the model + s · (1 - exp(-month/6))     e ~ N(0, RESPONSE), s ~ N(0, DRIFT)

e, the response of the people (their turnover, how well they take the drug), acts on arms from their first dose; s, a
drift in points (calcium, vitamin D, run-in), on all arms, so that it leaves differences between arms alone. Both are
nuisances: they are fitted beside the parameters or integrated out, and predictions take them as 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from osteon.endpoints import ENDPOINTS
from osteon.evidence.loader import load_trials
from osteon.fit.loss import SCALE, soft, weight
from osteon.fit.targets import Targets, Task
from osteon.units import MONTH_DAYS

RESPONSE = 0.15  # SD of e; assumed
DRIFT = 0.5  # SD of s, points; assumed
ONSET = 6.0  # months; assumed
ROUNDS = 8  # of reweighting; more change the misfit by less than 1e-3
STEEPEST = 1.0  # e stays within this either way


class Effects:
    """The effects of some trials, as coordinates: e of each, then s of each. Arrays: [set, value], [set, effect]."""

    def __init__(self, targets: Targets, trials: Sequence[str] | None = None) -> None:
        tasks = targets.tasks
        where: list[tuple[Task, int, str, bool]] = [
            (t, v.output, v.endpoint, v.base is None) for t in tasks for v in t.values
        ]
        where += [(tasks[d.one.task], d.one.output, d.endpoint, True) for d in targets.differences]
        known = load_trials()
        counts = [t.trial in known and ENDPOINTS[e].kind == "bmd" and plain for t, _, e, plain in where]
        if trials is None:
            trials = sorted({t.trial for (t, *_), c in zip(where, counts, strict=True) if c})
        self.trials = list(trials)
        self.member = np.array(
            [[c and t.trial == name for name in self.trials] for (t, *_), c in zip(where, counts, strict=True)], float
        ).reshape(len(where), len(self.trials))
        sides = [None] * (len(where) - len(targets.differences)) + [d.other for d in targets.differences]
        self.treated = np.array([
            [c and _treated(t, output) for (t, output, *_), c in zip(where, counts, strict=True)],
            [c and o is not None and _treated(tasks[o.task], o.output) for o, c in zip(sides, counts, strict=True)],
        ], float)  # fmt: skip
        month = np.array([t.days[output] / MONTH_DAYS for t, output, *_ in where])
        single = np.array([o is None for o in sides])
        self.ramp = np.array(counts, float) * single * (1.0 - np.exp(-np.maximum(month, 0.0) / ONSET))
        self.width = np.repeat([RESPONSE, DRIFT], len(self.trials))

    def _parts(self, one: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What of the model's change is multiplied, and what is not."""
        treated = self.treated[0] * one - self.treated[1] * other
        return treated, one - other - treated

    def predicted(self, one: np.ndarray, other: np.ndarray, effects: np.ndarray) -> np.ndarray:
        """Changes [set, value] from those by the model (`other` is what a difference subtracts) and effects."""
        k = len(self.trials)
        treated, rest = self._parts(one, other)
        factor = np.exp(effects[:, :k] @ self.member.T)
        return np.asarray(treated * factor + rest + (effects[:, k:] @ self.member.T) * self.ramp)

    def columns(self, one: np.ndarray, other: np.ndarray, effects: np.ndarray) -> np.ndarray:
        """Derivatives [value, effect] of the changes of one set."""
        k = len(self.trials)
        treated, _ = self._parts(one, other)
        factor = np.exp(self.member @ effects[:k])
        return np.hstack([self.member * (treated * factor)[:, None], self.member * self.ramp[:, None]])

    def integrated(
        self,
        one: np.ndarray,
        other: np.ndarray,
        change: np.ndarray,
        error: np.ndarray,
        scale: np.ndarray,
        far: float,
    ) -> np.ndarray:
        """Misfit [set] of the data with the effects integrated out by Laplace's method: the least misfit over the
        effects and their priors, and half the logarithm of how sharp that minimum is, relative to the priors."""
        k, at = (
            len(self.trials),
            np.flatnonzero(self.member.any(axis=1)),
        )  # no effect touches the other values
        treated, rest = self._parts(one, other)
        fixed = np.delete(np.nan_to_num((rest - change) / error, nan=far, posinf=far, neginf=-far), at, axis=1)
        treated, rest = treated[:, at] / error[at], (rest[:, at] - change[at]) / error[at]
        lost = ~np.isfinite(treated) | ~np.isfinite(rest)
        treated, rest = np.where(lost, 0.0, treated), np.where(lost, far, rest).clip(-far, far)
        own, slope = self.member[at].argmax(axis=1), self.ramp[at] / error[at]
        member = self.member[at]
        e, s = np.zeros((2, len(one), k))

        def state() -> tuple[np.ndarray, np.ndarray]:
            a = treated * np.exp(e)[:, own]
            return (a + rest + s[:, own] * slope).clip(-far, far), a

        def normal(near: np.ndarray, a: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            ee, es, ss = near * a**2, near * a * slope, near * slope**2
            return ee @ member + RESPONSE**-2, es @ member, ss @ member + DRIFT**-2

        for _ in range(ROUNDS):
            r, a = state()
            near = weight(r)
            ee, es, ss = normal(near, a)
            pull = near * r
            to_e, to_s = (pull * a) @ member + e * RESPONSE**-2, (pull * slope) @ member + s * DRIFT**-2
            whole = ee * ss - es**2
            e = (e - (ss * to_e - es * to_s) / whole).clip(-STEEPEST, STEEPEST)
            s = s - (ee * to_s - es * to_e) / whole
        r, a = state()
        ee, es, ss = normal((1 + (r / SCALE) ** 2) ** -1.5, a)
        sharp = np.log((ee * ss - es**2) * (RESPONSE * DRIFT) ** 2).sum(axis=1)
        priors = ((e / RESPONSE) ** 2 + (s / DRIFT) ** 2).sum(axis=1)
        losses = soft(r).sum(axis=1) + soft(fixed.clip(-far, far), np.delete(scale, at)).sum(axis=1)
        return np.asarray(0.5 * (losses + priors + sharp))

    def rows(self, effects: np.ndarray, sd: np.ndarray) -> list[dict[str, Any]]:
        """Per trial: the factor on the response of treated arms, the drift in points, and their errors."""
        k = len(self.trials)
        return [
            {
                "trial": name, "response": float(np.exp(effects[i])), "response_log_sd": float(sd[i]),
                "drift": float(effects[k + i]), "drift_sd": float(sd[k + i]),
            }
            for i, name in enumerate(self.trials)
        ]  # fmt: skip


def _treated(task: Task, output: int) -> bool:
    """Whether an arm has had a dose by then."""
    return any(c.start < task.days[output] for c in task.courses)
