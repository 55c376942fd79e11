"""Virtual people as a table: one row each, with what is known of them; chosen by criteria, written and read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from osteon import files
from osteon.errors import InputError, nearest

FEATURES = {
    "id": "number of the person", "sex": "female or male", "age": "year", "menopause_age": "year",
    "years_since_menopause": "year", "weight_kg": "kg",
    "lumbar_spine_bmd": "g/cm2", "total_hip_bmd": "g/cm2", "femoral_neck_bmd": "g/cm2",
    "lumbar_spine_t": "1", "total_hip_t": "1", "femoral_neck_t": "1",
    "ctx": "1", "p1np": "1", "senescent_burden": "1", "prior_vertebral_fracture": "yes or no",
}  # fmt: skip
"""Columns and their units. CTX, P1NP and senescent burden are relative to the usual at that age."""
NEEDED = ("id", "sex", "age")
LARGEST = 20_000_000


@dataclass(frozen=True)
class Population:
    """People [row] with the columns of `FEATURES` that are known, the seed that made them, and how many persons each
    stands for. `acceptance` is the share of those asked who met the criteria of `enrol`."""

    name: str
    table: pd.DataFrame
    seed: int | None = None
    each: float = 1.0
    acceptance: float = 1.0
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.table)

    def describe(self) -> pd.DataFrame:
        """Mean, SD, 5, 50 and 95 % and count of every number, by sex."""
        rows = []
        for sex, group in self.table.groupby("sex", sort=True):
            for name in group.columns.drop(["id", "sex"]):
                x = group[name].dropna().to_numpy(float)
                if len(x):
                    low, middle, high = np.quantile(x, [0.05, 0.5, 0.95])
                    rows.append((sex, name, len(x), x.mean(), x.std(), low, middle, high))
        return pd.DataFrame(rows, columns=["sex", "feature", "n", "mean", "sd", "p5", "p50", "p95"])

    def enrol(self, criteria: Mapping[str, tuple[float | None, float | None] | str]) -> Population:
        """Those whose features lie within limits (both included, None: open) or are the word given:
        `enrol({"lumbar_spine_t": (-3.5, -2.5), "age": (65, None), "sex": "female"})`. Someone whose feature is not
        known is left out. Raises InputError when a feature is unknown or nobody is left."""
        keep = np.ones(len(self), bool)
        for name, wanted in criteria.items():
            if name not in self.table:
                raise InputError(f"there is no feature {name!r}{nearest(name, list(self.table.columns), 0.3)}")
            column = self.table[name].to_numpy()
            if isinstance(wanted, str):
                keep &= column == wanted
                continue
            low, high = wanted
            if low is not None and high is not None and low > high:
                raise InputError(f"{name}: no number lies between {low:g} and {high:g}")
            with np.errstate(invalid="ignore"):
                keep &= np.isfinite(column.astype(float))
                keep &= (column >= (-np.inf if low is None else low)) & (column <= (np.inf if high is None else high))
        if not keep.any():
            raise InputError(f"none of {len(self):,} people meets the criteria: {', '.join(criteria)}")
        return replace(self, table=self.table[keep].reset_index(drop=True), acceptance=self.acceptance * keep.mean())

    def write(self, path: str | Path) -> None:
        """A CSV or Parquet file, by its name's end."""
        path = Path(path)
        if path.suffix == ".csv":
            files.write_whole(path, self.table.to_csv(index=False, lineterminator="\n"))
        elif path.suffix == ".parquet":
            files.write_whole(path, self.table.to_parquet(index=False))
        else:
            raise InputError(f"{path}: a file of people ends in .csv or .parquet")


def read(path: str | Path) -> Population:
    """One's own people from a CSV or Parquet file with the columns of `FEATURES`; `id`, `sex` and `age` are needed.
    Raises InputError with the column and the first row that is wrong."""
    path = Path(path)
    if path.suffix not in (".csv", ".parquet"):
        raise InputError(f"{path}: a file of people ends in .csv or .parquet")
    if not path.is_file():
        raise InputError(f"{path}: there is no such file")
    try:
        table = pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)
    except Exception as problem:  # every reader has its own
        raise InputError(f"{path}: cannot be read as {path.suffix[1:]}: {_line(problem)}") from None
    return Population(path.stem, check(table, str(path)))


def check(table: pd.DataFrame, where: str) -> pd.DataFrame:
    """The table itself when it is sound. Raises InputError."""
    if not 1 <= len(table) <= LARGEST:
        raise InputError(f"{where}: holds {len(table):,} people; it may hold 1 to {LARGEST:,}")
    for name in table.columns:
        if name not in FEATURES:
            raise InputError(f"{where}: unknown column {str(name)!r}{nearest(str(name), list(FEATURES), 0.3)}")
    for name in NEEDED:
        if name not in table:
            raise InputError(f"{where}: there is no column {name!r}; {', '.join(NEEDED)} are needed")
    _first(table, ~table["sex"].isin(["female", "male"]), where, "sex", "female or male")
    _first(table, table["id"].isna() | table["id"].duplicated(), where, "id", "a number or word of its own")
    limits = {
        "age": (18.0, 110.0), "menopause_age": (20.0, 70.0), "weight_kg": (20.0, 300.0),
        "years_since_menopause": (-60.0, 90.0), "ctx": (0.02, 50.0), "p1np": (0.02, 50.0),
        "senescent_burden": (0.0, 20.0), "prior_vertebral_fracture": (0.0, 1.0),
    }  # fmt: skip
    for name in table.columns.drop(["id", "sex"]):
        if not pd.api.types.is_numeric_dtype(table[name]):
            raise InputError(f"{where}: column {name!r} must hold numbers ({FEATURES[name]})")
        low, high = limits.get(name, (-8.0, 8.0) if name.endswith("_t") else (0.1, 3.0))
        x = table[name].to_numpy(float)
        wrong = ~((x >= low) & (x <= high)) & ~(np.isnan(x) & (name not in NEEDED))
        _first(table, pd.Series(wrong, index=table.index), where, name, f"{low:g} to {high:g} ({FEATURES[name]})")
    return table


def _first(table: pd.DataFrame, wrong: pd.Series, where: str, name: str, wanted: str) -> None:
    if wrong.any():
        row = int(np.argmax(wrong.to_numpy()))
        raise InputError(f"{where}: {name} of row {row + 1} is {str(table[name].iloc[row])!r}; it must be {wanted}")


def _line(problem: Exception) -> str:
    return (str(problem) or type(problem).__name__).splitlines()[0][:200]
