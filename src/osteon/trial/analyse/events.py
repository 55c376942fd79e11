"""Times to an event by arm: Kaplan–Meier, log-rank, Cox, and risk ratios.

Death and leaving end the time in which an event can be seen (censored). A Kaplan–Meier curve is then the risk of
those who go on living, not the share of all who will have the event: death is a competing risk, which
`osteon.fractures` accounts for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from osteon.errors import InputError


@dataclass(frozen=True)
class Ratio:
    """An estimated ratio of risks or hazards against arm 0, its limits and two-sided p."""

    arm: int
    value: float
    lower: float
    upper: float
    p: float


def _checked(time: np.ndarray, event: np.ndarray, arm: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    time, event, arm = np.asarray(time, float), np.asarray(event, bool), np.asarray(arm)
    if not (np.isfinite(time) & (time >= 0)).all():
        raise InputError("times to an event must be finite and not negative")
    return time, event, arm


def kaplan_meier(time: np.ndarray, event: np.ndarray, arm: np.ndarray, alpha: float = 0.05) -> pd.DataFrame:
    """Cumulative risk (1 − Kaplan–Meier) at each time an event happened: `arm, time, risk, lower, upper, at_risk`, in
    shares; limits are lifelines' (log-log Greenwood). `time` in any unit, from 0."""
    from lifelines import KaplanMeierFitter

    time, event, arm = _checked(time, event, arm)
    parts = []
    for k in np.unique(arm):
        fit = KaplanMeierFitter(alpha=alpha).fit(time[arm == k], event[arm == k])
        risk = 1.0 - fit.survival_function_.iloc[:, 0]
        limits = (1.0 - fit.confidence_interval_).fillna(0.0)
        at_risk = fit.event_table["at_risk"].reindex(risk.index)
        happened = fit.event_table["observed"].reindex(risk.index) > 0
        keep = happened | (risk.index == 0) | (risk.index == risk.index[-1])
        part = pd.DataFrame(
            {"arm": int(k), "time": risk.index, "risk": risk.to_numpy(), "lower": limits.iloc[:, 1].to_numpy(),
             "upper": limits.iloc[:, 0].to_numpy(), "at_risk": at_risk.to_numpy().astype(int)}
        )  # fmt: skip
        parts.append(part[keep.to_numpy()])
    found: pd.DataFrame = pd.concat(parts, ignore_index=True)
    return found


def log_rank(time: np.ndarray, event: np.ndarray, arm: np.ndarray) -> pd.Series:
    """Two-sided p of the log-rank test of each arm against arm 0, by arm."""
    from lifelines.statistics import logrank_test

    time, event, arm = _checked(time, event, arm)
    own = arm == 0
    found = {}
    for k in np.unique(arm)[1:]:
        other = arm == k
        if not (event[own].any() or event[other].any()):
            found[int(k)] = 1.0
            continue
        test = logrank_test(time[own], time[other], event[own], event[other])
        found[int(k)] = float(test.p_value)
    return pd.Series(found, name="p")


def cox(
    time: np.ndarray, event: np.ndarray, arm: np.ndarray, covariates: pd.DataFrame | None = None, alpha: float = 0.05
) -> list[Ratio]:
    """Hazard ratios against arm 0 (proportional hazards, Efron's ties). An arm without any event, or an arm 0 without
    any, has none and is left out. Raises InputError when the fit fails."""
    from lifelines import CoxPHFitter
    from lifelines.exceptions import ConvergenceError

    time, event, arm = _checked(time, event, arm)
    arms = [int(k) for k in np.unique(arm) if event[arm == k].any()]
    if len(arms) < 2 or arms[0] != 0:
        return []
    use = np.isin(arm, arms)
    table = pd.DataFrame({"time": np.maximum(time[use], 1e-9), "event": event[use]})
    for k in arms[1:]:
        table[f"arm {k}"] = (arm[use] == k).astype(float)
    if covariates is not None:
        for name in covariates:
            x = covariates[name].to_numpy(float)[use]
            table[str(name)] = x - x.mean()
    try:
        fit = CoxPHFitter(alpha=alpha).fit(_shorter(table), "time", "event", weights_col="people")
    except (ConvergenceError, np.linalg.LinAlgError) as problem:
        raise InputError(f"the Cox model could not be fitted: {str(problem).splitlines()[0]}") from None
    low, high = fit.confidence_intervals_.iloc[:, 0], fit.confidence_intervals_.iloc[:, 1]
    found = []
    for k in arms[1:]:
        value, lower, upper = (float(np.exp(x[f"arm {k}"])) for x in (fit.params_, low, high))
        found.append(Ratio(k, value, lower, upper, float(fit.summary["p"][f"arm {k}"])))
    return found


def _shorter(table: pd.DataFrame) -> pd.DataFrame:
    """The same fit in fewer rows. It asks only who was at risk at each event, so that those who are watched no longer
    may end at the event before, and those of them who are alike can be counted (`people`)."""
    happened = np.unique(table["time"][table["event"]])
    before = np.concatenate([[0.0], happened])[np.searchsorted(happened, table["time"], side="right")]
    ended = table.assign(time=before)[~table["event"]]
    counted = ended.groupby([str(name) for name in table], as_index=False).size().rename(columns={"size": "people"})
    return pd.concat([table[table["event"]].assign(people=1), counted], ignore_index=True)


def risk_ratio(events: np.ndarray, people: np.ndarray, alpha: float = 0.05) -> list[Ratio]:
    """Ratios of the shares with an event, `events` and `people` [arm], against arm 0, with Katz's limits (log scale)
    and the p of Fisher's exact test. With no event in one arm the limits of that ratio are those with half an event
    added to both (and half a person without); the value stays as it is."""
    from scipy import stats

    events, people = np.asarray(events, float), np.asarray(people, float)
    if (people <= 0).any() or (events > people).any() or (events < 0).any():
        raise InputError("a risk needs people, and no more events than people")
    z, found = float(stats.norm.isf(alpha / 2)), []
    for k in range(1, len(events)):
        pair_events, pair_people = events[[0, k]], people[[0, k]]
        value = float(np.divide(*(pair_events / pair_people)[::-1])) if pair_events[0] else float("inf")
        add = 0.0 if (pair_events > 0).all() else 0.5
        e, n = pair_events + add, pair_people + 2 * add
        spread = float(np.sqrt(np.maximum((1 / e - 1 / n).sum(), 0.0)))
        middle = float(np.log(e[1] / n[1]) - np.log(e[0] / n[0]))
        p = float(stats.fisher_exact(np.stack([pair_events, pair_people - pair_events]))[1])
        if not pair_events.any():
            value, middle = 1.0, 0.0
        found.append(Ratio(k, value, float(np.exp(middle - z * spread)), float(np.exp(middle + z * spread)), p))
    return found
