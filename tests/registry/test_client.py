"""The client against a local registry that behaves as documented."""

import json

import pytest

from osteon.errors import InputError
from osteon.registry.client import Client, RegistryError
from trial_records import Stub, many, study


@pytest.fixture
def naps():
    return []


def client(stub, naps):
    return Client(stub.url, pause=0.0, sleep=naps.append)


def ids(found):
    return [one["protocolSection"]["identificationModule"]["nctId"] for one in found]


def test_all_pages_each_study_once(naps):
    studies = many(25)
    with Stub(studies, most=10) as stub, client(stub, naps) as asking:
        stub.repeat = True
        shares = []
        found = list(asking.studies({"query.term": "cells"}, progress=shares.append))
        assert ids(found) == ids(studies)
        assert shares[-1] == 1.0
    pages = [asked for path, asked in stub.asked if path == "/studies"]
    assert len(pages) == 3
    assert all(page["query.term"] == "cells" for page in pages)  # every page repeats the question
    assert ["countTotal" in page for page in pages] == [True, False, False]


def test_one_study_and_moved_id(naps):
    moved = study("NCT09000007", **{"identificationModule.nctIdAliases": ["NCT09000006"]})
    with Stub([study(), moved]) as stub, client(stub, naps) as asking:
        assert ids([asking.study("nct9000001")]) == ["NCT09000001"]
        assert ids([asking.study("NCT09000006")]) == ["NCT09000007"]
        with pytest.raises(InputError, match="NCT09000099"):
            asking.study("NCT09000099")
        with pytest.raises(InputError, match="not a registry id"):
            asking.study("17")
        assert asking.version() == "2022-10-07"


def test_query_that_is_not_understood(naps):
    with (
        Stub([study()]) as stub,
        client(stub, naps) as asking,
        pytest.raises(InputError, match="does not understand the query: `query.term` has incorrect format"),
    ):
        list(asking.studies({"query.term": "bad("}))
    assert naps == []  # not tried again


def test_waits_when_told_and_backs_off(naps):
    trouble = [(429, {"Retry-After": "7"}, b""), (503, {}, b""), (200, {}, b"<html>not JSON</html>")]
    with Stub(many(3)) as stub, client(stub, naps) as asking:
        stub.trouble = trouble
        assert len(list(asking.studies({}))) == 3
    assert naps[0] == 7.0
    assert len(naps) == 3


def test_gives_up_with_one_line(naps):
    with Stub([]) as stub, client(stub, naps) as asking:
        stub.trouble = [(500, {}, b"")] * 20
        with pytest.raises(RegistryError, match="did not answer after 6 tries"):
            asking.version()
    with (
        Client("http://127.0.0.1:9", pause=0.0, sleep=naps.append) as asking,
        pytest.raises(RegistryError, match="try again later"),
    ):
        asking.version()


def test_one_request_a_second(naps):
    with Stub(many(3), most=1) as stub, Client(stub.url, pause=1.0, sleep=naps.append) as asking:
        list(asking.studies({}))
    assert len(naps) >= 2
    assert all(0 < nap <= 1.0 for nap in naps)


def test_broken_off_download_goes_on(naps, tmp_path):
    resume = tmp_path / "resume.json"
    studies = many(30)
    with Stub(studies, most=10) as stub, client(stub, naps) as asking:
        for index, _ in enumerate(asking.studies({"query.term": "x"}, resume=resume)):
            if index == 12:
                break
        assert resume.exists()
        before = len(stub.asked)
        assert ids(asking.studies({"query.term": "x"}, resume=resume)) == ids(studies)
        assert len(stub.asked) - before == 1  # two pages were kept
        assert not resume.exists()


def test_expired_token_starts_again(naps, tmp_path):
    resume = tmp_path / "resume.json"
    studies = many(30)
    with Stub(studies, most=10) as stub, client(stub, naps) as asking:
        next(asking.studies({}, resume=resume))
        state = json.loads(resume.read_text("utf-8"))
        resume.write_text(json.dumps({**state, "token": "old"}), "utf-8")
        assert ids(asking.studies({}, resume=resume)) == ids(studies)
    resume.write_text("not JSON", "utf-8")
    with Stub(studies, most=10) as stub, client(stub, naps) as asking:
        assert len(list(asking.studies({}, resume=resume))) == 30


def test_base_url():
    with pytest.raises(InputError, match="https://"):
        Client("clinicaltrials")
