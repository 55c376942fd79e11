"""From regimens to the courses that a model runs: weight, donors, and doses that are surely a mistake."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from osteon import parameters
from osteon.errors import InputError, OsteonWarning
from osteon.regimen import Course, Regimen, prior_courses
from osteon.therapies import catalogue
from osteon.units import number

if TYPE_CHECKING:
    from osteon.models import Model
    from osteon.person import Person

USUAL_WEIGHT = "reference_weight"  # the record by which a dose of cells is judged where the weight is not known
MOST_CELLS = 2e7  # per kg; more is questioned
FAR_TOO_MANY = 1e9  # per kg of a human; more is refused
MOST_CELLS_MOUSE, FAR_TOO_MANY_MOUSE = 5e8, 1e11  # a million in a mouse of 25 g is 4e7 per kg, and usual


def weight(model: Model, person: Person, regimens: Iterable[Regimen]) -> float | None:
    """The person's weight (kg); of a mouse that has none, the usual one, which is said where a dose needs it."""
    usual: float | None = getattr(model, "usual_weight_kg", None)
    if person.weight_kg is not None or usual is None:
        return person.weight_kg
    doses = [c.dose for regimen in regimens for c in regimen.components() if c.dose is not None]
    if any(dose.unit.endswith("/kg") for dose in doses):
        told = f"weight_kg is not given; a mouse of {number(1000 * usual)} g is assumed"
        warnings.warn(told, OsteonWarning, stacklevel=4)
    return usual


def arms(
    model: Model, person: Person, prior: Regimen, schedules: Sequence[Regimen], until: float
) -> list[tuple[tuple[Course, ...], tuple[Course, ...]]]:
    """Of each arm its courses before and from month 0, in days from it. Raises InputError."""
    kg = weight(model, person, [prior, *schedules])
    options: dict[str, Any] = {"year_days": model.year_days, "weight_kg": kg}
    before = prior_courses(prior, **options)
    first = min((c.start for c in before), default=0.0) + person.age * model.age_days
    if first < model.start(model.of_person(person))[0]:
        raise InputError(f"the prior treatment begins before {model.name}'s first day; shorten it or raise the age")
    after = [schedule.courses(until, **options) for schedule in schedules]
    question([*before, *(c for courses in after for c in courses)], person.species, kg)
    return [(given(model, before, person.age), given(model, courses, person.age)) for courses in after]


def given(model: Model, courses: Sequence[Course], age: float) -> tuple[Course, ...]:
    """The courses as the model takes them, of a person of that age at month 0."""
    as_taken = getattr(model, "given", None)
    return tuple(courses) if as_taken is None else as_taken(courses, model.parameters(), age)


def question(courses: Iterable[Course], species: str, kg: float | None) -> None:
    """Warn of doses of cells that no trial gives; raise InputError for those that cannot be meant."""
    most, far = (MOST_CELLS, FAR_TOO_MANY) if species == "human" else (MOST_CELLS_MOUSE, FAR_TOO_MANY_MOUSE)
    asked: set[tuple[str, float]] = set()
    for course in courses:
        if catalogue.get(course.therapy).unit != "cells" or (course.therapy, course.dose) in asked:
            continue
        asked.add((course.therapy, course.dose))
        usual = parameters.load("osteon")[USUAL_WEIGHT].value
        per_kg = course.dose / (kg or usual)
        whose = "" if kg else f" (of {number(usual)} kg, assumed)"
        told = f"{course.therapy}: {per_kg:.2g} cells per kg{whose}, and trials give up to about {most:.0e}"
        if per_kg > far:
            raise InputError(f"{told}; check the dose and its unit")
        if per_kg > most:
            warnings.warn(f"{told}; is the dose meant?", OsteonWarning, stacklevel=4)
