"""Units at the border: spans of time, doses, and the checking of anything else with pint.

Inside osteon all numbers are plain floats: time in days, doses in the therapy's own unit.
A month is always 30.4375 d. A year is the model's own (365.25 d unless the model says otherwise).
"""

from __future__ import annotations

import functools
import math
import re
from dataclasses import dataclass
from typing import Any

from osteon.errors import InputError, nearest

MONTH_DAYS = 30.4375
YEAR_DAYS = 365.25

SPAN_UNITS = ("hour", "day", "week", "month", "year")
_FIXED_DAYS = {"hour": 1 / 24, "day": 1.0, "week": 7.0, "month": MONTH_DAYS}

# Dose units as written, and what one of them is in the base unit of its kind (mass in mg, IU, cells, Gy).
DOSE_UNITS: dict[str, tuple[str, float]] = {
    "mg": ("mass", 1.0),
    "ug": ("mass", 1e-3),
    "ng": ("mass", 1e-6),
    "g": ("mass", 1e3),
    "mg/kg": ("mass/kg", 1.0),
    "ug/kg": ("mass/kg", 1e-3),
    "IU": ("activity", 1.0),
    "cells": ("cells", 1.0),
    "cells/kg": ("cells/kg", 1.0),
    "Gy": ("absorbed dose", 1.0),
}
DOSE_UNIT_WORDS: dict[str, str] = {
    **{unit.casefold(): unit for unit in DOSE_UNITS},
    "µg": "ug", "μg": "ug", "mcg": "ug", "microgram": "ug", "micrograms": "ug",
    "milligram": "mg", "milligrams": "mg", "gram": "g", "grams": "g", "µg/kg": "ug/kg", "mcg/kg": "ug/kg",
    "units": "IU", "cell": "cells", "cell/kg": "cells/kg", "gray": "Gy",
}  # fmt: skip


def number(value: float) -> str:
    """A float as a person would write it: no trailing zeros, and it reads back to the same float."""
    short = f"{value:g}"
    text = short if float(short) == value else repr(float(value))
    return text.replace("e+0", "e").replace("e+", "e").replace("e-0", "e-")


@dataclass(frozen=True)
class Span:
    """A length of time as written: `value` and `unit` (hour, day, week, month or year)."""

    value: float
    unit: str

    def days(self, year_days: float = YEAR_DAYS) -> float:
        """Length in days; `year_days` is the model's year."""
        return self.value * (year_days if self.unit == "year" else _FIXED_DAYS[self.unit])

    def __str__(self) -> str:
        return f"{number(self.value)} {self.unit}{'' if self.value == 1 else 's'}"


def span_unit(word: str) -> str | None:
    """`"Months"` → `"month"`; None if it is no unit of time."""
    plain = word.casefold().rstrip(".")
    short = {"h": "hour", "d": "day", "wk": "week", "wks": "week", "w": "week", "mo": "month", "mos": "month",
             "m": "month", "y": "year", "yr": "year", "yrs": "year"}  # fmt: skip
    plain = short.get(plain, plain)
    singular = plain[:-1] if plain.endswith("s") else plain
    return singular if singular in SPAN_UNITS else None


def parse_span(text: str, what: str = "time", *, default_unit: str | None = None) -> Span:
    """Read `"24 months"`, `"5475 days"`, `"0.5 y"`; raises InputError naming `what`."""
    match = re.fullmatch(r"\s*([-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?)\s*([A-Za-z.]*)\s*", str(text))
    how = "write a number and a unit, for instance '24 months' (days, weeks, months, years)"
    if not match:
        raise InputError(f"{what} {text!r} is not a length of time: {how}")
    digits, word = match.groups()
    try:
        value = float(digits)
    except ValueError:
        raise InputError(f"{what} {text!r}: {digits!r} is not a number: {how}") from None
    unit = span_unit(word) if word else default_unit
    if unit is None:
        hint = nearest(word, [u + "s" for u in SPAN_UNITS]) if word else ""
        raise InputError(f"{what} {text!r} has no unit of time{hint}: {how}")
    if not math.isfinite(value):
        raise InputError(f"{what} {text!r} is not finite: {how}")
    return Span(value, unit)


def convert_dose(value: float, unit: str, to: str, weight_kg: float | None = None) -> float:
    """A dose in another unit of the same kind; a dose per kg needs the person's weight (kg)."""
    kind, factor = DOSE_UNITS[unit]
    to_kind, to_factor = DOSE_UNITS[to]
    if kind == to_kind:
        return value * factor / to_factor
    if kind == f"{to_kind}/kg":
        if weight_kg is None:
            raise InputError(f"a dose in {unit} needs the person's weight: give weight_kg (--weight KG)")
        return value * factor * weight_kg / to_factor
    raise InputError(f"a dose in {unit} cannot be given in {to}")


@functools.cache
def registry() -> Any:
    """The pint registry, with osteon's own units; built on first use since it takes a while."""
    import pint

    ureg: Any = pint.UnitRegistry()
    ureg.define("IU = [activity]")
    ureg.define("cell = [cells] = = cells")
    ureg.define("percent_change = 0.01 = pct")
    return ureg


def check_unit(unit: str) -> str:
    """`unit` itself if pint can read it ("1" is dimensionless); raises InputError otherwise."""
    try:
        registry().parse_units("" if unit == "1" else unit)
    except Exception as error:
        raise InputError(f"unit {unit!r} is not known: {error}") from None
    return unit
