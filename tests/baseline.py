"""Whole-run numbers frozen in baseline.json; `make baseline` runs this file and renews them."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import osteon

FILE = Path(__file__).parent / "baseline.json"
PLANS = {
    "untreated": "none",
    "switch": "teriparatide 20 ug SC daily for 24 months; then denosumab 60 mg SC every 6 months for 24 months",
    "sequence": "romosozumab 210 mg SC monthly x12; then alendronate 70 mg PO weekly for 24 months; then none",
    "combination": "denosumab 60 mg SC every 6 months x4 + blosozumab 180 mg SC every 2 weeks x26 starting at week 8",
}


def numbers() -> dict[str, list[float]]:
    """Courses of four plans at yearly times, and the scores of every trial."""
    found: dict[str, list[float]] = {}
    for name, plan in PLANS.items():
        change = osteon.percent_change(
            osteon.simulate(plan, age=67, until="6 years", every="1 year", model="jorg2022")
        )
        for endpoint in change.data_vars:
            found[f"{name}/{endpoint}"] = change[endpoint].to_numpy().ravel().tolist()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scores = osteon.validate("jorg2022")
    for row in scores.rows():
        found[f"score/{row['trial']}/{row['endpoint']}"] = [row["n"], row["rmse"], row["bias"]]
    return found


if __name__ == "__main__":
    FILE.write_text(json.dumps(numbers(), indent=0) + "\n", "utf-8")
    print(f"wrote {FILE}")
