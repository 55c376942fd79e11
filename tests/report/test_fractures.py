"""Fractures on the page of scores: the counts are those of the rows, nothing is missing, the picture has each row."""

import re

from osteon.evidence import load_trials
from osteon.fractures.score import FractureScores
from osteon.report import figures, fractures


def ratio(trial, use, arm, beside, month, inside, endpoint="vertebral_fracture", interval="published", since=0.0):
    kind = endpoint.replace("clinical_", "")
    return {"trial": trial, "use": use, "endpoint": endpoint, "kind": kind, "arm": arm, "beside": beside,
            "month": month, "since": since, "published": 0.5, "low": 0.3, "high": 0.8,
            "predicted": 0.4 if inside else 0.2, "interval": interval, "inside": inside, "se": 0.2, "sd": 0.1}  # fmt: skip


FOUND = FractureScores(
    ratios=[
        ratio("HORIZON_PFT", "fit", "Z6", "Z3P3", 72.0, True, since=36.0),
        ratio("FRAME", "validate", "ROMO_DMAB", "PBO_DMAB", 12.0, True, "clinical_vertebral_fracture"),
        ratio("FRAME", "validate", "ROMO_DMAB", "PBO_DMAB", 12.0, True),
        ratio("FRAME", "validate", "ROMO_DMAB", "PBO_DMAB", 24.0, False),
        ratio("FREEDOM", "validate", "DMAB", "PBO", 36.0, False, "hip_fracture", "expected"),
    ],
    incidences=[
        {"trial": "FREEDOM", "use": "validate", "endpoint": "hip_fracture", "arm": "PBO", "month": 36.0, "n": 3906.0,
         "published_pct": 1.2, "predicted_pct": 1.3, "lower_pct": 0.7, "upper_pct": 2.4, "inside": True, "people": "B"}
    ],
)  # fmt: skip


def test_the_latest_month_of_a_comparison_is_kept():
    kept = FOUND.latest()
    assert [(r["trial"], r["month"]) for r in kept if r["endpoint"] == "vertebral_fracture"] == [
        ("HORIZON_PFT", 72.0),
        ("FRAME", 24.0),
    ]
    assert len(kept) == 4


def test_section():
    text = "\n\n".join(fractures.section(FOUND, load_trials(), "img/x.svg"))
    assert "**In trials that were not fitted 2 of 4 lie inside, 50 %; the aim of 75 % is not met.**" in text
    assert "| not fitted | all | latest month alone | 3 | 1 | 33 |" in text
    assert "| fitted | all | every month | 1 | 1 | 100 |" in text
    assert ("| HORIZON_PFT | vertebral | Zoledronate for six years / zoledronate for three years, then placebo | published"
            " | 36 to 72 | 0.50 (0.30 to 0.80) | 0.40 | yes |") in text  # fmt: skip
    assert "| FREEDOM | validate | hip | Placebo | B | 36 | 1.2 | 1.3 (0.7 to 2.4) | yes |" in text
    assert "(img/x.svg)" in text
    assert not re.search(r"\b(nan|None|inf)\b", text)


def test_picture():
    svg = figures.svg(fractures.figure(FOUND, load_trials()))
    assert "FRAME, clinical vertebral: Romosozumab then denosumab" in svg
    assert "trials that were not fitted" in svg
    assert svg == figures.svg(fractures.figure(FOUND, load_trials()))
