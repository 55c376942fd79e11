"""Chances of fracture on the page: there where `osteon.fractures` is, and nothing in its place where it is not."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from typing import Any

import numpy as np

from osteon import result
from osteon.person import Person
from osteon.units import MONTH_DAYS

KINDS = ("vertebral_fracture", "hip_fracture", "nonvertebral_fracture")
UNITS = {"lumbar_spine_bmd": "g/cm2", "total_hip_bmd": "g/cm2", "femoral_neck_bmd": "g/cm2", "ctx": "1"}


def known() -> bool:
    """Whether fractures can be told."""
    return importlib.util.find_spec("osteon.fractures") is not None


def of_course(person: Person, months: np.ndarray, values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray] | None:
    """Chance in % [draw, month] of a first fracture of each kind since month 0, death competing; None where
    fractures cannot be told. `values` are the end points [draw, month]."""
    if not known():
        return None
    risk = importlib.import_module("osteon.fractures").risk
    seen = {name: values[name][:, None, None, :] for name in UNITS}
    facts: dict[str, Any] = {"person": person.model_dump(exclude_none=True), "model": "osteon"}
    made = result.build(seen, time_days=months * MONTH_DAYS, arms=["plan"], units=UNITS, provenance=facts)
    found = risk(made)
    return {kind: 100.0 * found[kind].to_numpy()[:, 0, 0, :] for kind in KINDS if kind in found}
