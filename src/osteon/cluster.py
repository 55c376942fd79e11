"""A run's shards over dask.distributed: a local cluster of one process per core, or any scheduler by its address.

Only a few shards per worker are under way at a time. A worker that is lost has its shards run again elsewhere.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import pickle
import re
import signal
import tempfile
import threading
import warnings
from collections import deque
from collections.abc import Iterator, Sequence
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING, Any

from osteon import shards
from osteon.errors import InputError, OsteonError, shorten

if TYPE_CHECKING:
    from osteon.parts import Place
    from osteon.shards import Done, Job, Shard

TIMEOUT = 10.0  # seconds for a scheduler to answer, and for a first worker to be there
AHEAD = 2  # shards under way per thread of the workers
LOSSES = 3  # times that dask may give a shard up because its workers were lost (each time after several of them)
_LOGGERS = ("distributed", "distributed.client", "distributed.gc", "tornado", "tornado.application", "asyncio")
_ADDRESS = re.compile(r"((tcp|tls|ws|wss|ucx)://)?([\w.-]+|\[[0-9A-Fa-f:.%\w]+\]):\d{1,5}/?")
_SETTINGS = {
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.worker.profile.enabled": False,
    "distributed.nanny.pre-spawn-environ.DASK_LOGGING__DISTRIBUTED": "critical",
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
        stack.enter_context(_quiet())
        stack.enter_context(_environment())
        stack.enter_context(dask.config.set(_SETTINGS))
        if scheduler is not None:
            _reach(scheduler)
        where: Any = scheduler or stack.enter_context(_local(workers or dask.system.CPU_COUNT))
        try:
            client = stack.enter_context(distributed.Client(where, timeout=TIMEOUT, set_as_default=False))
        except Exception as problem:
            raise _no_scheduler(scheduler, problem) from None
        try:
            client.wait_for_workers(1, timeout=TIMEOUT)
        except TimeoutError:
            raise InputError(f"the dask scheduler at {scheduler!r} has no workers; start some") from None
        yield _Shards(client)


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
        comm = await distributed.connect(address, timeout=TIMEOUT, **options)
        await comm.close()

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
    def __init__(self, client: Any) -> None:
        self.client = client

    def __call__(self, job: Job, todo: Sequence[Shard], place: Place | None) -> Iterator[tuple[Shard, Done]]:
        from distributed import as_completed

        opened = self.client.submit(
            _open, pickle.dumps(job), pure=False
        )  # as a task: made again if the worker that has it is lost
        left, running, lost = deque(todo), dict[Any, "Shard"](), dict["Shard", int]()
        coming: Any = as_completed(loop=self.client.loop)
        people = todo[0].last - todo[0].first

        def start(shard: Shard) -> None:
            future = self.client.submit(shards.do, opened, shard, place, pure=False)
            running[future] = shard
            coming.add(future)

        try:
            while left or running:
                room = AHEAD * max(1, sum(self.client.nthreads().values()))
                oldest = min(running.values(), default=None)
                while left and len(running) < room:
                    # Results are added up in order, so none may run far ahead of one that is late.
                    if oldest is not None and left[0].first - oldest.first > 8 * room * people:
                        break
                    start(left.popleft())
                future = next(coming)
                shard = running.pop(future)
                done = self._result(future, shard, lost)
                if done is None:
                    start(shard)
                    continue
                future.release()
                yield shard, done
        finally:
            with contextlib.suppress(Exception):
                self.client.cancel([*running, opened], force=True)

    def _result(self, future: Any, shard: Shard, lost: dict[Shard, int]) -> Done | None:
        """The result; None when the shard is to be sent again."""
        from distributed import CancelledError, KilledWorker

        people = f"people {shard.first} to {shard.last - 1}"
        try:
            done: Done = future.result()
            return done
        except OsteonError:
            raise
        except KilledWorker:
            lost[shard] = lost.get(shard, 0) + 1
            if lost[shard] < LOSSES:
                return None
            raise OsteonError(
                f"{people}: every worker that ran them was lost (out of memory?); give the workers more memory"
            ) from None
        except (CancelledError, OSError):
            raise OsteonError(
                "the dask scheduler was lost or gave the work up; with --out DIR the same command goes on from there"
            ) from None
        except ImportError as error:
            raise OsteonError(
                f"{people}: the worker lacks a library ({error}); install the same version of osteon there"
            ) from None
        except Exception as error:
            raise OsteonError(f"{people}: {shorten(f'{type(error).__name__}: {error}', 200)}") from None


def _open(data: bytes) -> Job:
    job: Job = pickle.loads(data)
    return job


@contextlib.contextmanager
def _local(workers: int) -> Iterator[Any]:
    """A cluster of processes on this machine that nobody else can reach, without a dashboard."""
    import distributed

    with tempfile.TemporaryDirectory(prefix="osteon-dask-", ignore_cleanup_errors=True) as scratch:
        with _without_ctrl_c():
            try:
                cluster = distributed.LocalCluster(
                    n_workers=workers, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None,
                    scheduler_kwargs={"dashboard_address": "127.0.0.1:0"}, silence_logs=logging.CRITICAL,
                    memory_limit=None, local_directory=scratch,
                )  # fmt: skip
            except Exception as error:
                raise OsteonError(f"cannot start a local cluster: {shorten(str(error), 200)}") from None
        try:
            yield cluster
        finally:
            with contextlib.suppress(Exception):
                cluster.close(timeout=5)


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
