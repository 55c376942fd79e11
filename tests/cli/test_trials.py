"""osteon registry, find-trials and ancillary on the command line."""

import json

import pytest

from trial_records import Stub, many, osteoporosis, study


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path


@pytest.fixture
def stored(osteon, data):
    path = data / "studies.json"
    path.write_text(json.dumps([study(), osteoporosis()]), "utf-8")
    assert osteon("registry", "import", path, "--snapshot", "2022-10-10").status == 0
    return path


def told(got):
    assert got.status == 0, got.err
    assert got.out.count("\n") == 1
    return json.loads(got.out)


def test_import_twice(osteon, stored):
    (row,) = told(osteon("registry", "import", stored, "--snapshot", "2022-10-10", "--json"))["imports"]
    assert (row["studies"], row["same"], row["snapshots"]) == (2, 2, ["2022-10-10"])


def test_import_of_something_else(osteon, data):
    path = data / "x.json"
    path.write_text("<html>", "utf-8")
    got = osteon("registry", "import", path)
    assert got.status == 2
    assert "x.json" in got.problem
    assert osteon("registry", "import", data / "none.json").status == 2
    assert osteon("registry", "import", path, "--snapshot", "soon").status == 2


def test_import_with_bad_studies(osteon, data):
    path = data / "x.json"
    path.write_text(json.dumps([study(), {"no": "id"}]), "utf-8")
    got = osteon("registry", "import", path)
    assert got.status == 2
    assert "1 of 2" in got.err
    assert osteon("registry", "show", "NCT09000001").status == 0  # the other is stored
    assert osteon("registry", "import", path, "--skip-bad").status == 0


def test_show(osteon, stored):
    one = told(osteon("registry", "show", "NCT09000001", "--json"))
    assert list(one["extracted"]) == ["cell_therapy", "cell_type", "source", "route", "dose", "per_kg", "control", "n", "age_min",
                                      "age_max", "sex"]  # fmt: skip
    assert one["extracted"]["route"] == {
        "value": "IV",
        "rule": "intervention-states-route",
        "span": "intravenously",
        "confidence": 0.95,
    }
    got = osteon("registry", "show", "nct09000001")
    assert got.status == 0
    assert "2022-10-10" in got.err
    assert "not medical advice" in got.err
    assert "ClinicalTrials.gov" in got.err
    assert "osteon registry refresh" in got.err  # the snapshot is old
    assert "did you mean" in osteon("registry", "show", "NCT09000011").problem


def test_search(osteon, stored):
    found = told(osteon("registry", "search", "osteoporosis", "--json"))
    assert [one["nct"] for one in found["studies"]] == ["NCT09000002"]
    assert found["milliseconds"] < 50
    assert "NCT09000002" in osteon("registry", "search", "stem cells", "osteoporosis").out


def test_nothing_imported_yet(osteon, data):
    for args in (
        ["registry", "search", "x"],
        ["registry", "show", "NCT09000001"],
        ["find-trials", "--condition", "x"],
        ["ancillary", "rank"],
    ):
        got = osteon(*args)
        assert got.status == 2
        assert "osteon registry import" in got.problem


def test_refresh_from_a_local_registry(osteon, data):
    with Stub(many(12), most=5) as stub:
        (row,) = told(osteon("registry", "refresh", "--query", "cells", "--condition", "frailty", "--status", "recruiting,not_yet_recruiting",
                             "--base-url", stub.url, "--pause", "0", "--json"))["imports"]  # fmt: skip
        assert (row["new"], row["snapshots"], row["snapshot_estimated"]) == (12, ["2022-10-07"], False)
        asked = [a for path, a in stub.asked if path == "/studies"]
        assert asked[0]["filter.overallStatus"] == "RECRUITING|NOT_YET_RECRUITING"
        got = osteon("registry", "refresh", "--query", "bad(", "--base-url", stub.url, "--pause", "0")
        assert got.status == 2
        assert "does not understand" in got.problem


def test_find_trials(osteon, stored):
    args = ["find-trials", "--condition", "osteoporosis", "--age", "51", "--sex", "female", "--near", "Seattle, US", "--within", "300km",
            "--as-of", "2022-10-10"]  # fmt: skip
    (one,) = told(osteon(*args, "--json"))["trials"]
    assert one["nct"] == "NCT09000002"
    assert one["fit"] == "may fit"
    assert one["snapshot"] == "2022-10-10"
    assert one["link"].endswith("NCT09000002")
    got = osteon(*args)
    assert got.status == 0
    assert "ask the site" in got.out
    assert "pay" in got.err
    assert "stem cells outside such studies" in got.err
    assert "eligible" not in (got.out + got.err).casefold()
    later = osteon(*args[:-2])
    assert "osteon registry refresh" in later.err
    none = osteon("find-trials", "--condition", "gout")
    assert none.status == 0
    assert "none of your records" in none.err


@pytest.mark.parametrize(
    ("args", "hint"),
    [
        (["--within", "300km"], "--near"),
        (["--near", "Seatle, US"], "seattle"),
        (["--near", "Seattle, US", "--within", "far"], "300km"),
        (["--age", "-1"], "--age"),
        (["--sex", "woman"], "female"),
    ],
)
def test_find_trials_bad_input(osteon, stored, args, hint):
    got = osteon("find-trials", "--condition", "osteoporosis", *args)
    assert got.status == 2
    assert hint in got.problem


def test_ancillary_rank(osteon, stored, tmp_path):
    found = told(
        osteon(
            "ancillary", "rank", "--as-of", "2022-10-10", "--budget", "500000", "--json", "--out", tmp_path / "out"
        )
    )
    assert {"nct", "enbs", "evsi", "cost", "mode", "why"} <= set(found["hosts"][0])
    assert [h["enbs"] for h in found["hosts"]] == sorted((h["enbs"] for h in found["hosts"]), reverse=True)
    assert all(set(row) == {"nct", "gate", "why"} for row in found["excluded"])
    assert (found["currency"], found["as_of"]) == ("EUR", "2022-10-10")
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"hosts.csv", "excluded.csv", "hosts.png"}
    got = osteon("ancillary", "rank", "--as-of", "2022-10-10", "--budget", "500000")
    assert got.status == 0
    assert "assumed" in got.err


def test_ancillary_explain(osteon, stored):
    one = told(osteon("ancillary", "explain", "NCT09000001", "--as-of", "2022-10-10", "--json"))
    assert one["host"] is True
    assert one["bias"]["base"] > 0
    assert told(osteon("ancillary", "explain", "NCT09000001", "--as-of", "2030-01-01", "--json"))["gate"] == "closed"
    assert osteon("ancillary", "explain", "NCT09000001", "--as-of", "2022-10-10").status == 0


def test_ancillary_plan(osteon, stored, tmp_path):
    out = tmp_path / "plan"
    one = told(
        osteon(
            "ancillary", "plan", "NCT09000001", "--as-of", "2022-10-10", "--budget", "65000", "--out", out, "--json"
        )
    )
    assert one["cost"] == 65000
    assert 0 < one["share"] < 1
    assert {p.name for p in out.iterdir()} == {"protocol.md", "plan.csv", "plan.png"}
    page = (out / "protocol.md").read_text("utf-8")
    assert "To the investigators of" in page
    assert "not medical advice" in page
    assert "2022-10-01" in page or "2022-10-10" in page
    assert "assumed" in page
    assert (
        osteon("ancillary", "plan", "NCT09000001", "--as-of", "2022-10-10", "--budget", "10", "--out", out).status
        == 2
    )
    got = osteon("ancillary", "plan", "NCT09000001", "--as-of", "2030-01-01")
    assert got.status == 2
    assert "closed" in got.problem


def test_known_studies(osteon):
    rows = told(osteon("registry", "known", "--json"))["studies"]
    assert {"NCT02566655", "NCT05284604"} <= {row["nct"] for row in rows}
    assert all(row["as_of"] for row in rows)
    assert osteon("registry", "known").status == 0


def test_known_studies_agree_with_the_records(osteon, shared):
    from osteon.registry import Record
    from osteon.registry.files import read

    rows = {row["nct"]: row for row in told(osteon("registry", "known", "--json"))["studies"]}
    for item in read(shared / "registry" / "msc_studies_2022.jsonl.gz"):
        record = Record(item.study)
        if row := rows.pop(record.nct, None):
            assert int(row["n"]) == record.get("designModule.enrollmentInfo.count")
            assert row["start"] == record.get("statusModule.startDateStruct.date")
            assert row["status"].replace(" ", "_").upper() == record.status
    assert len(rows) <= 3  # the others are in other files
