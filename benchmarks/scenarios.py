"""The benchmark's people and regimens: those of the model that the environment variable BENCH_MODEL names
(`published`, the default, or `osteon`), and the accuracy that engines are held to.

Errors are the largest over the outputs of the difference in BMD, relative to the person's own BMD at month 0.
"""

from __future__ import annotations

import importlib
import os
from dataclasses import dataclass

import numpy as np

from osteon.regimen import Course, parse_regimen

NAME = os.environ.get("BENCH_MODEL", "published")
chosen = importlib.import_module(f"scenarios_{NAME}")
MODEL, LIFE, YEAR = chosen.MODEL, chosen.LIFE, chosen.YEAR
START_AGE, DRUG_AGE, END_AGE, YEARS = chosen.START_AGE, chosen.DRUG_AGE, chosen.END_AGE, chosen.YEARS
OUTPUTS, REFERENCE, REGIMENS = chosen.OUTPUTS, chosen.REFERENCE, chosen.REGIMENS
people, density = chosen.people, chosen.density


def courses(scenario: str) -> list[Course]:
    """What is given in a scenario, in days from 65."""
    return list(parse_regimen(REGIMENS[scenario]).courses(OUTPUTS[-1], year_days=YEAR))


@dataclass(frozen=True)
class Accuracy:
    """How far a run is from the truth, over people."""

    share: float
    """within 0.01 % of baseline BMD"""
    max_pct: float

    @property
    def enough(self) -> bool:
        """The class in which engines are compared: 99.9 % of people within 0.01 %, nobody beyond 0.05 %."""
        return self.share >= 0.999 and self.max_pct <= 0.05


def accuracy(bmd: np.ndarray, truth: np.ndarray) -> Accuracy:
    """Compare BMD [output, person] with the truth; a number that is not finite counts as infinitely far."""
    off = 100 * np.max(np.abs(bmd - truth), axis=0) / np.abs(truth[REFERENCE])
    off = np.where(np.isfinite(off), off, np.inf)
    return Accuracy(float(np.mean(off <= 0.01)), float(np.max(off)))
