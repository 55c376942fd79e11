import csv
import json
from html import unescape

import pytest

STUDY = """
id: zol-ex
title: Zoledronate and exercise
people: {species: human, sex: female, age: 66, years_since_menopause: 16, t_score: {total_hip: -2.1}, n_per_arm: 50}
factors:
  drug: {none: none, zoledronate: zoledronate 5 mg IV once}
  exercise: exercise weekly
visits: [0, 6, 12.5]
endpoints: [lumbar_spine_bmd, hip_fracture, ctx]
"""
NAMES = {
    "main: zoledronate",
    "main: exercise",
    "interaction: zoledronate × exercise",
    "effect: zoledronate",
    "effect: exercise",
    "effect: zoledronate + exercise",
    "excess over additive: zoledronate + exercise",
    "excess over better single: zoledronate + exercise",
}


@pytest.fixture
def path(tmp_path):
    (tmp_path / "s.yaml").write_text(STUDY, "utf-8")
    return tmp_path / "s.yaml"


@pytest.mark.filterwarnings("ignore::osteon.errors.OsteonWarning")
def test_factorial(osteon, path, tmp_path):
    out = tmp_path / "o"
    got = osteon("factorial", path, "--draws", "6", "--out", out, "--json")
    assert got.status == 0
    assert len(got.out.splitlines()) == 1
    told = json.loads(got.out)
    rows = told["contrasts"]
    assert list(rows[0]) == ["name", "endpoint", "month", "value", "lower", "upper", "p_positive"]
    assert {r["name"] for r in rows} == NAMES
    assert {(r["endpoint"], r["month"]) for r in rows} == {
        (e, m) for e in ("lumbar_spine_bmd", "ctx") for m in (6, 12.5)
    }
    assert all(r["lower"] <= r["value"] <= r["upper"] and 0 <= r["p_positive"] <= 1 for r in rows)
    assert told["factors"] == {"drug": ["none", "zoledronate"], "exercise": ["none", "exercise"]}
    assert "probability" in told["words"][0]
    assert told["decided_by"] == []  # six draws are too few
    assert "not medical advice" in told["provenance"]["notice"]
    assert {p.name for p in out.iterdir()} == {"contrasts.csv", "summary.csv", "factorial.png", "factorial.html"}

    cells = [
        r for r in csv.DictReader((out / "summary.csv").open(encoding="utf-8")) if r["statistic"] == "mean_pct_change"
    ]
    change = {
        r["arm"]: float(r["value"]) for r in cells if (r["endpoint"], r["month"]) == ("lumbar_spine_bmd", "12.5")
    }
    last = {r["name"]: r for r in rows if (r["endpoint"], r["month"]) == ("lumbar_spine_bmd", 12.5)}
    both = change["zoledronate + exercise"] - change["none"]
    assert last["effect: zoledronate + exercise"]["value"] == pytest.approx(both)
    parts = change["zoledronate"] + change["exercise"] - 2 * change["none"]
    assert last["excess over additive: zoledronate + exercise"]["value"] == pytest.approx(both - parts)
    table = list(csv.DictReader((out / "contrasts.csv").open(encoding="utf-8")))
    assert [float(r["value"]) for r in table] == [r["value"] for r in rows]
    assert {r["month"] for r in table} == {"6", "12.5"}
    page = (out / "factorial.html").read_text("utf-8")
    assert told["words"][0] in page
    assert "<svg" in page
    assert "http://" not in page.replace("http://www.w3.org", "")


@pytest.mark.filterwarnings("ignore::osteon.errors.OsteonWarning")
def test_without_draws_and_as_arms(osteon, path, tmp_path):
    """The same cells as arms, of the most probable parameters alone."""
    got = osteon("factorial", path, "--draws", "0", "--out", tmp_path / "o")
    assert got.status == 0
    assert "excess over additive: zoledronate + exercise" in got.out
    assert "differs from the better single" in got.out
    assert "month 12.5" in got.out
    arms = """arms:
  - {name: usual care, regimen: none}
  - {name: infusion, regimen: zoledronate 5 mg IV once}
  - {name: training, regimen: exercise weekly}
  - {name: both, regimen: zoledronate 5 mg IV once + exercise weekly}
"""
    first, rest = STUDY.split("factors:")
    path.write_text(first + arms + rest[rest.index("visits:") :], "utf-8")
    again = json.loads(osteon("factorial", path, "--draws", "0", "--out", tmp_path / "p", "--json").out)
    assert again["factors"] == {"infusion": ["usual care", "infusion"], "training": ["usual care", "training"]}
    rows = {(r["name"], r["month"]): r for r in again["contrasts"] if r["endpoint"] == "ctx"}
    assert rows["excess over additive: both", 6]["lower"] is None
    assert rows["excess over additive: both", 6]["p_positive"] is None


MOUSE = """
id: old-mice
people: {species: mouse, sex: female, age: 20, n_per_arm: 10}
factors:
  clearance: clearance systemic every 14 days x4
  graft: msc 1e6 cells IV once donor 2 months
visits: [0, 3]
endpoints: [trabecular_bone_volume]
"""


@pytest.mark.slow
def test_mice(osteon, tmp_path):
    """Numbers that no fit has touched decide, by name and with what they rest on."""
    (tmp_path / "m.yaml").write_text(MOUSE, "utf-8")
    out = tmp_path / "o"
    got = osteon("factorial", tmp_path / "m.yaml", "--draws", "100", "--out", out, "--json")
    assert got.status == 0
    told = json.loads(got.out)
    assert told["provenance"]["model"] == "osteon_mouse"
    (row,) = told["decided_by"]
    assert 0 < len(row["parameters"]) <= 3
    listed = {one["id"]: one for one in told["deciding"]}
    assert set(row["parameters"]) == set(listed)
    assert "graft_host_cells" in listed
    assert listed["graft_host_cells"]["rests_on"] == "assumed"
    assert listed["graft_host_cells"]["grade"] == "D"
    assert "was fitted to a trial of bone" in told["words"][-1]
    page = unescape((out / "factorial.html").read_text("utf-8"))
    assert all(one["name"] in page for one in told["deciding"])
    few = osteon("factorial", tmp_path / "m.yaml", "--draws", "20", "--out", out, "--json")
    assert json.loads(few.out)["decided_by"] == []  # and it ends: errors were followed for ten years, once


@pytest.mark.parametrize(
    ("old", "new", "hint"),
    [
        ("exercise weekly", "exercize weekly", "did you mean 'exercise'"),
        ("exercise: exercise weekly", "exercise: zoledronate 5 mg IV yearly", "cannot be given"),
        ("factors:", "factor:", "did you mean 'factors'"),
        ("visits: [0, 6, 12.5]", "visits: [0]", "after month 0"),
        ("  exercise: exercise weekly\n", "", ""),
    ],
)
def test_bad_input(osteon, path, tmp_path, old, new, hint):
    assert old in STUDY
    path.write_text(STUDY.replace(old, new).replace(" hip_fracture,", ""), "utf-8")
    got = osteon("factorial", path, "--draws", "0", "--out", tmp_path / "o")
    if not hint:  # one factor is a design too: it has effects, and no combination
        assert got.status == 0
        return
    assert got.status == 2
    assert hint in got.problem
    assert not (tmp_path / "o").exists()
