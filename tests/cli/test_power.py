"""`osteon power`: the calculator, a study's power, and inputs that make no sense."""

import json
from dataclasses import replace

import numpy as np
import pytest

from osteon.power.assurance import Differences
from power_made_up import pool

STUDY = """
id: powered
title: Teriparatide
people: {species: human, sex: female, age: {mean: 66, sd: 6, min: 55, max: 80}, t_score: {lumbar_spine: -2.5,
         total_hip: -2.0}, n_per_arm: 30}
arms:
  - {name: placebo, regimen: none}
  - {name: teriparatide, regimen: "teriparatide 20 ug SC daily for 12 months"}
  - {name: denosumab, regimen: "denosumab 60 mg SC every 6 months for 12 months"}
visits: [0, 6, 12]
endpoints: [total_hip_bmd, lumbar_spine_bmd, ctx, formation]
"""


@pytest.fixture
def study(tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text(STUDY, "utf-8")
    return path


def test_the_published_number(osteon):
    done = osteon("power", "--difference", "2", "--sd", "4.5", "--target", "0.9")
    assert (done.status, done.out.splitlines()[0][:12]) == (0, "107 per arm ")
    done = osteon("power", "--difference", "2", "--sd", "4.5", "--n", "50,107", "--json")
    found = json.loads(done.out)
    assert (found["sample_size"], found["sample_size_t"]) == (107, 108)
    assert [row["n_per_arm"] for row in found["power"]] == [50, 107]
    assert found["power"][1]["power"] == pytest.approx(0.9, abs=0.002)


def test_events(osteon):
    found = json.loads(osteon("power", "--hazard-ratio", "0.5", "--risk", "0.05", "--json").out)
    assert found["sample_size"] == 1162
    assert found["events"] == pytest.approx(87.5, abs=0.1)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ([], "study"),
        (["--difference", "2"], "both of a pair"),
        (["--difference", "0", "--sd", "4"], "other than 0"),
        (["--difference", "2", "--sd", "-4"], "above 0"),
        (["--difference", "2", "--sd", "nan"], "above 0"),
        (["--difference", "2", "--sd", "4", "--alpha", "1.5"], "alpha"),
        (["--difference", "2", "--sd", "4", "--target", "0.01"], "target"),
        (["--difference", "2", "--sd", "4", "--n", "1e9"], "1,000,000"),
        (["--difference", "2", "--sd", "4", "--n", "ten"], "numbers with commas"),
        (["--difference", "2", "--sd", "4", "--hazard-ratio", "0.5"], "both of a pair"),
        (["--hazard-ratio", "1", "--risk", "0.1"], "other than 1"),
    ],
)
def test_hostile_calculations(osteon, options, word):
    done = osteon("power", *options)
    assert done.status == 2
    assert word in done.problem


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--replicates", "0"], "replicates"),
        (["--alpha", "0"], "alpha"),
        (["--target", "1"], "target"),
        (["--n", "1000000000"], "1,000,000"),
        (["--n", "50", "--replicates", "1000000", "--n", "900000"], "people"),
        (["--pool", "10"], "pool"),
        (["--pool", "1000000000"], "pool"),
        (["--arm", "denosumap"], "did you mean 'denosumab'"),
        (["--arm", "placebo"], "name another one"),
        (["--endpoint", "hip_bmd"], "did you mean 'total_hip_bmd'"),
        (["--endpoint", "distal_third_radius_bmd", "--model", "jorg2022"], "has no end point"),
        (["--endpoint", "formation"], "no error of measurement"),
        (["--month", "0"], "month 0"),
        (["--month", "-3"], "month"),
        (["--month", "nan"], "month"),
        (["--month", "soon"], "numbers with commas"),
        (["--t-score-max", "spine=-2.5"], "unknown site"),
        (["--t-score-max", "lumbar_spine"], "SITE=V"),
        (["--difference", "2"], "calculator"),
    ],
)
def test_hostile_options(osteon, study, options, word):
    done = osteon("power", str(study), *options)
    assert done.status == 2
    assert word in done.problem


def test_hostile_studies(osteon, tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text(STUDY.replace("n_per_arm: 30", "n_per_arm: 1000000000"), "utf-8")
    assert "n_per_arm of the study" in osteon("power", str(path)).problem
    path.write_text("\n".join(line for line in STUDY.splitlines() if "mab" not in line and "{name: ter" not in line))
    assert "one arm" in osteon("power", str(path)).problem
    assert osteon("power", str(tmp_path / "none.yaml")).status == 2


class Drawn:
    """Draws that need no model."""

    count = 30

    def __init__(self, study, **_):
        pass

    def of(self, arm, endpoint, month):
        return Differences(2.0, np.random.default_rng(arm).normal(2.0, 0.5, self.count), 0.14)


@pytest.fixture
def made_up(monkeypatch):
    """A pool of made-up people in place of the model's."""

    def simulate(study, **_):
        of = pool(2.0)
        true = {name: x[[0, 1, 1]] for name, x in of.true.items()}
        return replace(of, arms=tuple(arm.name for arm in study.arms), true=true)

    monkeypatch.setattr("osteon.power.pool.simulate", simulate)
    monkeypatch.setattr("osteon.power.designs.Drawn", Drawn)


def test_json_and_files(osteon, study, made_up, tmp_path):
    out = tmp_path / "out"
    done = osteon("power", str(study), "--n", "30,60", "--t-score-max", "total_hip=-2", "--json", "--out", str(out))
    assert done.status == 0
    (line,) = done.out.splitlines()
    found = json.loads(line)
    assert len(found["power"]) == 2 * 2 * 2  # arms, designs, n
    row = found["power"][0]
    assert {"arm", "endpoint", "month", "n_per_arm", "power", "lower", "upper", "assurance"} <= set(row)
    assert (row["arm"], row["endpoint"], row["month"]) == ("teriparatide", "total_hip_bmd", 12)
    assert row["lower"] <= row["power"] <= row["upper"]
    assert found["sample_size"] == found["sample_sizes"][0]["n_per_arm"] > 107  # errors and dropout take their share
    assert found["mde"] == row["mde"]
    assert sorted(p.name for p in out.iterdir()) == ["power.csv", "power.png", "sample_size.csv"]
    assert len((out / "power.csv").read_text("utf-8").splitlines()) == 1 + len(found["power"])
    assert osteon("power", str(study), "--n", "30,60", "--json").out != line  # other designs
    again = osteon("power", str(study), "--n", "30,60", "--t-score-max", "total_hip=-2", "--json")
    assert again.out.strip() == line


def test_table(osteon, study, made_up):
    done = osteon("power", str(study), "--arm", "denosumab", "--n", "100")
    assert done.status == 0
    assert "power against placebo, total_hip_bmd, month 12, everyone" in done.out
    assert "not medical advice" in done.err


def test_what_stops_leaves_nothing(osteon, study, made_up, tmp_path, monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("osteon.power.size.search", stop)
    assert osteon("power", str(study), "--out", str(tmp_path / "out")).status == 130
    assert not (tmp_path / "out").exists()
