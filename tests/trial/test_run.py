"""A virtual trial from end to end: simulated people, files, report, and the same again."""

import contextlib
import json
import re

import numpy as np
import pandas as pd
import pytest

from osteon import rerun
from osteon import result as results
from osteon.cli.main import run as cli
from osteon.errors import InputError
from osteon.trial import dataset_json, measure
from osteon.trial import run as trials
from osteon.trial.analyse.plan import analyse
from trial_made_up import study, true_values

STUDY = """
id: small
title: A <small> trial & its report
people: {species: human, sex: female, age: {mean: 70, sd: 5, min: 60, max: 80}, t_score: {total_hip: -2.2},
         n_per_arm: 24}
arms:
  - {name: _none, regimen: none}
  - {name: denosumab, regimen: "denosumab 60 mg SC every 6 months"}
visits: [0, 12]
endpoints: [total_hip_bmd, ctx, vertebral_fracture]
measurement: {missed_visits: 0.1}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("trial")
    (path / "study.yaml").write_text(STUDY, "utf-8")
    arguments = ["run", str(path / "study.yaml"), "--trial", "--draws", "0", "--json", "--out", str(path / "out")]
    with open(path / "stdout", "w", encoding="utf-8") as out, contextlib.redirect_stdout(out):
        assert cli(arguments) == 0
    return path


def test_files(folder):
    names = sorted(str(p.relative_to(folder / "out")) for p in (folder / "out").rglob("*") if p.is_file())
    adam = [f"adam/{n}.{e}" for n in ("ADBMD", "ADSL", "ADTTE") for e in ("json", "parquet")]
    others = ["report.html", "result.nc", "result_people.nc", "summary.csv", "summary.parquet", "trial.nc", "trial_report.html",
              "trial_summary.csv"]  # fmt: skip
    assert names == sorted([*adam, *others])
    for name in ("ADBMD", "ADSL", "ADTTE"):
        content = json.loads((folder / "out" / "adam" / f"{name}.json").read_text("utf-8"))
        assert dataset_json.problems(content) == []
    table = pd.read_csv(folder / "out" / "trial_summary.csv")
    assert list(table.columns) == [
        "study",
        "arm",
        "endpoint",
        "month",
        "statistic",
        "value",
        "lower",
        "upper",
        "p",
        "n",
    ]
    hip = table[(table["statistic"] == "difference_vs__none") & (table["endpoint"] == "total_hip_bmd")]
    assert hip["lower"].iloc[0] > 0


def test_the_other_files_are_as_without_a_trial(folder, tmp_path):
    assert cli(["run", str(folder / "study.yaml"), "--draws", "0", "--out", str(tmp_path)]) == 0
    for name in ("summary.csv", "result.nc", "report.html"):
        assert (tmp_path / name).read_bytes() == (folder / "out" / name).read_bytes(), name


def test_rerun_repeats_it_bit_for_bit(folder, tmp_path, capsys):
    assert cli(["rerun", str(folder / "out" / "trial.nc"), "--out", str(tmp_path)]) == 0
    assert "bit for bit" in capsys.readouterr().out
    for name in ("trial.nc", "trial_summary.csv"):
        assert (tmp_path / name).read_bytes() == (folder / "out" / name).read_bytes(), name


def test_rerun_sees_another_seed(folder):
    before = results.load(folder / "out" / "trial.nc")
    again, of, changed = rerun.again(before)
    assert (of.id, changed) == ("small", [])
    assert rerun.differences(before, again) == {}
    other = trials.trial(of, seed=1).observed
    assert "total_hip_bmd" in rerun.differences(before, other)


def test_the_report_is_whole_and_offline(folder):
    page = (folder / "out" / "trial_report.html").read_text("utf-8")
    assert "not medical advice" in page or "Nothing here is medical advice" in page
    for word in ("Flow of people", "Randomised", "Discontinued: dropped out", "People at month 0", "What it rests on",
                 "Provenance", "A &lt;small&gt; trial &amp; its report", "virtual twins", "assumed: round value"):  # fmt: skip
        assert word in page, word
    assert "<small>" not in page
    assert not re.search(r'(src|href)="https?://', page)
    assert page.count("<svg") == 2
    assert " nan" not in page.casefold()


def test_json(folder):
    (line,) = (folder / "stdout").read_text("utf-8").splitlines()
    rows = json.loads(line)["trial_summary"]
    assert {"mean_pct_change", "difference_vs__none", "risk_pct"} <= {row["statistic"] for row in rows}


def test_arms_share_their_people_unless_told_otherwise():
    of = study(n=10, visits=(0, 12), endpoints=("total_hip_bmd",), measurement={"twins": True})
    twins = trials.trial(of).true["total_hip_bmd"]
    assert np.array_equal(twins.sel(arm="placebo"), twins.sel(arm="drug"))
    apart = study(n=10, visits=(0, 12), endpoints=("total_hip_bmd",), measurement={"twins": False})
    found = trials.trial(apart)
    start = found.true["total_hip_bmd"].isel(draw=0, time=0)
    assert not np.isin(start.sel(arm="placebo"), start.sel(arm="drug")).any()
    assert found.true["age"].dims == ("arm", "person")
    third = study(n=10, arms=("new", "placebo", "drug"), visits=(0, 12), endpoints=("total_hip_bmd",),
                  measurement={"twins": False})  # fmt: skip
    more = trials.trial(third).observed["total_hip_bmd"]
    assert np.array_equal(found.observed["total_hip_bmd"].sel(arm="drug"), more.sel(arm="drug"), equal_nan=True)


def test_files_of_a_trial_of_different_people(tmp_path):
    of = study(n=10, visits=(0, 12), endpoints=("total_hip_bmd", "p1np"), measurement={"twins": False})
    found = trials.trial(of)
    trials.write(found, tmp_path)
    again, _, _ = rerun.again(results.load(tmp_path / "trial.nc"))
    assert rerun.differences(found.observed, again) == {}
    ages = pd.read_parquet(tmp_path / "adam" / "ADSL.parquet")["AGE"].to_numpy()
    assert ages == pytest.approx(found.observed["age"].to_numpy().ravel())


def test_adherence_takes_from_the_effect():
    drug = [{"name": "none", "regimen": "none"}, {"name": "drug", "regimen": "alendronate 70 mg PO weekly"}]
    changes = []
    for share in (1.0, 0.3):
        of = study(n=4, visits=(0, 12), endpoints=("total_hip_bmd",), measurement={"adherence": share})
        of = type(of).model_validate({**of.model_dump(exclude_none=True), "arms": drug})
        hip = trials.trial(of).true["total_hip_bmd"].isel(draw=0)
        changes.append(float((hip.sel(arm="drug") - hip.sel(arm="none")).isel(time=1).mean()))
    assert 0 < changes[1] < 0.95 * changes[0]


def test_fractures_beside_measurements():
    of = study(n=40, endpoints=("total_hip_bmd", "hip_fracture"))
    true = true_values(of)
    events = pd.DataFrame(
        {
            "person": [1, 1, 2],
            "arm": ["drug", "drug", "placebo"],
            "kind": "hip_fracture",
            "time_days": [90.0, 30.0, 500.0],
        }
    )
    death = np.full((2, 40), np.inf)
    death[0, 3] = 100.0
    seen = trials._with_events(measure.observe(true, of, 0, death_day=death), of, events, death)
    assert seen["hip_fracture_day"].sel(arm="drug")[1] == 30.0
    assert seen["status"].sel(arm="placebo")[3] == measure.DIED
    kept = trials.events_of(seen, of)
    assert kept[["person", "time_days"]].to_numpy().tolist() == [[2, 500.0], [1, 30.0]]
    one, other = (analyse(seen, of, 0, e).table for e in (events, kept))
    assert one.equals(other)


def test_nothing_to_analyse_is_an_error():
    with pytest.raises(InputError, match="nothing to analyse"):
        trials.trial(study(n=4, visits=(0,)))
