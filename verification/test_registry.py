"""10,000 spoilt real records: extraction never fails and every span occurs in its record; ranking all records is quick."""

import datetime
import os
import time
from pathlib import Path

import pytest

from osteon.ancillary import rank
from osteon.registry import Record
from osteon.registry.files import read
from trial_mutants import check, mutants

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def studies():
    shared = Path(os.environ.get("OSTEON_SHARED", Path(__file__).parents[2] / "shared"))
    if not (shared / "registry").is_dir():
        pytest.skip(f"no development data at {shared}; set OSTEON_SHARED to their folder to run this test")
    return [item.study for path in sorted((shared / "registry").glob("*.jsonl.gz")) for item in read(path)]


@pytest.mark.parametrize("part", range(10))
def test_ten_thousand_mutants(studies, part):
    for made in mutants(studies, 1000, seed=100 + part):
        check(made)


def test_ranking_all_records_is_quick(studies):
    records = [Record(one, "2022-10-10") for one in studies]
    begin = time.process_time()
    ranking = rank(records, datetime.date(2022, 10, 10))
    assert time.process_time() - begin < 10
    assert len(ranking.hosts) > 30
