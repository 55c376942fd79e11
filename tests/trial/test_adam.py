"""The ADaM tables and their files."""

import json

import numpy as np
import pandas as pd
import pytest

from osteon.trial import adam, dataset_json, measure
from osteon.trial.dataset_json import Column
from trial_made_up import study, true_values


@pytest.fixture(scope="module")
def trial():
    of = study(n=60, endpoints=("total_hip_bmd", "ctx", "hip_fracture"), measurement={"dropout": 0.3, "rescue": 4})
    seen = measure.observe(true_values(of), of, 2)
    events = pd.DataFrame(
        {
            "person": [3, 3, 5],
            "arm": ["placebo", "placebo", "drug"],
            "kind": "hip_fracture",
            "time_days": [200.0, 300.0, 9.0],
        }
    )
    return of, seen, events


@pytest.fixture(scope="module")
def tables(trial):
    of, seen, events = trial
    return adam.tables(seen, of, events)


def test_files_pass_the_schema(trial, tmp_path):
    of, seen, events = trial
    paths = adam.write(seen, of, tmp_path, events, created="2026-01-31T12:00:00Z")
    assert sorted(p.name for p in paths) == sorted(f"{n}.{e}" for n in adam.LABELS for e in ("json", "parquet"))
    for name in adam.LABELS:
        content = json.loads((tmp_path / f"{name}.json").read_text("utf-8"))
        assert dataset_json.problems(content) == []
        assert content["records"] == len(content["rows"]) > 0
        frame = pd.read_parquet(tmp_path / f"{name}.parquet")
        assert list(frame.columns) == [column["name"] for column in content["columns"]]
        assert len(frame) == content["records"]
        for column in content["columns"]:
            assert len(column["name"]) <= 8
            assert len(column["label"]) <= 40


def test_subjects(trial, tables):
    _of, seen, _ = trial
    adsl, columns = tables["ADSL"]
    assert len(adsl) == 120
    assert adsl["USUBJID"].is_unique
    required = {"STUDYID", "USUBJID", "SUBJID", "SITEID", "AGE", "AGEU", "SEX", "RACE", "ARM", "TRT01P"}
    assert required <= {column.name for column in columns}
    done = (seen["status"] == measure.COMPLETED).sum().item()
    assert (adsl["EOSSTT"] == "COMPLETED").sum() == done
    assert adsl.loc[adsl["EOSSTT"] == "COMPLETED", "DCSREAS"].isna().all()
    assert set(adsl["DCSREAS"].dropna()) == {"WITHDRAWAL BY SUBJECT", "LACK OF EFFICACY"}


def test_visits(trial, tables):
    _of, seen, _ = trial
    adbmd, _ = tables["ADBMD"]
    assert len(adbmd) == sum(int(np.isfinite(seen[name]).sum()) for name in ("total_hip_bmd", "ctx"))
    start = adbmd[adbmd["ABLFL"] == "Y"]
    assert (start["AVAL"] == start["BASE"]).all()
    assert (start["ADY"] == 1).all()
    assert (start["ADT"] == "2000-01-01").all()
    later = adbmd[adbmd["ANL01FL"] == "Y"]
    assert later["PCHG"].to_numpy() == pytest.approx(100 * later["CHG"].to_numpy() / later["BASE"].to_numpy())
    assert set(later["AVISIT"]) == {"Month 6", "Month 12", "Month 24"}
    assert not adbmd.duplicated(["USUBJID", "PARAMCD", "AVISITN"]).any()
    hip = adbmd[(adbmd["USUBJID"] == "made-up-02-0001") & (adbmd["PARAMCD"] == "BMDTH")]
    seen_hip = seen["total_hip_bmd"].sel(arm="drug").isel(draw=0, person=0).to_numpy()
    assert hip["AVAL"].to_numpy() == pytest.approx(seen_hip[np.isfinite(seen_hip)])


def test_events(trial, tables):
    adtte, _ = tables["ADTTE"]
    hip = adtte[adtte["PARAMCD"] == "HIPFX"].set_index("USUBJID")
    assert len(hip) == 120
    assert hip.loc["made-up-01-0004", ["AVAL", "CNSR", "EVNTDESC"]].tolist() == [200.0, 0, "HIP FRACTURE"]
    assert hip.loc["made-up-02-0006", "CNSR"] == 0
    assert (hip["CNSR"] == 0).sum() == 2
    assert (hip["AVAL"] <= 24 * 30.4375).all()
    left = adtte[adtte["PARAMCD"] == "LEFT"]
    assert set(left.loc[left["CNSR"] == 1, "EVNTDESC"]) == {"COMPLETED THE STUDY"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d.pop("records"), "records is missing"),
        (lambda d: d.update(datasetJSONVersion="1.0.0"), "is not 1.1"),
        (lambda d: d.update(extra=1), "not a key"),
        (lambda d: d["rows"].pop(), "records is"),
        (lambda d: d["rows"][0].pop(), "row 1 is not a list"),
        (lambda d: d["rows"][2].__setitem__(5, "old"), "row 3: AGE 'old' is not a double"),
        (lambda d: d["columns"][0].pop("label"), "column 1: label is missing"),
        (lambda d: d["columns"][1].update(dataType="text"), "unknown dataType 'text'"),
        (lambda d: d["columns"][1].update(name="STUDYID"), "stands twice"),
        (lambda d: d.update(datasetJSONCreationDateTime="today"), "not a moment"),
    ],
)
def test_the_schema_check_finds_what_is_wrong(tables, change, words):
    table, columns = tables["ADSL"]
    content = dataset_json.document(
        table, columns, name="ADSL", label="x", study="s", created="2026-01-31T12:00:00", version="1"
    )
    assert dataset_json.problems(content) == []
    change(content)
    assert any(words in problem for problem in dataset_json.problems(content))


def test_text_numbers_and_pieces(monkeypatch):
    """Rows are what the table has, in one piece or several; what is missing is null."""
    columns = (Column("TEXT", "Text"), Column("X", "Number", "double"), Column("K", "Whole", "integer"))
    texts = ['a "b"', "å\\", "", None, "tab\t", "a, b"]
    table = pd.DataFrame(
        {"TEXT": texts, "X": [0.1234567, np.nan, np.inf, -2.0, 1e-9, 3e15], "K": [1, 2, 3, -4, 0, 6]}
    )
    table["TEXT"] = table["TEXT"].astype("category")
    want = [
        ['a "b"', 0.123457, 1],
        ["å\\", None, 2],
        [None, None, 3],
        [None, -2, -4],
        ["tab\t", 0, 0],
        ["a, b", 3e15, 6],
    ]
    for rows in (100, 4, 1):
        monkeypatch.setattr(dataset_json, "ROWS", rows)
        content = dataset_json.document(table, columns, name="T", label="t", study="s", created="x", version="1")
        assert content["rows"] == want
    none = dataset_json.document(table.iloc[:0], columns, name="T", label="t", study="s", created="x", version="1")
    assert none["rows"] == []
    assert none["records"] == 0


def test_parquet_holds_plain_text(trial, tmp_path):
    of, seen, events = trial
    adam.write(seen, of, tmp_path, events)
    frame = pd.read_parquet(tmp_path / "ADBMD.parquet")
    assert frame["PARAMCD"].tolist()[0] == "BMDTH"
    assert not any(isinstance(kind, pd.CategoricalDtype) for kind in frame.dtypes)
    assert frame["ABLFL"].isna().sum() == (frame["AVISITN"] > 0).sum()
