"""Scoring: a model's change from baseline against every published curve.

Scores are unweighted and pooled over rows with `likelihood`, comparator baseline, no differences. BMD is in
percentage points; markers on the natural-log scale of the ratio to baseline. Trials marked "validate" are
scored here and nowhere fitted.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from osteon import models
from osteon.endpoints import ENDPOINTS
from osteon.errors import InputError, OsteonError, OsteonWarning
from osteon.evidence.loader import load_trials
from osteon.evidence.schema import Trial, TrialArm
from osteon.result import percent_change, platform_facts
from osteon.simulation import person_of, simulate_at
from osteon.units import MONTH_DAYS

if TYPE_CHECKING:
    from osteon.models import Model

ASSUMED_AGE = 65.0  # assumed, where a trial's mean age is not known; marked in the scores
DRAW_TARGET = 3e-4  # relative error of BMD in steps for draws: small beside their spread
Z90 = 1.645  # standard deviations either way that hold 90 %
# What a published mean is off from the right model's, as standard deviations (BMD in points, markers as logarithms).
# Hip and spine: what the arms of DMAB_PH2 that differ little scatter by round their mean; the others are assumed. The
# fit weighs values by the same.
MISSES = {
    "lumbar_spine_bmd": 0.85, "total_hip_bmd": 0.55, "femoral_neck_bmd": 0.85, "distal_third_radius_bmd": 1.2,
    "ctx": 0.25, "p1np": 0.25, "bsap": 0.2,
}  # fmt: skip
_ORDER = list(ENDPOINTS)
LINE_MONTHS = 0.1  # spacing of the model lines that are drawn


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
            line = arm_line(chosen, trial, arm, months)
        except OsteonError as error:
            skipped.append({"trial": trial.id, "arm": arm.id, "why": str(error)})
            continue
        lines[trial.id, arm.id] = line
        spread = arm_spread(chosen, line, months)
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


def arm_line(model: Model, trial: Trial, arm: TrialArm, months: np.ndarray) -> ArmLine:
    """The model's course in one arm at `months` and on a fine grid up to the last of them."""
    age = trial.mean_age(arm)
    person = person_of(age=age if age is not None else ASSUMED_AGE)
    grid = np.union1d(np.arange(0.0, months[-1], LINE_MONTHS), months)
    result = simulate_at(model, person, arm.prior_schedule, arm.schedule, grid * MONTH_DAYS)
    change = percent_change(result)
    series = {str(name): change[name].to_numpy().reshape(-1) for name in change.data_vars}
    return ArmLine(trial.id, arm, person.age, age is None, grid, series)


def arm_spread(model: Model, line: ArmLine, months: np.ndarray) -> dict[str, np.ndarray]:
    """Standard deviation between the posterior's draws [month] of each end point's change from baseline (BMD in %,
    markers as logarithms); nothing for a model without draws."""
    from osteon import parameters
    from osteon.engine import batch
    from osteon.engine import cohort as cohorts
    from osteon.regimen import prior_courses

    draws = parameters.draws(model.name)
    if not draws or getattr(model, "values", None):  # the draws lie round the records' values, not round others
        return {}
    n = len(next(iter(draws.values())))
    people = cohorts.make(model, n, changes=draws, age=line.age)
    days = np.union1d([0.0], months) * MONTH_DAYS
    earlier = prior_courses(line.arm.prior_schedule, year_days=model.year_days)
    courses = [*earlier, *line.arm.schedule.courses(float(days[-1]), year_days=model.year_days)]
    setup = batch.prepare(
        model, lambda a, b: people.take(slice(a, b)), n, courses, days, target=DRAW_TARGET,
        second=min((c.start for c in earlier), default=0.0), channels=range(len(model.channels)),
    )  # fmt: skip
    observed, _ = setup.run(people, setup.grid)
    found = {}
    for name, x in setup.endpoints(people, observed).items():
        ratio = x / x[setup.reference]
        change = np.log(ratio) if ENDPOINTS[name].kind == "marker" else 100.0 * (ratio - 1.0)
        found[name] = np.nanstd(change, axis=1)[np.searchsorted(days, months * MONTH_DAYS)]
    return found


def _interval(
    endpoint: str, predicted: float, spread: dict[str, np.ndarray], at: int
) -> tuple[float | None, float | None]:
    """5 to 95 % of what a trial would see of the mean (%): draws, and what even the right model misses a value by."""
    if endpoint not in spread or endpoint not in MISSES:
        return None, None
    wide = Z90 * float(np.hypot(spread[endpoint][at], MISSES[endpoint]))
    if ENDPOINTS[endpoint].kind != "marker":
        return predicted - wide, predicted + wide
    middle = np.log1p(predicted / 100)
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
