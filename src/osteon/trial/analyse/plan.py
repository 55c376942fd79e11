"""The analysis that a study file asks for, over all end points and visits.

BMD is analysed as % change from month 0, adjusted for BMD at month 0. A marker is analysed as the change of its
logarithm, adjusted for the logarithm at month 0, and told as % (geometric means; a difference of arms as a ratio).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from osteon.endpoints import ENDPOINTS
from osteon.errors import OsteonWarning
from osteon.trial.analyse.ancova import ancova
from osteon.trial.analyse.events import Ratio, cox, kaplan_meier, log_rank, risk_ratio
from osteon.trial.analyse.missing import carry, impute, pooled
from osteon.trial.analyse.mmrm import mmrm
from osteon.trial.measure import stream
from osteon.trial.settings import Analysis
from osteon.units import MONTH_DAYS

if TYPE_CHECKING:
    import xarray as xr

    from osteon.study import Study

COLUMNS = ("study", "arm", "endpoint", "month", "statistic", "value", "lower", "upper", "p", "n")
EVENT_COLUMNS = ("person", "arm", "kind", "time_days")


@dataclass(frozen=True)
class Findings:
    """`table`: a row per arm, end point, visit and statistic (COLUMNS). `curves`: Kaplan–Meier curves by end point.
    `primary`: end point and month that the trial is judged by; `reference`: the arm that others are set against."""

    table: pd.DataFrame
    curves: dict[str, pd.DataFrame]
    primary: tuple[str, float]
    reference: str


def plan_of(study: Study) -> tuple[Analysis, str, tuple[str, float]]:
    """The settings, the reference arm, and end point and month of the primary comparison: by default the first arm,
    the first end point of BMD or a marker (else the first), and the last visit."""
    plan = study.analysis or Analysis()
    measured = [name for name in study.endpoints if ENDPOINTS[name].kind in ("bmd", "marker")]
    primary = plan.primary or (measured or study.endpoints)[0]
    return plan, plan.reference or study.arms[0].name, (primary, plan.month or study.visits[-1])


def analyse(observed: xr.Dataset, study: Study, seed: int = 0, events: pd.DataFrame | None = None) -> Findings:
    """Analyse what `osteon.trial.measure.observe` saw; `events` are fractures (EVENT_COLUMNS, arm by name), if any.

    Statistics: `mean_pct_change` (adjusted), `difference_vs_ARM` (points of %; of a marker the ratio less 1 in %),
    `risk_pct` (Kaplan–Meier), `risk_ratio_vs_ARM`, `hazard_ratio_vs_ARM`. Raises InputError (and its kinds).
    """
    plan, reference, primary = plan_of(study)
    arms = [reference, *(arm.name for arm in study.arms if arm.name != reference)]
    rows: list[tuple[object, ...]] = []
    for name in study.endpoints:
        if name in observed and ENDPOINTS[name].kind in ("bmd", "marker"):
            rows += _changes(observed, study, name, arms, plan, seed)
    curves = {}
    if events is not None:
        for name in (n for n in study.endpoints if ENDPOINTS[n].kind == "fracture"):
            time, event, arm = times(observed, study, events, name, arms)
            made, curves[name] = _risks(study, name, arms, plan, time, event, arm)
            rows += made
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    order = {arm.name: i for i, arm in enumerate(study.arms)}
    table = table.sort_values("arm", key=lambda names: names.map(order), kind="stable", ignore_index=True)
    return Findings(table, curves, primary, reference)


def stacked(observed: xr.Dataset, name: str, arms: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Values of an end point [person of all arms, time] and the arm of each (its place in `arms`)."""
    x = np.concatenate([observed[name].isel(draw=0).sel(arm=arm).to_numpy() for arm in arms])
    return x, np.repeat(np.arange(len(arms)), observed.sizes["person"])


def _changes(
    observed: xr.Dataset, study: Study, name: str, arms: list[str], plan: Analysis, seed: int
) -> list[tuple[object, ...]]:
    x, arm = stacked(observed, name, arms)
    marker = ENDPOINTS[name].kind == "marker"
    months = [month for month in study.visits if month > 0]
    if not months:
        return []
    days = observed["time"].to_numpy()
    at = [int(np.argmin(np.abs(days - month * MONTH_DAYS))) for month in months]
    start = np.log(x[:, 0]) if marker else x[:, 0]
    change = np.log(x[:, at] / x[:, :1]) if marker else 100.0 * (x[:, at] / x[:, :1] - 1.0)
    use = np.isfinite(start)
    start, change, arm = start[use], change[use], arm[use]
    found = _fits(change, start, arm, arms, plan, stream(seed, "impute", name), marker)
    rows: list[tuple[object, ...]] = []
    for column, month in enumerate(months):
        for which, statistic in enumerate(("mean_pct_change", f"difference_vs_{arms[0]}")):
            part = found[which][found[which]["visit"] == column]
            for row in part.to_dict("records"):
                numbers = [float(row[key]) for key in ("estimate", "lower", "upper")]
                told = [100.0 * float(np.expm1(v)) for v in numbers] if marker else numbers
                p = float(row["p"]) if which else float("nan")
                rows.append((study.id, arms[row["arm"]], name, month, statistic, *told, p, int(row["n"])))
    return rows


def _fits(
    change: np.ndarray, start: np.ndarray, arm: np.ndarray, arms: list[str], plan: Analysis,
    rng: np.random.Generator, marker: bool,
) -> tuple[pd.DataFrame, pd.DataFrame]:  # fmt: skip
    """Adjusted means and differences by `visit`, as the plan has it."""
    if plan.method == "mmrm":
        fit = mmrm(change, arm, start, arms=len(arms), alpha=plan.alpha)
        return fit.means, fit.differences
    values = change[None]
    if plan.missing in ("locf", "baseline"):
        values = carry(change, plan.missing)[None]
    elif plan.missing == "multiple" and not np.isfinite(change).all():
        delta = float(np.log1p(plan.delta / 100.0)) if marker else plan.delta
        values = impute(change, start, arm, rng, times=plan.imputations, delta=delta,
                        reference_based=plan.reference_based)  # fmt: skip
    tables: tuple[list[pd.DataFrame], list[pd.DataFrame]] = ([], [])
    for visit in range(change.shape[1]):
        one = values[:, :, visit]
        fit2 = (pooled(one, start, arm, arms=len(arms), alpha=plan.alpha, robust=plan.robust) if len(values) > 1 else
                ancova(one[0], start, arm, arms=len(arms), alpha=plan.alpha, robust=plan.robust))  # fmt: skip
        for part, table in zip(tables, fit2, strict=True):
            part.append(table.assign(visit=visit))
    return pd.concat(tables[0]), pd.concat(tables[1])


def times(
    observed: xr.Dataset, study: Study, events: pd.DataFrame, name: str, arms: list[str]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Days to the first event of a kind or to the end of being watched, whether it happened, and the arm, of all
    people of all arms. Who has left is not watched any more; people whose run failed are left out."""
    from osteon.trial.measure import NO_RUN

    end, people = study.visits[-1] * MONTH_DAYS, observed.sizes["person"]
    kept, parts = [], []
    for index, arm in enumerate(arms):
        own = events[(events["arm"] == arm) & (events["kind"] == name)]
        first = np.full(people, np.inf)
        np.minimum.at(first, own["person"].to_numpy(int), own["time_days"].to_numpy(float))
        watched = np.minimum(observed["left_day"].sel(arm=arm).to_numpy(), end)
        ran = observed["status"].sel(arm=arm).to_numpy() != NO_RUN
        parts.append(np.stack([np.minimum(first, watched), first <= watched])[:, ran])
        kept.append(np.full(int(ran.sum()), index))
    both = np.concatenate(parts, axis=1)
    return both[0], both[1].astype(bool), np.concatenate(kept)


def _risks(
    study: Study, name: str, arms: list[str], plan: Analysis, time: np.ndarray, event: np.ndarray, arm: np.ndarray
) -> tuple[list[tuple[object, ...]], pd.DataFrame]:
    month, reference = study.visits[-1], arms[0]
    curve = kaplan_meier(time, event, arm, plan.alpha)
    n, seen = np.bincount(arm, minlength=len(arms)), np.bincount(arm, weights=event, minlength=len(arms))
    rows: list[tuple[object, ...]] = []
    for k, label in enumerate(arms):
        last = curve[curve["arm"] == k].iloc[-1]
        told = (100.0 * last["risk"], 100.0 * last["lower"], 100.0 * last["upper"])
        rows.append((study.id, label, name, month, "risk_pct", *told, float("nan"), int(n[k])))
    if len(arms) < 2 or not month:
        return rows, curve

    def told_ratio(ratio: Ratio, statistic: str, p: float) -> None:
        numbers = (ratio.value, ratio.lower, ratio.upper)
        if all(np.isfinite(numbers)):
            rows.append((study.id, arms[ratio.arm], name, month, statistic, *numbers, p, int(n[ratio.arm])))
        else:
            warnings.warn(f"left out, {name}: no {statistic} without events in {reference}", OsteonWarning, 2)

    for ratio in risk_ratio(seen, n, plan.alpha):
        told_ratio(ratio, f"risk_ratio_vs_{reference}", ratio.p)
    p_values = log_rank(time, event, arm)
    for ratio in cox(time, event, arm, alpha=plan.alpha):
        told_ratio(ratio, f"hazard_ratio_vs_{reference}", float(p_values[ratio.arm]))
    return rows, curve
