"""People who differ in a model's parameters: the same person for the same seed and number, whoever asks.

Each parameter is its value times exp(sd · z), z standard normal: log-normal between people, held to its record's
bounds where it has any; the model then puts the
balance of formation and resorption at the start of life back to its own. Numbers are drawn in
blocks of `BLOCK` people with a seed of their own, so that any range of a population can be made by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from osteon import parameters
from osteon.engine import cohort as cohorts
from osteon.engine.cohort import Cohort
from osteon.errors import InputError
from osteon.models import Model

BLOCK = 1024
LARGEST_SD = 2.0  # of the logarithm; beyond that a spread is surely a mistake


@dataclass(frozen=True)
class Variation:
    """`spread` gives the standard deviation of the logarithm by parameter id; `age` is that at month 0 in years."""

    model: Model
    n: int
    spread: Mapping[str, float]
    age: float
    seed: int = 0

    def __post_init__(self) -> None:
        known = parameters.load(self.model.name)
        for ident, sd in self.spread.items():
            known[ident]
            if known[ident].origin == "definition" and known[ident].between_people is None:
                raise InputError(f"{ident} is a definition and does not differ between people")
            if not 0 <= sd <= LARGEST_SD:
                raise InputError(f"the spread of {ident} must be from 0 to {LARGEST_SD:g} (log scale), not {sd:g}")
        if self.n < 1:
            raise InputError(f"a population holds at least one person, not {self.n}")

    def changes(self, first: int, last: int) -> dict[str, np.ndarray]:
        """The varying parameters of people first … last − 1."""
        base, known = self.model.parameters(), parameters.load(self.model.name)
        blocks = range(first // BLOCK, -(-last // BLOCK))
        offset = blocks.start * BLOCK
        found = {}
        order = sorted(self.spread)
        for number, ident in enumerate(order):
            z = np.concatenate([_normal(self.seed, number, block) for block in blocks])
            values = getattr(base, ident) * np.exp(self.spread[ident] * z[first - offset : last - offset])
            bounds = known[ident].bounds
            found[ident] = values if bounds is None else np.clip(values, *bounds)
        return found

    def people(self, first: int, last: int) -> Cohort:
        """People first … last − 1 as a cohort."""
        changes: dict[str, Any] = dict(self.changes(first, last))
        if changes:
            changes |= self.model.rebalance(self.model.parameters()._replace(**changes))
        return cohorts.make(self.model, last - first, changes=changes, age=self.age)


def _normal(seed: int, number: int, block: int) -> np.ndarray:
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(number, block))).standard_normal(BLOCK)
