"""Reads the trial files and tables that ship with osteon, or a user's own."""

from __future__ import annotations

import csv
import functools
import io
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from osteon import files
from osteon.errors import EvidenceError, nearest
from osteon.evidence.schema import Trial
from osteon.validation import validate

if TYPE_CHECKING:
    import pandas as pd

_TRIALS = resources.files("osteon.evidence").joinpath("trials")
_TABLES = resources.files("osteon.evidence").joinpath("tables")
TABLES = ("natural_history", "population", "physiology", "ageing_biology")


@functools.cache
def trial_ids() -> tuple[str, ...]:
    """Ids of the trials that ship with osteon."""
    return tuple(sorted(entry.name[:-5] for entry in _TRIALS.iterdir() if entry.name.endswith(".yaml")))


def load_trial(ident: str) -> Trial:
    """A trial by its id, or by the path of a trial file; raises EvidenceError with file, line and field."""
    if ident.endswith((".yaml", ".yml")):
        return read_trial(Path(ident))
    by_key = {name.casefold(): name for name in trial_ids()}
    if ident.casefold() not in by_key:
        raise EvidenceError(f"unknown trial {ident!r}{nearest(ident, by_key.values(), 0.4)}")
    return _shipped(by_key[ident.casefold()])


@functools.cache
def _shipped(ident: str) -> Trial:
    name = f"{ident}.yaml"
    return _trial(_TRIALS.joinpath(name).read_text("utf-8"), f"evidence/trials/{name}")


def read_trial(path: Path) -> Trial:
    """A trial from a file of one's own."""
    return _trial(files.read_text(path, EvidenceError), str(path))


def _trial(text: str, where: str) -> Trial:
    trial = validate(Trial, files.parse_yaml(text, where, EvidenceError), where, EvidenceError)
    if not trial.curves:
        raise EvidenceError(f"{where}: there is no curve; a trial needs at least one")
    return trial


def load_trials(use: str | None = None) -> dict[str, Trial]:
    """All trials by id; `use` keeps those marked "fit" or "validate"."""
    if use not in (None, "fit", "validate"):
        raise EvidenceError(f"unknown use {use!r}; it is 'fit' or 'validate'")
    trials = {ident: load_trial(ident) for ident in trial_ids()}
    return {ident: trial for ident, trial in trials.items() if use in (None, trial.use)}


def load_tables() -> dict[str, pd.DataFrame]:
    """The tables by name: natural_history, population, physiology and ageing_biology."""
    import pandas as pd

    return {name: pd.DataFrame(table_rows(name)) for name in TABLES}


def table_rows(name: str) -> list[dict[str, str]]:
    """The rows of a table as they stand in its file."""
    if name not in TABLES:
        raise EvidenceError(f"unknown table {name!r}{nearest(name, TABLES, 0.3)}")
    text = _TABLES.joinpath(f"{name}.csv").read_text("utf-8")
    return list(csv.DictReader(io.StringIO(text)))
