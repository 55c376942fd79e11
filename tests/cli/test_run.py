import csv
import json
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
    kinds = [r["statistic"] for r in rows]
    assert kinds == ["mean_pct_change"] * 2 * 6 * 3 + ["difference_vs_placebo"] * 6 * 3
    assert {r["month"] for r in rows} == {"0", "6", "12", "24", "36", "48"}
    assert all(r["lower"] == r["upper"] == "" for r in rows)
    assert all(float(r["value"]) == 0 for r in rows if r["month"] == "0")
    table = pd.read_parquet(out / "summary.parquet")
    assert table["value"].tolist() == pytest.approx([float(r["value"]) for r in rows])
    assert package.load(out / "result.nc").sizes["arm"] == 2
    assert "Teriparatide then denosumab" in (out / "report.html").read_text("utf-8")


def test_the_printed_table_is_short(osteon, tmp_path):
    """The last visit and up to three before it, arms of one end point together."""
    got = osteon("run", EXAMPLE, "--model", "jorg2022", "--out", tmp_path)
    lines = got.out.splitlines()
    assert len(lines) == 2 + 2 * 3
    assert "month 12  month 24  month 36  month 48" in lines[1]
    assert "vs placebo" in lines[1]
    assert lines[2].startswith("total_hip_bmd  placebo")
    assert lines[3].split()[0] == "switch"
    assert "summary.csv has every visit" in got.err


def test_json(osteon, tmp_path):
    got = osteon("run", EXAMPLE, "--model", "jorg2022", "--out", tmp_path, "--json")
    told = json.loads(got.out)
    assert got.out.count("\n") == 1
    assert list(told["summary"][0]) == list(COLUMNS)
    assert [row["month"] for row in told["summary"][:6]] == [0, 6, 12, 24, 36, 48]
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
    ("arms:", "arm:", "unknown key 'arm'; did you mean 'arms'?"),
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
    assert not (tmp_path / "o").exists()


def test_no_study_or_no_folder(osteon, tmp_path):
    assert "no such file" in osteon("run", tmp_path / "none.yaml").problem
    (tmp_path / "b.yaml").write_bytes(b"\x89PNG\xff")
    assert "text file" in osteon("run", tmp_path / "b.yaml").problem
    (tmp_path / "file").write_text("x")
    got = osteon("run", EXAMPLE, "--model", "jorg2022", "--out", tmp_path / "file")
    assert got.status == 2
    assert "cannot write" in got.problem


@pytest.mark.parametrize("name", ["x[/bold]", "[red]", "$x^$", "_a", "<b>&", "a,b", "'", "☂", "off"])
def test_any_arm_name(osteon, tmp_path, name):
    path = tmp_path / "s.yaml"
    text = EXAMPLE.read_text("utf-8").replace("name: placebo", f"name: {json.dumps(name)}")
    path.write_text(text.replace("title: Teri", "title: '[/red]' #"), "utf-8")
    got = osteon("run", path, "--model", "jorg2022", "--out", tmp_path / "o")
    assert got.status == 0
    assert name in got.out
    rows = list(csv.DictReader((tmp_path / "o" / "summary.csv").open(encoding="utf-8", newline="")))
    assert {r["arm"] for r in rows} == {name, "switch"}


def test_full_disk_leaves_nothing(osteon, tmp_path, monkeypatch):
    """Any file may fail to be written; the command says so in one line and leaves no part of a file."""

    def full(self, *_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    got = osteon("run", EXAMPLE, "--model", "jorg2022", "--out", tmp_path)
    assert got.status == 2
    assert "No space left" in got.problem
    assert {p.suffix for p in tmp_path.iterdir()} <= {".parquet"}
