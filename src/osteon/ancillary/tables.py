"""The planner's numbers: costs, spreads, transport bias, priors. One TOML that a user can copy and change.

Every entry has `value`, `unit`, `origin` and a note; `assumed` means that no source was opened for it.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from osteon.errors import InputError, nearest
from osteon.files import read_text

SHIPPED = "planner.toml"


@dataclass(frozen=True)
class Tables:
    """The numbers by section and name; `currency` and `year` hold for all costs."""

    entries: dict[str, dict[str, Any]]
    currency: str
    year: int

    def __call__(self, section: str, name: str) -> float:
        """The value of an entry."""
        return float(self.entries[section][name]["value"])

    def section(self, name: str) -> dict[str, float]:
        """All values of a section."""
        return {key: float(entry["value"]) for key, entry in self.entries[name].items()}


def load(path: str | Path | None = None) -> Tables:
    """The shipped numbers, changed by those of a file of the same form; unknown names are errors."""
    base = tomllib.loads(files("osteon.ancillary").joinpath(SHIPPED).read_text("utf-8"))
    if path is not None:
        try:
            own = tomllib.loads(read_text(path))
        except tomllib.TOMLDecodeError as error:
            raise InputError(f"{path}: not valid TOML: {error}") from None
        _merge(base, own, str(path))
    meta = base.pop("costs_are")
    return Tables(base, str(meta["currency"]), int(meta["year"]))


def _merge(base: dict[str, Any], own: dict[str, Any], where: str) -> None:
    for section, entries in own.items():
        if section not in base:
            raise InputError(f"{where}: no section {section!r}{nearest(section, base)}")
        if not isinstance(entries, dict):
            raise InputError(f"{where}: {section} should be a section, [{section}]")
        for name, entry in entries.items():
            if name not in base[section]:
                raise InputError(f"{where}: no entry {name!r} in [{section}]{nearest(name, base[section])}")
            if section == "costs_are":
                base[section][name] = entry
                continue
            value = entry.get("value") if isinstance(entry, dict) else entry
            if isinstance(value, bool) or not isinstance(value, int | float) or not -1e12 < value < 1e12:
                raise InputError(f"{where}: {section}.{name} should be a number")
            if value < 0 and section != "prior":
                raise InputError(f"{where}: {section}.{name} should not be negative")
            base[section][name] = {**base[section][name], **(entry if isinstance(entry, dict) else {"value": value})}
