"""FRAME, from its evidence file: romosozumab → denosumab against placebo → denosumab.

Simulates the trial's two arms with osteon's own model, prints model against published values, with the errors of
the published model of Jörg et al. 2022 beside, and writes a page and a picture. `make demo` runs this file.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

import osteon
from osteon import models
from osteon.cli.common import decimals, print_table
from osteon.endpoints import ENDPOINTS
from osteon.errors import OsteonWarning
from osteon.evidence.score import beside
from osteon.report import figures, pages


def main(out: Path) -> None:
    trial = osteon.load_trial("FRAME")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OsteonWarning)  # said in words below
        scores = osteon.validate(trials=[trial])
        other = beside(scores, models.get(models.BESIDE))
    arms = {arm.id: arm.title for arm in trial.arms}
    print(f"{trial.title}: {trial.summary}\n")
    points = scores.points.sort_values(["endpoint", "arm", "month"], ascending=[False, True, True])
    rows = [
        [
            arms[p["arm"]],
            ENDPOINTS[p["endpoint"]].label,
            decimals(p["month"], 1),
            decimals(p["observed"]),
            decimals(p["predicted"]),
            decimals(p["predicted"] - p["observed"]),
        ]
        for p in points.to_dict("records")
    ]
    columns = [("arm", False), ("end point", False), ("month", True), ("published, %", True), ("model, %", True),
               ("difference", True)]  # fmt: skip
    print_table(columns, rows)
    print()
    theirs = {row["endpoint"]: row for row in other.rows()} if other is not None else {}
    for row in scores.rows():
        scale = "percentage points" if ENDPOINTS[row["endpoint"]].kind == "bmd" else "on the log scale"
        their = theirs.get(row["endpoint"])
        more = f"; {models.BESIDE} {their['rmse']:.2f} on {their['n']}" if their else ""
        print(f"{ENDPOINTS[row['endpoint']].label}: RMSE {row['rmse']:.2f} {scale} on {row['n']} values{more}")
    for name in scores.missing_endpoints:
        print(f"{ENDPOINTS[name].label}: not in this model")
    page = pages.trial_page(scores, "FRAME", out / "frame.html")
    picture = figures.save(figures.trial(scores, "FRAME"), out / "frame.png")
    print(f"\nwrote {page} and {picture}; every value is in the page.")
    print("osteon is a research tool, not medical advice.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("demo"), help="folder for the page and the picture")
    main(parser.parse_args().out)
