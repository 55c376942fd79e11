"""Spoilt records: nothing crashes, nothing is said that is not there. `make verify` runs 10,000 of them."""

import datetime

from osteon.ancillary import rank
from osteon.registry import Record
from osteon.registry.files import Item
from osteon.registry.match import Person, find
from osteon.registry.places import Place
from osteon.registry.store import Store
from trial_mutants import check, mutants
from trial_records import osteoporosis, study


def test_extraction():
    for made in mutants([study(), osteoporosis()], 400, seed=1):
        check(made)


def test_everything_after_extraction(tmp_path):
    made = list(mutants([study(), osteoporosis()], 300, seed=2))
    records = [Record(one, "2022-10-10") for one in made]
    at = datetime.date(2022, 10, 10)
    ranking = rank(records, at, draws=50)
    assert len(ranking.hosts) + len(ranking.excluded) == len([r for r in records if r.nct])
    find(records, Person("osteoporosis", 51, "female", Place("x", 47.6, -122.3), 300), today=at, every=True)
    store = Store(tmp_path / "r")
    report = store.add((Item(f"study {i}", one) for i, one in enumerate(made)), "mutants", "2022-10-10")
    assert report.studies
    assert store.search("frailty")[0]
    assert store.records()
