"""osteon's own model: women of 66 who have lived untreated since 20, when every life begins, then ten years of drugs.

Taken from the model's definition alone: it may gain or lose states and parameters.
"""

from __future__ import annotations

import numpy as np

from osteon.endpoints import ENDPOINTS
from osteon.engine import cohort as cohorts
from osteon.engine.cohort import Cohort
from osteon.skeleton import BIRTH_OF_LIFE, Osteon

MODEL = LIFE = Osteon()
YEAR = MODEL.year_days
START_AGE, DRUG_AGE, END_AGE = BIRTH_OF_LIFE, 66.0, 76.0
YEARS = END_AGE - START_AGE
OUTPUTS = tuple(YEAR * year for year in range(int(END_AGE - DRUG_AGE) + 1))
REFERENCE = 0  # the output to which errors are relative
REGIMENS = {
    "OD": "denosumab 60 mg SC every 180 days x8 + zoledronate 5 mg IV every 365 days x2 starting at day 1440"
    " + alendronate 10 mg PO daily for 1095 days starting at day 2170",
    "OR": "romosozumab 210 mg SC every 30 days x12 + denosumab 60 mg SC every 180 days x6 starting at day 360"
    " + alendronate 10 mg PO daily for 1095 days starting at day 1440",
}
SPREAD = {
    "turnover_trabecular": 0.25, "turnover_cortical": 0.25, "osteoblast_time": 0.2, "pre_osteoclast_time": 0.2,
    "osteoclast_rate": 0.2, "estrogen_gain": 0.2, "sclerostin_speed": 0.25, "compensation_time": 0.2,
    "denosumab_half_value": 0.3, "denosumab_half_life": 0.2, "romosozumab_half_life": 0.2,
    "alendronate_potency": 0.25, "bisphosphonate_stay": 0.2, "mineral_rate": 0.2,
}  # fmt: skip
"""Log-SD between people; a parameter that the model no longer has is passed over."""
FEWEST = 12  # that must be left
MENOPAUSE = (50.0, 2.0, 45.5, 56.0)  # mean, SD, least and most, years


def people(n: int, seed: int = 1) -> Cohort:
    """n people; the first of a larger population are not the people of a smaller one."""
    rng, base = np.random.default_rng(seed), MODEL.parameters()
    spread = {name: sd for name, sd in SPREAD.items() if name in base._fields}
    if len(spread) < FEWEST:
        raise ValueError(f"of the parameters that are to vary the model has only {sorted(spread)}; renew SPREAD")
    changes = {name: getattr(base, name) * np.exp(sd * rng.standard_normal(n)) for name, sd in spread.items()}
    mean, sd, low, high = MENOPAUSE
    changes["menopause_age"] = np.clip(mean + sd * rng.standard_normal(n), low, high)
    changes |= MODEL.rebalance(base._replace(**changes))
    return cohorts.make(MODEL, n, changes=changes, age=DRUG_AGE)


def density(states: np.ndarray, p: object) -> np.ndarray:
    """Mean BMD of the model's sites [output, person] from states[output, state, person]."""
    seen = MODEL.observe(np.moveaxis(np.asarray(states), 1, 0), p)
    names = [name for name in MODEL.endpoints if name in ENDPOINTS and ENDPOINTS[name].kind == "bmd"]
    return np.asarray(sum(seen[name] for name in names) / len(names))
