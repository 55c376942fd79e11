"""The summary table of a study: one row per arm, end point and visit."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from osteon import uncertainty
from osteon.endpoints import ENDPOINTS
from osteon.errors import OsteonWarning
from osteon.units import MONTH_DAYS, number

if TYPE_CHECKING:
    import xarray as xr

    from osteon.study import Study

COLUMNS = ("study", "arm", "endpoint", "month", "statistic", "value", "lower", "upper", "n")


def summarise(result: xr.Dataset, study: Study) -> pd.DataFrame:
    """Mean % change from month 0 by arm, end point and visit.

    BMD is the mean over people of 100·(x/x₀ − 1); markers are 100·(exp(mean ln(x/x₀)) − 1), since published
    marker values are medians. `value` is the mean over draws; `lower` and `upper` are 5 and 95 % of what a trial
    of `n` people per arm would see of it (`osteon.uncertainty`). A Result of one draw leaves them empty. End points
    that the model lacks are left out with one warning.
    """
    missing = [name for name in study.endpoints if name not in result]
    if missing:
        warnings.warn(f"left out, the model has no such end point: {', '.join(missing)}", OsteonWarning, stacklevel=2)
    rows = []
    days, n = result["time"].to_numpy(), study.people.n_per_arm
    for arm in study.arms:
        for name in study.endpoints:
            if name in missing:
                continue
            x = result[name].sel(arm=arm.name).to_numpy()  # draw, person, time
            ratio = x / x[..., :1]
            marker = ENDPOINTS[name].kind == "marker"
            mean = np.exp(np.log(ratio).mean(axis=1)) if marker else ratio.mean(axis=1)  # draw, time
            value = 100.0 * (mean - 1.0).mean(axis=0)
            lower, upper = uncertainty.interval(name, mean, n) if len(x) > 1 else (np.full(len(days), np.nan),) * 2
            for month in study.visits:
                at = int(np.argmin(np.abs(days - month * MONTH_DAYS)))
                rows.append(
                    (study.id, arm.name, name, month, "mean_pct_change", float(value[at]), float(lower[at]),
                     float(upper[at]), n)
                )  # fmt: skip
    return pd.DataFrame(rows, columns=list(COLUMNS))


def csv_text(table: pd.DataFrame) -> str:
    """The table as CSV, months as they were given."""
    return table.assign(month=[number(m) for m in table["month"]]).to_csv(index=False, lineterminator="\n")
