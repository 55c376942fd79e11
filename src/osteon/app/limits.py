"""What one request may ask for; above it is refused with a clear message, never cut short in silence."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from osteon.errors import InputError
from osteon.units import MONTH_DAYS, number

if TYPE_CHECKING:
    from osteon.regimen import Regimen
    from osteon.study import Study

MAX_BODY = 1_000_000  # bytes of a request
MAX_MESSAGE = 1_000_000  # bytes of a message on a web socket
MAX_TEXT = 4_000  # characters of a regimen
MAX_PEOPLE = 1_000_000  # of a study, over all arms
MAX_TRIAL = 50_000  # of a virtual trial, over all arms: they are run one by one
MAX_ARMS = 64
MAX_VISITS = 400
MAX_MONTHS = 720.0
MAX_DRAWS = 500
MAX_DOSES = 30_000  # of one arm: daily for 80 years
MAX_JOBS = 2  # at once; more wait
MAX_WAITING = 16
MAX_KEPT = 40  # jobs that have ended
MAX_SECONDS = 3600.0  # of one job
MAX_POPULATION = 200_000


def check_regimen(regimen: Regimen, until_days: float, what: str) -> None:
    """Raises InputError when a regimen has more doses than a person could be given."""
    courses = regimen.courses(until_days, weight_kg=70.0)  # any weight: doses are counted, not added up
    doses = sum(course.count for course in courses)
    if doses > MAX_DOSES:
        raise InputError(f"{what}: {doses:,} doses; the app takes up to {MAX_DOSES:,}: give a longer interval")


def check_study(study: Study, draws: int | None, *, trial: bool = False) -> None:
    """Raises InputError when a study is larger than the app runs; the command line has no such bounds."""
    more = "; `osteon run` on the command line has no such bound"
    people, most = study.people.n_per_arm * len(study.arms), MAX_TRIAL if trial else MAX_PEOPLE
    if people > most:
        raise InputError(
            f"people.n_per_arm: {study.people.n_per_arm:,} in {len(study.arms)} arms are {people:,} people; "
            f"the app takes up to {most:,}{' as a virtual trial' if trial else ''}{more}"
        )
    if len(study.arms) > MAX_ARMS:
        raise InputError(f"arms: {len(study.arms)}; the app takes up to {MAX_ARMS}{more}")
    if len(study.visits) > MAX_VISITS:
        raise InputError(f"visits: {len(study.visits)}; the app takes up to {MAX_VISITS}{more}")
    if study.visits[-1] > MAX_MONTHS:
        raise InputError(
            f"visits: month {number(study.visits[-1])}; the app goes to month {number(MAX_MONTHS)}{more}"
        )
    if draws is not None and draws > MAX_DRAWS:
        raise InputError(f"draws: {draws:,}; the app takes up to {MAX_DRAWS}{more}")
    until = math.ceil(study.visits[-1]) * MONTH_DAYS
    for index, arm in enumerate(study.arms):
        check_regimen(arm.schedule, until, f"arms[{index}].regimen")
