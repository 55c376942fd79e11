"""Everything that osteon draws from one record, each value with its rule, its words and a confidence."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable
from dataclasses import astuple
from importlib import resources
from typing import Any

from osteon.registry import bone, cells, design, donor
from osteon.registry.dose import dose
from osteon.registry.record import Record
from osteon.registry.route import route, systemic
from osteon.registry.value import Value

MAIN = ("cell_therapy", "cell_type", "source", "route", "dose", "per_kg", "control", "n", "age_min", "age_max", "sex")
_NOT_CELLS = Value(None, "no-cells-given", "", 0.0)
_OF_CELLS: dict[str, Callable[[Record], Value]] = {
    "cell_type": cells.cell_type,
    "source": donor.source,
    "route": route,
    "tissue": cells.tissue,
}
_OF_ALL: dict[str, Callable[[Record], Value]] = {
    "cell_therapy": cells.cell_therapy,
    "control": design.control,
    "n": design.people,
    "age_min": lambda record: design.age(record, "minimumAge"),
    "age_max": lambda record: design.age(record, "maximumAge"),
    "sex": design.sex,
    "arms": design.arms,
    "n_per_arm": design.per_arm,
    "follow_up_months": design.follow_up,
    "visits_months": design.visits,
    "bone_outcomes": bone.outcomes,
    "bone_condition": bone.bone_condition,
    "ct": bone.ct,
    "senolytic": bone.senolytic,
    "steroids": bone.steroids,
    "banked_serum": bone.banked,
}
_OF_DOSE = ("dose", "per_kg", "doses", "dose_flag")
_RULES = ("bone", "cells", "design", "donor", "dose", "extract", "record", "route", "value")  # modules
NAMES = (*MAIN, *(n for n in (*_OF_CELLS, *_OF_DOSE, "systemic", *_OF_ALL) if n not in MAIN))


class Extraction:
    """The values drawn from a record, by name; each is drawn when it is first asked for, unless the record comes with
    what was drawn before."""

    def __init__(self, record: Record) -> None:
        self.record, self._found = record, dict[str, Value]()
        if record.kept is not None:
            self._found = {name: Value(*parts) for name, parts in json.loads(record.kept).items()}

    @property
    def nct(self) -> str | None:
        return self.record.nct

    def value(self, name: str) -> Value:
        """A value with its rule, words and confidence; never fails, whatever the record holds."""
        if name not in self._found:
            self._draw(name)
        return self._found[name]

    def __getitem__(self, name: str) -> Any:
        """The bare value of a name."""
        return self.value(name).value

    def _draw(self, name: str) -> None:
        if name in _OF_ALL:
            self._found[name] = _OF_ALL[name](self.record)
        elif not self["cell_therapy"]:
            self._found[name] = _NOT_CELLS
        elif name in _OF_DOSE:
            self._found |= dict(zip(_OF_DOSE, dose(self.record), strict=True))
        elif name == "systemic":
            way = self.value("route")
            self._found[name] = Value(systemic(way.value), "from-route", way.span, way.confidence, way.field)
        else:
            self._found[name] = _OF_CELLS[name](self.record)

    @property
    def values(self) -> dict[str, Value]:
        """All values, drawn now."""
        return {name: self.value(name) for name in NAMES}

    def main(self) -> dict[str, dict[str, Any]]:
        """The eleven values that `registry show --json` prints under `extracted`."""
        return {name: self.value(name).as_dict() for name in MAIN}

    def more(self) -> dict[str, dict[str, Any]]:
        """All other values."""
        return {name: self.value(name).as_dict() for name in NAMES if name not in MAIN}

    @property
    def kept(self) -> str:
        """All values as text, to be handed to a `Record` later; good while `rules` are the same."""
        return json.dumps({name: astuple(value) for name, value in self.values.items()}, separators=(",", ":"))


@functools.cache
def rules() -> str:
    """A digest of the rules by which values are drawn: another one means that they are to be drawn again."""
    folder = resources.files("osteon.registry")
    return hashlib.sha256(b"".join(folder.joinpath(f"{name}.py").read_bytes() for name in _RULES)).hexdigest()


def extract(record: Record) -> Extraction:
    """What can be drawn from a record."""
    return Extraction(record)
