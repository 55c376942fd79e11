"""Scoring: a model's change from baseline against every published curve.

Scores are unweighted and pooled over rows with `likelihood`, comparator baseline, no differences. BMD is in
percentage points; markers on the natural-log scale of the ratio to baseline. Trials marked "validate" are
scored here and nowhere fitted.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from osteon import models, parameters, uncertainty
from osteon.endpoints import ENDPOINTS
from osteon.errors import InputError, OsteonError, OsteonWarning
from osteon.evidence.loader import load_trials
from osteon.evidence.schema import Trial, TrialArm
from osteon.result import percent_change, platform_facts
from osteon.simulation import person_of, simulate_at
from osteon.units import MONTH_DAYS

if TYPE_CHECKING:
    from osteon.models import Model
    from osteon.person import Person

ASSUMED_AGE = 65.0  # assumed, where a trial's mean age is not known; marked in the scores
Z90 = 1.645  # standard deviations either way that hold 90 %
MISSES = uncertainty.misses()  # the fit weighs values by the same
_ORDER = list(ENDPOINTS)
LINE_MONTHS, DRAWS_MONTHS = 0.1, 0.25  # spacing of the model lines that are drawn; with draws


@dataclass
class ArmLine:
    """The model's course in one arm: months, and % change by end point."""

    trial: str
    arm: TrialArm
    age: float
    age_assumed: bool
    months: np.ndarray
    change: dict[str, np.ndarray]


@dataclass
class Scores:
    """What `validate` found. `points` has one row per published value that was scored, `lines` the model's
    course by (trial, arm), `skipped` the arms that the model cannot simulate and why."""

    model: str
    points: pd.DataFrame
    lines: dict[tuple[str, str], ArmLine]
    skipped: list[dict[str, str]]
    trials: dict[str, Trial]
    missing_endpoints: list[str] = field(default_factory=list)
    provenance: dict[str, Any] = field(default_factory=dict)

    def rows(self) -> list[dict[str, Any]]:
        """Scores per trial and end point, trials for fitting first."""
        found = [
            {"trial": trial, "use": self.trials[str(trial)].use, "endpoint": endpoint, **score_points(group)}
            for (trial, endpoint), group in self.points.groupby(["trial", "endpoint"], sort=False)
        ]
        return sorted(found, key=lambda r: (r["use"], r["trial"], _ORDER.index(r["endpoint"])))

    def pooled(self) -> list[dict[str, Any]]:
        """Scores per use and end point, over all trials."""
        found = [
            {"use": use, "endpoint": endpoint, **score_points(group)}
            for (use, endpoint), group in self.points.groupby(["use", "endpoint"], sort=False)
        ]
        return sorted(found, key=lambda r: (r["use"], _ORDER.index(r["endpoint"])))


def validate(
    model: str | Model | None = None,
    trials: Iterable[Trial] | None = None,
    *,
    progress: Callable[[float, str], None] | None = None,
) -> Scores:
    """Simulate every arm that the model can, at the trial's mean age, and compare with each published value.

    `progress(share, what)` is called before each arm. Arms with a therapy that the model lacks are listed in
    `skipped`; end points that it lacks are left out with one warning.
    """
    chosen = models.get(model) if model is None or isinstance(model, str) else model
    own = getattr(chosen, "values", None)  # draws lie round the records' values, not round others
    draws = 0 if own else len(next(iter(parameters.draws(chosen.name).values()), ()))
    todo = list(trials) if trials is not None else list(load_trials().values())
    arms = [(trial, arm) for trial in todo for arm in trial.arms if trial.curves_of(arm.id)]
    records: list[dict[str, Any]] = []
    lines: dict[tuple[str, str], ArmLine] = {}
    skipped: list[dict[str, str]] = []
    missing: set[str] = set()
    for index, (trial, arm) in enumerate(arms):
        if progress is not None:
            progress(index / len(arms), f"{trial.id} {arm.id}")
        curves = trial.curves_of(arm.id)
        missing |= {c.endpoint for c in curves if c.endpoint not in chosen.endpoints}
        curves = [c for c in curves if c.endpoint in chosen.endpoints]
        if not curves:
            skipped.append({"trial": trial.id, "arm": arm.id, "why": "no end point of this arm is in the model"})
            continue
        months = np.array(sorted({p.month for c in curves for p in c.scored_points() if p.month is not None}))
        try:
            line, spread = _course(chosen, trial, arm, months, draws)
        except OsteonError as error:
            skipped.append({"trial": trial.id, "arm": arm.id, "why": str(error)})
            continue
        lines[trial.id, arm.id] = line
        for curve in curves:
            for point in curve.scored_points():
                assert point.month is not None
                predicted = line.change[curve.endpoint][np.searchsorted(line.months, point.month)]
                lower, upper = _interval(curve.endpoint, predicted, spread, int(np.searchsorted(months, point.month)))
                records.append(
                    {
                        "trial": trial.id,
                        "use": trial.use,
                        "arm": arm.id,
                        "curve": curve.id,
                        "endpoint": curve.endpoint,
                        "month": point.month,
                        "observed": point.value,
                        "low": point.bar[0],
                        "high": point.bar[1],
                        "predicted": float(predicted),
                        "lower": lower,
                        "upper": upper,
                        "row": point.row,
                    }
                )
    if missing:
        names = ", ".join(sorted(missing))
        warnings.warn(f"left out, {chosen.name} has no such end point: {names}", OsteonWarning, stacklevel=2)
    if not records:
        why = f": {skipped[0]['why']}" if skipped else ""
        raise InputError(f"{chosen.name} can simulate no arm of these trials{why}")
    facts = {**platform_facts(), "model": chosen.name, "parameters_hash": chosen.parameter_hash}
    return Scores(chosen.name, pd.DataFrame(records), lines, skipped, {t.id: t for t in todo}, sorted(missing), facts)


def beside(scores: Scores, model: Model, progress: Callable[[float, str], None] | None = None) -> Scores | None:
    """Another model scored on the very values that `scores` holds, as far as it can; None where it can none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OsteonWarning)  # what it lacks shows as gaps
        try:
            found = validate(model, scores.trials.values(), progress=progress)
        except InputError:
            return None
    keys = ["trial", "curve", "month"]
    same = found.points[found.points.set_index(keys).index.isin(scores.points.set_index(keys).index)]
    return replace(found, points=same) if len(same) else None


def arm_line(model: Model, trial: Trial, arm: TrialArm, months: np.ndarray) -> ArmLine:
    """The model's course in one arm at `months` and on a fine grid up to the last of them."""
    return _course(model, trial, arm, months)[0]


def person_in(model: Model, trial: Trial, arm: TrialArm) -> Person:
    """The mean person of an arm, with the features that are known and that the model uses."""
    age = trial.mean_age(arm)
    known: dict[str, Any] = {"age": age if age is not None else ASSUMED_AGE}
    if "sex" in model.uses and trial.sex(arm) == "male":
        known["sex"] = "male"
    elif "years_since_menopause" in model.uses and trial.years_since_menopause(arm) is not None:
        known["years_since_menopause"] = trial.years_since_menopause(arm)
    if "weight_kg" in model.uses and trial.weight_kg(arm) is not None:
        known["weight_kg"] = trial.weight_kg(arm)
    return person_of(**known)


def _course(
    model: Model, trial: Trial, arm: TrialArm, months: np.ndarray, draws: int = 0
) -> tuple[ArmLine, dict[str, np.ndarray]]:
    """The line of an arm, and the standard deviation between draws [month] of each end point's change (BMD in %,
    markers as logarithms). With draws the line comes from the kernel too, in the same run."""
    age = trial.mean_age(arm)
    person = person_in(model, trial, arm)
    step = DRAWS_MONTHS if draws else LINE_MONTHS
    grid = np.union1d(np.arange(0.0, months[-1], step), months)
    result = simulate_at(model, person, arm.prior_schedule, arm.schedule, grid * MONTH_DAYS, draws=draws)
    change = percent_change(result)
    series, spread = {}, {}
    for name, x in change.data_vars.items():
        values = x.to_numpy()[:, 0, 0]  # draw, time
        series[str(name)] = values[0]
        if draws:
            drawn = values[1:, np.searchsorted(grid, months)]
            marker = ENDPOINTS[str(name)].kind == "marker"
            spread[str(name)] = np.std(np.log1p(drawn / 100) if marker else drawn, axis=0)
    return ArmLine(trial.id, arm, person.age, age is None, grid, series), spread


def _interval(
    endpoint: str, predicted: float, spread: dict[str, np.ndarray], at: int
) -> tuple[float | None, float | None]:
    """5 to 95 % of what a trial would see of the mean (%): draws, and what even the right model misses a value by."""
    if endpoint not in spread or endpoint not in MISSES:
        return None, None
    marker = ENDPOINTS[endpoint].kind == "marker"
    middle = float(np.log1p(predicted / 100)) if marker else predicted
    wide = Z90 * float(np.hypot(spread[endpoint][at], uncertainty.discrepancy(endpoint, middle)))
    if not marker:
        return middle - wide, middle + wide
    return 100 * float(np.expm1(middle - wide)), 100 * float(np.expm1(middle + wide))


def score_points(points: pd.DataFrame) -> dict[str, Any]:
    """n, RMSE, bias, slope of predicted on observed, and the share of values inside their 90 % interval (empty for a
    model without draws)."""
    observed, predicted = points["observed"].to_numpy(float), points["predicted"].to_numpy(float)
    if ENDPOINTS[points["endpoint"].iloc[0]].kind == "marker":
        observed, predicted = np.log1p(observed / 100), np.log1p(predicted / 100)
    error = predicted - observed
    covered = points.dropna(subset=["lower", "upper"])
    inside = (covered["lower"] <= covered["observed"]) & (covered["observed"] <= covered["upper"])
    spread = float(np.sum((observed - observed.mean()) ** 2))
    product = float(np.sum((observed - observed.mean()) * (predicted - predicted.mean())))
    slope = product / spread if spread and len(points) > 2 else None  # through two points it says nothing
    return {
        "n": len(points),
        "rmse": float(np.sqrt(np.mean(error**2))),
        "bias": float(np.mean(error)),
        "slope": slope,
        "coverage90": float(inside.mean()) if len(covered) else None,
    }
