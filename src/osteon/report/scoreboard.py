"""The scores in one JSON file that ships with osteon, so that the app shows them at once; `make scores` writes it."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from osteon import files
from osteon.endpoints import ENDPOINTS

if TYPE_CHECKING:
    from osteon.evidence.score import Scores

FILE = "scores.json"
LINE_POINTS = 120  # of the model's course in an arm; a page draws no more


def path() -> Path:
    """Where the file is kept: beside the evidence."""
    return Path(str(resources.files("osteon.evidence").joinpath(FILE)))


@functools.cache
def shipped() -> dict[str, Any]:
    """The shipped scores; empty when `make scores` has not been run."""
    found = path()
    return dict(json.loads(found.read_text("utf-8"))) if found.is_file() else {}


def trial(scores: Scores, ident: str) -> dict[str, Any]:
    """Of one trial: scores by end point, and by arm the model's course and each scored value with its prediction (%
    change from baseline, months)."""
    points = scores.points[scores.points["trial"] == ident]
    arms = {}
    for (of, arm), line in scores.lines.items():
        if of != ident:
            continue
        mine = points[points["arm"] == arm]
        names = [name for name in ENDPOINTS if name in set(mine["endpoint"])]
        keep = _thinned(line.months, mine["month"].to_numpy(float))
        arms[arm] = {
            "age": line.age,
            "age_assumed": line.age_assumed,
            "months": _rounded(line.months[keep]),
            "course": {name: _rounded(line.change[name][keep]) for name in names},
            "points": [
                {key: _number(row[key]) if key != "endpoint" else str(row[key])
                 for key in ("endpoint", "month", "observed", "predicted", "lower", "upper")}
                for row in mine.to_dict("records")
            ],
        }  # fmt: skip
    skipped = [row for row in scores.skipped if row["trial"] == ident]
    rows = [_plain(row) for row in scores.rows() if row["trial"] == ident]
    return {"rows": rows, "arms": arms, "skipped": skipped}


def content(scores: Scores, parts: Mapping[str, str]) -> dict[str, Any]:
    """The whole file; `parts` are texts written by hand (what the scores mean, where the model is wrong)."""
    return {
        "model": scores.model,
        "parameters_hash": scores.provenance["parameters_hash"],
        "osteon": scores.provenance.get("osteon_version", ""),
        "pooled": [_plain(row) for row in scores.pooled()],
        "trials": {ident: trial(scores, ident) for ident in scores.trials},
        "parts": dict(parts),
    }


def write(scores: Scores, parts: Mapping[str, str], to: Path | None = None) -> Path:
    """Write the file, whole or not at all."""
    text = json.dumps(content(scores, parts), allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    return files.write_whole(to or path(), text + "\n")


def _thinned(months: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Indices of at most some hundred times, those with published values among them."""
    every = np.unique(np.linspace(0, len(months) - 1, LINE_POINTS).astype(int))
    return np.union1d(every, np.searchsorted(months, wanted).clip(0, len(months) - 1))


def _rounded(values: np.ndarray) -> list[float]:
    return [float(f"{v:.5g}") for v in values]


def _number(value: Any) -> float | None:
    return None if value is None or value != value else float(f"{float(value):.6g}")


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value if isinstance(value, str | int) else _number(value) for key, value in row.items()}
