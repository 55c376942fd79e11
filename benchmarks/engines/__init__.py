"""The engines that are compared. Each module holds one class `Engine` as described in `base`."""

from __future__ import annotations

import importlib
from typing import Any

NAMES = {
    "osteon": "kernel",
    "heyoka": "taylor",
    "diffrax_tsit5": "tsit5",
    "diffrax_kvaerno3": "kvaerno3",
    "libroadrunner": "sbml",
    "sundials": "cvode",
    "scipy_published_style": "papers",
    "scipy_lsoda": "lsoda",
}
"""Module of each engine, in the order in which they are reported."""


def make(name: str) -> Any:
    """The engine of that name; raises ImportError where what it needs is not installed."""
    return importlib.import_module(f"engines.{NAMES[name]}").Engine()
