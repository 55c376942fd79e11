"""Jobs: in processes of their own, told how far they are, stopped at once, few at a time, gone at the end."""

import asyncio
import os
import time

import httpx
import pytest

from app_client import STUDY, apart, wait
from osteon.app.jobs import CANCELLED, DONE, FAILED, QUEUED, RUNNING, Jobs
from osteon.errors import InputError
from osteon.study import study_from


@pytest.fixture
def jobs():
    made = Jobs(most=1, waiting=2)
    yield made
    made.close()


def payload(**more):
    from osteon.app import studies

    return {"study": studies.as_dict(studies.read(STUDY)), "draws": 0, "seed": 0, "model": "osteon", **more}


def until(done, seconds=120.0):
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.05)


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_job_gives_what_osteon_run_gives(client, tmp_path):
    from osteon.cli.main import run

    job = client.post("/api/jobs", json={"yaml": STUDY, "draws": 0}).json()
    assert job["state"] in (QUEUED, RUNNING)
    found = wait(client, job["id"])
    assert found["state"] == DONE, found
    assert found["share"] == 1
    (tmp_path / "s.yaml").write_text(STUDY)
    assert run(["run", str(tmp_path / "s.yaml"), "--draws", "0", "--out", str(tmp_path / "out")]) == 0
    names = {one["name"] for one in found["files"]}
    assert names >= {"report.html", "summary.csv", "summary.parquet", "result.nc", "study.yaml", "summary.json"}
    assert client.get(f"/api/jobs/{job['id']}/files").json() == {"files": found["files"]}
    text = client.get(f"/api/jobs/{job['id']}/files/summary.csv").text
    assert text == (tmp_path / "out" / "summary.csv").read_text()
    told = client.get(f"/api/jobs/{job['id']}/files/summary.json").json()
    assert told["summary"][0]["lower"] is None  # no NaN in JSON
    assert client.delete(f"/api/jobs/{job['id']}").json()["files"] == []
    assert client.get(f"/api/jobs/{job['id']}/files/summary.csv").status_code == 404


def test_a_virtual_trial_gives_what_osteon_run_trial_gives(client, tmp_path):
    from osteon.cli.main import run

    study = STUDY.replace("n_per_arm: 50", "n_per_arm: 12")
    job = client.post("/api/jobs", json={"yaml": study, "draws": 0, "trial": True}).json()
    found = wait(client, job["id"])
    assert found["state"] == DONE, found
    names = {one["name"] for one in found["files"]}
    assert names >= {"trial.nc", "trial_report.html", "trial_summary.csv", "adam/ADSL.json", "result_people.nc"}
    (tmp_path / "s.yaml").write_text(study)
    assert run(["run", str(tmp_path / "s.yaml"), "--draws", "0", "--trial", "--out", str(tmp_path / "out")]) == 0
    for name in ("trial_summary.csv", "summary.csv"):
        text = client.get(f"/api/jobs/{job['id']}/files/{name}").text
        assert text == (tmp_path / "out" / name).read_text()
    people = client.get(f"/api/jobs/{job['id']}/files/adam/ADSL.json").json()
    assert people["records"] == 24
    told = client.get(f"/api/jobs/{job['id']}/files/summary.json").json()["trial"]
    assert told["endpoint"] == "lumbar_spine_bmd"
    assert any("_vs_" in row["statistic"] for row in told["table"])


@pytest.mark.parametrize(
    ("more", "what"),
    [({"kind": "factorial"}, "trial goes with kind run"), ({}, "up to 50,000 as a virtual trial")],
)
def test_a_virtual_trial_that_cannot_be_is_refused(client, more, what):
    study = STUDY.replace("n_per_arm: 50", "n_per_arm: 40000")
    answer = client.post("/api/jobs", json={"yaml": study, "trial": True, **more})
    assert 400 <= answer.status_code < 500
    assert what in str(answer.json())


def test_cancel_ends_the_process_and_the_next_one_begins(jobs):
    first = jobs.add("run", "long", payload(draws=200))
    second = jobs.add("run", "waits", payload())
    assert (first.state, second.state) == (RUNNING, QUEUED)
    until(lambda: first.process is not None and first.process.pid)
    pid = first.process.pid
    assert alive(pid)
    begun = time.monotonic()
    jobs.cancel(first.id)
    assert time.monotonic() - begun < 6
    assert first.state == CANCELLED
    assert not alive(pid)
    assert not first.folder.exists()
    until(lambda: second.state == DONE)
    assert jobs.file(second.id, "summary.csv").is_file()
    assert jobs.file(second.id, "../summary.csv") is None
    jobs.cancel("no such job")


def test_few_at_a_time(jobs):
    first = jobs.add("run", "a", payload(draws=200))
    waiting = [jobs.add("run", "b", payload()), jobs.add("run", "c", payload())]
    with pytest.raises(InputError, match="2 wait already"):
        jobs.add("run", "d", payload())
    for job in (*waiting, first):  # a waiting one has nothing to end
        jobs.cancel(job.id)
    assert {job.state for job in (first, *waiting)} == {CANCELLED}


def test_errors_and_ends_of_the_worker_are_told(jobs):
    bad = jobs.add("run", "bad", payload(model="nothing"))
    until(lambda: bad.state == FAILED)
    assert "unknown model" in bad.error["what"]
    dies = jobs.add("run", "dies", payload(draws=200))
    until(lambda: dies.process is not None and dies.process.pid)
    dies.process.kill()
    until(lambda: dies.state == FAILED)
    assert "ended without an answer" in dies.error["what"]


def test_what_takes_too_long_is_stopped():
    jobs = Jobs(seconds=0.1)
    job = jobs.add("run", "slow", payload(draws=200))
    until(lambda: job.state == FAILED)
    assert "was stopped" in job.error["what"]
    jobs.close()


def test_the_folder_goes_with_the_session():
    jobs = Jobs()
    job = jobs.add("run", "a", payload(draws=200))
    root = jobs.root
    until(lambda: job.process is not None and job.process.pid)
    pid = job.process.pid
    assert root.is_dir()
    jobs.close()
    assert not root.exists()
    assert not alive(pid)
    assert job.state == CANCELLED
    with pytest.raises(InputError, match="closing"):
        jobs.add("run", "b", payload())


def test_old_jobs_are_forgotten(monkeypatch):
    from osteon.app import jobs as module

    monkeypatch.setattr(module, "MAX_KEPT", 2)
    jobs = Jobs(most=0)
    many = []
    for _ in range(4):
        many.append(jobs.add("run", "a", payload()))
        jobs.cancel(many[-1].id)
    assert [jobs.get(job.id) is not None for job in many] == [False, False, True, True]
    jobs.close()


def test_a_heavy_job_does_not_hold_up_others(bare, state):
    """While a study runs with draws, small answers stay quick."""

    async def measure():
        transport = httpx.ASGITransport(bare)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8077") as client:
            await client.get("/api/therapies/denosumab")
            job = (await client.post("/api/jobs", json={"yaml": STUDY, "draws": 200})).json()
            await asyncio.sleep(3)
            times = []
            for _ in range(40):
                begun = time.perf_counter()
                assert (await client.get("/api/therapies/denosumab")).status_code == 200
                times.append(time.perf_counter() - begun)
                await asyncio.sleep(0.02)
            told = (await client.get(f"/api/jobs/{job['id']}")).json()
            await client.delete(f"/api/jobs/{job['id']}")
            return sorted(times)[len(times) // 2], told

    median, told = apart(measure())
    assert told["state"] == RUNNING
    assert median < 0.25


def test_studies_of_the_tests_are_valid(study):
    from osteon import files

    assert study_from(files.parse_yaml(study, "study")).id == "small"
