"""Many people kept one by one: everyone's end points at every output time, and what became of each.

Up to `EXACT_UP_TO` people are run with the reference integrator, more with the kernel.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from osteon.engine import batch
from osteon.errors import InputError, IntegrationError
from osteon.units import number

if TYPE_CHECKING:
    from osteon.models import Model
    from osteon.regimen import Course

EXACT_UP_TO = 16  # people; beyond that the kernel is faster even with its start
LARGEST = 2e9  # bytes of a Result


def check_size(people: int, times: int, endpoints: int) -> None:
    """Raises InputError when everyone's numbers would not fit in memory."""
    size = 8.0 * people * times * endpoints
    if size > LARGEST:
        raise InputError(
            f"{people} people at {times} times would take {number(math.ceil(size / 1e9))} GB; "
            "give fewer output times, or use simulate_people for means in constant memory"
        )


def run(
    model: Model,
    people: batch.People,
    n: int,
    courses: Sequence[Course],
    days: np.ndarray,
    *,
    second: float = 0.0,
    exact: bool = False,
    threads: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> tuple[dict[str, np.ndarray], np.ndarray, dict[str, Any]]:
    """End points [person, time] by name, flags [person], and facts about the engine, at `days` from month 0.

    The values of someone whose run failed are missing (NaN), with flag 3.
    """
    check_size(n, len(days), len(model.endpoints))
    values = {name: np.full((n, len(days)), np.nan) for name in model.endpoints}
    flags = np.zeros(n, np.int8)
    if exact or n <= EXACT_UP_TO:
        for i, read in enumerate(by_reference(model, people, n, courses, days)):
            if read is None:
                flags[i] = batch.FAILED
            else:
                for name, x in read.items():
                    values[name][i] = x
            if progress is not None:
                progress((i + 1) / n)
        return values, flags, reference_facts()
    setup = batch.prepare(model, people, n, courses, days, second=second)
    for first, last, observed, marks in batch.chunks(setup, people, n, threads=threads, progress=progress):
        flags[first:last] = marks
        for name, x in setup.endpoints(people(first, last), observed).items():
            values[name][first:last] = np.where(marks == batch.FAILED, np.nan, x).T
    certificate = batch.certify(setup, people, n, batch.count_flags({}, flags))
    return values, flags, {"name": "kernel", "method": "rational ETDRK4", "certificate": certificate.facts()}


def by_reference(
    model: Model, people: batch.People, n: int, courses: Sequence[Course], days: np.ndarray
) -> Iterator[dict[str, np.ndarray] | None]:
    """Each person's end points [time] by the reference integrator; None for someone with whom it fails."""
    from osteon.engine import exact
    from osteon.engine.exposure import Exposure

    for i in range(n):
        person = people(i, i + 1)
        p = person.p._make([float(v[0]) if np.ndim(v) else v for v in person.p])
        now = float(person.now[0])
        own = [dataclasses.replace(c, start=c.start + now, stop=c.stop + now) for c in courses]
        try:
            states = exact.solve(model, p, Exposure(own, model.kinetics(p), len(model.channels)), days + now)
        except IntegrationError:
            yield None
        else:
            yield model.read_out(states.T, p)


def reference_facts() -> dict[str, Any]:
    """The reference integrator, for provenance."""
    from osteon.engine import exact

    return {"name": "exact", "method": "DOP853", "rtol": exact.RTOL, "atol": exact.ATOL}
