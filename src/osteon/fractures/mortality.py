"""Death, which competes with fractures: the life table of the United States, 2011, by age and sex.

Probabilities of dying within a year of age (National Vital Statistics Reports 64-11) are turned into rates, which
hold at the middle of the year; between them, and beyond the table, their logarithm is linear in age.
"""

from __future__ import annotations

import csv
import functools
from importlib import resources
from typing import Any

import numpy as np

TABLE = "us_life_table_2011.csv"


@functools.cache
def life_table() -> dict[str, np.ndarray]:
    """Columns of the table: age (whole years), and by sex the probability of dying within a year."""
    text = resources.files("osteon.fractures").joinpath(TABLE).read_text("utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    return {name: np.array([float(row[name]) for row in rows]) for name in ("age", "female", "male")}


def death_rate(age: Any, male: Any) -> np.ndarray:
    """Deaths per year of people of an age (year) and sex (bool); arrays broadcast."""
    years, man = np.broadcast_arrays(np.asarray(age, float), np.asarray(male, bool))
    return np.exp(np.where(man, _log_rate("male", years), _log_rate("female", years)))


def _log_rate(sex: str, age: np.ndarray) -> np.ndarray:
    table = life_table()
    middle, log = table["age"] + 0.5, np.log(-np.log1p(-table[sex]))
    found = np.interp(age, middle, log)
    slope = (log[-1] - log[-11]) / (middle[-1] - middle[-11])
    return np.asarray(np.where(age > middle[-1], log[-1] + slope * (age - middle[-1]), found))
