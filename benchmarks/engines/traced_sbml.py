"""libRoadRunner on equations that come from a model's traced definition, one person at a time.

What rests on parameters alone is a global parameter that the driver sets; levels are closed forms of time; |x| is
`abs` where it depends on the state, and elsewhere a sign that the driver sets. Restarted at doses, window edges and
at the person's own kinks.
"""

from __future__ import annotations

from typing import Any

import antimony
import numpy as np
import roadrunner

import equations
import scenarios
from engines.base import Setting, tolerances
from engines.traced import numbers, stretches, used_signs
from osteon.engine.cohort import Cohort
from osteon.engine.trace import Node


def sbml(system: equations.System) -> str:
    """A system as SBML; states x0, x1 …, levels a·exp(−k (t − since)) + c of each agent."""

    def leaf(node: Node) -> str:
        kind, *rest = node.tag
        if kind == "t":
            return "time"
        if kind == "u":
            return f"u{system.agents.index(rest[0])}"
        if kind == "sign":
            return f"sign{rest[0]}"
        return f"{'x' if kind == 'x' else 'q'}{rest[0]}"

    inside = [node for k, node in enumerate(system.signs) if k not in system.free]
    lines, names = equations.text([*system.rates.values(), *inside], leaf, once=True)
    flows = names[: len(system.rates)]
    signs = dict(zip([k for k in range(len(system.signs)) if k not in system.free], names[len(flows) :], strict=True))
    used = used_signs(system)
    text = ["model bone"]
    text += [f"  u{a} := c{a} + a{a} * exp(-k{a} * (time - since));" for a in range(len(system.agents))]
    text += [f"  {name} := {written};" for name, written in lines]
    text += [f"  sign{k} := piecewise(-1, {signs[k]} < 0, 1);" for k in sorted(used - system.free)]
    text += [f"  x{i}' = {flow};" for i, flow in zip(system.awake, flows, strict=True)]
    text += [f"  x{i} = 1;" for i in system.awake]
    text += [f"  {name} = 0;" for name in numbers(system)]
    antimony.clearPreviousLoads()
    if antimony.loadAntimonyString("\n".join([*text, "end", ""])) < 0:
        raise RuntimeError(antimony.getLastError())
    return str(antimony.getSBMLString("bone"))


class Engine:
    """libRoadRunner, one person at a time."""

    label = "libRoadRunner (SBML, CVODE)"
    people = 256
    fewest = 1
    quick_from = 1e-4

    def __init__(self) -> None:
        self.runners: dict[int, Any] = {}

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
        roadrunner.Logger.setLevel(roadrunner.Logger.LOG_ERROR)
        roadrunner.Config.setValue(roadrunner.Config.LLVM_BACKEND, roadrunner.Config.LLJIT)
        roadrunner.Config.setValue(roadrunner.Config.LLJIT_OPTIMIZATION_LEVEL, roadrunner.Config.AGGRESSIVE)
        for part in equations.parts(scenario, scenarios.people(64).varying):
            if id(part.system) not in self.runners:
                runner = roadrunner.RoadRunner(sbml(part.system))
                ids = list(runner.model.getGlobalParameterIds())
                states = [ids.index(f"x{i}") for i in part.system.awake]
                self.runners[id(part.system)] = (runner, states, [ids.index(n) for n in numbers(part.system)])

    def solve(self, scenario: str, cohort: Cohort, setting: Setting) -> np.ndarray:
        out = np.zeros((len(scenarios.OUTPUTS), len(scenarios.MODEL.states), cohort.n))
        for runner, _, _ in self.runners.values():
            integrator = runner.getIntegrator()
            integrator.setValue("stiff", setting["stiff"])
            integrator.setValue("relative_tolerance", setting["rtol"])
            integrator.setValue("absolute_tolerance", setting["atol"])
            integrator.setValue("maximum_num_steps", 100_000)
        for i, life in enumerate(stretches(scenario, cohort)):
            x, system = cohort.x0[:, i].copy(), None
            for stretch in life:
                runner, states, places = self.runners[id(stretch.system)]
                model = runner.model
                if stretch.system is not system:
                    system = stretch.system
                    awake = list(system.awake)
                    model.setGlobalParameterValues(states, x[awake])
                model.setGlobalParameterValues(places, stretch.numbers)
                time, fresh = stretch.start, True
                for k, stop in enumerate(stretch.times):
                    runner.oneStep(time, stop - time, fresh)
                    time, fresh = float(stop), False
                    if k < len(stretch.outputs):
                        out[stretch.outputs[k], awake, i] = model.getGlobalParameterValues(states)
                if stretch.last:
                    x[awake] = model.getGlobalParameterValues(states)
        return equations.density(out, cohort)
