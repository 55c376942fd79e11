"""osteon's kernel, run as `osteon simulate` runs it: chunks, error estimates and re-runs included."""

from __future__ import annotations

import time
from importlib import metadata
from typing import Any

import numba
import numpy as np

import scenarios
from engines.base import Setting
from osteon.engine import batch
from osteon.engine.cohort import Cohort


class Engine:
    """The kernel, one thread."""

    label = "osteon kernel (numba)"
    people = 65_536
    people_quick = 16_384
    fewest = 65_536

    def __init__(self) -> None:
        self.setups: dict[str, Any] = {}

    def version(self) -> str:
        return f"{metadata.version('osteon')}, numba {numba.__version__}"

    def variants(self, scenario: str, *, quick: bool) -> dict[str, list[Setting]]:
        return {"as shipped": [{"target": batch.TARGET}]}

    def build(self, scenario: str, setting: Setting) -> None:
        """Compile, and choose the steps once: like other engines' compilation, listed apart."""
        self.prepare(scenario, scenarios.people(self.people))

    def prepare(self, scenario: str, people: Cohort) -> Any:
        """The setup of a cohort, made once."""
        if scenario not in self.setups:
            self.setups[scenario] = batch.prepare(
                scenarios.MODEL, lambda a, b: people.take(slice(a, b)), people.n, scenarios.courses(scenario),
                scenarios.OUTPUTS,
            )  # fmt: skip
        return self.setups[scenario]

    def setup_s(self, scenario: str) -> float:
        """CPU seconds to choose the steps, once per arm, of people who are not known yet; nothing is compiled."""
        others = scenarios.people(self.people, seed=2)
        begin = time.process_time()
        batch.prepare(
            scenarios.MODEL, lambda a, b: others.take(slice(a, b)), others.n, scenarios.courses(scenario),
            scenarios.OUTPUTS,
        )  # fmt: skip
        return time.process_time() - begin

    def solve(self, scenario: str, cohort: Cohort, setting: Setting) -> np.ndarray:
        setup = self.prepare(scenario, cohort)
        out = np.empty((len(scenarios.OUTPUTS), cohort.n))

        def people(first: int, last: int) -> Cohort:
            return cohort.take(slice(first, last))

        for first, last, observed, _ in batch.chunks(setup, people, cohort.n, threads=1):
            out[:, first:last] = setup.goal(observed)
        return out
