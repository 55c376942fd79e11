"""The loader of parameter records (one TOML file per model or mechanism)."""

from __future__ import annotations

import functools
import hashlib
import json
import tomllib
from collections import namedtuple
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib import resources
from typing import Any

from osteon.errors import ModelError, nearest


@dataclass(frozen=True)
class Record:
    """One value. `origin` says how it came about (measured, fitted in source, estimated in source, derived,
    assumed …), `source` is a key of references.bib, `evidence` a grade from A (human trial) to D."""

    id: str
    symbol: str
    name: str
    value: float
    units: str
    origin: str
    source: str
    locator: str
    evidence: str


class ParameterSet(Mapping[str, Record]):
    """The records of one model by id, in file order."""

    def __init__(self, name: str, records: tuple[Record, ...]) -> None:
        self.name = name
        self._records = {record.id: record for record in records}
        if len(self._records) != len(records):
            raise ModelError(f"parameters {name}: an id stands twice")
        self._tuple = namedtuple("Parameters", tuple(self._records))  # type: ignore[misc]

    def __getitem__(self, ident: str) -> Record:
        try:
            return self._records[ident]
        except KeyError:
            raise ModelError(f"{self.name} has no parameter {ident!r}{nearest(ident, self._records)}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._records)

    def __len__(self) -> int:
        return len(self._records)

    def values_tuple(self, **changes: float) -> Any:
        """The plain values as a named tuple in file order, `changes` by id put in."""
        for ident in changes:
            self[ident]
        return self._tuple(**{key: float(changes.get(key, r.value)) for key, r in self._records.items()})

    @property
    def hash(self) -> str:
        """Short content hash of all records."""
        return digest({key: asdict(record) for key, record in self._records.items()})


def digest(content: Any) -> str:
    """Twelve hex digits of the SHA-256 of `content` as canonical JSON."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]


@functools.cache
def load(name: str) -> ParameterSet:
    """The parameter set `name`; raises ModelError when a record is incomplete."""
    try:
        text = resources.files("osteon.parameters").joinpath(f"{name}.toml").read_text("utf-8")
    except FileNotFoundError:
        raise ModelError(f"there is no parameter set {name!r}") from None
    data = tomllib.loads(text)
    common = {key: data["set"][key] for key in ("source", "locator", "evidence")}
    try:
        records = tuple(Record(**{**common, **row}) for row in data["parameter"])
    except TypeError as error:
        raise ModelError(f"parameters {name}: a record is incomplete: {error}") from None
    return ParameterSet(name, records)
