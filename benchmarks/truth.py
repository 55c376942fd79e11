"""What the engines are judged against: the reference integrator, person by person, kept between runs.

For large populations the truth is osteon's kernel on much finer steps, whose distance from the reference is
measured on the same people first.
"""

from __future__ import annotations

import hashlib
import inspect
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

import scenarios
from osteon.engine import batch, exact, exposure, kernel
from osteon.engine.cohort import Cohort

PEOPLE = 256
FINER = 32


def reference(scenario: str, n: int = PEOPLE) -> np.ndarray:
    """BMD[output, person] by the reference integrator, from a file where there is one."""
    people = scenarios.people(n)
    courses = scenarios.courses(scenario)
    path = _folder() / f"truth-{scenario}-{n}-{_key(people, scenario)}.npy"
    if path.exists():
        return np.load(path)
    birth = scenarios.DRUG_AGE * scenarios.YEAR
    model, times = scenarios.LIFE, np.array(scenarios.OUTPUTS) + birth
    found = np.empty((len(times), n))
    for i in range(n):
        p = people.p._make(float(v[i]) if np.ndim(v) else v for v in people.p)
        shifted = [replace(c, start=c.start + birth, stop=c.stop + birth) for c in courses]
        levels = exposure.Exposure(shifted, model.kinetics(p), len(model.channels))
        found[:, i] = scenarios.density(exact.solve(model, p, levels, times)[..., None], p)[:, 0]
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, found)
    return found


def fine(scenario: str, people: Cohort) -> np.ndarray:
    """BMD[output, person] by the kernel on fine steps."""
    setup = batch.prepare(
        scenarios.MODEL,
        lambda a, b: people.take(slice(a, b)),
        people.n,
        scenarios.courses(scenario),
        scenarios.OUTPUTS,
    )
    grid, part = setup.grid.finer(FINER), batch.CHUNK
    parts = [people.take(slice(a, a + part)) for a in range(0, people.n, part)]
    return np.concatenate([setup.goal(setup.run(some, grid)[0]) for some in parts], axis=1)


def best(scenario: str, people: Cohort, *, exact: bool) -> np.ndarray:
    """The reference for the people that it was made for, and else, or where it is not asked for, the fine kernel."""
    if exact and people.n == PEOPLE:
        return reference(scenario)
    return fine(scenario, people)


def _folder() -> Path:
    return kernel.cache_folder() / "benchmark"


def _modules() -> list[object]:
    """Where the model is written."""
    parts = [module for name, module in sorted(sys.modules.items()) if name.startswith("osteon.mechanisms")]
    parts += [module for name, module in sorted(sys.modules.items()) if name.startswith("osteon.therapies.")]
    own = inspect.getmodule(type(scenarios.MODEL))
    return [own, *(parts if getattr(scenarios.MODEL, "composed", False) else ())]


def _key(people: Cohort, scenario: str) -> str:
    content = [repr(people.p), scenarios.REGIMENS[scenario], repr(scenarios.OUTPUTS), people.model.parameter_hash]
    content += [inspect.getsource(m) for m in (exact, exposure, *_modules())]
    digest = hashlib.sha256("\n".join(content).encode() + people.x0.tobytes())
    for value in people.p:
        digest.update(np.ascontiguousarray(value).tobytes())
    return digest.hexdigest()[:16]


__all__ = ["FINER", "PEOPLE", "best", "fine", "reference"]
