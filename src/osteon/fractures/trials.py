"""Published fractures: who took part in a trial, relative risks with their intervals, and incidence by arm."""

from __future__ import annotations

import functools
import re
import tomllib
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np

from osteon.evidence.schema import Curve, Point, Trial, TrialArm
from osteon.fractures.hazards import numbers, usual_t

SAME = {
    "vertebral_fracture": "vertebral_fracture",
    "hip_fracture": "hip_fracture",
    "nonvertebral_fracture": "nonvertebral_fracture",
    "nonvertebral_fragility_fracture": "nonvertebral_fracture",
    "clinical_vertebral_fracture": "vertebral_fracture",
}
"""End points of trials, and the kind of fracture whose relative risk stands for theirs."""
COUNTED = ("vertebral_fracture", "hip_fracture", "nonvertebral_fracture")
"""Those whose incidence is the kind's own."""
ASSUMED_AGE, ASSUMED_AGE_SD = 68.0, 6.0
Z95 = 1.959964
_RATIO = re.compile(r"(?:RR|HR|RH)? ?(\d\.\d+) ?\((\d\.\d+) ?[-–to]+ ?(\d\.\d+)\)")
_REDUCTION = re.compile(r"RRR (\d+) ?% ?\((\d+) ?[-–] ?(\d+)\)")
_IN_ARMS = re.compile(r"(\d+) in (\d+) arms")
_WINDOW = re.compile(r"in years (\d+)[-–](\d+)")


@dataclass(frozen=True)
class TrialPeople:
    """Mean and SD of age (year), T-scores by site, their SD, and the share with a vertebral fracture (None:
    not known); `grade` says how far they were seen."""

    age: float
    age_sd: float
    male: bool
    t_score: dict[str, float]
    t_sd: dict[str, float]
    prior: float | None
    grade: str


@dataclass(frozen=True)
class Incidence:
    """Share of an arm with a fracture by a month, counted from month `since`."""

    trial: str
    use: str
    arm: str
    endpoint: str
    month: float
    since: float
    value: float
    n: float | None
    row: int


@dataclass(frozen=True)
class Ratio:
    """A relative risk of two arms by a month with its 95 % interval, and where that comes from: "published",
    "counts" (the arms' sizes and shares), or "expected" (their sizes `n` and the shares that osteon expects, for a
    report that has a reduction and no more; `low` and `high` are NaN until those are known)."""

    trial: str
    use: str
    endpoint: str
    kind: str
    arm: str
    beside: str
    month: float
    since: float
    value: float
    low: float
    high: float
    interval: str
    row: int
    n: float | None = None
    n_beside: float | None = None

    @property
    def se(self) -> float:
        """Standard error of the logarithm."""
        return float(np.log(self.high / self.low) / (2 * Z95))


@functools.cache
def _open() -> dict[str, dict[str, Any]]:
    text = resources.files("osteon.fractures").joinpath("trial_people.toml").read_text("utf-8")
    return {row["id"]: row for row in tomllib.loads(text)["trial"]}


def people(trial: Trial, arm: TrialArm | None = None) -> TrialPeople:
    """Who took part in an arm, as far as the trial file says it; the rest from entry rules, or as usual at that
    age."""
    v, own, extra = numbers(), arm.people if arm else None, _open().get(trial.id, {})
    age = trial.mean_age(arm)
    spread = next((p.age.sd for p in (own, trial.people) if p and p.age and p.age.sd is not None), ASSUMED_AGE_SD)
    male = trial.sex(arm) == "male"
    years = ASSUMED_AGE if age is None else age
    stated = next((p.t_score for p in (own, trial.people) if p and p.t_score), None) or {}
    known = {site: (s.mean, s.sd or v["trial_t_sd"]) for site, s in stated.items() if s.mean is not None}
    known |= {rule["site"]: _parted(rule, known.get(rule["site"])) for rule in extra.get("parted", ())}
    grade = "B" if known else extra.get("evidence", "D")
    if not known and "entry" in extra:
        known = {extra["entry"][0]["site"]: _entered(extra["entry"], years, male)}
    prior = next((p.prior_vertebral_fracture_pct for p in (own, trial.people)
                  if p and p.prior_vertebral_fracture_pct is not None), None)  # fmt: skip
    share = prior / 100 if prior is not None else extra.get("prior_share")
    if share is None:
        grade = max(grade, "D")
    return TrialPeople(years, spread, male, *_t_scores(known, years, male), share, grade)


def _t_scores(
    known: dict[str, tuple[float, float]], age: float, male: bool
) -> tuple[dict[str, float], dict[str, float]]:
    """Means and SDs of the T-scores of femoral neck and total hip, from the nearest site that is known."""
    v, means, sds = numbers(), {}, {}
    for site, order in (("total_hip", ("total_hip", "femoral_neck", "lumbar_spine")),
                        ("femoral_neck", ("femoral_neck", "total_hip", "lumbar_spine"))):  # fmt: skip
        mean, sd = (float(x) for x in usual_t(site, age, male))
        near = next((s for s in order if s in known), None)
        if near is None or near == site:
            means[site], sds[site] = known.get(site, (mean, sd))
            continue
        there, width = (float(x) for x in usual_t(near, age, male))
        along = v["spine_with_hip"] if near == "lumbar_spine" else v["hip_with_neck"]
        middle, spread = known[near]
        means[site] = mean + sd * along * (middle - there) / width
        sds[site] = sd * float(np.sqrt((along * spread / width) ** 2 + 1 - along**2))
    return means, sds


def _parted(rule: dict[str, Any], known: tuple[float, float] | None) -> tuple[float, float]:
    """Mean and SD of a T-score of which the share of people below a value was published: the SD where the mean was
    published too, else the mean with the usual SD of a trial."""
    from scipy.special import ndtri

    far = float(ndtri(rule["share_below"]))
    if known is not None:
        return known[0], (rule["t"] - known[0]) / far
    sd = numbers()["trial_t_sd"]
    return rule["t"] - far * sd, sd


def _entered(rules: list[dict[str, Any]], age: float, male: bool) -> tuple[float, float]:
    """Mean and SD of the T-score of those of the population between the limits of entry rules."""
    from scipy.stats import truncnorm

    mean, sd = (float(x) for x in usual_t(rules[0]["site"], age, male))
    first = second = 0.0
    for rule in rules:
        low, high = (rule.get("lowest", -np.inf) - mean) / sd, (rule["t"] - mean) / sd
        one, spread = truncnorm.mean(low, high, mean, sd), truncnorm.std(low, high, mean, sd)
        first += rule["share"] * one
        second += rule["share"] * (one**2 + spread**2)
    return float(first), float(np.sqrt(second - first**2))


def incidences(trial: Trial) -> list[Incidence]:
    """Every published share of people with a fracture, of end points whose relative risk osteon predicts."""
    found = []
    for curve in (c for c in trial.curves if c.minus is None and c.endpoint in SAME and c.unit.startswith("% of")):
        for p in (p for p in curve.points if p.likelihood and p.month is not None and p.value is not None):
            assert p.month is not None
            assert p.value is not None
            n = _size(trial, curve.arm, curve)
            found.append(Incidence(trial.id, trial.use, curve.arm, curve.endpoint, p.month, _since(curve, p),
                                   p.value / 100, n, p.row))  # fmt: skip
    return found


def ratios(trial: Trial) -> list[Ratio]:
    """Every relative risk: those published as such, those in notes to an incidence, and those that follow from two
    arms' incidence and sizes at the same month."""
    found = [r for c in trial.curves if c.minus is not None and c.endpoint in SAME for r in _stated(trial, c)]
    done = {(r.arm, r.endpoint, r.month) for r in found}
    shares, notes = incidences(trial), {p.row: c.note or "" for c in trial.curves for p in c.points}
    order = {arm.id: i for i, arm in enumerate(trial.arms)}
    for group in {(i.endpoint, i.month, i.since) for i in shares}:
        arms = sorted((i for i in shares if (i.endpoint, i.month, i.since) == group), key=lambda i: order[i.arm])
        beside = _comparator(trial, [i.arm for i in arms])
        control = next((i for i in arms if i.arm == beside), None)
        treated = [i for i in arms if i.arm != beside and trial.arm(i.arm).regimen != "none"]
        for number, one in enumerate(treated):
            if control is None or (one.arm, one.endpoint, one.month) in done:
                continue
            value, low, high, how = _in_note(notes[one.row], number) or _from_counts(one, control) or (0, 0, 0, "")
            if how:
                found.append(Ratio(trial.id, trial.use, one.endpoint, SAME[one.endpoint], one.arm, control.arm,
                                   one.month, one.since, value, low, high, how, one.row))  # fmt: skip
    return sorted(found, key=lambda r: (r.endpoint, r.month, order[r.arm]))


def _stated(trial: Trial, curve: Curve) -> list[Ratio]:
    assert curve.minus is not None
    sizes = _size(trial, curve.arm, curve), _size(trial, curve.minus, curve)
    found = []
    for p in (p for p in curve.points if p.likelihood and p.month is not None and p.value):
        assert p.month is not None
        assert p.value is not None
        if curve.unit in ("RR", "HR", "RH") and p.low and p.high:
            value, low, high, how = p.value, p.low, p.high, "published"
        elif curve.unit.startswith("% reduction") and all(sizes):
            value, low, high, how = 1 - p.value / 100, np.nan, np.nan, "expected"
        else:
            continue
        found.append(Ratio(trial.id, trial.use, curve.endpoint, SAME[curve.endpoint], curve.arm, curve.minus, p.month,
                           _since(curve, p), value, low, high, how, p.row, *sizes))  # fmt: skip
    return found


def _size(trial: Trial, arm: str, curve: Curve) -> float | None:
    """People in an arm; where the file has those of all arms alone, an even share. None for a part of an arm."""
    known = (curve.n if curve.arm == arm else None) or trial.arm(arm).n
    if known or "subgroup" in (curve.note or "") or "subgroup" in (trial.arm(arm).note or ""):
        return known
    if cut := _IN_ARMS.search(curve.n_note or ""):
        return float(cut.group(1)) / float(cut.group(2))
    return trial.people.n / len(trial.arms) if trial.people.n and len(trial.arms) == 2 else None


def _since(curve: Curve, point: Point) -> float:
    """Month that fractures are counted from."""
    window = _WINDOW.search(point.note or curve.note or "")
    return 12.0 * float(window.group(1)) if window else 0.0


def _comparator(trial: Trial, arms: list[str]) -> str | None:
    """The arm that others are compared with: untreated, else untreated at first, with alendronate, or stopped."""
    for start in ("none", "alendronate"):
        for exact in (True, False):
            for ident in arms:
                regimen = trial.arm(ident).regimen
                if regimen == start if exact else regimen.startswith(start):
                    return ident
    return next((ident for ident in arms if "; then none" in trial.arm(ident).regimen), None)


def _in_note(note: str, number: int) -> tuple[float, float, float, str] | None:
    """The ratio that a note has for the treated arm of that number, when it has one for each or one for all."""
    if cut := _REDUCTION.search(note):
        value, low, high = (1 - float(x) / 100 for x in cut.groups())
        return value, high, low, "published"
    found = [tuple(float(x) for x in m) for m in _RATIO.findall(note)]
    if not found:
        return None
    value, low, high = found[min(number, len(found) - 1)]
    return value, low, high, "published"


def _from_counts(one: Incidence, control: Incidence) -> tuple[float, float, float, str] | None:
    if not (one.n and control.n and one.value > 0 and control.value > 0):
        return None
    ratio = one.value / control.value
    se = np.sqrt(sum(1 / (i.value * i.n) - 1 / i.n for i in (one, control) if i.n))
    return ratio, float(ratio * np.exp(-Z95 * se)), float(ratio * np.exp(Z95 * se)), "counts"
