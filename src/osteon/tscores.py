"""T-scores: how far BMD lies from that of young women, in their standard deviations.

    T = (BMD - mean) / SD

One reference for both sexes, that of women, as the WHO and the ISCD have it at the hip; the spine is treated alike. A
person's T-scores set the scale of the absolute BMD at month 0. BMD is linear in peak bone mass, so that this is the
peak of the person, who is on the usual course: changes in % are not touched. People who differ are given rates of
loss of their own too (population/baseline).
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from osteon import parameters
from osteon.endpoints import SITES
from osteon.errors import InputError, OsteonWarning

if TYPE_CHECKING:
    import xarray as xr

UNITS = "g/cm2"
LIMIT = 6.0  # beyond it a T-score is surely a mistake


@functools.cache
def references() -> Mapping[str, tuple[float, float]]:
    """Mean and SD of young women (g/cm2) by site, where there is a reference."""
    records = parameters.load("observation")
    return {
        site: (records[f"reference_{site}"].value, records[f"reference_sd_{site}"].value)
        for site in SITES
        if f"reference_{site}" in records
    }


def scale(values: Mapping[str, np.ndarray], t_score: Mapping[str, float] | None) -> dict[str, np.ndarray]:
    """End points [draw, arm, person, time] with BMD such that it has the given T-scores at the first time. A site
    without one is scaled by the mean factor of those that have one. Raises InputError."""
    known = references()
    target: dict[str, float] = {}
    for site, t in (t_score or {}).items():
        if site not in known or f"{site}_bmd" not in values:
            warnings.warn(f"left out, there is no reference for a T-score of {site}", OsteonWarning, stacklevel=2)
            continue
        if not -LIMIT <= t <= LIMIT:
            raise InputError(f"t_score {site} {t:g}: T-scores lie between −{LIMIT:g} and {LIMIT:g}")
        mean, sd = known[site]
        target[site] = mean + t * sd
    if not target:
        return dict(values)
    factors = {f"{site}_bmd": bmd / values[f"{site}_bmd"][..., :1] for site, bmd in target.items()}
    usual = np.mean(list(factors.values()), axis=0)
    return {
        name: x * factors.get(name, usual) if name.removesuffix("_bmd") in SITES else x for name, x in values.items()
    }


def t_score(result: xr.Dataset) -> xr.Dataset:
    """T-scores of a Result at lumbar_spine, total_hip and femoral_neck; empty where BMD is relative (jorg2022)."""
    import xarray as xr

    found = {}
    for site, (mean, sd) in references().items():
        bmd = result.get(f"{site}_bmd")
        if bmd is not None and bmd.attrs.get("units") == UNITS:
            found[site] = ((bmd - mean) / sd).assign_attrs(units="1", long_name=f"T-score, {site.replace('_', ' ')}")
    return xr.Dataset(found)
