"""Runs over dask.distributed: the same bits as here, also when workers are lost."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from osteon.errors import InputError, OsteonError
from osteon.population import cluster
from osteon.population.many import simulate_many
from osteon.population.simulate import simulate_people
from osteon.population.variation import Variation
from osteon.published.jorg2022 import Jorg2022
from osteon.regimen import parse_regimen

distributed = pytest.importorskip("distributed")

MODEL = Jorg2022()
N = 6000
POPULATION = Variation(MODEL, N, {"omega_pC": 0.25, "eta_B": 0.1}, 66.0, seed=5)
DAYS = [0.0, 180.0, 365.0, 730.0]
COURSES = parse_regimen("denosumab 60 mg SC every 180 days x4").courses(DAYS[-1], year_days=365.0)


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory):
    """The address of a scheduler with two worker processes, which gives up on work that lost two workers."""
    import dask

    with (
        cluster._quiet(),
        dask.config.set({**cluster._SETTINGS, "distributed.scheduler.allowed-failures": 1}),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None, silence_logs=50,
            scheduler_kwargs={"dashboard_address": "127.0.0.1:0"}, local_directory=tmp_path_factory.mktemp("dask"),
        ) as made,
    ):  # fmt: skip
        yield made.scheduler_address


@pytest.fixture(scope="module")
def plain():
    return run()


def run(people=POPULATION.people, **options):
    return simulate_many(MODEL, people, N, COURSES, DAYS, **options)


def same(one, other):
    for name in one.moments.names:
        np.testing.assert_array_equal(one.moments.total[name], other.moments.total[name])
        np.testing.assert_array_equal(one.moments.squares[name], other.moments.squares[name])
    assert one.moments.n == other.moments.n
    assert one.certificate == other.certificate


def names(folder):
    return sorted(p.name for p in folder.iterdir())


def test_same_bits_and_the_same_files(scheduler, plain, tmp_path):
    same(run(pool=cluster.pool(scheduler)), plain)
    run(out=tmp_path / "here")
    same(run(pool=cluster.pool(scheduler), out=tmp_path / "there"), plain)
    assert names(tmp_path / "there") == names(tmp_path / "here")
    for name in names(tmp_path / "here"):
        assert (tmp_path / "here" / name).read_bytes() == (tmp_path / "there" / name).read_bytes(), name


def deadly(note, always=False):
    """People of whom some take their worker with them: once, or each time."""
    everyone = POPULATION.people
    own = os.getpid()

    def people(first, last):
        if first == 2048 and os.getpid() != own and (always or not os.path.exists(note)):
            with open(note, "a") as f:
                f.write("x")
            os.kill(os.getpid(), signal.SIGKILL)
        return everyone(first, last)

    return people


def test_a_lost_workers_shard_is_run_again(scheduler, plain, tmp_path):
    note, out = str(tmp_path / "note"), tmp_path / "out"
    same(run(people=deadly(note), pool=cluster.pool(scheduler), out=out), plain)
    assert os.path.getsize(note) == 1
    assert len([n for n in names(out) if n.startswith("part-")]) == 6
    assert not [n for n in names(out) if n.startswith(".")]


def test_a_shard_that_loses_every_worker_ends_the_run(scheduler, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "LOSSES", 1)
    # dask may give up a shard that only waited on the same workers first: it too lost every worker that ran it.
    with pytest.raises(OsteonError, match=r"people \d+ to \d+: every worker"):
        run(people=deadly(str(tmp_path / "note"), always=True), pool=cluster.pool(scheduler))
    assert os.path.getsize(tmp_path / "note") == 2


def test_errors_on_a_worker_name_the_people(scheduler):
    everyone = POPULATION.people

    def people(first, last):
        if first == 1024:
            raise ValueError("no such people")
        return everyone(first, last)

    with pytest.raises(OsteonError, match="people 1024 to 2047 could not be run: ValueError: no such people"):
        run(people=people, pool=cluster.pool(scheduler))


def test_local_cluster_by_default():
    options = {"age": 66.0, "people": 2500, "vary": {"omega_pC": 0.25}, "until": "2 years", "every": "1 year",
               "model": "jorg2022"}  # fmt: skip
    before = dict(os.environ)
    far = simulate_people("none", workers="dask", threads=1, **options)
    assert dict(os.environ) == before
    near = simulate_people("none", **options)
    same(far, near)
    assert far.provenance == near.provenance


@pytest.mark.parametrize("address", ["localhost", "", "host:port", "foo://host:1", "tcp://"])
def test_what_is_no_address(address):
    with pytest.raises(InputError, match="looks like"):
        simulate_people("none", age=66.0, people=1, until="1 year", workers="dask", scheduler=address)


def test_nobody_answers(monkeypatch, scheduler):
    monkeypatch.setattr(cluster, "TIMEOUT", 0.5)
    with pytest.raises(InputError, match="no dask scheduler answers at '127.0.0.1:1'"), cluster.pool("127.0.0.1:1"):
        pass
    with distributed.Client(scheduler, set_as_default=False) as client:
        worker = next(iter(client.nthreads()))
    with pytest.raises(InputError, match="something else answers"), cluster.pool(worker):
        pass
    with (
        cluster._quiet(),
        distributed.LocalCluster(n_workers=0, dashboard_address=None, processes=False, host="tcp://127.0.0.1",
                                 scheduler_kwargs={"dashboard_address": "127.0.0.1:0"}) as empty,
        pytest.raises(InputError, match="has no workers"),
        cluster.pool(empty.scheduler_address),
    ):  # fmt: skip
        pass


def test_without_dask(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match=r"pip install \"osteon\[dask\]\""), cluster.pool():
        pass


def test_nothing_of_dask_without_need():
    code = "import sys, osteon, osteon.population.many, osteon.population.cluster; print([m for m in sys.modules if m in ('dask', 'distributed')])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.skipif(sys.platform == "win32", reason="no process groups")
def test_ctrl_c(tmp_path):
    out = tmp_path / "out"
    command = [sys.executable, "-m", "osteon", "simulate", "--model", "jorg2022", "--age", "66", "--regimen", "none", "--until", "30 years",
               "--people", "3000000", "--every", "1 year", "--vary", "omega_pC=0.2", "--workers", "dask", "--out", str(out)]  # fmt: skip
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    for _ in range(300):
        if list(out.glob("sums-*")):
            break
        time.sleep(0.1)
    begun = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does it: to the workers too
    _, told = process.communicate(timeout=60)
    assert time.monotonic() - begun < 20
    assert process.returncode == 130
    assert told.splitlines()[-1].startswith("osteon: stopped by Ctrl-C")
    assert all(line.startswith("compiling") for line in told.splitlines()[:-1]), told
    left = names(out)
    assert "run.json" in left
    assert not [n for n in left if n.startswith(".")]


def test_ctrl_c_that_a_callback_swallowed():
    if threading.current_thread() is not threading.main_thread():
        pytest.skip("signals come to the main thread")
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with cluster._stoppable() as check:
            check()
            with contextlib.suppress(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)
            with pytest.raises(KeyboardInterrupt):
                check()
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
