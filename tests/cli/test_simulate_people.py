"""`osteon simulate --people` with a folder and with other workers."""

import json

import pytest

BASE = ["simulate", "--model", "jorg2022", "--age", "67", "--regimen", "denosumab 60 mg SC every 6 months x2",
        "--until", "2 years", "--every", "1 year"]  # fmt: skip


def test_out_is_a_folder_and_a_run_is_taken_up(osteon, tmp_path):
    args = [*BASE, "--people", "1500", "--vary", "omega_pC=0.25", "--out", tmp_path / "run", "--json"]
    first = osteon(*args)
    assert first.status == 0
    assert (tmp_path / "run" / "part-0000001024.parquet").is_file()
    assert osteon(*args).out == first.out
    assert osteon(*args[:-3], "--workers", "threads", "--json").out == first.out
    other = osteon(*args, "--seed", "1")
    assert other.status == 2
    assert "another run (seed: 0 there, 1 here)" in other.err


def test_features_of_people_who_vary_are_named(osteon):
    got = osteon(*BASE, "--people", "1", "--exact", "--sex", "male", "--weight", "60", "--json")
    assert got.status == 0
    assert got.problem.endswith("given by their age alone; ignored: sex, weight_kg")


def test_one_person_is_valid_json(osteon):
    got = osteon(*BASE, "--people", "1", "--json")
    assert json.loads(got.out)["provenance"]["engine"]["certificate"]["threshold"] is None


@pytest.mark.parametrize(
    ("args", "hint"),
    [(["--workers", "dask"], "add --people N"),
     (["--workers", "dask", "--vary", "omega_pC=0.1"], "add --people N"),
     (["--scheduler", "a:1"], "add --people N"),
     (["--people", "5", "--scheduler", "a:1"], "add --workers dask"),
     (["--people", "5", "--workers", "dusk"], "did you mean 'dask'"),
     (["--people", "5", "--workers", "dask", "--scheduler", "there"], "tcp://host:8786"),
     (["--people", "5", "--workers", "dask", "--exact"], "leave --workers and --out away"),
     (["--people", "5", "--out", "a.csv"], "name a folder")],
)  # fmt: skip
def test_bad_places(osteon, args, hint):
    got = osteon(*BASE, *args)
    assert got.status == 2
    assert got.out == ""
    assert hint in got.problem
