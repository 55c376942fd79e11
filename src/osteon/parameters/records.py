"""The loader of parameter records (one TOML file per model or mechanism)."""

from __future__ import annotations

import functools
import hashlib
import json
import tomllib
from collections import namedtuple
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from importlib import resources
from typing import Any

import numpy as np

from osteon.errors import ModelError, nearest
from osteon.parameters import priors

BASES = {"osteon_mouse": "osteon"}
"""Parameter sets that are another one with some records of their own."""
CANDIDATES = 16  # of the priors, for each draw


@dataclass(frozen=True)
class Record:
    """One value. `origin` says how it came about (measured, fitted in source, estimated in source, derived,
    definition, assumed …), `source` is a key of references.bib, a row of the shipped tables ("physiology:BIO-017"),
    or "assumed"; `evidence` is a grade from A (human trial) to D, `bounds` what the value is thought to lie in."""

    id: str
    symbol: str
    name: str
    value: float
    units: str
    origin: str
    source: str
    locator: str
    evidence: str
    bounds: tuple[float, float] | None = None
    prior: Mapping[str, Any] | None = None
    """Of a fitted value: {"scale": "log" or "logit", "sd": width on that scale}, centred on the value here. With
    "fitted": false no fit moves it, and draws come from the prior itself (`osteon.parameters.priors`)."""
    between_people: Mapping[str, Any] | None = None
    """How it differs between people: {"scale": "log", "sd": …}. Variability, which draws do not hold."""
    translation: str | None = None
    """Of a value that crosses species or settings: from where, and what that costs in width."""
    direction: str | None = None
    """What more of it does: "+ lumbar_spine_bmd, romosozumab" (sign, end point, scenario of tests/parameters)."""


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

    def __contains__(self, ident: object) -> bool:
        return ident in self._records

    def __iter__(self) -> Iterator[str]:
        return iter(self._records)

    def __len__(self) -> int:
        return len(self._records)

    def values_tuple(self, **changes: float) -> Any:
        """The plain values as a named tuple in file order, `changes` by id put in."""
        for ident in changes:
            self[ident]
        return self._tuple(**{key: float(changes.get(key, r.value)) for key, r in self._records.items()})

    @functools.cached_property
    def hash(self) -> str:
        """Short content hash of all records, which never change."""
        plain = {key: asdict(record) for key, record in self._records.items()}
        return digest({key: {k: v for k, v in row.items() if v is not None} for key, row in plain.items()})


def digest(content: Any) -> str:
    """Twelve hex digits of the SHA-256 of `content` as canonical JSON."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]


@functools.cache
def load(name: str) -> ParameterSet:
    """The parameter set `name`: one file, or a folder with a file for each mechanism. Raises ModelError when a record
    is incomplete."""
    root = resources.files("osteon.parameters")
    folder, single = root.joinpath(name), root.joinpath(f"{name}.toml")
    if name in BASES:
        return _over(name, load(BASES[name]), folder)
    if folder.is_dir():
        files = sorted((f for f in folder.iterdir() if f.name.endswith(".toml")), key=lambda f: f.name)
    elif single.is_file():
        files = [single]
    else:
        raise ModelError(f"there is no parameter set {name!r}")
    records = [record for file in files for record in _records(name, file.read_text("utf-8"))]
    fitted = folder.joinpath("fit", "fit.json")
    if fitted.is_file():
        values = {row["id"]: float(row["value"]) for row in json.loads(fitted.read_text("utf-8"))["values"]}
        records = [_fitted(record, values) for record in records]
    return ParameterSet(name, tuple(records))


def _over(name: str, base: ParameterSet, folder: Any) -> ParameterSet:
    """The records of another set with those of a folder in place of the ones of the same id."""
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".toml")), key=lambda f: f.name)
    own = {record.id: record for file in files for record in _records(name, file.read_text("utf-8"))}
    for ident in own:
        base[ident]
    return ParameterSet(name, tuple(own.get(ident, record) for ident, record in base.items()))


def shown(name: str) -> ParameterSet:
    """The records of a model for people to read; of one with draws, also how its bone is seen ("observation"), how it
    breaks ("fracture") and how a trial is run ("measurement")."""
    own = load(name)
    if not draws(name):
        return own
    more = [record for part in ("observation", "fracture", "measurement") for record in load(part).values()]
    return ParameterSet(name, (*own.values(), *more))


def _fitted(record: Record, values: Mapping[str, float]) -> Record:
    """A record with the value that the shipped fit found; its own value stays the center of its prior."""
    if record.id not in values or record.prior is None:
        return record
    prior = {**record.prior, "center": record.value}
    return replace(record, value=values[record.id], origin="fitted here", source="osteon", prior=prior,
                   locator="the shipped fit (fit.json says which run made it)")  # fmt: skip


@functools.cache
def draws(name: str) -> dict[str, np.ndarray]:
    """Draws of the parameters [draw] by id: those of the shipped fit, and beside them draws of the priors of
    parameters that no fit has touched, given the experiment of `osteon.fit.mouse`; empty without a fit."""
    fitted = fitted_draws(name)
    if not fitted:
        return {}
    n = len(next(iter(fitted.values())))
    lines = _of_fit(name, "candidates.csv").read_text("utf-8").split()[1:]
    every = priors.sample(load(name), n * CANDIDATES)
    return fitted | {ident: values[np.array(lines, int)] for ident, values in every.items()}


@functools.cache
def fitted_draws(name: str) -> dict[str, np.ndarray]:
    """Draws of the shipped fit [draw] by id; empty for a model without one. A set that rests on another one takes the
    draws of its fit for the records that it has left as they are."""
    path = _of_fit(name, "draws.csv")
    if not path.is_file():
        return {}
    head, *rows = path.read_text("utf-8").split()
    table = np.array([[float(v) for v in row.split(",")] for row in rows])
    known, base = load(name), load(BASES.get(name, name))
    fitted = zip(head.split(","), table.T, strict=True)
    return {ident: values for ident, values in fitted if known[ident] is base[ident]}


def _of_fit(name: str, file: str) -> Any:
    """A file of the fit that a set rests on."""
    return resources.files("osteon.parameters").joinpath(BASES.get(name, name), "fit", file)


def _records(name: str, text: str) -> Iterator[Record]:
    data = tomllib.loads(text)
    common = {key: data["set"][key] for key in ("source", "locator", "evidence")}
    for row in data["parameter"]:
        if "bounds" in row:
            row = {**row, "bounds": tuple(row["bounds"])}
        try:
            yield Record(**{**common, **row})
        except TypeError as error:
            raise ModelError(f"parameters {name}: a record is incomplete: {error}") from None
