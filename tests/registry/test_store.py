"""The store: idempotent, atomic, versions by day, full text."""

import contextlib
import datetime
import importlib
import json
import re
from pathlib import Path

import pytest

from osteon.errors import InputError, OsteonError
from osteon.registry.extract import extract
from osteon.registry.files import Item
from osteon.registry.record import Record
from osteon.registry.store import Store, stale
from trial_records import many, osteoporosis, study

extraction = importlib.import_module("osteon.registry.extract")  # the function hides the module


def items(studies):
    return [Item(f"study {i + 1}", one) for i, one in enumerate(studies)]


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "registry")


def test_again_changes_nothing(store):
    first = store.add(items(many(5)), "a file", "2022-10-10")
    assert (first.new, first.changed, first.same) == (5, 0, 0)
    before = store.index.read_bytes()
    again = store.add(items(many(5)), "a file", "2022-10-10")
    assert (again.new, again.changed, again.same) == (0, 0, 5)
    assert store.index.read_bytes() == before
    assert len(store.records()) == 5


def test_changed_study(store):
    store.add(items([study()]), "a", "2022-10-10")
    other = study(**{"identificationModule.briefTitle": "Another title"})
    assert store.add(items([other]), "a", "2022-10-10").changed == 1
    assert store.get("NCT09000001").title == "Another title"
    assert store.search("another")[0][0]["nct"] == "NCT09000001"


def test_stopped_midway_leaves_the_store_as_it_was(store):
    store.add(items([study()]), "a", "2022-10-10")

    def breaking():
        yield from items(many(3))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.add(breaking(), "b", "2022-10-11")
    assert [r.nct for r in store.records()] == ["NCT09000001"]


def test_failing_write_is_rolled_back(store, monkeypatch):
    store.add(items([study()]), "a", "2022-10-10")
    with monkeypatch.context() as patch:
        patch.setattr("osteon.registry.store.datetime", None)
        with pytest.raises(AttributeError):
            store._write([("NCT09000002", "2022-10-10", "b", "d", "{}")], store.add([], "x"), "b")
    assert [r.nct for r in store.records()] == ["NCT09000001"]


def test_versions(store):
    for day, title in (("2021-01-01", "old"), ("2022-10-10", "middle"), ("2024-12-16", "new")):
        store.add(items([study(**{"identificationModule.briefTitle": title})]), "a", day)
    assert store.get("NCT09000001").title == "new"
    assert store.get("NCT09000001", "2022-10-10").title == "middle"
    assert store.get("NCT09000001", "2023-05-01").title == "middle"
    assert store.get("NCT09000001", "2019-01-01").title == "old"  # none is old enough: the earliest
    assert [r.snapshot for r in store.records("2021-06-01")] == ["2021-01-01"]


def test_days_from_the_records_themselves(store):
    report = store.add(items([study(**{"derivedSection.miscInfoModule.versionHolder": "2024-12-16"})]), "a")
    assert (report.snapshots, report.estimated) == (["2024-12-16"], False)
    report = store.add(items([study("NCT09000003")]), "b")
    assert (report.snapshots, report.estimated) == (["2022-09-01"], True)


def test_unusable_studies_are_told(store):
    odd = [{"a": 1}, study("NCT0"), study(17), study("  nct9000001 ")]
    report = store.add(items(odd), "a", "2022-10-10")
    assert report.new == 1
    assert len(report.unusable) == 3
    assert "study 1" in report.unusable[0]
    assert store.get("9000001".join(("NCT", ""))).nct == "NCT09000001"


def test_search(store):
    store.add(items([study(), osteoporosis()]), "a", "2022-10-10")
    found, took = store.search("osteoporosis stem cells")
    assert [f["nct"] for f in found] == ["NCT09000002"]
    assert took < 50
    assert store.search('"mesenchymal stem"')[0]
    assert store.search("Osteoporotic")[0] == [] or store.search("Osteoporotic")[0]  # any word is safe
    for hostile in ('"', "a AND OR NOT (", "x*", 'NEAR("a', "- -", "ünïcödé", "a" * 500):
        with contextlib.suppress(InputError):
            store.search(hostile)
    with pytest.raises(InputError, match="at least one word"):
        store.search("!!!")


def test_index_that_was_lost_or_spoilt_is_made_again(store):
    store.add(items([osteoporosis()]), "a", "2022-10-10")
    store.index.unlink()
    assert store.search("osteoporosis")[0]
    store.index.write_bytes(b"not a database, surely not one at all" * 10)
    with pytest.raises(OsteonError, match="damaged"):
        store.search("osteoporosis")
    store.add(items([osteoporosis()]), "a", "2022-10-10")
    assert store.search("osteoporosis")[0]


def test_nothing_yet(store):
    with pytest.raises(InputError, match="registry import"):
        store.records()
    with pytest.raises(InputError, match="no records yet"):
        store.search("osteoporosis")


def test_unknown_and_invalid_ids(store):
    store.add(items([study()]), "a", "2022-10-10")
    with pytest.raises(InputError, match="did you mean 'NCT09000001'"):
        store.get("NCT09000002")
    with pytest.raises(InputError, match="not a registry id"):
        store.get("osteoporosis")


def test_what_is_drawn_is_kept(store, monkeypatch):
    """What is kept with a record is what would be drawn from it, and it is drawn once."""
    store.add(items(many(3)), "a file", "2022-10-10")
    fresh = [extract(Record(one.raw)).values for one in store.records()]

    def again(record):
        raise AssertionError("drawn again")

    monkeypatch.setitem(extraction._OF_ALL, "cell_therapy", again)
    assert [extract(one).values for one in store.records()] == fresh
    assert fresh[0]["cell_therapy"].value is True
    store.add(items(many(3)), "the same", "2022-10-11")
    assert len(store.records()) == 3


def test_drawn_again_by_other_rules(store, monkeypatch):
    """A store of another osteon is brought up to date at its next use; one that cannot be written works as well."""
    store.add(items(many(3)), "a file", "2022-10-10")
    before = [one.kept for one in store.records()]
    monkeypatch.setattr("osteon.registry.store.rules", lambda: "others")
    with monkeypatch.context() as patch:
        patch.setattr(Store, "_draw", lambda *_: (_ for _ in ()).throw(OsteonError("read only")))
        assert [one.kept for one in store.records()] == [None] * 3
    assert [one.kept for one in store.records(drawn=False)] == [None] * 3
    assert [one.kept for one in store.records()] == before
    with store._open() as link:
        assert link.execute("SELECT DISTINCT rules FROM drawn").fetchall() == [("others",)]
    with store._open(write=True) as link:
        link.execute("DROP TABLE drawn")
    assert [one.kept for one in store.records()] == before


def test_rules_are_those_of_all_modules_that_draw():
    """A rule that moves to another module must not go unseen by the digest."""
    folder = Path(extraction.__file__).parent
    seen, todo = set(), ["extract"]
    while todo:
        name = todo.pop()
        seen.add(name)
        used = re.findall(
            r"^from osteon\.registry(?:\.(\w+))? import (.+)$", (folder / f"{name}.py").read_text(), re.M
        )
        found = {one for module, names in used for one in ([module] if module else names.split(", "))}
        todo += sorted(found - seen)
    assert seen == set(extraction._RULES)


def test_odd_text_is_kept(store):
    odd = "\ud800 \x00 🦴 " + "x" * 100_000
    store.add(items([study(**{"identificationModule.briefTitle": odd})]), "a", "2022-10-10")
    assert store.get("NCT09000001").raw["protocolSection"]["identificationModule"]["briefTitle"] == odd
    json.dumps(store.search("frailty")[0])


def test_data_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert Store().folder == tmp_path / "osteon" / "registry"


def test_stale():
    assert stale("2022-10-10", datetime.date(2022, 11, 1)) == ""
    assert "osteon registry refresh" in stale("2022-10-10", datetime.date(2026, 11, 1))
    assert stale(None) == ""
