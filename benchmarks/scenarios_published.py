"""The benchmark's people and regimens: published model, ages 45 to 75, 10 years of drugs after 20 years without.

Everyone starts at 45 in the estrogen-replete equilibrium. Errors are the largest over the yearly outputs of the
difference in BMD, relative to the person's own BMD at 65.
"""

from __future__ import annotations

import numpy as np

from osteon.engine import cohort as cohorts
from osteon.engine.cohort import Cohort
from osteon.published.jorg2022 import Jorg2022, equilibrium

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


class From45(Jorg2022):
    """The published model with lives that begin at 45."""

    def start(self, p: object) -> tuple[float, list[float]]:
        return START_AGE * YEAR, equilibrium(p)


LIFE = From45()


def density(states: np.ndarray, p: object) -> np.ndarray:
    """BMD[output, person] from states[output, state, person]."""
    return states[:, 7] * states[:, 8]
