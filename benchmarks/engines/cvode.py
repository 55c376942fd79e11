"""SUNDIALS CVODE through scikit-SUNDAE, restarted at doses; right-hand side and Jacobian compiled by numba."""

from __future__ import annotations

from importlib import metadata

import numpy as np
from numba import njit
from sksundae.cvode import CVODE

from engines import rhs
from engines.base import Setting, levels, menopause, stretches, tolerances
from osteon.engine.cohort import Cohort

SCALE = np.array([216.0, 107.0, 612.0, 1724.0, 42.0, 11093.0, 11093.0, 1.0, 0.8])
"""What states are near to; the absolute tolerance is relative to it."""


@njit(error_model="numpy", fastmath=True)
def right_hand_side(t, x, d, data):
    """What CVODE calls; its data may not be an array itself."""
    rhs.rates(t, x, d, data[0])


@njit(error_model="numpy", fastmath=True)
def jacobian(t, x, d, J, data):
    """Differences of the right-hand side, all in compiled code."""
    q = data[0]
    y, f = x.copy(), np.empty(9)
    g = np.empty(9)
    rhs.rates(t, y, g, q)
    for j in range(9):
        if j == 7:  # nothing rests on the density
            continue
        step = 1e-7 * max(abs(y[j]), 1e-3)
        keep = y[j]
        y[j] = keep + step
        rhs.rates(t, y, f, q)
        y[j] = keep
        for i in range(9):
            J[i, j] = (f[i] - g[i]) / step


class Engine:
    """CVODE, one person at a time."""

    label = "SUNDIALS CVODE (scikit-SUNDAE)"
    people = 256
    fewest = 1
    quick_from = 3.2e-05

    def version(self) -> str:
        return metadata.version("scikit-sundae")

    def variants(self, scenario: str, *, quick: bool) -> dict[str, list[Setting]]:
        ladder = tolerances(3e-3, 1e-7, 3)
        methods = [("Adams", True)] if quick else [("BDF", True), ("BDF", False), ("Adams", True)]
        return {
            f"{method}{', own Jacobian' if own else ''}": [
                {"method": method, "jacobian": own, "rtol": r, "atol": r} for r in ladder
            ]
            for method, own in methods
        }

    def build(self, scenario: str, setting: Setting) -> None:
        x, q = np.ones(9), np.ones(rhs.SIZE)
        x.flags.writeable = False
        right_hand_side(0.0, x, np.ones(9), (q,))
        jacobian(0.0, x, np.ones(9), np.zeros((9, 9)), (q,))

    def solve(self, scenario: str, cohort: Cohort, setting: Setting) -> np.ndarray:
        known, kinks, q = levels(scenario, cohort), menopause(cohort), rhs.numbers(cohort)
        out = np.empty((31, cohort.n))
        for i in range(cohort.n):
            own = np.ascontiguousarray(q[i])
            solver = CVODE(
                right_hand_side, userdata=(own,), method=setting["method"], rtol=setting["rtol"],
                atol=setting["atol"] * SCALE, max_num_steps=20_000,
                **({"jacfn": jacobian} if setting["jacobian"] else {}),
            )  # fmt: skip
            x = np.ascontiguousarray(cohort.x0[:, i])
            out[0, i] = x[7] * x[8]
            for part in stretches(scenario, float(kinks[i])):
                rhs.set_levels(own, known, part.piece, i)
                solver.init_step(part.start, x)
                for k, time in enumerate(part.times):
                    x = solver.step(time, tstop=part.stop).y
                    if k < len(part.outputs):
                        out[part.outputs[k], i] = x[7] * x[8]
        return out
