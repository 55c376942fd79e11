"""Draws, T-scores and mechanisms left out on the command line, with osteon's own model, which is the default."""

import csv
import json
from collections import Counter

import pytest

BASE = ["simulate", "--age", "67", "--regimen", "denosumab 60 mg SC every 6 months", "--until", "1 year",
        "--every", "1 year"]  # fmt: skip
STUDY = """
id: small
people: {species: human, sex: female, age: 60, years_since_menopause: 12, t_score: {total_hip: -1.9}, n_per_arm: 1}
arms:
  - {name: none, regimen: none}
  - {name: drug, regimen: zoledronate 5 mg IV once}
visits: [0, 12]
endpoints: [lumbar_spine_bmd, total_hip_bmd, ctx]
"""


def test_simulate_with_a_band(osteon):
    plain = json.loads(osteon(*BASE, "--t-score", "total_hip=-2.5", "--json").out)
    told = json.loads(osteon(*BASE, "--t-score", "total_hip=-2.5", "--draws", "4", "--json").out)
    assert list(plain) == ["time_days", "series", "t_score", "provenance"]
    assert list(told) == ["time_days", "series", "lower", "upper", "t_score", "provenance"]
    assert told["series"] == plain["series"]
    assert plain["t_score"]["total_hip"][0] == pytest.approx(-2.5)
    for name, low in told["lower"].items():
        assert low[0] == 0
        assert low[-1] <= told["upper"][name][-1]
    assert told["provenance"]["model"] == "osteon"


def test_t_scores_are_said(osteon):
    got = osteon(*BASE, "--t-score", "total_hip=-2.5")
    assert "T-scores: " in got.err
    assert "total_hip −2.50 →" in got.err


def test_without(osteon):
    whole = json.loads(osteon(*BASE, "--json").out)
    lean = json.loads(osteon(*BASE, "--without", "mineral", "--without", "sclerostin", "--json").out)
    assert lean["provenance"]["without"] == ["mineral", "sclerostin"]
    assert lean["series"]["total_hip_bmd_pct"][-1] < whole["series"]["total_hip_bmd_pct"][-1]


@pytest.mark.parametrize(
    ("args", "hint"),
    [(["--without", "minral"], "did you mean 'mineral'"), (["--without", "remodelling"], "cannot be left out"),
     (["--draws", "4"], "--json"), (["--draws", "1", "--json"], "2 to"), (["--draws", "4", "--people", "9"], "one person"),
     (["--draws", "4", "--model", "jorg2022", "--json"], "has no draws"), (["--t-score", "total_hip=-9"], "T-scores lie between")],
)  # fmt: skip
def test_bad_input(osteon, args, hint):
    got = osteon(*BASE, *args)
    assert got.status == 2
    assert hint in got.problem
    assert got.out == ""


def test_what_counts_gives_no_warning(osteon):
    """Weight counts for doses per kg."""
    got = osteon(*BASE, "--weight", "60", "--t-score", "total_hip=-2", "--sex", "male", "--json")
    assert got.status == 0
    assert "ignored" not in got.err


def test_run(osteon, tmp_path):
    (tmp_path / "s.yaml").write_text(STUDY, "utf-8")
    got = osteon("run", tmp_path / "s.yaml", "--draws", "5", "--out", tmp_path / "o", "--json")
    assert got.status == 0
    rows = list(csv.DictReader((tmp_path / "o" / "summary.csv").open(encoding="utf-8")))
    last = [r for r in rows if r["month"] == "12"]
    count = Counter(r["statistic"] for r in last)
    assert count == {"mean_pct_change": 6, "difference_vs_none": 3, "mean_t_score": 4}
    assert all(float(r["lower"]) < float(r["value"]) < float(r["upper"]) for r in last)
    start = [r for r in rows if r["month"] == "0"]
    assert all(r["lower"] == r["upper"] == "0.0" for r in start if r["statistic"] != "mean_t_score")
    hip = [r for r in start if r["statistic"] == "mean_t_score" and r["endpoint"] == "total_hip_bmd"]
    assert all(float(r[k]) == pytest.approx(-1.9) for r in hip for k in ("value", "lower", "upper"))
    none = osteon("run", tmp_path / "s.yaml", "--draws", "0", "--out", tmp_path / "p", "--json")
    assert all(row["lower"] is None for row in json.loads(none.out)["summary"])
    other = osteon("run", tmp_path / "s.yaml", "--draws", "5", "--model", "jorg2022", "--out", tmp_path / "q")
    assert other.status == 2


def test_models_side_by_side(osteon, tmp_path):
    args = ["validate", "--trial", "MIYAUCHI2010", "--trial", "ACTIVE", "--use", "fit"]
    told = json.loads(osteon(*args, "--out", tmp_path, "--json").out)
    ours = {(r["trial"], r["endpoint"]): r for r in told["rows"]}
    theirs = {(r["trial"], r["endpoint"]): r for r in told["models"]["jorg2022"]}
    assert list(told["rows"][0]) == list(told["models"]["jorg2022"][0])
    assert ("ACTIVE", "total_hip_bmd") in ours  # abaloparatide, which the published model lacks
    assert set(theirs) < set(ours)
    assert theirs["MIYAUCHI2010", "total_hip_bmd"]["n"] == ours["MIYAUCHI2010", "total_hip_bmd"]["n"]
    assert all(0 < r["coverage90"] <= 1 for r in told["rows"])
    assert "jorg2022 RMSE" in (tmp_path / "scores.html").read_text("utf-8")
    models = {row["model"] for row in csv.DictReader((tmp_path / "points.csv").open(encoding="utf-8"))}
    assert models == {"osteon", "jorg2022"}
    alone = json.loads(osteon("validate", "--trial", "ACTIVE", "--model", "osteon", "--json").out)
    assert "models" not in alone
    assert alone["rows"] == [r for r in told["rows"] if r["trial"] == "ACTIVE"]
