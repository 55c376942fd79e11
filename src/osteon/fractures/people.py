"""The people of a Result as fractures need them: age, sex, T-scores, earlier fracture, and their hazards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from osteon import tscores
from osteon.fractures.hazards import SITES, Values
from osteon.fractures.incidence import course, grid_of, interpolate, lacking
from osteon.fractures.mortality import death_rate
from osteon.fractures.relative import PLACES, relative
from osteon.result import provenance

if TYPE_CHECKING:
    import xarray as xr

YEAR_DAYS = 365.25


def readable(result: xr.Dataset) -> bool:
    """Whether fractures can be read from a Result: a human's, with BMD in g/cm2 at the sites that are needed."""
    sites = {*SITES.values(), *PLACES.values()}
    human = (provenance(result).get("person") or {}).get("species", "human") == "human"
    return human and all(
        f"{site}_bmd" in result and result[f"{site}_bmd"].attrs.get("units") == tscores.UNITS for site in sites
    )


def features(result: xr.Dataset) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Age (year), whether male, and earlier vertebral fracture (None: not known) [person]."""
    n, one = result.sizes["person"], provenance(result).get("person") or {}
    if "age" in result.coords:
        age = result["age"].to_numpy().astype(float)
    elif "age" in one:
        age = np.full(n, float(one["age"]))
    else:
        raise lacking()
    if "sex" in result.coords:
        male = result["sex"].to_numpy() == "male"
    else:
        male = np.full(n, one.get("sex", "female") == "male")
    known: Any = one.get("prior_vertebral_fracture")
    if "prior_vertebral_fracture" in result.coords:
        return age, male, result["prior_vertebral_fracture"].to_numpy().astype(float)
    return age, male, None if known is None else np.full(n, float(known))


def courses(
    result: xr.Dataset, kind: str, values: Values | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Hazards of a kind of fracture and of death per year [draw, arm, person, grid], the grid and the Result's own
    times, in years from month 0. Raises InputError."""
    if not readable(result):
        raise lacking()
    age, male, prior = features(result)
    years = result["time"].to_numpy() / YEAR_DAYS
    fine = grid_of(years)
    path = interpolate(of_result(result, kind, age, male, years, values), years, fine)
    mean, unit = tscores.references()[SITES[kind]]
    t = (result[f"{SITES[kind]}_bmd"].isel(time=0).to_numpy() - mean) / unit  # draw, arm, person
    rates = course(kind, age, male, t, prior, fine, path, values)
    deaths = np.broadcast_to(death_rate(age[:, None] + fine, male[:, None]), rates.shape)
    return rates, deaths, fine, years


def of_result(
    result: xr.Dataset, kind: str, age: np.ndarray, male: np.ndarray, years: np.ndarray, values: Values | None = None
) -> np.ndarray:
    """The logarithm of the ratio of hazards [draw, arm, person, time] of a Result's people."""
    names = [f"{PLACES[kind]}_bmd", *(["ctx"] if "ctx" in result else [])]
    ratio = {}
    for name in names:
        x = result[name].to_numpy()
        ratio[name] = x / x[..., :1]
    return relative(kind, age, male, years, ratio, values)
