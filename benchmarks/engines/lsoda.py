"""SciPy's LSODA with a compiled right-hand side, restarted at doses."""

from __future__ import annotations

import numpy as np
import scipy
from scipy.integrate import odeint

from engines import rhs
from engines.base import Setting, levels, menopause, stretches, tolerances
from engines.cvode import SCALE
from osteon.engine.cohort import Cohort


def derivative(x: np.ndarray, t: float, q: np.ndarray) -> np.ndarray:
    """What odeint calls."""
    d = np.empty(9)
    rhs.rates(t, x, d, q)
    return d


class Engine:
    """LSODA through odeint, whose loop over outputs is compiled."""

    label = "SciPy LSODA, compiled right-hand side"
    people = 256
    fewest = 1
    quick_from = 1.3e-4

    def version(self) -> str:
        return str(scipy.__version__)

    def variants(self, scenario: str, *, quick: bool) -> dict[str, list[Setting]]:
        return {"odeint": [{"rtol": r, "atol": r} for r in tolerances(3e-3, 1e-7, 3)]}

    def build(self, scenario: str, setting: Setting) -> None:
        rhs.rates(0.0, np.ones(9), np.ones(9), np.ones(rhs.SIZE))

    def solve(self, scenario: str, cohort: Cohort, setting: Setting) -> np.ndarray:
        known, kinks, q = levels(scenario, cohort), menopause(cohort), rhs.numbers(cohort)
        out = np.empty((31, cohort.n))
        for i in range(cohort.n):
            own, x = q[i], np.ascontiguousarray(cohort.x0[:, i])
            out[0, i] = x[7] * x[8]
            for part in stretches(scenario, float(kinks[i])):
                rhs.set_levels(own, known, part.piece, i)
                found = odeint(
                    derivative, x, np.concatenate([[part.start], part.times]), args=(own,), rtol=setting["rtol"],
                    atol=setting["atol"] * SCALE, mxstep=20_000, tcrit=[part.stop],
                )  # fmt: skip
                x = found[-1]
                rows = found[1 : 1 + len(part.outputs)]
                out[list(part.outputs), i] = rows[:, 7] * rows[:, 8]
        return out
