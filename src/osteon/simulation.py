"""From a person and a regimen, or a study, to a Result."""

from __future__ import annotations

import dataclasses
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from osteon import dosing, models, result, tscores
from osteon.engine import exact
from osteon.engine.exposure import Exposure
from osteon.errors import InputError, ModelError, OsteonWarning, nearest
from osteon.person import Person
from osteon.regimen import Course, Regimen, parse_regimen
from osteon.therapies import catalogue
from osteon.units import MONTH_DAYS, Span, number, parse_span

if TYPE_CHECKING:
    import xarray as xr

    from osteon.models import Model
    from osteon.study import Study

MAX_TIMES = 1_000_000
FINE_TIMES = 1000
PICTURE = 3e-4  # relative error of BMD in steps for pictures
MARGIN_YEARS = 20.0  # how far beyond the model's oldest start age a run may go
MARGIN_MONTHS = 6.0  # the same for a mouse
_FEATURES = {
    "sex": "sex",
    "t_score": "T-scores",
    "years_since_menopause": "menopause age",
    "weight_kg": "weight",
    "prior_vertebral_fracture": "prior fracture",
    "senescent_burden": "senescent burden",
}

Progress = Callable[[float], None]
"""Called with the share of the work that is done, 0 to 1."""


def simulate(
    regimen: str | Regimen,
    *,
    age: float | None = None,
    person: Person | None = None,
    until: str | float,
    every: str | float | None = None,
    prior: str | Regimen | None = None,
    people: int | None = None,
    vary: Mapping[str, float] | None = None,
    exact: bool = False,
    model: str | Model | None = None,
    seed: int = 0,
    draws: int = 0,
    threads: int | None = None,
    progress: Progress | None = None,
    **features: Any,
) -> xr.Dataset:
    """One person under one regimen, or each of many `people` who differ.

    `age` in years at month 0, or a whole `person`; other `features` as in `Person` (sex, t_score, …).
    `until` and `every` are texts such as "15 years" or a number of days; the times are 0, every, 2·every …
    and exactly `until` (default: every month). `prior` is a regimen that ends at month 0.

    `vary` gives the standard deviation of the logarithm of each parameter that differs between people. Up to 16
    people are run with the reference integrator, more with the fast kernel on `threads`; `exact` forces the
    reference. The coordinate `flag` then says what became of each person. `simulate_people` gives means instead, for
    any number.

    `draws` of the model's posterior are run with the fast kernel in place of the most probable parameters.

    Returns a Result with one arm. Raises InputError (and its kinds) for anything invalid.
    """
    if people is not None and (isinstance(people, bool) or people != people or int(min(people, 1e18)) != people):
        raise InputError(f"people: a whole number from 1, not {people!r}")
    if people is not None or vary:
        from osteon.population.simulate import simulate_each

        if person is not None or features or age is None:
            raise InputError("people who vary are given by their age alone, not by other features")
        if draws:
            raise InputError("draws are for one person: people differ, draws are uncertain; the two are kept apart")
        return simulate_each(
            regimen, age=age, people=people or 1, vary=vary, until=until, every=every, prior=prior, model=model,
            seed=seed, exact=exact, threads=threads, progress=progress,
        )  # fmt: skip
    chosen = models.get(model) if model is None or isinstance(model, str) else model
    if person is None:
        if age is None:
            raise InputError("the person's age is missing: give age (--age YEARS)")
        person = person_of(age=age, **features)
    elif age is not None or features:
        raise InputError("give a whole person, or age and features, not both")
    times = time_grid(until, every, chosen.year_days)
    schedule, before = parse_regimen(regimen), parse_regimen(prior) if prior else Regimen()
    arms = {"regimen": schedule}
    return _run(chosen, person, before, arms, times, seed=seed, draws=_draws(chosen, draws), progress=progress)


def run_fine(study: Study, *, model: Model, draws: int | None = None, progress: Progress | None = None) -> xr.Dataset:
    """All arms of a study on a fine grid up to its last visit, for pictures: it shows what visits miss."""
    end = max(study.visits[-1] * MONTH_DAYS, 1.0)
    arms = {arm.name: arm.schedule for arm in study.arms}
    person = study.people.mean_person()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OsteonWarning)  # said by the run itself
        return _run(
            model, person, study.prior_regimen, arms, np.linspace(0.0, end, FINE_TIMES),
            draws=_draws(model, draws), target=PICTURE, progress=progress,
        )  # fmt: skip


def simulate_at(
    model: Model,
    person: Person,
    prior: Regimen,
    regimen: Regimen,
    days: np.ndarray,
    *,
    draws: int = 0,
    target: float | None = None,
) -> xr.Dataset:
    """One person under one regimen at given days, ascending from 0; with `draws`, those after the most probable
    parameters, which are the first draw then, in steps that keep to a relative error of BMD (`target`)."""
    return _run(model, person, prior, {"regimen": regimen}, days, draws=draws, target=target, best=True)


def run(
    study: Study,
    *,
    model: str | Model | None = None,
    seed: int = 0,
    draws: int | None = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    """All arms of a study, at month 0 and at its visits, in `draws` of the model's posterior, which all arms share
    (200 by default, if the model has any; 0: the most probable parameters alone). Raises InputError (and its kinds).
    """
    chosen = models.get(model) if model is None or isinstance(model, str) else model
    times = np.unique([0.0, *(month * MONTH_DAYS for month in study.visits)])
    arms = {arm.name: arm.schedule for arm in study.arms}
    person = study.people.mean_person()
    return _run(
        chosen, person, study.prior_regimen, arms, times,
        seed=seed, draws=_draws(chosen, draws), progress=progress, study=study,
    )  # fmt: skip


def _draws(model: Model, asked: int | None) -> int:
    if asked == 0:
        return 0
    from osteon import draws  # and with it the kernel, which one person need not wait for

    return draws.count(model, asked)


def person_of(**features: Any) -> Person:
    """A Person; pydantic's complaints become one InputError."""
    from osteon.files import Document
    from osteon.validation import validate

    return validate(Person, Document(features), "person", InputError)


def time_grid(until: str | float, every: str | float | None, year_days: float) -> np.ndarray:
    """Days 0, every, 2·every … and exactly until; monthly when `every` is None."""
    end = _days(until, "until", year_days)
    step = min(MONTH_DAYS, end) if every is None else _days(every, "every", year_days)
    if end / step > MAX_TIMES:
        raise InputError(f"until {until!r} holds over {MAX_TIMES:,} output times; give a longer --every")
    n = math.floor(end / step * (1 + 1e-12))
    times = step * np.arange(n + 1)
    if end - times[-1] > 1e-9 * end:
        return np.append(times, end)
    times[-1] = end
    return times


def _days(span: str | float | Span, what: str, year_days: float) -> float:
    if isinstance(span, int | float):
        span = Span(float(span), "day")
    if not isinstance(span, Span):
        span = parse_span(span, what)
    days = span.days(year_days)
    if not 0 < days < math.inf:
        raise InputError(f"{what} must be above 0, not {str(span)!r}")
    return days


def _run(
    model: Model,
    person: Person,
    prior: Regimen,
    arms: dict[str, Regimen],
    times: np.ndarray,
    *,
    seed: int = 0,
    draws: int = 0,
    target: float | None = None,
    best: bool = False,
    progress: Progress | None = None,
    study: Study | None = None,
) -> xr.Dataset:
    model = models.of_species(model, person.species)
    check_person(model, person, times[-1])
    p = model.of_person(person)
    kinetics = model.kinetics(p)
    check_therapies(model, kinetics, [prior, *arms.values()])
    courses = dosing.arms(model, person, prior, list(arms.values()), float(times[-1]))
    if draws:
        from osteon import draws as posterior

        target = target or posterior.TARGET
        values = posterior.run(model, person, courses, times, draws, target=target, best=best, progress=progress)
        priors = posterior.with_priors(model, person, courses)
        engine = {"name": "kernel", "target": target, "draws": draws, "priors": priors}
    else:
        values = _reference(model, person, p, courses, times, progress)
        engine = {"name": "exact", "method": "DOP853", "rtol": exact.RTOL, "atol": exact.ATOL}
    if "t_score" in model.uses:
        values = tscores.scale(values, person.t_score)
    facts = _facts(model, person, prior, arms, engine, seed, study)
    return result.build(
        values,
        time_days=times,
        arms=list(arms),
        units=model.endpoints,
        provenance=facts,
    )


def _facts(
    model: Model, person: Person, prior: Regimen, arms: Mapping[str, Regimen], engine: Mapping[str, Any], seed: int,
    study: Study | None,
) -> dict[str, Any]:  # fmt: skip
    """Provenance of a run."""
    return {
        **result.platform_facts(),
        "model": model.name,
        "parameters_hash": model.parameter_hash,
        "without": list(getattr(model, "without", ())),
        "engine": dict(engine),
        "regimens": {name: str(schedule) for name, schedule in arms.items()},
        "prior": str(prior) if prior.blocks else None,
        "evidence": {name: catalogue.get(name).evidence for r in (prior, *arms.values()) for name in r.therapies()},
        "person": person.model_dump(exclude_none=True),
        "seed": seed,
        "study": study.model_dump(exclude_none=True) if study else None,
        "notice": "A research tool, not medical advice.",
    }


def study_facts(model: Model, person: Person, study: Study, seed: int, engine: Mapping[str, Any]) -> dict[str, Any]:
    """Provenance of a run of a study, with facts about the engine."""
    arms = {arm.name: arm.schedule for arm in study.arms}
    return _facts(model, person, study.prior_regimen, arms, engine, seed, study)


def _reference(
    model: Model,
    person: Person,
    p: Any,
    arms: Sequence[tuple[Sequence[Course], Sequence[Course]]],
    times: np.ndarray,
    progress: Progress | None,
) -> dict[str, np.ndarray]:
    """End points [draw, arm, person, time] of one person by the reference integrator; month 0 is day `now` of the
    model's clock."""
    now = person.age * model.age_days
    clock, kinetics = times + now, model.kinetics(p)
    values: dict[str, list[np.ndarray]] = {name: [] for name in model.endpoints}
    for index, arm in enumerate(arms):
        courses = [dataclasses.replace(c, start=c.start + now, stop=c.stop + now) for part in arm for c in part]
        tick = _tick(progress, index, len(arms), now, clock[-1])
        states = exact.solve(model, p, Exposure(courses, kinetics, len(model.channels)), clock, tick=tick)
        for name, series in model.read_out(states.T, p).items():
            values[name].append(series)
    return {name: np.array(rows)[None, :, None, :] for name, rows in values.items()}


def check_person(model: Model, person: Person, until_days: float) -> None:
    """Raises InputError when the model has no such person; warns of features that it does not use."""
    low, high = model.age_range
    if person.species not in model.species:
        raise ModelError(f"{model.name} has no {person.species}; it models {', '.join(model.species)}")
    if not low <= person.age <= high:
        raise InputError(
            f"age {number(person.age)}: {model.name} takes ages from {number(low)} to {number(high)} {_unit(person)}"
        )
    end_age = person.age + until_days / model.age_days
    last = high + (MARGIN_YEARS if person.species == "human" else MARGIN_MONTHS)
    if end_age > last:
        raise InputError(
            f"the run would end at age {end_age:.4g}; {model.name} goes to {number(last)} {_unit(person)}: "
            "shorten it (--until, or the last visit)"
        )
    if person.sex == "male" and person.years_since_menopause is not None and "years_since_menopause" in model.uses:
        warnings.warn("a man's years since menopause are ignored", OsteonWarning, stacklevel=2)
    ignored = [label for name, label in _FEATURES.items() if name in person.given() and name not in model.uses]
    if ignored:
        why = "" if "sex" in model.uses else " runs one reference woman at the mean age;"
        warnings.warn(f"{model.name}{why} ignored: {', '.join(ignored)}", OsteonWarning, stacklevel=2)


def _unit(person: Person) -> str:
    """What its age counts in."""
    return "years" if person.species == "human" else "months (a mouse's age is in months)"


def check_therapies(model: Model, kinetics: Any, regimens: Sequence[Regimen]) -> None:
    """Raises ModelError for a therapy that the model lacks, and for a route of which it knows nothing."""
    known = sorted(name for name in kinetics if catalogue.find(name))
    for regimen in regimens:
        for component in (c for block in regimen.blocks for c in block.components if not c.is_gap):
            name = component.therapy
            if name not in kinetics:
                species = catalogue.get(name).species
                if not set(species) & set(model.species):
                    raise ModelError(f"{model.name} has no {name}: only a {' or '.join(species)} is given it")
                left_out = getattr(model, "without", ())
                why = f"; it was run without {', '.join(left_out)}" if left_out else ""
                raise ModelError(
                    f"{model.name} has no {name}{why} (it knows {', '.join(known)}){nearest(name, known, 0.75)}"
                )
            usual = catalogue.get(name).routes[:1]
            if not getattr(model, "composed", False) or component.route in (None, *usual):
                continue
            if f"{name} {component.route}" not in kinetics:
                others = [r for r in catalogue.get(name).routes if r in usual or f"{name} {r}" in kinetics]
                raise ModelError(f"{model.name} has no {name} {component.route}; it knows it by {', '.join(others)}")


def _tick(progress: Progress | None, index: int, n: int, start: float, end: float) -> Progress | None:
    if progress is None:
        return None
    return lambda t: progress((index + min(1.0, max(0.0, (t - start) / (end - start)))) / n)
