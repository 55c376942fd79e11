"""Who lives in a country: a table of people by sex and age, from which a population is sampled."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from osteon.errors import InputError, nearest

COLUMNS = ("sex", "age_lo", "age_hi", "count")
FIRST, LAST = 50.0, 100.0  # years of age of a population
MOST = 1e10  # people of a band


@dataclass(frozen=True)
class Band:
    """`count` people of a sex from `low` to below `high` years; `open_ended` when the table gives no upper age."""

    sex: str
    low: float
    high: float
    count: float
    open_ended: bool = False


def read(path: str | Path) -> list[Band]:
    """A table of ages: a CSV file with the columns sex (female or male), age_lo, age_hi (the last year of the band,
    "59" for 50 to 59; empty: and older) and count (people). From 50 years. Raises InputError with the row."""
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: there is no such file")
    try:
        table = pd.read_csv(path, skipinitialspace=True)
    except Exception as problem:  # every reader has its own
        told = (str(problem) or type(problem).__name__).splitlines()[0][:200]
        raise InputError(f"{path}: cannot be read as csv: {told}") from None
    for name in table.columns:
        if name not in COLUMNS:
            raise InputError(f"{path}: unknown column {str(name)!r}{nearest(str(name), COLUMNS, 0.3)}")
    for name in COLUMNS:
        if name not in table:
            raise InputError(f"{path}: there is no column {name!r}; {', '.join(COLUMNS)} are needed")
        if name != "sex" and len(table) and not pd.api.types.is_numeric_dtype(table[name]):
            raise InputError(f"{path}: column {name!r} must hold numbers")
    rows = [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]
    found = [_band(row, f"{path}: row {number}") for number, row in enumerate(rows, 1)]
    if not found or not sum(band.count for band in found) > 0:
        raise InputError(f"{path}: nobody is in it; give at least one row with people")
    for sex in ("female", "male"):
        mine = sorted((band for band in found if band.sex == sex), key=lambda band: band.low)
        for before, after in itertools.pairwise(mine):
            if after.low < before.high:
                raise InputError(
                    f"{path}: {sex}, from {before.low:g} and from {after.low:g}: bands of age overlap, or stand twice"
                )
    return found


def _band(row: dict[str, object], where: str) -> Band:
    low, high, count = (float(str(row[name])) for name in ("age_lo", "age_hi", "count"))
    if row["sex"] not in ("female", "male"):
        raise InputError(f"{where}: sex is {str(row['sex'])!r}; it must be female or male")
    last = bool(np.isnan(high))
    high = LAST if last else high + 1.0
    if not FIRST <= low < high <= LAST + 1:
        wanted = f"ascending ages from {FIRST:g} to {LAST:g} are wanted"
        raise InputError(f"{where}: ages {row['age_lo']} to {row['age_hi']}; {wanted}")
    if not 0 <= count <= MOST:
        raise InputError(f"{where}: count is {row['count']}; it must be a number of people from 0 to {MOST:g}")
    return Band(str(row["sex"]), low, min(high, LAST), count, last)


def within(band: Band, share: np.ndarray, decline: float) -> np.ndarray:
    """Ages at shares of a band's people, the youngest first: even; in an open band falling by `decline` a year."""
    if not band.open_ended:
        return np.asarray(band.low + share * (band.high - band.low))
    return np.asarray(band.low - np.log1p(-share * -np.expm1(-decline * (band.high - band.low))) / decline)
