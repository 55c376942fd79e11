"""SUNDIALS CVODE through scikit-SUNDAE on equations that come from a model's traced definition, compiled by numba."""

from __future__ import annotations

from importlib import metadata
from typing import Any

import numpy as np
from numba import njit
from sksundae.cvode import CVODE

import equations
import scenarios
from engines.base import Setting, tolerances
from engines.traced import numbers, stretches, used_signs
from osteon.engine.cohort import Cohort
from osteon.engine.trace import Node


def right_hand_side(system: equations.System) -> Any:
    """A compiled function of t, x, dx and data (a tuple of one array, the stretch's numbers)."""
    at = {name: i for i, name in enumerate(numbers(system))}
    place = {i: k for k, i in enumerate(system.awake)}

    def leaf(node: Node) -> str:
        kind, *rest = node.tag
        if kind == "x":
            return f"x[{place[rest[0]]}]"
        if kind == "u":
            return f"u{system.agents.index(rest[0])}"
        if kind == "t":
            return "t"
        return f"q[{at[f'q{rest[0]}']}]" if kind == "inv" else f"sign{rest[0]}"

    text = ["def rates(t, x, d, data):", "    q = data[0]"]
    text += [f"    sign{k} = q[{at[f'sign{k}']}]" for k in sorted(used_signs(system) & system.free)]
    for a in range(len(system.agents)):
        amplitude, plateau, decay = (f"q[{at[f'{letter}{a}']}]" for letter in "ack")
        text.append(f"    u{a} = {plateau}")
        text.append(f"    if {amplitude} != 0.0:")
        text.append(f"        u{a} += {amplitude} * exp(-{decay} * (t - q[{at['since']}]))")
    for k in sorted(used_signs(system) - system.free):
        lines, (name,) = equations.text([system.signs[k]], leaf)
        text += [f"    {n} = {written}" for n, written in lines]
        text.append(f"    sign{k} = -1.0 if {name} < 0.0 else 1.0")
    lines, names = equations.text(system.rates.values(), leaf)
    text += [f"    {n} = {written}" for n, written in lines]
    text += [f"    d[{k}] = {name}" for k, name in enumerate(names)]
    made: dict[str, Any] = {"exp": np.exp}
    exec("\n".join(text), made)
    return njit(error_model="numpy", fastmath=True)(made["rates"])


class Engine:
    """CVODE, one person at a time."""

    label = "SUNDIALS CVODE (scikit-SUNDAE)"
    people = 256
    fewest = 1
    quick_from = 1e-4

    def __init__(self) -> None:
        self.functions: dict[int, Any] = {}

    def version(self) -> str:
        return metadata.version("scikit-sundae")

    def variants(self, scenario: str, *, quick: bool) -> dict[str, list[Setting]]:
        methods = ["Adams"] if quick else ["BDF", "Adams"]
        return {m: [{"method": m, "rtol": r, "atol": r} for r in tolerances(3e-3, 1e-7, 3)] for m in methods}

    def build(self, scenario: str, setting: Setting) -> None:
        for part in equations.parts(scenario, scenarios.people(64).varying):
            if id(part.system) not in self.functions:
                rates, n = right_hand_side(part.system), len(part.system.awake)
                x = np.ones(n)
                x.flags.writeable = False
                rates(0.0, x, np.ones(n), (np.ones(len(numbers(part.system))),))
                self.functions[id(part.system)] = rates

    def solve(self, scenario: str, cohort: Cohort, setting: Setting) -> np.ndarray:
        out = np.zeros((len(scenarios.OUTPUTS), len(scenarios.MODEL.states), cohort.n))
        for i, life in enumerate(stretches(scenario, cohort)):
            x = cohort.x0[:, i].copy()
            system, solver, own = None, None, np.empty(0)
            for stretch in life:
                awake = list(stretch.system.awake)
                if stretch.system is not system:
                    system = stretch.system
                    y, own = x[awake], stretch.numbers.copy()
                    solver = CVODE(
                        self.functions[id(system)], userdata=(own,), method=setting["method"], rtol=setting["rtol"],
                        atol=setting["atol"], max_num_steps=20_000,
                    )  # fmt: skip
                own[:] = stretch.numbers
                solver.init_step(stretch.start, y)
                for k, time in enumerate(stretch.times):
                    y = solver.step(time, tstop=float(stretch.times[-1])).y
                    if k < len(stretch.outputs):
                        out[stretch.outputs[k], awake, i] = y
                x[awake] = y
        return equations.density(out, cohort)
