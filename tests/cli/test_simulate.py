import json
import math

import pytest

BASE = ["simulate", "--model", "jorg2022", "--age", "67", "--regimen", "denosumab 60 mg SC every 6 months x2"]


def test_json(osteon):
    got = osteon(*BASE, "--until", "5475 days", "--every", "1 year", "--json")
    assert got.status == 0
    assert got.out.count("\n") == 1
    told = json.loads(got.out)
    assert list(told) == ["time_days", "series", "provenance"]
    assert told["time_days"] == [365.0 * i for i in range(16)]
    assert set(told["series"]) >= {"total_hip_bmd_pct", "ctx_pct", "p1np_pct", "bsap_pct"}
    for series in told["series"].values():
        assert len(series) == 16
        assert series[0] == 0
        assert all(math.isfinite(v) for v in series)
    assert told["provenance"]["model"] == "jorg2022"


@pytest.mark.parametrize(
    ("until", "days"), [("5475 days", 5475), ("10 weeks", 70), ("12 months", 365.25), ("1 year", 365)]
)
def test_until(osteon, until, days):
    told = json.loads(osteon(*BASE, "--until", until, "--json").out)
    assert told["time_days"][-1] == days


def test_exact_and_alias_give_the_same(osteon):
    one = osteon(*BASE, "--until", "2 years", "--json").out
    assert osteon(*BASE, "--until", "2 years", "--json", "--exact").out == one
    assert osteon(*[a.replace("jorg", "joerg") for a in BASE], "--until", "2 years", "--json").out == one


def test_table_for_people(osteon):
    got = osteon(*BASE, "--until", "2 years")
    assert "hip" in got.out
    assert "not medical advice" in got.err


def test_ignored_features_warn_once_and_go_on(osteon):
    got = osteon(*BASE, "--until", "1 year", "--sex", "male", "--t-score", "total_hip=-2.5", "--weight", "60",
                 "--years-since-menopause", "17", "--json")  # fmt: skip
    assert got.status == 0
    assert got.err.count("warning:") == 1
    for word in ("sex", "T-scores", "menopause age", "weight"):
        assert word in got.problem


@pytest.mark.parametrize("name", ["a.nc", "a.parquet", "a.csv"])
def test_out(osteon, tmp_path, name):
    got = osteon(*BASE, "--until", "1 year", "--out", tmp_path / name)
    assert got.status == 0
    assert (tmp_path / name).stat().st_size > 500


@pytest.mark.parametrize(
    ("name", "start"), [("a.png", b"\x89PNG"), ("a.svg", b"<?xml"), ("a.html", b"<!doctype html>")]
)
def test_plot(osteon, tmp_path, name, start):
    got = osteon(*BASE, "--until", "1 year", "--plot", tmp_path / name)
    assert got.status == 0
    assert (tmp_path / name).read_bytes().startswith(start)
    assert [p.name for p in tmp_path.iterdir()] == [name]


BAD = [
    (["--regimen", "denosumabb 60 mg SC once"], "denosumab"),
    (["--regimen", "denosumab 60 mgg SC once"], "'mg'"),
    (["--regimen", "denosumab 60 mg SV once"], "'SC'"),
    (["--regimen", "denosumab 0 mg SC once"], "above 0"),
    (["--regimen", "denosumab 60 mg SC every 0 months"], "above 0"),
    (["--regimen", "denosumab 60 mg SC once starting at day -1"], "from 0"),
    (["--regimen", "zoledronate 5 mg IV once"], "has no zoledronate"),
    (["--regimen", "ovariectomy once"], "has no ovariectomy"),
    (["--regimen", ""], "none"),
    (["--prior", "denosumab 60 mg SC monthly"], "no end"),
    (["--age", "12"], "20 to 100"),
    (["--age", "150"], "20 to 100"),
    (["--age", "old"], "not a number"),
    (["--age", "nan"], "finite"),
    (["--sex", "femal"], "female"),
    (["--t-score", "hip=-2"], "total_hip"),
    (["--t-score", "total_hip"], "SITE=VALUE"),
    (["--weight", "0"], "weight_kg"),
    (["--until", "soon"], "length of time"),
    (["--until", "-3 years"], "above 0"),
    (["--until", "90 years"], "end at age 157"),
    (["--every", "0 days"], "above 0"),
    (["--every", "1 parsec"], "unit of time"),
    (["--model", "jorg"], "jorg2022"),
    (["--model", "osteom"], "unknown model 'osteom'"),
    (["--without", "estrogen"], "mechanism"),
    (["--plot", "a.gif"], ".png"),
    (["--plot", "/dev/null/a.png"], "cannot write"),
    (["--out", "a.xlsx"], ".parquet"),
    (["--out", "/dev/null/a.nc"], "cannot write"),
    (["--seed", "-1"], "seed"),
]


@pytest.mark.parametrize(("args", "hint"), BAD)
@pytest.mark.parametrize("json_", [[], ["--json"]])
def test_bad_input(osteon, args, hint, json_, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    got = osteon(*BASE, "--until", "1 year", *args, *json_)
    assert got.status == 2
    assert hint in got.problem
    assert got.out == ""
    assert list(tmp_path.iterdir()) == []


def test_many_people(osteon):
    args = [*BASE, "--until", "2 years", "--every", "1 year", "--people", "100", "--vary", "omega_pC=0.25", "--json"]
    fast, exact = json.loads(osteon(*args).out), json.loads(osteon(*args, "--exact").out)
    assert list(fast) == ["time_days", "series", "sd_between_people", "provenance"]
    for name, series in fast["series"].items():
        assert series == pytest.approx(exact["series"][name], abs=0.005 if name.endswith("bmd_pct") else 0.3)
    assert fast["provenance"]["engine"]["certificate"]["sample_within"] > 0.99
    assert fast["sd_between_people"]["ctx_pct"][1] > 0


@pytest.mark.parametrize(
    ("args", "hint"),
    [(["--people", "0"], "whole number"), (["--people", "2.5"], "whole number"), (["--people", "x"], "not a number"),
     (["--vary", "omega_pc=0.2"], "'omega_pC'"), (["--vary", "omega_pC"], "ID=SD"), (["--vary", "omega_pC=9"], "from 0 to 2"),
     (["--people", "5", "--plot", "a.png"], "one person")],
)  # fmt: skip
def test_bad_people(osteon, args, hint):
    got = osteon(*BASE, "--until", "1 year", *args, "--exact")
    assert got.status == 2
    assert hint in got.problem
