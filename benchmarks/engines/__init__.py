"""The engines that are compared. Each module holds one class `Engine` as described in `base`."""

from __future__ import annotations

import importlib
from typing import Any

import scenarios

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
TRACED = {"osteon": "kernel", "heyoka": "traced_taylor", "libroadrunner": "traced_sbml", "sundials": "traced_cvode"}
"""Modules that take their equations from the model's definition, for models whose equations are not typed in here."""


def _modules() -> dict[str, str]:
    return NAMES if scenarios.NAME == "published" else TRACED


def names() -> list[str]:
    """The engines that take the chosen model."""
    return list(_modules())


def make(name: str) -> Any:
    """The engine of that name; raises ImportError where what it needs is not installed."""
    return importlib.import_module(f"engines.{_modules()[name]}").Engine()
