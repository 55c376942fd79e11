"""A run over many people cut in shards that can be done anywhere: on this machine's threads or on others.

A shard is a range of people that begins at a block. The steps, weights and threshold are chosen once, where the run
is started, and go along with it (`Job`); so a shard gives the same bits wherever it is done, and again if it must be.
"""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from osteon.engine import batch
from osteon.engine.batch import Setup
from osteon.engine.cohort import Cohort
from osteon.errors import OsteonError, shorten
from osteon.population.moments import Sums, is_log
from osteon.population.variation import BLOCK

if TYPE_CHECKING:
    from osteon.population.parts import Place

PIECES = 128  # a run has about so many shards, for progress, for other machines, and for what a lost one costs
LARGEST = 64 * BLOCK
PART_BYTES = 128 << 20  # of one shard's numbers per person, before they are compressed
OBSERVED_BYTES = 8 << 20  # of what is observed of the people that one thread runs at one time
PROBE = 256


class Shard(NamedTuple):
    """People first … last − 1."""

    first: int
    last: int


class Stopped(Exception):
    """The run was called off while a shard was being done."""


@dataclass
class Done:
    """What became of a shard: its sums, its flags, and its numbers per person in a file (or, where the worker does
    not see the folder, as that file's content)."""

    sums: Sums
    flags: dict[str, int]
    size: int = 0
    digest: str = ""
    content: bytes | None = None
    same_bits: bool = True


@dataclass
class Job:
    """All that decides a run's numbers, fit to be sent: the set-up and the people."""

    setup: Setup
    people: batch.People
    n: int
    chunk: int
    code: str
    """Hash of the kernel's source, which a worker's own must have as well."""
    probe: str = ""
    """Hash of what the engine makes of the first people."""
    _same: bool | None = field(default=None, repr=False)

    @classmethod
    def of(cls, setup: Setup, people: batch.People, n: int, chunk: int | None = None) -> Job:
        """A job of the machine that it is made on."""
        layout = setup.kernel.source.layout
        block = len(layout.outputs) * len(setup.plan.outputs) * setup.kernel.dtype.itemsize * BLOCK
        fitting = BLOCK * min(8, max(1, OBSERVED_BYTES // block))
        job = cls(setup, people, n, chunk or fitting, code(setup))
        job.probe, job._same = job.bits(), True
        return job

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_same": None}

    def same_bits(self) -> bool:
        """Whether this machine gives the same bits as where the run was started; raises OsteonError for another
        version of osteon."""
        with _checking:
            if self._same is None:
                if code(self.setup) != self.code:
                    raise OsteonError("the worker has another version of osteon; install the same one everywhere")
                self._same = self.bits() == self.probe
            return self._same

    def bits(self) -> str:
        """Hash of what is made of the first people: another kind of processor may round differently."""
        people = self.people(0, min(self.n, PROBE))
        observed, marks = self.setup.chunk(people)
        change = change_of(self.setup, people, observed)
        sums = Sums.of(tuple(self.setup.model.endpoints), change, marks != batch.FAILED)
        found = hashlib.sha256(observed.tobytes())
        found.update(sums.total.tobytes())
        return found.hexdigest()[:32]

    def digest(self) -> str:
        """Hash of the steps, the threshold and the rest of the set-up."""
        s = self.setup
        found = hashlib.sha256(repr((s.plan.key(), s.threshold, s.target, s.reference, str(s.kernel.dtype))).encode())
        for values in (s.grid.t, s.grid.h, s.weights):
            found.update(np.ascontiguousarray(values).tobytes())
        return found.hexdigest()[:32]


Stream = Generator[tuple[Shard, Done], None, None]


class Pool(Protocol):
    """Something that does shards, at most a few at a time, and gives them back in any order."""

    def __call__(self, job: Job, todo: Sequence[Shard], place: Place | None) -> Stream: ...


_checking = threading.Lock()


def code(setup: Setup) -> str:
    """Hash of a kernel's source."""
    return hashlib.sha256(setup.kernel.source.text.encode()).hexdigest()[:32]


def size(n: int, setup: Setup) -> int:
    """People in a shard. It depends on the run alone, so that a run can be taken up elsewhere."""
    person = 8 * (len(setup.model.endpoints) + 2) * len(setup.plan.outputs)
    blocks = min(-(-n // (PIECES * BLOCK)), LARGEST // BLOCK, PART_BYTES // (person * BLOCK))
    return BLOCK * max(1, blocks)


def cut(n: int, people: int) -> list[Shard]:
    """n people in shards."""
    return [Shard(first, min(n, first + people)) for first in range(0, n, people)]


def change_of(setup: Setup, people: Cohort, observed: np.ndarray) -> dict[str, np.ndarray]:
    """Change from the reference output [time, person] by end point: x/x₀ − 1, for markers ln(x/x₀)."""
    found = {}
    for name, x in setup.endpoints(people, observed).items():
        ratio = x / x[setup.reference]
        found[name] = np.log(ratio) if is_log(name) else ratio - 1.0
    return found


def do(job: Job, shard: Shard, place: Place | None = None, stop: Callable[[], bool] = lambda: False) -> Done:
    """Run one shard; with a `place`, its people's numbers become a file there. Errors name the people."""
    try:
        if place is None:
            return _run(job, shard, None, stop)
        with place.writer(job, shard) as part:
            done = _run(job, shard, part.add, stop)
        done.size, done.digest, done.content = part.size, part.digest, part.content
        return done
    except Stopped:
        raise
    except OsteonError as error:
        raise OsteonError(f"people {shard.first} to {shard.last - 1}: {error}") from None
    except Exception as error:
        what = shorten(f"{type(error).__name__}: {error}", 200)
        raise OsteonError(f"people {shard.first} to {shard.last - 1} could not be run: {what}") from error


def _run(job: Job, shard: Shard, write: Callable[..., None] | None, stop: Callable[[], bool]) -> Done:
    same, setup = job.same_bits(), job.setup
    names = tuple(setup.model.endpoints)
    blocks: list[Sums] = []
    flags: dict[str, int] = {}
    for first in range(shard.first, shard.last, job.chunk):
        if stop():
            raise Stopped
        people = job.people(first, min(shard.last, first + job.chunk))
        observed, marks = setup.chunk(people)
        change = change_of(setup, people, observed)
        for at in range(0, people.n, BLOCK):
            block = slice(at, at + BLOCK)
            blocks.append(
                Sums.of(names, {name: x[:, block] for name, x in change.items()}, marks[block] != batch.FAILED)
            )
        batch.count_flags(flags, marks)
        if write is not None:
            write(first, change, marks)
    return Done(Sums.joined(blocks), flags, same_bits=same)


def threads(count: int) -> Pool:
    """Shards on this process's threads."""

    def pool(job: Job, todo: Sequence[Shard], place: Place | None) -> Stream:
        left, running = deque(todo), deque[tuple[Shard, Future[Done]]]()
        called_off = threading.Event()
        with ThreadPoolExecutor(count) as executor:
            try:
                while left or running:
                    while left and len(running) < 2 * count:
                        shard = left.popleft()
                        running.append((shard, executor.submit(do, job, shard, place, called_off.is_set)))
                    shard, future = running.popleft()
                    yield shard, future.result()
            finally:
                called_off.set()
                for _, future in running:
                    future.cancel()

    return pool
