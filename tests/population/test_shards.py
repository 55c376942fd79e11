"""Shards and the folder that holds them: the same bits however a run is cut, broken off and taken up again."""

import dataclasses
import json
import os

import numpy as np
import pyarrow.parquet as pq
import pytest

from osteon.errors import InputError, IntegrationError, OsteonError, OsteonWarning
from osteon.population import shards
from osteon.population.many import simulate_many
from osteon.population.parts import Place, open_folder
from osteon.population.simulate import simulate_people
from osteon.population.variation import Variation
from osteon.published.jorg2022 import Jorg2022
from osteon.regimen import parse_regimen

MODEL = Jorg2022()
N = 5000  # five shards, the last one short
POPULATION = Variation(MODEL, N, {"omega_pC": 0.25, "eta_B": 0.1}, 66.0, seed=5)
DAYS = [0.0, 180.0, 365.0, 730.0]
COURSES = parse_regimen("denosumab 60 mg SC every 180 days x4").courses(DAYS[-1], year_days=365.0)


class Counted:
    """Threads that note what they do, and are broken off after some shards."""

    def __init__(self, stop_after=None, change=lambda job, place: (job, place)):
        self.done, self.stop_after, self.change = [], stop_after, change

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def __call__(self, job, todo, place):
        job, place = self.change(job, place)
        for shard, result in shards.threads(2)(job, todo, place):
            if len(self.done) == self.stop_after:
                raise KeyboardInterrupt
            self.done.append(shard.first)
            yield shard, result


def run(people=POPULATION.people, **options):
    options.setdefault("facts", {"seed": 5})
    return simulate_many(MODEL, people, N, COURSES, DAYS, **options)


@pytest.fixture(scope="module")
def plain():
    return run()


def same(one, other):
    assert (one.days == other.days).all()
    assert (one.moments.n, one.moments.failed) == (other.moments.n, other.moments.failed)
    for name in one.moments.names:
        np.testing.assert_array_equal(one.moments.total[name], other.moments.total[name])
        np.testing.assert_array_equal(one.moments.squares[name], other.moments.squares[name])
    assert one.certificate == other.certificate


def names(folder):
    return sorted(p.name for p in folder.iterdir())


def test_parts_hold_everyone(plain, tmp_path):
    same(run(out=tmp_path), plain)
    assert [n for n in names(tmp_path) if not n.startswith(("part-", "sums-"))] == [
        "certificate.json",
        "run.json",
        "summary.csv",
    ]
    table = pq.read_table([tmp_path / n for n in names(tmp_path) if n.startswith("part-")]).to_pandas()
    assert (table["person"] == np.repeat(np.arange(N), len(DAYS))).all()
    assert (table["day"] == np.tile(DAYS, N)).all()
    bmd = table["total_hip_bmd_pct"].to_numpy().reshape(N, -1)
    np.testing.assert_allclose(bmd.mean(axis=0), plain.moments.mean_pct("total_hip_bmd"), rtol=1e-10)
    ctx = np.log1p(table["ctx_pct"].to_numpy().reshape(N, -1) / 100)
    np.testing.assert_allclose(100 * ctx.std(axis=0, ddof=1), plain.moments.sd_pct("ctx"), rtol=1e-8, atol=1e-9)
    lines = (tmp_path / "summary.csv").read_text().splitlines()
    assert lines[0] == "endpoint,month,statistic,value,sd,n"
    assert len(lines) == 1 + len(plain.moments.names) * len(DAYS)


def test_broken_off_and_taken_up(plain, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    first = Counted(stop_after=2)
    with pytest.raises(KeyboardInterrupt):
        run(pool=first, out=tmp_path)
    assert not (tmp_path / "summary.csv").exists()
    assert not [n for n in names(tmp_path) if n.startswith(".")]
    before = {p: p.stat().st_mtime_ns for p in tmp_path.glob("sums-*")}
    assert len(before) == 2
    second = Counted()
    same(run(pool=second, out=tmp_path), plain)
    assert sorted(first.done + second.done) == [0, 1024, 2048, 3072, 4096]
    assert {p: p.stat().st_mtime_ns for p in before} == before
    third = Counted()
    again = run(pool=third, out=tmp_path)
    same(again, plain)
    assert third.done == []
    assert again.provenance["engine"] == plain.provenance["engine"]
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_damaged_files_are_made_again(plain, tmp_path):
    run(out=tmp_path)
    whole = {n: (tmp_path / n).read_bytes() for n in names(tmp_path)}
    cut, changed, sums, gone = (
        tmp_path / f"{kind}-000000{at}"
        for kind, at in (("part", "1024.parquet"), ("part", "2048.parquet"), ("sums", "3072.npz"), ("part", "4096.parquet"))
    )  # fmt: skip
    os.truncate(cut, 1000)
    changed.write_bytes(whole[changed.name][:500] + b"x" + whole[changed.name][501:])
    sums.write_bytes(whole[sums.name][:400] + b"xy" + whole[sums.name][402:])
    gone.unlink()
    counted = Counted()
    same(run(pool=counted, out=tmp_path), plain)
    assert sorted(counted.done) == [1024, 2048, 3072, 4096]
    assert {n: (tmp_path / n).read_bytes() for n in names(tmp_path)} == whole
    (tmp_path / "certificate.json").write_text("{")
    counted = Counted()
    same(run(pool=counted, out=tmp_path), plain)
    assert counted.done == []


def test_another_runs_folder_is_refused(tmp_path):
    run(out=tmp_path)
    with pytest.raises(InputError, match=r"another run \(seed: 5 there, 6 here\)"):
        run(out=tmp_path, facts={"seed": 6})
    with pytest.raises(InputError, match="dtype"):
        run(out=tmp_path, dtype="float32")
    (tmp_path / "certificate.json").unlink()
    with pytest.raises(InputError, match="another run .steps"):  # the same words, other people
        run(people=Variation(MODEL, N, {"omega_pC": 0.2}, 66.0).people, out=tmp_path)
    (tmp_path / "run.json").write_text("[]")
    with pytest.raises(InputError, match="cannot be read"):
        run(out=tmp_path)
    (tmp_path / "run.json").write_text('{"other": 1}')
    with pytest.raises(InputError, match="not of a run over many people"):
        run(out=tmp_path)
    (tmp_path / "run.json").unlink()
    with pytest.raises(InputError, match="no run.json"):
        run(out=tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="this is a file"):
        run(out=tmp_path / "file")


def test_one_run_at_a_time_in_a_folder(tmp_path):
    pytest.importorskip("fcntl")
    with open_folder(tmp_path), pytest.raises(InputError, match="another osteon run"):
        run(out=tmp_path)
    (tmp_path / ".osteon-run-0123").mkdir()  # of a run that was killed
    with open_folder(tmp_path):
        assert len([n for n in names(tmp_path) if n.startswith(".osteon-run-")]) == 1


def test_a_worker_that_does_not_see_the_folder(plain, tmp_path):
    run(out=tmp_path / "seen")
    away = Counted(change=lambda job, place: (job, Place("/no/such/folder", place.scratch)))
    same(run(pool=away, out=tmp_path / "sent"), plain)
    assert names(tmp_path / "sent") == names(tmp_path / "seen")
    for name in names(tmp_path / "sent"):
        assert (tmp_path / "sent" / name).read_bytes() == (tmp_path / "seen" / name).read_bytes(), name


def test_a_worker_that_rounds_otherwise_is_told_of(tmp_path):
    other = Counted(change=lambda job, place: (dataclasses.replace(job, probe="other", _same=None), place))
    with pytest.warns(OsteonWarning, match="last digits"):
        got = run(pool=other, out=tmp_path)
    assert got.provenance["engine"]["same_bits"] is False
    assert json.loads((tmp_path / "certificate.json").read_text())["provenance"]["engine"]["same_bits"] is False
    stranger = Counted(change=lambda job, place: (dataclasses.replace(job, code="other", _same=None), place))
    with pytest.raises(OsteonError, match="another version"):
        run(pool=stranger)


def test_errors_name_the_people(tmp_path):
    def people(first, last):
        if first == 3072:
            raise ValueError("no such people")
        return POPULATION.people(first, last)

    with pytest.raises(OsteonError, match="people 3072 to 4095 could not be run: ValueError: no such people"):
        run(people=people, out=tmp_path)
    assert not [n for n in names(tmp_path) if n.startswith(".")]

    def hopeless(first, last):
        cohort = POPULATION.people(first, last)
        if first:  # those from whom the steps are chosen are well
            cohort.x0 = cohort.x0 * np.nan
        return cohort

    got = run(people=hopeless)
    assert (got.moments.n, got.moments.failed) == (1024, N - 1024)


def test_all_failed(monkeypatch):
    monkeypatch.setattr(shards, "_run", lambda job, *_: shards.Done(
        shards.Sums(np.array([0]), np.array([9]), np.zeros((1, 6, 4)), np.zeros((1, 6, 4))), {}))  # fmt: skip
    with pytest.raises(IntegrationError, match="all 5000 people"):
        run()


def test_sizes():
    class Setup:
        model = MODEL

        class plan:
            outputs = range(31)

    def size(n, times):
        Setup.plan.outputs = range(times)
        return shards.size(n, Setup)

    assert size(1, 31) == 1024
    assert size(1_000_000, 31) == 8192
    assert size(10**9, 31) == 64 * 1024
    assert size(10**9, 361) == 5 * 1024
    assert size(10**6, 10**6) == 1024
    assert [tuple(s) for s in shards.cut(2500, 1024)] == [(0, 1024), (1024, 2048), (2048, 2500)]


def test_one_person(tmp_path):
    options = {"age": 66.0, "people": 1, "until": "1 year", "every": "1 year", "out": tmp_path, "model": "jorg2022"}
    one = simulate_people("none", **options)
    again = simulate_people("none", **options)
    assert one.certificate == again.certificate
    json.dumps(one.provenance, allow_nan=False)
