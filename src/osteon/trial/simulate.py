"""Every person of a study in every arm: true values, before anything is measured.

    x(t) = x_model(t) + x_model(0) g(t) d/100        BMD, d in % of baseline
    x(t) = x_model(t) exp(g(t) d)                    markers
    g(t) = √((1 - exp(-2t/τ)) / (1 - exp(-2 · 12 months/τ)))

x_model is the model's course of the person's own life (population/baseline). d is the person's own part of a change:
normal, with the SD `between_*` of the set "observation" at month 12, the same in each arm and at each visit, and
correlated between sites and between markers; τ and the correlations are records of the set "trial", assumed. It is
variability between people, not uncertainty, and holds what the model does not know of a person: food, exercise,
illness, how well a drug is taken up. What a scanner adds is `trial.measure`'s.

Arms share their people, who begin month 0 with the same bone. Nothing of an arm rests on the other arms.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from osteon import dosing, draws, models, parameters, result
from osteon.endpoints import ENDPOINTS
from osteon.engine import batch
from osteon.engine.cohort import Cohort
from osteon.errors import InputError, IntegrationError
from osteon.population import baseline, steps
from osteon.population.baseline import Placed
from osteon.population.people import Population
from osteon.population.usual import SITES
from osteon.population.variation import BLOCK
from osteon.simulation import check_person, check_therapies, study_facts
from osteon.trial import people
from osteon.units import MONTH_DAYS

if TYPE_CHECKING:
    import xarray as xr

    from osteon.models import Model
    from osteon.study import Study

ALWAYS = ("lumbar_spine_bmd", "total_hip_bmd", "femoral_neck_bmd")
"""BMD that fractures rest on: always there."""
PERSONAL_KEY = 17
YEAR = 12.0  # months at which the SD between people is known
LARGEST = 2e9  # bytes of a Result
AS_COORDINATES = ("age", "weight_kg", "years_since_menopause", "prior_vertebral_fracture", "senescent_burden")

Progress = Callable[[float], None]
Courses = tuple[Any, ...]


def run_people(
    study: Study,
    *,
    model: str | Model | None = None,
    seed: int = 0,
    threads: int | None = None,
    progress: Progress | None = None,
    draw: int | Mapping[str, float] | None = None,
    people: Population | None = None,
    dose_factor: Mapping[str, np.ndarray] | None = None,
    personal: bool = True,
) -> xr.Dataset:
    """True values of everyone in a study: a Result with dims draw (1), arm, person, time (month 0 and the visits).

    Its end points are those of the study that the model has, and always BMD of spine, hip and neck. Coordinates of a
    person: sex, age, weight_kg, t_lumbar_spine …, prior_vertebral_fracture, senescent_burden, `loss` (rate of loss
    relative to the usual one) and `flag` (3: failed, values missing).

    `draw` is the number of a draw of the model's posterior, or values of parameters by id; by default the most
    probable ones. `people` stand in for those that the study describes (`n_per_arm` is then theirs). `dose_factor`
    gives by arm what share of each dose a person takes [person]. `personal` False leaves each person's own part out.
    The same seed gives the same numbers for any number of threads, and the same people whatever the arms. Raises
    InputError (and its kinds).
    """
    chosen = models.get(model) if model is None or isinstance(model, str) else model
    chosen = models.of_species(chosen, study.people.species)
    days = np.unique([0.0, *(month * MONTH_DAYS for month in study.visits)])
    mean = study.people.mean_person()
    if "sex" in chosen.uses:
        check_person(chosen, mean, float(days[-1]))
    schedules = {arm.name: arm.schedule for arm in study.arms}
    prior = study.prior_regimen
    check_therapies(chosen, chosen.kinetics(chosen.of_person(mean)), [prior, *schedules.values()])
    names = [name for name in dict.fromkeys((*study.endpoints, *ALWAYS)) if name in chosen.endpoints]
    _check_size(study.people.n_per_arm if people is None else len(people), len(days), len(names), len(study.arms))
    who = people if people is not None else _sampled(study, seed, chosen)
    values = _of_draw(chosen, draw)
    if "sex" in chosen.uses:
        found = _each(
            chosen, values, study, who, days, names, seed=seed, threads=threads, progress=progress,
            factor=dose_factor or {}, mean=mean,
        )  # fmt: skip
    else:
        found = _one_woman(chosen, study, len(who), names, progress)
    series, start, flags, coordinates, engine = found
    if personal:
        _add_personal(series, start, days / MONTH_DAYS, seed)
    facts = study_facts(
        chosen, mean, study, seed,
        {**engine, "people": len(who), "acceptance": float(who.acceptance), "draw": _plain(draw),
         "own_people": people is not None},
    )  # fmt: skip
    built = result.build(
        {name: x[None] for name, x in series.items()}, time_days=days, arms=list(schedules),
        units=chosen.endpoints, provenance=facts, flags=flags,
    )  # fmt: skip
    return built.assign_coords({name: ("person", x) for name, x in coordinates.items()})


def _sampled(study: Study, seed: int, model: Model) -> Population:
    return people.sample(study, seed, model)


def _plain(draw: int | Mapping[str, float] | None) -> Any:
    return {k: float(v) for k, v in draw.items()} if isinstance(draw, Mapping) else draw


def _check_size(n: int, times: int, names: int, arms: int) -> None:
    if 8.0 * n * times * names * arms > LARGEST:
        raise InputError(
            f"{n:,} people per arm at {times} times in {arms} arms would take "
            f"{8e-9 * n * times * names * arms:,.0f} GB; give fewer people (n_per_arm), visits or end points"
        )


def _of_draw(model: Model, draw: int | Mapping[str, float] | None) -> Model | None:
    """The model with the values of a draw; None for the most probable ones."""
    if draw is None:
        return None
    if not isinstance(draw, Mapping):
        every = parameters.draws(model.name)
        count = len(next(iter(every.values()), ()))
        if not 0 <= draw < count:
            raise InputError(f"draw {draw}: {model.name} has {count} draws, 0 to {count - 1}")
        draw = {name: float(x[draw]) for name, x in every.items()}
    kind: Any = type(model)
    drawn: Model = kind(getattr(model, "without", ()), dict(draw), bounded=False)
    return drawn


Found = tuple[dict[str, np.ndarray], dict[str, np.ndarray], np.ndarray, dict[str, np.ndarray], dict[str, Any]]


def _each(
    model: Model, values: Model | None, study: Study, who: Population, days: np.ndarray, names: list[str], *,
    seed: int, threads: int | None, progress: Progress | None, factor: Mapping[str, np.ndarray], mean: Any,
) -> Found:  # fmt: skip
    """End points [arm, person, time], those at month 0 [person], flags, coordinates and facts about the engine."""
    courses = dosing.arms(model, mean, study.prior_regimen, [arm.schedule for arm in study.arms], float(days[-1]))
    before = courses[0][0]
    lives = baseline.lives(model, who.table, centre=_centre(model, study, who, mean), seed=seed, values=values)
    parts = len(study.arms) + 1

    def tick(index: int) -> Progress | None:
        return None if progress is None else lambda share: progress((index + share) / parts)

    placed = baseline.place(lives, before, threads=threads, progress=tick(0))
    if placed.failed.all():
        raise IntegrationError(f"{model.name}: the life of nobody could be run to month 0")
    series = {name: np.empty((len(study.arms), len(who), len(days))) for name in names}
    flags = np.where(placed.failed, batch.FAILED, 0).astype(np.int8)
    for index, (arm, (_, after)) in enumerate(zip(study.arms, courses, strict=True)):
        taken = factor.get(arm.name)
        found, marks = _arm(placed, before, after, days, taken, threads, tick(index + 1))
        np.maximum(flags, marks, out=flags)
        for name in names:
            series[name][index] = found[name]
    for name in names:
        series[name][:, placed.failed] = np.nan
    known = {f"t_{site}": baseline.column(who.table, f"{site}_t") for site in SITES}
    coordinates = {"sex": who.table["sex"].to_numpy(object).astype(str).astype(object)}
    coordinates |= {name: who.table[name].to_numpy() for name in AS_COORDINATES if name in who.table}
    coordinates |= {name: t for name, t in known.items() if not np.isnan(t).all()} | {"loss": lives.loss}
    start = {name: placed.start[name] for name in names}
    return series, start, flags, coordinates, {"name": "kernel", "method": "rational ETDRK4", "target": steps.TARGET}


def _centre(model: Model, study: Study, who: Population, mean: Any) -> float:
    """The deviation at which loss is usual: that of the study's mean person, or the mean of people of one's own."""
    if mean.t_score or "t_score" not in model.uses:
        return baseline.centre(model, mean)
    return people.mean_deviation(model, who.table)


def _arm(
    placed: Placed, before: Courses, after: Courses, days: np.ndarray, taken: np.ndarray | None,
    threads: int | None, progress: Progress | None,
) -> tuple[dict[str, np.ndarray], np.ndarray]:  # fmt: skip
    """End points [person, time] and flags of one arm."""
    cohort, model = placed.cohort, placed.cohort.model
    given = (*before, *after)
    if taken is not None:
        share = np.asarray(taken, float)
        if share.shape != (cohort.n,) or not (share >= 0).all():
            raise InputError(f"dose_factor: one number from 0 for each of {cohort.n} people is needed")
        rows = [*([np.ones(cohort.n)] * len(before)), *([share] * len(after))]
        cohort = replace_doses(cohort, np.array(rows).reshape(len(given), cohort.n))
    usual = set(steps.usual_channels(model))
    channels = sorted(usual | draws.heard(model, [(before, after)])) if given else sorted(usual)
    setup = steps.arm(cohort, given, days, second=min((c.start for c in before), default=0.0), channels=channels)
    found = {name: np.empty((cohort.n, len(days))) for name in model.endpoints}
    flags = np.zeros(cohort.n, np.int8)
    for first, last, observed, marks in batch.chunks(
        setup, lambda a, b: cohort.take(slice(a, b)), cohort.n, threads=threads, chunk=baseline.CHUNK,
        progress=progress,
    ):  # fmt: skip
        flags[first:last] = marks
        with np.errstate(all="ignore"):
            seen = setup.endpoints(cohort.take(slice(first, last)), observed)
        for name, x in seen.items():
            found[name][first:last] = np.where(marks == batch.FAILED, np.nan, x).T
    for name, x in found.items():
        if name in placed.factor or ENDPOINTS[name].kind in ("bmd", "marker"):
            with np.errstate(invalid="ignore", divide="ignore"):
                x *= (placed.start[name] / x[:, 0])[:, None]  # peak and level, and what little steps err by month 0
            x[:, 0] = np.where(flags == batch.FAILED, np.nan, placed.start[name])
    return found, flags


def replace_doses(cohort: Cohort, factor: np.ndarray) -> Cohort:
    """The cohort with a share of each course's doses taken [course, person]."""
    return replace(cohort, dose_factor=factor)


def _one_woman(model: Model, study: Study, n: int, names: list[str], progress: Progress | None) -> Found:
    """A model of one reference woman: everyone's course is hers."""
    from osteon.simulation import run

    whole = run(study, model=model, draws=0, progress=progress)
    series = {name: np.repeat(whole[name].to_numpy()[0], n, axis=1) for name in names}
    start = {name: x[0, :, 0] for name, x in series.items()}
    facts = {
        **result.provenance(whole)["engine"],
        "note": "one reference woman; people differ by their own part alone",
    }
    return series, start, np.zeros(n, np.int8), {}, facts


def _add_personal(series: dict[str, np.ndarray], start: dict[str, np.ndarray], months: np.ndarray, seed: int) -> None:
    """Add each person's own part of a change, in place."""
    for name, x in series.items():
        kind = ENDPOINTS[name].kind
        d = own_part(name, x.shape[1], seed)
        if d is None:
            continue
        grown = d[:, None] * growth(kind, months)
        if kind == "bmd":
            x += start[name][:, None] * grown / 100.0
        else:
            x *= np.exp(grown)


def own_part(name: str, n: int, seed: int) -> np.ndarray | None:
    """d of n people for an end point at month 12 (% of baseline; markers: logarithm); None for what has no spread.

    Normal, with a part shared by the sites (or by the markers) and one of its own."""
    observation, kind = parameters.load("observation"), ENDPOINTS[name].kind
    if f"between_{name}" not in observation:
        return None
    together = parameters.load("trial")[f"personal_together_{kind}"].value
    number = list(ENDPOINTS).index(name)
    shared, own = _normals(seed, (0, ["bmd", "marker"].index(kind)), n), _normals(seed, (1, number), n)
    z = np.sqrt(together) * shared + np.sqrt(1 - together) * own
    return np.asarray(observation[f"between_{name}"].value * z)


def growth(kind: str, months: np.ndarray) -> np.ndarray:
    """g [time]."""
    time = parameters.load("trial")[f"personal_time_{kind}"].value
    return np.asarray(np.sqrt(-np.expm1(-2 * np.maximum(months, 0.0) / time) / -np.expm1(-2 * YEAR / time)))


def _normals(seed: int, key: Sequence[int], n: int) -> np.ndarray:
    blocks = range(-(-n // BLOCK))
    seeds = [np.random.SeedSequence(seed, spawn_key=(PERSONAL_KEY, *key, block)) for block in blocks]
    return np.concatenate([np.random.default_rng(s).standard_normal(BLOCK) for s in seeds])[:n]


__all__ = ["ALWAYS", "growth", "own_part", "run_people"]
