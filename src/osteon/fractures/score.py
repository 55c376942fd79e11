"""Scoring fractures: osteon's relative risks and incidences beside those of published trials.

A relative risk is scored on the log scale, against its published interval; where a report gives shares and sizes of
arms alone, the interval is that of two shares (`interval` = "counts"); where it gives a reduction alone, that of the
shares that osteon expects in arms of that size ("expected"). Incidence is scored in untreated arms. What
osteon expects comes from the most probable parameters of the model; `sd` is how uncertain the effects of treatment on
fractures make it. Trials marked validate are scored here and nowhere fitted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from osteon import parameters
from osteon.errors import OsteonError
from osteon.evidence.schema import Trial
from osteon.fractures.hazards import KINDS, Values, numbers
from osteon.fractures.predict import Courses, incidence
from osteon.fractures.trials import COUNTED, SAME, Z95, incidences, people, ratios

if TYPE_CHECKING:
    from osteon.evidence.score import ArmLine
    from osteon.models import Model

Z90 = 1.645  # standard deviations either way that hold 90 %


@dataclass
class FractureScores:
    """Relative risks, incidences of untreated arms, and arms that could not be run; one dict for each."""

    ratios: list[dict[str, Any]] = field(default_factory=list)
    incidences: list[dict[str, Any]] = field(default_factory=list)
    skipped: list[dict[str, str]] = field(default_factory=list)

    def rows(self) -> list[dict[str, Any]]:
        """Scores per trial and kind of fracture in the form of those of BMD: relative risks on the log scale."""
        groups: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
        for r in self.ratios:
            groups.setdefault((r["use"], r["trial"], r["kind"]), []).append(r)
        order = sorted(groups, key=lambda g: (*g[:2], KINDS.index(g[2])))
        return [{"trial": g[1], "use": g[0], "endpoint": g[2], **_score(groups[g])} for g in order]

    def inside(self) -> list[dict[str, Any]]:
        """How many relative risks lie inside the published 95 % interval: by use, and by use and kind."""
        found = []
        for use in ("fit", "validate"):
            for kind in ("all", *KINDS):
                own = [r for r in self.ratios if r["use"] == use and kind in ("all", r["kind"])]
                if own:
                    hits = sum(r["inside"] for r in own)
                    found.append({"use": use, "kind": kind, "n": len(own), "inside": hits, "share": hits / len(own)})
        return found

    def latest(self) -> list[dict[str, Any]]:
        """The relative risks less the earlier months of a comparison that has a later one."""
        last: dict[tuple[str, ...], float] = {}
        for r in self.ratios:
            last[_comparison(r)] = max(last.get(_comparison(r), 0.0), r["month"])
        return [r for r in self.ratios if r["month"] == last[_comparison(r)]]


def _comparison(r: dict[str, Any]) -> tuple[str, ...]:
    return r["trial"], r["endpoint"], r["arm"], r["beside"]


def score(
    model: Model,
    trials: Iterable[Trial],
    lines: Mapping[tuple[str, str], ArmLine] | None = None,
    progress: Callable[[float, str], None] | None = None,
) -> FractureScores:
    """Every relative risk, and the incidence of every untreated arm, that a trial published and osteon can predict;
    `lines` are courses that `osteon.evidence.score.validate` has run already. A model whose BMD is relative has no
    fractures: nothing is scored."""
    drawn = len(next(iter(parameters.draws(model.name).values()), ())) and not getattr(model, "values", None)
    courses = Courses(model, 2 if drawn else 0, lines or {})  # with draws the fast kernel runs; the first is the fit
    found = FractureScores()
    if "t_score" not in model.uses:
        return found
    todo = [t for t in trials if any(c.endpoint in SAME for c in t.curves)]
    for number, trial in enumerate(todo):
        if progress is not None:
            progress(number / len(todo), f"{trial.id} fractures")
        for r in sorted(ratios(trial), key=lambda r: -r.month):  # the longest course serves the others
            try:
                row = _ratio(courses, trial, r)
            except OsteonError as error:
                found.skipped.append({"trial": trial.id, "arm": r.arm, "why": str(error)})
                continue
            found.ratios.append(row)
        for i in incidences(trial):
            arm = trial.arm(i.arm)
            if arm.regimen == "none" and not arm.prior and i.endpoint in (*COUNTED, "clinical_vertebral_fracture"):
                found.incidences.append(_incidence(courses, trial, i))
    found.ratios.sort(key=lambda r: (r["use"], r["trial"], KINDS.index(r["kind"]), r["endpoint"], r["month"]))
    return found


def _ratio(courses: Courses, trial: Trial, r: Any) -> dict[str, Any]:
    v = numbers()
    best = _predicted(courses, trial, r, v)
    steeper = {**v, f"bone_effect_{r.kind}": v[f"bone_effect_{r.kind}"] + v[f"bone_effect_sd_{r.kind}"]}
    sd = abs(float(np.log(_predicted(courses, trial, r, steeper) / best)))
    if r.interval == "expected":
        control = float(incidence(courses, trial, r.beside, r.kind, r.month, r.since)[0])
        share = (r.value * control, control)
        se = np.sqrt(sum(1 / (p * n) - 1 / n for p, n in zip(share, (r.n, r.n_beside), strict=True)))
        r = replace(r, low=r.value * float(np.exp(-Z95 * se)), high=r.value * float(np.exp(Z95 * se)))
    return {"trial": r.trial, "use": r.use, "endpoint": r.endpoint, "kind": r.kind, "arm": r.arm, "beside": r.beside,
            "month": r.month, "since": r.since, "published": r.value, "low": r.low, "high": r.high,
            "interval": r.interval, "predicted": best, "sd": sd, "inside": bool(r.low <= best <= r.high),
            "se": r.se, "row": r.row}  # fmt: skip


def _predicted(courses: Courses, trial: Trial, r: Any, values: Values) -> float:
    one, other = (incidence(courses, trial, arm, r.kind, r.month, r.since, values)[0] for arm in (r.arm, r.beside))
    return float(one / other)


def _incidence(courses: Courses, trial: Trial, i: Any) -> dict[str, Any]:
    v, kind = numbers(), SAME[i.endpoint]
    expected = float(incidence(courses, trial, i.arm, kind, i.month, i.since)[0])
    if i.endpoint == "clinical_vertebral_fracture":
        expected *= v["clinical_share"]
    chance = (1 - expected) / (expected * i.n) if i.n else 0.0
    wide = Z90 * float(np.hypot(v["level_sd"], np.sqrt(chance)))
    low, high = expected * np.exp(-wide), expected * np.exp(wide)
    return {"trial": i.trial, "use": i.use, "endpoint": i.endpoint, "arm": i.arm, "month": i.month, "n": i.n,
            "published_pct": 100 * i.value, "predicted_pct": 100 * expected, "lower_pct": 100 * float(low),
            "upper_pct": 100 * float(high), "inside": bool(low <= i.value <= high),
            "people": people(trial, trial.arm(i.arm)).grade, "row": i.row}  # fmt: skip


def _score(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """n, RMSE, bias and slope of the logarithms of relative risks, and the share inside the 90 % interval of what a
    trial of that size would find."""
    seen, found = (np.log([r[k] for r in rows]) for k in ("published", "predicted"))
    error, spread = found - seen, float(np.sum((seen - seen.mean()) ** 2))
    wide = Z90 * np.hypot([r["se"] for r in rows], [r["sd"] for r in rows])
    product = float(np.sum((seen - seen.mean()) * (found - found.mean())))
    return {"n": len(rows), "rmse": float(np.sqrt(np.mean(error**2))), "bias": float(error.mean()),
            "slope": product / spread if spread and len(rows) > 2 else None,
            "coverage90": float(np.mean(np.abs(error) <= wide))}  # fmt: skip
