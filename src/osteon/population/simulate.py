"""From an age, a spread and a regimen to many people's courses: each of them, or their means."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from osteon import dosing, models, result
from osteon.errors import InputError, nearest
from osteon.regimen import Course, Regimen, parse_regimen, prior_courses
from osteon.simulation import check_person, check_therapies, person_of, time_grid

if TYPE_CHECKING:
    import xarray as xr

    from osteon.models import Model
    from osteon.population.many import Many
    from osteon.population.variation import Variation

Progress = Callable[[float], None]


@dataclass(frozen=True)
class _Task:
    """Who is run under what, checked."""

    model: Model
    population: Variation
    courses: list[Course]
    second: float
    """Where the prior treatment begins, in days from month 0; 0 without one."""
    days: np.ndarray
    facts: dict[str, Any]

    @property
    def arguments(self) -> tuple[Any, ...]:
        return self.model, self.population.people, self.population.n, self.courses, self.days


def _task(
    regimen: str | Regimen,
    *,
    age: float,
    people: int,
    vary: Mapping[str, float] | None,
    until: str | float,
    every: str | float | None,
    prior: str | Regimen | None,
    model: str | Model | None,
    seed: int,
) -> _Task:
    from osteon.population.variation import Variation

    chosen = models.get(model) if model is None or isinstance(model, str) else model
    person = person_of(age=age)
    days = time_grid(until, every, chosen.year_days)
    check_person(chosen, person, float(days[-1]))
    population = Variation(chosen, people, dict(vary or {}), person.age, seed)
    schedule, before = parse_regimen(regimen), parse_regimen(prior) if prior else Regimen()
    check_therapies(chosen, chosen.kinetics(chosen.parameters()), [before, schedule])
    options: dict[str, Any] = {"year_days": chosen.year_days}
    earlier = prior_courses(before, **options)
    facts = {
        **result.platform_facts(),
        "model": chosen.name,
        "parameters_hash": chosen.parameter_hash,
        "without": list(getattr(chosen, "without", ())),
        "regimens": {"regimen": str(schedule)},
        "prior": str(before) if before.blocks else None,
        "person": person.model_dump(exclude_none=True),
        "people": people,
        "vary": dict(vary or {}),
        "seed": seed,
        "notice": "A research tool, not medical advice.",
    }
    courses = [*earlier, *schedule.courses(float(days[-1]), **options)]
    dosing.question(courses, person.species, None)
    courses = list(dosing.given(chosen, courses, person.age))
    return _Task(chosen, population, courses, min((c.start for c in earlier), default=0.0), days, facts)


def simulate_each(
    regimen: str | Regimen,
    *,
    age: float,
    people: int,
    vary: Mapping[str, float] | None = None,
    until: str | float,
    every: str | float | None = None,
    prior: str | Regimen | None = None,
    model: str | Model | None = None,
    seed: int = 0,
    exact: bool = False,
    threads: int | None = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Each of many people as one Result with a coordinate `flag`; see `osteon.simulate`."""
    from osteon.population import individuals

    task = _task(
        regimen, age=age, people=people, vary=vary, until=until, every=every, prior=prior, model=model, seed=seed
    )
    values, flags, engine = individuals.run(
        *task.arguments, second=task.second, exact=exact, threads=threads, progress=progress
    )
    return result.build(
        {name: rows[None, None] for name, rows in values.items()},
        time_days=task.days,
        arms=["regimen"],
        units=task.model.endpoints,
        provenance={**task.facts, "engine": engine},
        flags=flags,
    )


def simulate_people(
    regimen: str | Regimen,
    *,
    age: float,
    people: int,
    vary: Mapping[str, float] | None = None,
    until: str | float,
    every: str | float | None = None,
    prior: str | Regimen | None = None,
    model: str | Model | None = None,
    seed: int = 0,
    exact: bool = False,
    threads: int | None = None,
    chunk: int | None = None,
    workers: str = "threads",
    scheduler: str | None = None,
    out: str | Path | None = None,
    progress: Progress | None = None,
) -> Many:
    """Many people of one age under one regimen: means and spreads between them, with a certificate.

    `vary` gives the standard deviation of the logarithm of each parameter that differs between people; a person is
    the same for the same seed and number. Memory does not grow with `people`, and the numbers do not depend on
    `threads`, `chunk` or `workers`. `exact` runs each person with the reference integrator (slow).
    `workers="dask"` runs them on a cluster: one of `threads` processes on this machine, or that of the `scheduler` at
    an address. `out` is a folder for each person's numbers; the same call with the same folder goes on where an
    earlier one was broken off.
    """
    from osteon.population import cluster, many

    check_workers(workers, scheduler, out, exact)
    task = _task(
        regimen, age=age, people=people, vary=vary, until=until, every=every, prior=prior, model=model, seed=seed
    )
    if exact:
        return many.exact_many(*task.arguments, progress=progress, facts=task.facts)
    return many.simulate_many(
        *task.arguments,
        second=task.second,
        threads=threads,
        chunk=chunk,
        pool=cluster.pool(scheduler, threads) if workers == "dask" else None,
        out=out,
        progress=progress,
        facts=task.facts,
    )


def check_workers(
    workers: str = "threads", scheduler: str | None = None, out: str | Path | None = None, exact: bool = False
) -> None:
    """Raise InputError for a place to run that makes no sense."""
    from osteon.population.cluster import check_address

    if workers not in ("threads", "dask"):
        raise InputError(f"workers {workers!r}: must be threads or dask{nearest(workers, ['threads', 'dask'])}")
    if scheduler is not None and workers != "dask":
        raise InputError("a scheduler is for workers of dask: add --workers dask (workers='dask')")
    if scheduler is not None:
        check_address(scheduler)
    if exact and (workers == "dask" or out is not None):
        raise InputError("the reference integrator (--exact) runs on this machine and keeps means only: "
                         "leave --workers and --out away")  # fmt: skip
