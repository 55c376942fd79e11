"""Runs a saved Result of a study again, and says whether the numbers are the same, bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from osteon import models
from osteon.errors import InputError
from osteon.result import provenance
from osteon.simulation import run
from osteon.study import Study

if TYPE_CHECKING:
    import xarray as xr

TRIAL = "trial"  # what the attribute osteon_kind of a virtual trial says


def again(
    result: xr.Dataset, *, progress: Callable[[float], None] | None = None
) -> tuple[xr.Dataset, Study, list[str]]:
    """The study of a Result (or of the trial.nc of a virtual trial) run anew with its model, mechanisms left out,
    draws and seed; the study; and what of today's osteon is otherwise than when it was made. Raises InputError when
    it is of no study."""
    facts = provenance(result)
    if not facts.get("study"):
        raise InputError(
            "this result is not of a study; osteon rerun takes the result.nc or trial.nc that osteon run wrote"
        )
    study = Study.model_validate(facts["study"])
    model = models.get(facts["model"], facts.get("without", ()))
    if result.attrs.get("osteon_kind") == TRIAL:
        from osteon.trial.run import trial

        if facts["engine"].get("own_people"):
            raise InputError(
                "this trial was run with people from a file, which the result does not keep; "
                "run it again with osteon run STUDY --trial --people FILE"
            )
        draw = facts["engine"].get("draw")
        again = trial(study, model, int(facts["seed"]), draw=draw, progress=progress).observed
        return again, study, changed(facts, provenance(again))
    draws = int(facts["engine"].get("draws", 0))
    found = run(study, model=model, seed=int(facts["seed"]), draws=draws, progress=progress)
    return found, study, changed(facts, provenance(found))


def changed(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """What may move numbers and is otherwise: version, parameters, processor, libraries."""
    names = {"osteon_version": "osteon", "parameters_hash": "parameters", "platform": "machine", "python": "Python"}
    found = [f"{word} {before.get(key)} → {now.get(key)}" for key, word in names.items()
             if before.get(key) != now.get(key)]  # fmt: skip
    libraries = now["libraries"]
    found += [f"{name} {old} → {libraries.get(name)}" for name, old in before.get("libraries", {}).items()
              if libraries.get(name) != old]  # fmt: skip
    return found


def differences(before: xr.Dataset, now: xr.Dataset) -> dict[str, float]:
    """By end point, the largest relative difference of two Results of one study; those that are equal bit for bit are
    left out. An end point that one of them lacks, or of another shape, counts as infinitely far."""
    found: dict[str, float] = {}
    for name in dict.fromkeys([*before.data_vars, *now.data_vars]):
        if name not in before or name not in now or before[name].shape != now[name].shape:
            found[str(name)] = float("inf")
            continue
        one, other = before[name].to_numpy(), now[name].to_numpy()
        if not np.array_equal(one, other, equal_nan=True):
            both = np.isfinite(one) & np.isfinite(other)
            odd = ~both & (one != other) & ~(np.isnan(one) & np.isnan(other))  # a number here, none there
            far = np.abs(other[both] - one[both]) / np.maximum(np.abs(one[both]), 1e-300)
            found[str(name)] = float("inf") if odd.any() else float(far.max())
    return found
