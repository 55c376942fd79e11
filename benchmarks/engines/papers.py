"""SciPy as papers use it: solve_ivp with BDF and a right-hand side in plain Python, piece by piece between doses."""

from __future__ import annotations

import numpy as np
import scipy
from scipy.integrate import solve_ivp

import scenarios
from engines import rhs
from engines.base import Setting, levels, menopause, stretches, tolerances
from engines.cvode import SCALE
from osteon.engine.cohort import Cohort


class Engine:
    """One person at a time."""

    label = "SciPy solve_ivp BDF, Python right-hand side"
    people = 256
    fewest = 1
    quick_from = 0.00022
    people_quick = 32

    def version(self) -> str:
        return str(scipy.__version__)

    def variants(self, scenario: str, *, quick: bool) -> dict[str, list[Setting]]:
        return {"BDF": [{"rtol": r, "atol": r} for r in tolerances(3e-3, 1e-7, 3)]}

    def build(self, scenario: str, setting: Setting) -> None:
        pass

    def solve(self, scenario: str, cohort: Cohort, setting: Setting) -> np.ndarray:
        known, kinks = levels(scenario, cohort), menopause(cohort)
        out = np.empty((31, cohort.n))
        rates, birthday = scenarios.MODEL.rates, rhs.BIRTHDAY
        for i in range(cohort.n):
            p = cohort.p._make(float(v[i]) if np.ndim(v) else v for v in cohort.p)
            x = cohort.x0[:, i]
            out[0, i] = x[7] * x[8]
            for part in stretches(scenario, float(kinks[i])):
                if part.piece >= 0:
                    amplitude, plateau = known.amplitude[part.piece, :, i], known.plateau[part.piece, :, i]
                    decay, since = known.decay[:, i], part.start

                    def exposure(t, amplitude=amplitude, plateau=plateau, decay=decay, since=since):
                        return [*(plateau + amplitude * np.exp(-decay * (t - since))).tolist(), 0.0]
                else:

                    def exposure(t):
                        return (0.0, 0.0, 0.0, 0.0)

                def derivative(t, y, exposure=exposure, p=p):
                    y = y.tolist()
                    made, lost = rates(y, exposure(t), t + birthday, p)
                    return [a - b * c for a, b, c in zip(made, lost, y, strict=True)]

                found = solve_ivp(
                    derivative, (part.start, part.stop), x, method="BDF", t_eval=part.times, rtol=setting["rtol"],
                    atol=setting["atol"] * SCALE,
                ).y  # fmt: skip
                x = found[:, -1]
                rows = found[:, : len(part.outputs)]
                out[list(part.outputs), i] = rows[7] * rows[8]
        return out
