"""Untreated courses of BMD by age, sex and age at menopause, of which a person's own bone is a multiple."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from osteon.engine import batch
from osteon.engine import cohort as cohorts
from osteon.models import Model

SITES = ("lumbar_spine", "total_hip", "femoral_neck")
FIRST, LAST = 50.0, 100.0  # years of age
EARLIEST, LATEST = 38.0, 64.0  # age at menopause
_made: dict[str, Courses] = {}  # by model and fit


@dataclass(frozen=True)
class Courses:
    """Mean BMD (g/cm2) at whole years of age by site: of women [menopause, age], of men [age]."""

    ages: np.ndarray
    menopause: np.ndarray
    women: dict[str, np.ndarray]
    men: dict[str, np.ndarray]

    def bmd(self, site: str, male: np.ndarray, age: np.ndarray, menopause: np.ndarray) -> np.ndarray:
        """Mean BMD at a site of people [person], by linear interpolation between whole years."""
        years = np.clip(age, FIRST, LAST) - FIRST
        at = np.minimum(years.astype(int), len(self.ages) - 2)
        share = years - at
        step = np.clip(menopause, EARLIEST, LATEST) - EARLIEST
        life = np.minimum(step.astype(int), len(self.menopause) - 2)
        between = step - life
        table, men = self.women[site], self.men[site]

        def at_age(row: np.ndarray) -> np.ndarray:
            return np.asarray((1 - share) * table[row, at] + share * table[row, at + 1])

        women = (1 - between) * at_age(life) + between * at_age(life + 1)
        return np.asarray(np.where(male, (1 - share) * men[at] + share * men[at + 1], women))


def untreated(model: Model) -> Courses:
    """The courses of a model at its fitted values: one run of the fast kernel."""
    key = f"{model.name} {model.parameter_hash} {getattr(model, 'without', ())}"
    if key not in _made:
        _made[key] = _run(model)
    return _made[key]


def _run(model: Model) -> Courses:
    ages = np.arange(FIRST, LAST + 1)
    menopause = np.arange(EARLIEST, LATEST + 1)
    n = len(menopause) + 1
    male = np.zeros(n)
    male[-1] = 1.0
    usual = model.parameters()
    lives = {"menopause_age": np.append(menopause, usual.menopause_age), "male": male}
    people = cohorts.make(model, n, changes=lives, age=FIRST)
    setup = batch.prepare(
        model, lambda a, b: people.take(slice(a, b)), n, [], (ages - FIRST) * model.year_days,
        channels=getattr(model, "usual_channels", range(len(model.channels))),
    )  # fmt: skip
    found = setup.endpoints(people, setup.chunk(people)[0])
    bmd = {site: found[f"{site}_bmd"].T for site in SITES}
    return Courses(ages, menopause, {s: x[:-1] for s, x in bmd.items()}, {s: x[-1] for s, x in bmd.items()})
