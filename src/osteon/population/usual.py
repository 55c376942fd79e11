"""Usual lives: what the model makes of people without treatment by age, sex and menopause, and what faster loss does.

Tables from one run of the kernel, kept for a process. A person's own bone is a multiple of these lives
(population/survey, population/baseline)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from osteon.engine import cohort as cohorts
from osteon.models import Model
from osteon.population import steps

SITES = ("lumbar_spine", "total_hip", "femoral_neck")
LOSS = ("estrogen_gain", "estrogen_survival", "supply_ageing")
"""Parameters that a person's rate of loss multiplies."""
TURNOVER = ("turnover_trabecular", "turnover_cortical")
"""Parameters that a person's turnover multiplies."""
MARKERS = ("ctx", "p1np")
STEEPER = 1.25  # rate of loss of the lives with which its effect is judged
FIRST_AGE, LAST_AGE = 25.0, 100.0
EARLIEST, LATEST = 36.0, 65.0  # age at menopause


@dataclass(frozen=True)
class Usual:
    """End points of usual lives by whole years of age, of women by age at menopause too, and how their logarithms
    change with f: [menopause, age], the last row men."""

    value: dict[str, np.ndarray]
    steep: dict[str, np.ndarray]

    def at(
        self, name: str, male: np.ndarray, age: np.ndarray, menopause: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Of people [person], by linear interpolation."""
        years = np.clip(age, FIRST_AGE, LAST_AGE) - FIRST_AGE
        column = np.minimum(years.astype(int), int(LAST_AGE - FIRST_AGE) - 1)
        step = np.clip(np.nan_to_num(menopause, nan=EARLIEST), EARLIEST, LATEST) - EARLIEST  # men have none
        row = np.minimum(step.astype(int), int(LATEST - EARLIEST) - 1)

        def of(table: np.ndarray) -> np.ndarray:
            def rows(at: Any) -> np.ndarray:
                return np.asarray(table[at, column] + (years - column) * (table[at, column + 1] - table[at, column]))

            women = rows(row) + (step - row) * (rows(row + 1) - rows(row))
            return np.where(male, rows(-1), women)

        return of(self.value[name]), of(self.steep[name])

    def bmd(self, site: str, male: np.ndarray, age: np.ndarray, menopause: np.ndarray) -> np.ndarray:
        """Mean BMD (g/cm2) at a site of people [person]."""
        return self.at(f"{site}_bmd", male, age, menopause)[0]


_usual: dict[str, Usual] = {}  # by model and fit


def usual_lives(model: Model) -> Usual:
    """The usual lives of a model: one run of the kernel, once in a process."""
    key = f"{model.name} {model.parameter_hash} {getattr(model, 'without', ())}"
    if key not in _usual:
        _usual[key] = _usual_lives(model)
    return _usual[key]


def _usual_lives(model: Model) -> Usual:
    ages = np.arange(FIRST_AGE, LAST_AGE + 1)
    menopause = np.append(np.arange(EARLIEST, LATEST + 1), 50.0)
    n, base = len(menopause), model.parameters()
    two = np.repeat([1.0, STEEPER], n)
    male = np.tile(np.arange(n) == n - 1, 2)
    changes: dict[str, Any] = {"male": male.astype(float), "menopause_age": np.tile(menopause, 2),
                               "body_size": np.ones(2 * n)}  # fmt: skip
    changes |= {name: getattr(base, name) * two for name in LOSS}
    changes |= {name: np.full(2 * n, getattr(base, name)) for name in TURNOVER}
    people = cohorts.make(model, 2 * n, changes=changes, age=FIRST_AGE)
    setup = steps.lives(people, (ages - FIRST_AGE) * model.year_days)
    found = setup.endpoints(people, setup.run(people, setup.grid)[0])
    names = [*(f"{site}_bmd" for site in SITES), *MARKERS]
    value = {name: found[name].T[:n] for name in names}
    return Usual(value, {k: np.log(found[k].T[n:] / x) / (STEEPER - 1) for k, x in value.items()})
