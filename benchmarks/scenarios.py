"""The benchmark's people and regimens: published model, ages 45 to 75, 10 years of drugs after 20 years without.

Everyone starts at 45 in the estrogen-replete equilibrium. Errors are the largest over the yearly outputs of the
difference in BMD, relative to the person's own BMD at 65.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from osteon.engine import cohort as cohorts
from osteon.engine.cohort import Cohort
from osteon.published.jorg2022 import Jorg2022, equilibrium
from osteon.regimen import Course, parse_regimen

MODEL = Jorg2022()
YEAR = MODEL.year_days
START_AGE, DRUG_AGE, END_AGE = 45.0, 65.0, 75.0
YEARS = END_AGE - START_AGE
OUTPUTS = tuple(YEAR * (age - DRUG_AGE) for age in range(int(START_AGE), int(END_AGE) + 1))
REFERENCE = int(DRUG_AGE - START_AGE)  # the output to which errors are relative
REGIMENS = {
    "DA": "denosumab 60 mg SC every 180 days x4 + alendronate 10 mg PO daily for 1095 days starting at day 720",
    "RDA": "romosozumab 210 mg SC every 30 days x12 + denosumab 60 mg SC every 180 days x6 starting at day 360"
    " + alendronate 10 mg PO daily for 1095 days starting at day 1440",
}
SPREAD = {
    "omega_pB": 0.25, "eta_B": 0.2, "omega_B": 0.2, "omega_pC": 0.25, "eta_C": 0.2, "eta_Y": 0.2, "kappa_s": 0.2,
    "nu_Omega": 0.25, "eta_C_bp": 0.25, "E_deno": 0.3, "T_deno": 0.2, "T_alen": 0.2, "T_romo": 0.2, "tau_e": 0.25,
    "gamma": 0.2,
}  # fmt: skip
"""Log-SD between people, parameter by parameter."""
MENOPAUSE = (50.0, 2.0, 45.5, 56.0)  # mean, SD, least and most, years
EXCESS = 0.02  # by how much resorption exceeds formation at the start


def people(n: int, seed: int = 1) -> Cohort:
    """n people; the first of a larger population are not the people of a smaller one."""
    rng, base = np.random.default_rng(seed), MODEL.parameters()
    changes = {name: getattr(base, name) * np.exp(sd * rng.standard_normal(n)) for name, sd in SPREAD.items()}
    mean, sd, low, high = MENOPAUSE
    changes["a_e"] = np.clip(mean + sd * rng.standard_normal(n), low, high)
    changes |= MODEL.rebalance(base._replace(**changes), excess=EXCESS)
    start = (START_AGE * YEAR, equilibrium(base._replace(**changes)))
    return cohorts.make(MODEL, n, changes=changes, age=DRUG_AGE, start=start)


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
