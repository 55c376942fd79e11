"""Many people under one regimen, read as they come: means and spreads, and parts on disk, in constant memory."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from osteon.engine import batch
from osteon.errors import InputError, IntegrationError, OsteonWarning
from osteon.population import parts, shards
from osteon.population.moments import Moments, Sums, is_log
from osteon.population.variation import BLOCK

if TYPE_CHECKING:
    from osteon.models import Model
    from osteon.regimen import Course

ALL_FAILED = "the runs of all {n} people failed; are the doses or the spread beyond reason?"
MOST_TIMES = 4000  # outputs of a run over many people, so that a block of them stays small
MEMORY = 1e9  # bytes that all threads may take together for what they have under way


@dataclass
class Many:
    """What `simulate_many` found: means over people by end point and time, and how right they are."""

    days: np.ndarray
    moments: Moments
    certificate: batch.Certificate | None
    provenance: dict[str, Any]


def simulate_many(
    model: Model,
    people: batch.People,
    n: int,
    courses: Sequence[Course],
    days: Sequence[float] | np.ndarray,
    *,
    second: float = 0.0,
    dtype: str = "float64",
    threads: int | None = None,
    chunk: int | None = None,
    pool: contextlib.AbstractContextManager[shards.Pool] | None = None,
    out: str | Path | None = None,
    progress: Callable[[float], None] | None = None,
    facts: Mapping[str, Any] | None = None,
) -> Many:
    """Run n people and keep means and spreads; with `out`, also each person's numbers as Parquet in that folder.

    Memory does not grow with n. The numbers are the same, bit for bit, for any `threads`, `chunk` and `pool` (which
    does the shards in place of this process's threads). A run whose folder is there already is taken up again.
    """
    if chunk is not None and (chunk < 1 or chunk % BLOCK):
        raise InputError(f"a chunk is a multiple of {BLOCK} people, not {chunk}")
    if len(days) > MOST_TIMES:
        raise InputError(f"{len(days)} output times; a run over many people takes {MOST_TIMES} at most: "
                         "give a longer --every")  # fmt: skip
    facts = dict(facts or {})
    request = _request(facts, n, days, dtype, second)
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(parts.open_folder(out)) if out is not None else None
        if folder is not None and (known := folder.same_run(request)):
            todo = shards.cut(n, int(known["shard"]))
            if (finished := folder.finished()) and all(map(folder.find, todo)):
                moments, _ = _added(model, todo, folder.find)
                return Many(np.array(sorted(days)), moments, *finished)
        run = stack.enter_context(pool or contextlib.nullcontext(shards.threads(_threads(threads, model, len(days)))))
        setup = batch.prepare(model, people, n, courses, days, second=second, dtype=dtype)
        job = shards.Job.of(setup, people, n, chunk)
        size = shards.size(n, setup)
        todo = shards.cut(n, size)
        if folder is not None:
            folder.begin({**request, "shard": size, "steps": job.digest(), "engine_numbers": job.probe})
        results = _Results(folder, todo, progress)
        if results.missing:
            shards_done = run(job, results.missing, folder.place if folder is not None else None)
            results.source = stack.enter_context(contextlib.closing(shards_done))
        moments, flags = _added(model, todo, results.get)
        if not results.same_bits:
            text = "a worker's processor or libraries round otherwise; the last digits may differ from a run here"
            warnings.warn(text, OsteonWarning, stacklevel=2)
        if not moments.n:
            raise IntegrationError(ALL_FAILED.format(n=n))
        certificate = batch.certify(setup, people, n, flags)
        told = {k: None if v == np.inf else v for k, v in certificate.facts().items()}  # JSON knows no infinity
        engine: dict[str, Any] = {"name": "kernel", "method": "rational ETDRK4", "certificate": told}
        if not results.same_bits:
            engine["same_bits"] = False
        many = Many(np.array(setup.plan.outputs), moments, certificate, {**facts, "engine": engine})
        if folder is not None:
            folder.finish(many)
        return many


def _threads(wanted: int | None, model: Model, times: int) -> int:
    """As many as the memory allows: each has the end points of a block of people under way, a few times over."""
    each = 3 * 8 * BLOCK * times * len(model.endpoints)
    return max(1, min(wanted or os.cpu_count() or 1, int(MEMORY / each)))


def _request(
    facts: Mapping[str, Any], n: int, days: Sequence[float] | np.ndarray, dtype: str, second: float
) -> dict[str, Any]:
    """What was asked for, as far as it decides the numbers."""
    times = np.array(sorted(days), float)
    apart = ("platform", "python", "libraries", "notice")
    return {
        **{key: value for key, value in facts.items() if key not in apart},
        "people": n,
        "outputs": {"count": len(times), "last": times[-1], "hash": hashlib.sha256(times.tobytes()).hexdigest()[:32]},
        "prior_begins": second,
        "dtype": dtype,
        "target": batch.TARGET,
    }


def _added(
    model: Model, todo: Sequence[shards.Shard], get: Callable[[shards.Shard], shards.Done | None]
) -> tuple[Moments, dict[str, int]]:
    """Moments and flags of all shards, in their order."""
    moments, flags = Moments(tuple(model.endpoints)), dict[str, int]()
    for shard in todo:
        done = get(shard)
        assert done is not None
        moments.add(done.sums)
        for name, count in done.flags.items():
            flags[name] = flags.get(name, 0) + count
    return moments, flags


class _Results:
    """Gives shards in order: from the folder those that it holds, from `source` the others as they come."""

    def __init__(
        self, folder: parts.Folder | None, todo: Sequence[shards.Shard], progress: Callable[[float], None] | None
    ) -> None:
        self.folder, self.progress = folder, progress
        self.whole = {shard for shard in todo if folder is not None and folder.find(shard)}
        self.missing = [shard for shard in todo if shard not in self.whole]
        self.source: Iterator[tuple[shards.Shard, shards.Done]] = iter(())
        self.waiting: dict[shards.Shard, shards.Done] = {}
        self.same_bits = True
        self.people = sum(last - first for first, last in self.whole)
        self.n = todo[-1].last

    def get(self, shard: shards.Shard) -> shards.Done | None:
        """The result of a shard, waiting for it if need be."""
        if shard in self.whole:
            assert self.folder is not None
            found = self.folder.find(shard, parts=False)
            self.same_bits &= found is None or found.same_bits
            return found
        while shard not in self.waiting:
            came, done = next(self.source)
            if self.folder is not None:
                self.folder.keep(came, done)
            done.content = None
            self.same_bits &= done.same_bits
            self.waiting[came] = done
            self.people += came.last - came.first
            if self.progress is not None:
                self.progress(self.people / self.n)
        return self.waiting.pop(shard)


def exact_many(
    model: Model,
    people: batch.People,
    n: int,
    courses: Sequence[Course],
    days: Sequence[float] | np.ndarray,
    *,
    progress: Callable[[float], None] | None = None,
    facts: dict[str, Any] | None = None,
) -> Many:
    """As `simulate_many`, each person with the reference integrator."""
    from osteon.population.individuals import by_reference, reference_facts

    moments, times = Moments(tuple(model.endpoints)), np.asarray(days, float)
    courses_read = by_reference(model, people, n, courses, times)
    for first in range(0, n, BLOCK):
        size = min(BLOCK, n - first)
        whole = np.zeros(size, bool)
        change = {name: np.full((len(times), size), np.nan) for name in model.endpoints}
        for i, read in enumerate(itertools.islice(courses_read, size)):
            whole[i] = read is not None
            for name, x in (read or {}).items():
                ratio = x / x[0]
                change[name][:, i] = np.log(ratio) if is_log(name) else ratio - 1.0
            if progress is not None:
                progress((first + i + 1) / n)
        moments.add(Sums.of(moments.names, change, whole))
    if not moments.n:
        raise IntegrationError(ALL_FAILED.format(n=n))
    return Many(times, moments, None, {**(facts or {}), "engine": reference_facts()})
