"""A run's shards over dask.distributed: a local cluster of one process per core, or any scheduler by its address.

Only a few shards per worker are under way at a time. A worker that is lost has its shards run again elsewhere.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import multiprocessing
import os
import re
import signal
import sys
import tempfile
import threading
import time
import warnings
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING, Any

from osteon.errors import InputError, OsteonError, shorten
from osteon.population import shards

if TYPE_CHECKING:
    from osteon.population.parts import Place
    from osteon.population.shards import Done, Job, Shard

TIMEOUT = 10.0  # seconds for a scheduler to answer, and for a first worker to be there
AHEAD = 2  # shards under way per thread of the workers
LOSSES = 3  # times that dask may give a shard up because its workers were lost (each time after several of them)
PATIENCE = 300.0  # seconds without any worker
_AGAIN = "with --out DIR the same command goes on from there"
_LOGGERS = ("distributed", "distributed.client", "distributed.gc", "tornado", "tornado.application", "asyncio")
_ADDRESS = re.compile(r"((tcp|tls|ws|wss|ucx)://)?([\w.-]+|\[[0-9A-Fa-f:.%\w]+\]):\d{1,5}/?")
_SETTINGS = {
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.worker.profile.enabled": False,
    "distributed.nanny.pre-spawn-environ.DASK_LOGGING__DISTRIBUTED": "critical",
    "distributed.nanny.pre-spawn-environ.PYTHONWARNINGS": "ignore",
    "distributed.comm.timeouts.connect": f"{TIMEOUT:g}s",
}


@contextlib.contextmanager
def pool(scheduler: str | None = None, workers: int | None = None) -> Iterator[shards.Pool]:
    """Shards on the workers of the scheduler at that address; without one, on a cluster of this machine's cores."""
    try:
        import dask.system
        import distributed
    except ImportError:
        raise InputError(
            '--workers dask needs dask.distributed; install it with: pip install "osteon[dask]"'
        ) from None
    with contextlib.ExitStack() as stack:
        check = stack.enter_context(_stoppable())
        stack.enter_context(_quiet())
        stack.enter_context(_environment())
        stack.enter_context(dask.config.set(_SETTINGS))
        if scheduler is not None:
            _reach(scheduler)
        where: Any = scheduler or stack.enter_context(_local(workers or dask.system.CPU_COUNT))
        check()
        try:
            client = stack.enter_context(distributed.Client(where, timeout=TIMEOUT, set_as_default=False))
        except Exception as problem:
            raise _no_scheduler(scheduler, problem) from None
        try:
            client.wait_for_workers(1, timeout=TIMEOUT)
        except TimeoutError:
            raise InputError(f"the dask scheduler at {scheduler!r} has no workers; start some") from None
        check()
        yield _Shards(client, check)
        check()


def check_address(address: str) -> None:
    """Raise InputError for what cannot be a scheduler's address."""
    if not _ADDRESS.fullmatch(address):
        raise InputError(f"scheduler {address!r}: an address looks like tcp://host:8786")


def _reach(address: str) -> None:
    """Be sure that something that speaks dask answers; a client that fails to start takes long to go away."""
    import distributed

    found: list[Exception] = []

    async def ask() -> None:
        options = distributed.Security().get_connection_args("client")
        async with distributed.rpc(address, connection_args=options, timeout=TIMEOUT) as server:
            if "workers" not in await server.identity():
                raise ValueError("something else answers there")

    def run() -> None:
        try:
            asyncio.run(ask())
        except Exception as problem:
            found.append(problem)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(TIMEOUT + 2)
    if found or thread.is_alive():
        raise _no_scheduler(address, found[0] if found else TimeoutError("no answer"))


def _no_scheduler(address: str | None, problem: Exception) -> InputError:
    why = shorten(str(problem) or type(problem).__name__, 120)
    return InputError(f"no dask scheduler answers at {address or 'the local cluster'!r} ({why})")


class _Shards:
    def __init__(self, client: Any, check: Callable[[], None]) -> None:
        self.client, self.check = client, check

    def __call__(self, job: Job, todo: Sequence[Shard], place: Place | None) -> shards.Stream:
        # As a task, so that it is made again if the worker that has it is lost.
        opened = self.client.submit(_same, job, pure=False)
        left, running, lost = deque(todo), dict[Any, "Shard"](), dict["Shard", int]()
        people = todo[0].last - todo[0].first
        try:
            while left or running:
                room = AHEAD * max(1, sum(self.client.nthreads().values()))
                oldest = min([*running.values(), *itertools.islice(left, 1)])
                # Results are added up in order, so none may run far ahead of one that is late.
                while left and len(running) < room and left[0].first - oldest.first <= 8 * room * people:
                    shard = left.popleft()
                    running[self.client.submit(shards.do, opened, shard, place, pure=False)] = shard
                for future in self._finished(running):
                    shard = running.pop(future)
                    done = _result(future, shard)
                    if done is not None:
                        yield shard, done
                        continue
                    lost[shard] = lost.get(shard, 0) + 1
                    if lost[shard] >= LOSSES:
                        raise OsteonError(
                            f"{_people(shard)}: every worker that ran them was lost (out of memory?); "
                            "give the workers more memory"
                        )
                    left.appendleft(shard)
        finally:
            with contextlib.suppress(Exception):
                self.client.cancel([*running, opened], force=True)

    def _finished(self, running: Collection[Any]) -> Collection[Any]:
        """Wait for the next ones; not for ever when there is nobody left to do them."""
        from distributed import CancelledError, wait

        seen = time.monotonic()
        while True:
            self.check()
            try:
                with self.client.as_current():
                    return list(wait(list(running), timeout=1.0, return_when="FIRST_COMPLETED").done)
            except TimeoutError:
                if self.client.nthreads():
                    seen = time.monotonic()
            except CancelledError:
                return [future for future in running if future.cancelled()]
            if time.monotonic() - seen > PATIENCE:
                raise OsteonError(f"all dask workers have gone, for {PATIENCE:g} s now; {_AGAIN}")


def _people(shard: Shard) -> str:
    return f"people {shard.first} to {shard.last - 1}"


def _result(future: Any, shard: Shard) -> Done | None:
    """What a shard gave; None when it was given up because its workers were lost."""
    from distributed import CancelledError, KilledWorker

    try:
        done: Done = future.result()
        return done
    except OsteonError:
        raise
    except KilledWorker:
        return None
    except (CancelledError, OSError):
        raise OsteonError(f"the dask scheduler was lost or gave the work up; {_AGAIN}") from None
    except ImportError as error:
        raise OsteonError(
            f"{_people(shard)}: the worker lacks a library ({error}); install the same version of osteon there"
        ) from None
    except Exception as error:
        raise OsteonError(f"{_people(shard)}: {shorten(f'{type(error).__name__}: {error}', 200)}") from None


def _same(job: Job) -> Job:
    return job


@contextlib.contextmanager
def _local(workers: int) -> Iterator[Any]:
    """A cluster of processes on this machine, that listens on it alone and has no dashboard."""
    import dask
    import distributed

    if getattr(multiprocessing.current_process(), "_inheriting", False):
        sys.exit(1)  # a worker that reads the script by which it was started

    with tempfile.TemporaryDirectory(prefix="osteon-dask-", ignore_cleanup_errors=True) as scratch:
        cluster: Any = None
        try:
            with _without_ctrl_c(), dask.config.set({"temporary-directory": scratch}):
                try:
                    cluster = distributed.LocalCluster(
                        n_workers=workers, threads_per_worker=1, processes=True, host="127.0.0.1",
                        dashboard_address=None, scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
                        silence_logs=logging.CRITICAL, memory_limit=None, local_directory=scratch,
                    )  # fmt: skip
                except Exception as error:
                    raise OsteonError(
                        f"cannot start a local cluster ({shorten(str(error), 120)}); in a script, the call "
                        "must stand under `if __name__ == '__main__':`"
                    ) from None
            yield cluster
        finally:
            if cluster is not None:
                with contextlib.suppress(Exception):
                    cluster.close(timeout=5)


@contextlib.contextmanager
def _stoppable() -> Iterator[Callable[[], None]]:
    """Ctrl-C ends a run by an exception, which Python drops when it comes inside a callback such as dask's at each
    garbage collection. What this gives raises it again, if there was one."""
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield lambda: None
        return
    heard = False

    def hear(number: int, frame: Any) -> None:
        nonlocal heard
        heard = True
        before(number, frame)

    def check() -> None:
        if heard:
            before(signal.SIGINT, None)

    signal.signal(signal.SIGINT, hear)
    try:
        yield check
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def _without_ctrl_c() -> Iterator[None]:
    """Processes and threads that start in here are deaf to Ctrl-C: it is for the one who started them to end them."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # else the first process that starts would have its thread hear Ctrl-C again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """What dask has to say is for its developers; what matters comes as an error of ours."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"(distributed|dask|tornado)\b")
            yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)


@contextlib.contextmanager
def _environment() -> Iterator[None]:
    """Dask sets variables for its workers in this process too; they go again."""
    before = dict(os.environ)
    try:
        yield
    finally:
        for name in set(os.environ) - set(before):
            del os.environ[name]
        os.environ.update(before)
