import csv
import json
import re

from osteon.evidence.loader import _TRIALS


def test_json(osteon):
    got = osteon("validate", "--model", "jorg2022", "--json")
    assert got.status == 0
    assert got.out.count("\n") == 1
    told = json.loads(got.out)
    for row in told["rows"]:
        assert list(row) == ["trial", "use", "endpoint", "n", "rmse", "bias", "slope", "coverage90"]
    assert {r["trial"] for r in told["rows"] if r["use"] == "validate"} >= {"FRAME", "ARCH"}
    assert got.problem.startswith("warning: left out, jorg2022 has no such end point")


def test_one_trial_with_pages(osteon, tmp_path):
    got = osteon("validate", "--model", "jorg2022", "--trial", "frame", "--out", tmp_path)
    assert got.status == 0
    assert "FRAME" in got.out
    assert {p.name for p in tmp_path.iterdir()} == {"scores.html", "scores.csv", "points.csv"}
    page = (tmp_path / "scores.html").read_text("utf-8")
    assert page.count("<svg") == 2  # a plot per arm
    assert "nan" not in re.findall(r"\w+", page.casefold())
    rows = list(csv.DictReader((tmp_path / "points.csv").open(encoding="utf-8")))
    assert len(rows) == 54


def test_own_trial_file(osteon, tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(_TRIALS.joinpath("DECIDE.yaml").read_text("utf-8").replace("id: DECIDE", "id: MINE"), "utf-8")
    got = osteon("validate", "--model", "jorg2022", "--trial", path, "--json")
    assert {r["trial"] for r in json.loads(got.out)["rows"]} == {"MINE"}


def test_bad_input(osteon, tmp_path):
    assert "'FRAME'" in osteon("validate", "--trial", "FRAMEE").problem
    assert "none of FRAME is marked 'fit'" in osteon("validate", "--trial", "FRAME", "--use", "fit").problem
    short = tmp_path / "short.yaml"
    text = _TRIALS.joinpath("MIYAUCHI2010.yaml").read_text("utf-8")
    short.write_text(text[: text.rindex("\n      - {") + 1], "utf-8")
    got = osteon("validate", "--model", "jorg2022", "--trial", short)
    assert got.status == 2
    assert "cut short" in got.problem
    got = osteon("validate", "--model", "jorg2022", "--trial", "FRAME", "--out", "/dev/null/x")
    assert got.status == 2
    assert "cannot write" in got.problem


def test_trials_count_once(osteon, tmp_path):
    twice = json.loads(osteon("validate", "--model", "jorg2022", "--trial", "FLEX", "--trial", "flex", "--json").out)
    assert twice["rows"][0]["n"] == 15
    path = tmp_path / "mine.yaml"
    path.write_text(_TRIALS.joinpath("DECIDE.yaml").read_text("utf-8"), "utf-8")
    assert "another id" in osteon("validate", "--trial", "DECIDE", "--trial", path).problem
