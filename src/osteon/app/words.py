"""Results in plain words: what changed, how sure that is, and what it rests on."""

from __future__ import annotations

from typing import Any

from osteon.app.plan import Plan
from osteon.therapies import catalogue

SITES = {"lumbar_spine_bmd": "spine", "total_hip_bmd": "hip", "femoral_neck_bmd": "femoral neck"}
GRADES = {
    "A": "trials in people",
    "B": "small or indirect trials",
    "C": "animals or one uncertain trial",
    "D": "assumptions, since nobody has measured it in human bone",
}
SAME = 0.3  # % within which bone density is said to stay as it is


def signed(value: float, digits: int = 1) -> str:
    """A change in %, with its sign."""
    text = f"{abs(value):.{digits}f}"
    if float(text) == 0:
        return text
    return ("+" if value > 0 else "−") + text


def of_plan(plan: Plan, treated: dict[str, Any], untreated: dict[str, Any]) -> dict[str, str]:
    """`changed`, `sure`, `rests_on`: a sentence or two each."""
    return {
        "changed": _changed(plan, treated, untreated),
        "sure": _sure(treated),
        "rests_on": rests_on([t.therapy for t in plan.treatments]),
    }


def _years(years: float) -> str:
    return f"{years:g} year" + ("" if years == 1 else "s")


def _course(value: float) -> str:
    if abs(value) < SAME:
        return "stays about the same"
    return f"{'rises' if value > 0 else 'falls'} by {abs(value):.1f} %"


def _changed(plan: Plan, treated: dict[str, Any], untreated: dict[str, Any]) -> str:
    own = {name: treated["pct"][name]["value"][-1] for name in SITES}
    usual = {name: untreated["pct"][name]["value"][-1] for name in SITES}
    within = f"Over {_years(plan.years)}"
    spine, hip = own["lumbar_spine_bmd"], own["total_hip_bmd"]
    if not plan.treatments:
        return f"{within} untreated, bone density at the spine {_course(spine)} and at the hip {_course(hip)}."
    text = f"{within} on this plan, bone density at the spine {_course(spine)} and at the hip {_course(hip)}; "
    text += f"without it {signed(usual['lumbar_spine_bmd'])} % and {signed(usual['total_hip_bmd'])} %. "
    curve = treated["pct"]["lumbar_spine_bmd"]["value"]
    top = max(curve)
    if top - curve[-1] > 1.5:
        at = curve.index(top) / (len(curve) - 1) * plan.years
        text += f"The gain at the spine is largest after {at:.1f} years ({signed(top)} %), then part of it is lost. "
    return text.strip()


def _sure(treated: dict[str, Any]) -> str:
    spine = treated["pct"]["lumbar_spine_bmd"]
    if "lower" not in spine:
        return "The uncertainty follows as soon as the sliders rest."
    low, high = spine["lower"][-1], spine["upper"][-1]
    said = "the sign is not certain" if low < -SAME and high > SAME else "the direction is clear in the model"
    return (
        f"At the spine the model leaves {signed(low)} to {signed(high)} % open (90 of 100 parameter draws): {said}. "
        "One person may differ from the mean by several per cent more."
    )


def rests_on(therapies: list[str]) -> str:
    """What the sizes of effects rest on, the weakest first."""
    if not therapies:
        return "Rests on how bone density falls with age in people (surveys and untreated arms of trials)."
    by_grade: dict[str, list[str]] = {}
    for name in dict.fromkeys(therapies):
        by_grade.setdefault(catalogue.get(name).evidence or "D", []).append(name)
    parts = [f"{' and '.join(names)} on {GRADES[grade]} (grade {grade})" for grade, names in sorted(by_grade.items())]
    text = "Rests for " + "; for ".join(parts) + "."
    if set(by_grade) & {"C", "D"}:
        text += " Read such curves as a question, not as a forecast."
    return text
