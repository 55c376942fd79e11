"""libRoadRunner: the model as SBML, compiled by LLVM, integrated by its CVODE; restarted at doses by the driver.

Parameters and levels are global parameters that the driver sets through the model's array interface. Each piece is
one call, its outputs taken step by step, which costs less than a result table.
"""

from __future__ import annotations

import re
from typing import Any

import antimony
import numpy as np
import roadrunner

from engines import rhs
from engines.base import Setting, levels, menopause, stretches, tolerances
from osteon.engine.cohort import Cohort

NAMES = ("pB", "B", "Y", "pC", "C", "s", "bound", "rho", "c")
EXTRA = ("a0", "a1", "a2", "p0", "p1", "p2", "k0", "k1", "k2", "since", "late")
MODEL = """
model bone
  to_B := omega_pB * s_pB / (s_pB + s) * pB;
  e := 1 / (1 + late * (time / YEAR + 65 - a_e) / tau_e);
  romo := a0 * exp(-k0 * (time - since));
  deno := a1 * exp(-k1 * (time - since));
  alen := p2 + a2 * exp(-k2 * (time - since));
  rab := deno / (1 + deno);
  to_C := omega_pC * e_pC * s / ((e_pC + e) * (s_pC + s)) * (1 - beta_pC_rAb * rab) * pC;
"""
FLOWS = {
    "pB": "1 - to_B",
    "B": "to_B - (eta_B + omega_B) * B",
    "Y": "omega_B * B - eta_Y * Y",
    "pC": "1 - to_C",
    "C": "to_C - eta_C * (1 + nu_C * e * C / ((e_C + e) * (r_C + C))) * C - eta_C_bp * alen / (1 + alen) * C",
    "s": "e_s / (e_s + e) * Y - kappa_s * (1 + romo) * s + delta_s * bound",
    "bound": "kappa_s * romo * s - (delta_s + kappa_s) * bound",
    "rho": "lambda_B * s_Omega / (s_Omega + s) * (1 + nu_Omega * C / (r_Omega + C)) * B - lambda_C * C",
    "c": "Gamma * (c_0 + beta_b_rAb * rab - c)",
}


def spelled(name: str) -> str:
    """A parameter's name in Antimony, where gamma is a function."""
    return "Gamma" if name == "gamma" else name


def sbml() -> str:
    """The model as SBML."""
    lines = MODEL.splitlines() + [f"  {name}' = {flow};" for name, flow in FLOWS.items()]
    used = set(re.findall(r"\w+", " ".join([MODEL, *FLOWS.values()])))
    lines += [f"  {name} = 1;" for name in (*NAMES, *used.intersection(map(spelled, rhs.FIELDS)))]
    lines += [f"  {name} = 0;" for name in EXTRA] + [f"  YEAR = {rhs.YEAR};", "end", ""]
    antimony.clearPreviousLoads()
    if antimony.loadAntimonyString("\n".join(lines)) < 0:
        raise RuntimeError(antimony.getLastError())
    return str(antimony.getSBMLString("bone"))


class Engine:
    """libRoadRunner, one person at a time."""

    label = "libRoadRunner (SBML, CVODE)"
    people = 256
    fewest = 1
    quick_from = 3.2e-05

    def __init__(self) -> None:
        self.runner: Any = None

    def version(self) -> str:
        return str(roadrunner.__version__)

    def variants(self, scenario: str, *, quick: bool) -> dict[str, list[Setting]]:
        ways = [True] if quick else [True, False]
        return {
            f"{'BDF' if stiff else 'Adams'}": [
                {"stiff": stiff, "rtol": r, "atol": r} for r in tolerances(3e-3, 1e-7, 3)
            ]
            for stiff in ways
        }

    def build(self, scenario: str, setting: Setting) -> None:
        if self.runner is not None:
            return
        roadrunner.Logger.setLevel(roadrunner.Logger.LOG_ERROR)
        roadrunner.Config.setValue(roadrunner.Config.LLVM_BACKEND, roadrunner.Config.LLJIT)
        roadrunner.Config.setValue(roadrunner.Config.LLJIT_OPTIMIZATION_LEVEL, roadrunner.Config.AGGRESSIVE)
        self.runner = roadrunner.RoadRunner(sbml())
        ids = list(self.runner.model.getGlobalParameterIds())
        self.at = {name: ids.index(name) for name in ids}
        self.states = [self.at[name] for name in NAMES]
        self.extra = [self.at[name] for name in EXTRA]
        self.fields = [(self.at[name], i) for i, name in enumerate(map(spelled, rhs.FIELDS)) if name in self.at]

    def solve(self, scenario: str, cohort: Cohort, setting: Setting) -> np.ndarray:
        known, kinks, q = levels(scenario, cohort), menopause(cohort), rhs.numbers(cohort)
        r, model = self.runner, self.runner.model
        integrator = r.getIntegrator()
        integrator.setValue("stiff", setting["stiff"])
        integrator.setValue("relative_tolerance", setting["rtol"])
        integrator.setValue("absolute_tolerance", setting["atol"])
        integrator.setValue("maximum_num_steps", 100_000)
        out = np.empty((31, cohort.n))
        where, which = [a for a, _ in self.fields], [b for _, b in self.fields]
        for i in range(cohort.n):
            own, x = q[i], cohort.x0[:, i]
            out[0, i] = x[7] * x[8]
            model.setGlobalParameterValues(where, own[which])
            model.setGlobalParameterValues(self.states, x)
            for number, part in enumerate(stretches(scenario, float(kinks[i]))):
                rhs.set_levels(own, known, part.piece, i)
                model.setGlobalParameterValues(self.extra, [*own[rhs.N :], float(number > 0)])
                time, fresh = part.start, True
                for k, stop in enumerate(part.times):
                    r.oneStep(time, stop - time, fresh)
                    time, fresh = float(stop), False
                    if k < len(part.outputs):
                        x = model.getGlobalParameterValues([self.states[7], self.states[8]])
                        out[part.outputs[k], i] = x[0] * x[1]
        return out
