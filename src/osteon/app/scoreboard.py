"""The evidence as the app tells it: scores of all trials, and of one trial each published and simulated value.

Published values are always there. What the model says comes from the shipped scores where they were made with these
very parameters, else from what was simulated here before (kept in the user's data folder), else nothing until a job
simulates it.
"""

from __future__ import annotations

import functools
import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osteon import files, models, userdata
from osteon.endpoints import ENDPOINTS
from osteon.errors import OsteonWarning
from osteon.evidence import load_trial, load_trials
from osteon.report import scoreboard as shipped_scores

if TYPE_CHECKING:
    from osteon.evidence import Trial

NOTICE = "A research tool, not medical advice."


@functools.cache
def _hash(model: str) -> str:
    return models.get(model).parameter_hash


def _kept(model: str, trial: str) -> Path:
    return userdata.folder("scores", f"{model}-{_hash(model)}", f"{trial}.json")


def board(model: str = "osteon") -> dict[str, Any]:
    """Scores by trial and end point, pooled scores, what is known to be wrong, and what each trial is."""
    name = models.get(model).name
    shipped = shipped_scores.shipped() if name == models.DEFAULT else {}
    current = bool(shipped) and shipped["parameters_hash"] == _hash(name)
    found = []
    for ident, trial in load_trials().items():
        told = simulated(ident, name)
        found.append(
            {
                "id": ident, "title": trial.title, "year": trial.year, "use": trial.use, "summary": trial.summary,
                "arms": len(trial.arms), "values": sum(len(c.scored_points()) for c in trial.curves),
                "simulated": told is not None, "rows": told["rows"] if told else [],
            }
        )  # fmt: skip
    return {
        "model": name,
        "parameters_hash": _hash(name),
        "shipped": {"there": bool(shipped), "current": current, "osteon": shipped.get("osteon", "")},
        "pooled": shipped.get("pooled", []),
        "trials": found,
        "parts": shipped.get("parts", {}),
        "notice": NOTICE,
    }


def simulated(trial: str, model: str = "osteon") -> dict[str, Any] | None:
    """What the model says of a trial, made with the parameters of today; None when nobody has simulated it yet."""
    name = models.get(model).name
    shipped = shipped_scores.shipped() if name == models.DEFAULT else {}
    if shipped and shipped["parameters_hash"] == _hash(name) and trial in shipped["trials"]:
        return dict(shipped["trials"][trial])
    kept = _kept(name, trial)
    try:
        return dict(json.loads(kept.read_text("utf-8"))) if kept.is_file() else None
    except (OSError, ValueError):
        return None  # a damaged file is made again


def score(
    trial: str, model: str | None = None, progress: Callable[[float, str], None] | None = None
) -> dict[str, Any]:
    """Simulate the arms of a trial and keep what came out; some ten seconds an arm. Raises EvidenceError."""
    from osteon.evidence.score import validate

    chosen = models.get(model)
    one = load_trial(trial)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OsteonWarning)  # what the model lacks shows as gaps
        found = shipped_scores.trial(validate(chosen, [one], progress=progress), one.id)
    files.write_whole(_kept(chosen.name, one.id), json.dumps(found, allow_nan=False))
    return found


def arms(ident: str, model: str = "osteon") -> dict[str, Any]:
    """One trial: people, sources, and for each arm the published curves and what the model says of them."""
    trial = load_trial(ident)
    told = simulated(trial.id, model)
    lines = told["arms"] if told else {}
    why = {row["arm"]: row["why"] for row in told["skipped"]} if told else {}
    return {
        "id": trial.id, "title": trial.title, "year": trial.year, "use": trial.use, "summary": trial.summary,
        "registry": trial.registry.id if trial.registry else None,
        "people": trial.people.model_dump(exclude_none=True),
        "sources": {key: one.model_dump(exclude_none=True) for key, one in trial.sources.items()},
        "rows": told["rows"] if told else [],
        "is_simulated": told is not None,
        "arms": [
            {
                "id": arm.id, "title": arm.title, "regimen": arm.regimen, "prior": arm.prior, "n": arm.n,
                "curves": _curves(trial, arm.id), "simulated": lines.get(arm.id), "not_simulated": why.get(arm.id),
            }
            for arm in trial.arms if trial.curves_of(arm.id)
        ],
        "notice": NOTICE,
    }  # fmt: skip


def _curves(trial: Trial, arm: str) -> list[dict[str, Any]]:
    return [
        {
            "id": curve.id, "endpoint": curve.endpoint, "label": ENDPOINTS[curve.endpoint].label, "unit": curve.unit,
            "statistic": curve.statistic, "confidence": curve.confidence, "n": curve.n, "note": curve.note,
            "source": curve.source,
            "points": [
                {
                    "month": p.month, "value": p.value, "low": p.bar[0], "high": p.bar[1], "row": p.row, "at": p.at,
                    "kind": p.kind or curve.kind, "source": p.source or curve.source,
                }
                for p in curve.scored_points()
            ],
        }
        for curve in trial.curves_of(arm)
    ]  # fmt: skip
