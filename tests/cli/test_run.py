import csv
import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

import osteon as package
from osteon.summary import COLUMNS

EXAMPLE = Path(__file__).parents[2] / "examples" / "switch.yaml"


def test_run(osteon, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("stays")
    got = osteon("run", EXAMPLE, "--model", "jorg2022", "--out", out)
    assert got.status == 0
    assert {p.name for p in out.iterdir()} == {
        "mine.txt",
        "summary.csv",
        "summary.parquet",
        "result.nc",
        "report.html",
    }
    rows = list(csv.DictReader((out / "summary.csv").open(encoding="utf-8")))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == 2 * 6 * 3
    assert {r["month"] for r in rows} == {"0", "6", "12", "24", "36", "48"}
    assert all(r["lower"] == r["upper"] == "" for r in rows)
    assert all(float(r["value"]) == 0 for r in rows if r["month"] == "0")
    table = pd.read_parquet(out / "summary.parquet")
    assert table["value"].tolist() == pytest.approx([float(r["value"]) for r in rows])
    assert package.load(out / "result.nc").sizes["arm"] == 2
    assert "Teriparatide then denosumab" in (out / "report.html").read_text("utf-8")


def test_json(osteon, tmp_path):
    got = osteon("run", EXAMPLE, "--model", "jorg2022", "--out", tmp_path, "--json")
    told = json.loads(got.out)
    assert got.out.count("\n") == 1
    assert list(told["summary"][0]) == list(COLUMNS)
    assert told["provenance"]["study"]["id"] == "switch-example"


def test_missing_end_point_is_one_warning(osteon, tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text(
        EXAMPLE.read_text("utf-8").replace("[total_hip_bmd,", "[lumbar_spine_bmd, hip_fracture, total_hip_bmd,")
    )
    got = osteon("run", path, "--model", "jorg2022", "--out", tmp_path / "o", "--json")
    assert got.status == 0
    assert got.problem == "warning: left out, the model has no such end point: lumbar_spine_bmd, hip_fracture"


def test_default_folder(osteon, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert osteon("run", EXAMPLE).status == 0
    assert (tmp_path / "switch-example-results" / "summary.csv").exists()


BAD = [
    ("arms:", "arm:", "arms"),
    ("id: switch-example", "id: [1", "not valid YAML"),
    ("20 ug SC daily", "20 ug SK daily", "column"),
    ("teriparatide 20 ug SC daily", "zoledronate 5 mg IV yearly", "has no zoledronate"),
    ("mean: 66, sd: 8, min: 50", "mean: 15, sd: 8, min: 10", "20 to 100"),
    ("species: human", "species: mouse", "no mouse"),
    ("[0, 6, 12", "[0, 12, 6", "ascend"),
    ("36, 48]", "36, 4800]", "end at age"),
]


@pytest.mark.parametrize(("old", "new", "hint"), BAD)
def test_bad_study(osteon, tmp_path, old, new, hint):
    text = EXAMPLE.read_text("utf-8")
    assert old in text
    path = tmp_path / "s.yaml"
    path.write_text(text.replace(old, new), "utf-8")
    got = osteon("run", path, "--model", "jorg2022", "--out", tmp_path / "o")
    assert got.status == 2
    assert hint in got.problem
    assert not (tmp_path / "o").exists() or list((tmp_path / "o").iterdir()) == []


def test_no_study_or_no_folder(osteon, tmp_path):
    assert "no such file" in osteon("run", tmp_path / "none.yaml").problem
    (tmp_path / "b.yaml").write_bytes(b"\x89PNG\xff")
    assert "text file" in osteon("run", tmp_path / "b.yaml").problem
    (tmp_path / "file").write_text("x")
    got = osteon("run", EXAMPLE, "--model", "jorg2022", "--out", tmp_path / "file")
    assert got.status == 2
    assert "cannot write" in got.problem


@pytest.mark.skipif(shutil.which("chattr") is None, reason="no chattr here")
def test_folder_without_write_permission(osteon, tmp_path):
    folder = tmp_path / "locked"
    folder.mkdir()
    folder.chmod(0o500)
    got = osteon("run", EXAMPLE, "--model", "jorg2022", "--out", folder)
    # root may write anywhere
    assert (got.status == 2 and "cannot write" in got.problem) or (got.status == 0 and any(folder.iterdir()))
