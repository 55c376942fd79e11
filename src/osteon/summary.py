"""The summary table of a study: one row per arm, end point, visit and statistic."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from osteon import tscores, uncertainty
from osteon.endpoints import ENDPOINTS
from osteon.errors import OsteonWarning
from osteon.fractures import summary as fracture_summary
from osteon.fractures.people import readable
from osteon.units import MONTH_DAYS, number

if TYPE_CHECKING:
    import xarray as xr

    from osteon.study import Study

COLUMNS = ("study", "arm", "endpoint", "month", "statistic", "value", "lower", "upper", "n")
Bounds = tuple[np.ndarray, ...] | None
_SHARES = (uncertainty.LOWER, uncertainty.UPPER)


def summarise(result: xr.Dataset, study: Study) -> pd.DataFrame:
    """Mean % change from month 0 by arm, end point and visit; then differences between arms, and T-scores.

    `mean_pct_change`: BMD is the mean over people of 100·(x/x₀ − 1); markers are 100·(exp(mean ln(x/x₀)) − 1), since
    published marker values are medians. `value` is the mean over draws; `lower` and `upper` are 5 and 95 % of what a
    trial of `n` people per arm would see of it (`osteon.uncertainty`). `difference_vs_ARM` is how far the others are
    from the first arm, in points of it, draw by draw; `lower` and `upper` are those of such a difference.
    `mean_t_score`, where BMD is in g/cm² and has a reference; its interval is that of the change.

    Of fractures `cumulative_incidence`: the share of people (%) with a first one since month 0; `lower` and `upper`
    are those of what an arm of `n` people would see (`osteon.fractures.summary`).

    A Result of one draw leaves `lower` and `upper` empty. End points that the model lacks are left out, with one
    warning.
    """
    fractures = [name for name in study.endpoints if ENDPOINTS[name].kind == "fracture"] if readable(result) else []
    missing = [name for name in study.endpoints if name not in result and name not in fractures]
    if missing:
        warnings.warn(f"left out, the model has no such end point: {', '.join(missing)}", OsteonWarning, stacklevel=2)
    days, n = result["time"].to_numpy(), study.people.n_per_arm
    at = [int(np.argmin(np.abs(days - month * MONTH_DAYS))) for month in study.visits]
    first = study.arms[0].name
    several = result.sizes["draw"] > 1
    scores = tscores.t_score(result)
    changes, differences, t_scores = [], [], []
    for arm in study.arms:
        for name in (n for n in study.endpoints if n not in missing):
            if name in fractures:
                share = fracture_summary.incidence(result, study, arm.name, name)[:, at]  # draw, visit
                seen = tuple(100.0 * x for x in fracture_summary.interval(share, n)) if several else None
                changes += _rows(study, arm.name, name, "cumulative_incidence", 100.0 * share, seen)
                continue
            mean = _mean_ratio(result, arm.name, name)[:, at]  # draw, visit
            bounds: Bounds = uncertainty.interval(name, mean, n) if several else None
            changes += _rows(study, arm.name, name, "mean_pct_change", 100.0 * (mean - 1.0), bounds)
            if arm.name != first:
                beside = _mean_ratio(result, first, name)[:, at]
                apart = 100.0 * (mean - beside)
                bounds = uncertainty.difference_interval(name, mean, beside, n) if several else None
                differences += _rows(study, arm.name, name, f"difference_vs_{first}", apart, bounds)
            site = name.removesuffix("_bmd")
            if site in scores:
                t = scores[site].sel(arm=arm.name).mean("person").to_numpy()[:, at]
                bounds = _t_bounds(name, t, mean, n) if several else None
                t_scores += _rows(study, arm.name, name, "mean_t_score", t, bounds)
    return pd.DataFrame([*changes, *differences, *t_scores], columns=list(COLUMNS))


def _mean_ratio(result: xr.Dataset, arm: str, name: str) -> np.ndarray:
    """The ratio to month 0 as a mean over people [draw, time]; of markers the geometric one."""
    x = result[name].sel(arm=arm).to_numpy()  # draw, person, time
    ratio = x / x[..., :1]
    marker = ENDPOINTS[name].kind == "marker"
    return np.asarray(np.exp(np.log(ratio).mean(axis=1)) if marker else ratio.mean(axis=1))


def _t_bounds(name: str, t: np.ndarray, ratio: np.ndarray, n: int) -> tuple[np.ndarray, ...]:
    """5 and 95 % of the mean T-score of n people [visit], the change of which would be seen with its usual error."""
    mean, sd = tscores.references()[name.removesuffix("_bmd")]
    start = (mean + sd * t) / ratio  # BMD at month 0
    error = uncertainty.error(name, n, 100.0 * (ratio - 1.0)) / 100.0 * start / sd
    seen = [uncertainty.quantile(t, error, share) for share in _SHARES]
    known = [np.quantile(t, share, axis=0) for share in _SHARES]
    return tuple(np.where((ratio == 1).all(axis=0), k, s) for k, s in zip(known, seen, strict=True))


def _rows(
    study: Study, arm: str, name: str, statistic: str, value: np.ndarray, bounds: Bounds
) -> list[tuple[object, ...]]:
    """A row per visit, from draws [draw, visit] and the bounds of the interval [visit]."""
    lower, upper = bounds if bounds is not None else (np.full(len(study.visits), np.nan),) * 2
    return [
        (study.id, arm, name, month, statistic, float(v), float(low), float(high), study.people.n_per_arm)
        for month, v, low, high in zip(study.visits, value.mean(axis=0), lower, upper, strict=True)
    ]


def csv_text(table: pd.DataFrame) -> str:
    """The table as CSV, months as they were given."""
    return table.assign(month=[number(m) for m in table["month"]]).to_csv(index=False, lineterminator="\n")
