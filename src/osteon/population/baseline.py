"""A person with given T-scores and markers, placed on a life course that leads there at month 0.

How far a person's BMD lies from the usual at that age is taken apart in two. Part is the rate of loss over adult
life: the loss of estrogen and the ageing of the osteoblast supply act with a factor

    f = 1 + loss_spread · t,    t = -ρ z + √(1 - ρ²) ε,    ρ = loss_spread · D / σ

z: deviation of the person's BMD (mean of the sites that are known) in SDs of people of that age, D: what the usual
life loses of BMD by that age per unit of f, σ: spread of people of that age, ε: the person's own chance, 0 where no
seed is given. `loss_spread` is such that the spread of people grows with age as the survey's does. The rest is peak
bone mass: `peak_spine`, `peak_hip` and `peak_neck` follow exactly once the life has been run to month 0, since BMD is
linear in them; a site without a T-score takes the mean factor of those that have one.

Markers likewise: a share of how far they are from the usual is turnover, by which both kinds of bone are rebuilt
faster; the rest is the person's own level of the marker, which follows exactly after the run.

The lives of all are run at once with the kernel, untreated ones up to month 0 alone, from where every arm goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from osteon import models, parameters, tscores
from osteon.engine import batch
from osteon.engine import cohort as cohorts
from osteon.engine.cohort import Cohort
from osteon.errors import InputError
from osteon.models import Model
from osteon.population import steps, survey
from osteon.population.usual import LOSS, MARKERS, SITES, TURNOVER, usual_lives
from osteon.population.variation import BLOCK
from osteon.units import number

PEAKS = {"lumbar_spine": "peak_spine", "total_hip": "peak_hip", "femoral_neck": "peak_neck",
         "distal_third_radius": "peak_third_radius", "ultradistal_radius": "peak_ultradistal_radius"}  # fmt: skip
SLOWEST, FASTEST = 0.2, 2.5  # what f and turnover are held to
MOST_TOGETHER = 0.95  # what ρ is held to
LOSS_KEY, CHUNK = 9, 1024

Progress = Callable[[float], None]


@dataclass(frozen=True)
class Lives:
    """People [person] with the parameters that make them: `changes` by id, `age` at month 0, `target` BMD by site and
    `marker` relative to the usual (NaN where not known)."""

    model: Model
    age: np.ndarray
    male: np.ndarray
    changes: dict[str, Any]
    loss: np.ndarray
    """f."""
    target: dict[str, np.ndarray] = field(default_factory=dict)
    marker: dict[str, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.age)

    def cohort(self) -> Cohort:
        """As the engines take them, at the start of their lives, with usual peaks."""
        return cohorts.make(self.model, len(self), changes=self.changes, age=self.age)


@dataclass(frozen=True)
class Placed:
    """People at month 0: `cohort` begins there (`states` known) or, after a prior treatment, at birth. `factor`
    [person] by end point is what the read-out is multiplied by: peak bone mass and level of markers relative to the
    usual. `start` are the end points at month 0, `failed` [person] whose life could not be run."""

    lives: Lives
    cohort: Cohort
    factor: dict[str, np.ndarray]
    start: dict[str, np.ndarray]
    failed: np.ndarray

    @property
    def parameters(self) -> dict[str, Any]:
        """Everyone's parameters by id that are not the usual ones, peak bone mass included."""
        found, base = dict(self.lives.changes), self.lives.model.parameters()
        for site, name in PEAKS.items():
            if (factor := self.factor.get(f"{site}_bmd")) is not None:
                men = np.where(self.lives.male, getattr(base, f"{name}_men"), getattr(base, name))
                found[name] = found[f"{name}_men"] = men * factor
        return found


def lives(
    model: Model, table: pd.DataFrame, *, centre: float = 0.0, seed: int | None = None, values: Model | None = None
) -> Lives:
    """The people of a table (columns of `people.FEATURES`), each with rates of loss and turnover of their own.

    `centre` is the deviation z at which the rate is the usual one: 0 for people of a whole population; in a trial
    that of its mean person, since the model was fitted to the mean people of trials. `values` is the model with
    the parameters of a draw, in place of the most probable ones; people keep their rates relative to it."""
    run = values or model
    n, base = len(table), run.parameters()
    age = table["age"].to_numpy(float)
    low, high = model.age_range
    if ((age < low) | (age > high)).any():
        row = int(np.argmax((age < low) | (age > high)))
        raise InputError(
            f"age {number(age[row])} of row {row + 1}: {model.name} takes {number(low)} to {number(high)}"
        )
    male = table["sex"].to_numpy() == "male"
    changes: dict[str, Any] = {"male": male.astype(float)}
    if "senescent_burden" in table and not (table["senescent_burden"] == 1.0).all():
        changes["senescent_burden"] = table["senescent_burden"].fillna(1.0).to_numpy(float)
    if "human" not in model.species:
        return Lives(run, age, male, changes, np.ones(n))
    menopause = menopause_age(table, float(model.parameters().menopause_age))
    records = parameters.load(model.name)
    kg = column(table, "weight_kg")
    size = (kg / records["reference_weight"].value) ** records["size_exponent"].value
    changes["menopause_age"] = np.where(male, base.menopause_age, menopause)
    changes["body_size"] = np.where(np.isnan(kg), 1.0, np.clip(size, 0.4, 2.5))
    target, marker = targets(table), {name: column(table, name) for name in MARKERS}
    z, together = deviation(model, target, age, male, menopause)
    own = np.zeros(n) if seed is None else chance(seed, n)
    spread = parameters.load("trial")["loss_spread"].value
    apart = np.where(np.isnan(z), 0.0, z - centre)
    loss = np.clip(1 + spread * (-together * apart + np.sqrt(1 - together**2) * own), SLOWEST, FASTEST)
    turnover = _turnover(marker)
    for name in LOSS:
        changes[name] = getattr(base, name) * loss
    for name in TURNOVER:
        changes[name] = getattr(base, name) * turnover
    return Lives(run, age, male, changes, loss, target, marker)


def column(table: pd.DataFrame, name: str) -> np.ndarray:
    """A column as numbers; NaN where it is not there."""
    return table[name].to_numpy(float) if name in table else np.full(len(table), np.nan)


def menopause_age(table: pd.DataFrame, usual: float) -> np.ndarray:
    """Age at menopause [person], from that or from the years since; the usual one where neither is known."""
    found = column(table, "menopause_age")
    found = np.where(np.isnan(found), table["age"].to_numpy(float) - column(table, "years_since_menopause"), found)
    return np.where(np.isnan(found), usual, found)


def targets(table: pd.DataFrame) -> dict[str, np.ndarray]:
    """BMD (g/cm2) at month 0 by site, from T-scores or else from BMD; sites of which nobody has one are left out."""
    found = {}
    for site, (mean, unit) in tscores.references().items():
        bmd = mean + unit * column(table, f"{site}_t")
        bmd = np.where(np.isnan(bmd), column(table, f"{site}_bmd"), bmd)
        if not np.isnan(bmd).all():
            found[site] = bmd
    return found


def chance(seed: int, n: int) -> np.ndarray:
    """ε of n people, the same for the same seed and number."""
    blocks = range(-(-n // BLOCK))
    seeds = [np.random.SeedSequence(seed, spawn_key=(LOSS_KEY, block)) for block in blocks]
    return np.concatenate([np.random.default_rng(s).standard_normal(BLOCK) for s in seeds])[:n]


def by_site(
    model: Model, target: dict[str, np.ndarray], age: np.ndarray, male: np.ndarray, menopause: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Of each of `SITES` [site, person]: how far BMD is from the usual of that sex, age and menopause, in SDs (NaN
    where not known), and how much of that spread the rate of loss makes."""
    usual, p = usual_lives(model), parameters.load("us_50plus")
    spread = parameters.load("trial")["loss_spread"].value
    z, rho = np.full((len(SITES), len(age)), np.nan), np.zeros((len(SITES), len(age)))
    for i, site in enumerate(SITES):
        sd = survey.spread(p, site, male, age)
        mean, steep = usual.at(f"{site}_bmd", male, age, menopause)
        rho[i] = spread * np.clip(-steep, 0.0, None) / sd
        if site in target:
            with np.errstate(invalid="ignore", divide="ignore"):
                z[i] = (np.log(target[site] / (mean * survey.usual(p, site, male, age))) + sd**2 / 2) / sd
    return z, rho


def bmd(model: Model, site: str, z: Any, age: np.ndarray, male: np.ndarray, menopause: np.ndarray) -> np.ndarray:
    """BMD (g/cm2) at a site of people [person] who lie z SDs from the usual: the reverse of `by_site`."""
    p = parameters.load("us_50plus")
    sd, mean = survey.spread(p, site, male, age), usual_lives(model).at(f"{site}_bmd", male, age, menopause)[0]
    return np.asarray(mean * survey.usual(p, site, male, age) * np.exp(sd * z - sd**2 / 2))


def deviation(
    model: Model, target: dict[str, np.ndarray], age: np.ndarray, male: np.ndarray, menopause: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """z and ρ [person] of the mean of the sites that are known, in SDs of that mean; z is NaN where none is."""
    if not target:
        return np.full(len(age), np.nan), np.zeros(len(age))
    z, rho = by_site(model, target, age, male, menopause)
    known, p = np.isfinite(z), parameters.load("us_50plus")
    count = np.maximum(known.sum(axis=0), 1)
    joint = np.empty(len(age))
    for sex in (False, True):
        who = male == sex
        joint[who] = np.einsum("in,ij,jn->n", known[:, who], survey.together(p, sex), known[:, who])
    sd = np.where(joint > 0, np.sqrt(np.maximum(joint, 1e-12)) / count, 1.0)  # of the mean of correlated z
    mean = np.where(known.any(axis=0), np.where(known, z, 0.0).sum(axis=0) / count / sd, np.nan)
    return mean, np.clip(np.where(known, rho, 0.0).sum(axis=0) / count / sd, 0.0, MOST_TOGETHER)


def centre(model: Model, person: Any) -> float:
    """z of one person: the `centre` of the people of a trial with that mean person."""
    if "human" not in model.species or not person.t_score:
        return 0.0
    row: dict[str, Any] = {"age": person.age, "sex": person.sex}
    if person.years_since_menopause is not None:
        row["years_since_menopause"] = person.years_since_menopause
    table = pd.DataFrame([row | {f"{site}_t": t for site, t in person.t_score.items()}])
    menopause = menopause_age(table, float(model.parameters().menopause_age))
    z = deviation(model, targets(table), table["age"].to_numpy(float), (table["sex"] == "male").to_numpy(), menopause)
    return 0.0 if np.isnan(z[0][0]) else float(z[0][0])


def _turnover(marker: dict[str, np.ndarray]) -> np.ndarray:
    """Turnover relative to the usual [person]: the mean of the markers that are known, on the scale of logarithms."""
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.array([np.log(x) for x in marker.values()])
    known = np.isfinite(logs)
    mean = np.where(known, logs, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return np.asarray(np.clip(np.exp(parameters.load("trial")["turnover_share"].value * mean), 1 / FASTEST, FASTEST))


def place(
    who: Lives, before: Sequence[Any] = (), *, threads: int | None = None, progress: Progress | None = None
) -> Placed:
    """Run everyone's life to month 0, with the courses of a prior treatment `before` it, and find peak bone mass and
    levels of markers with which they are there as their T-scores and markers say."""
    born = who.cohort()
    people = _after(born, before, threads, progress) if before else _untreated(born, threads, progress)
    cohort, seen, failed = people
    read = {name: np.asarray(x, float) for name, x in seen.items()}
    factor = {}
    known = {site: bmd / read[f"{site}_bmd"] for site, bmd in who.target.items()}
    if known:
        rows = np.array(list(known.values()))
        has = np.isfinite(rows)
        usual = np.where(has, rows, 0.0).sum(axis=0) / np.maximum(has.sum(axis=0), 1)
        usual = np.where(has.any(axis=0), usual, 1.0)
        for site in PEAKS:
            if f"{site}_bmd" in read:
                own = known.get(site, np.full(len(who), np.nan))
                factor[f"{site}_bmd"] = np.where(np.isfinite(own), own, usual)
    factor |= _levels(who, read, treated=bool(before))
    start = {name: x * factor.get(name, 1.0) for name, x in read.items()}
    for site, bmd in who.target.items():  # to the last bit
        start[f"{site}_bmd"] = np.where(np.isfinite(bmd) & ~failed, bmd, start[f"{site}_bmd"])
    return Placed(replace(who), cohort, factor, start, failed)


def _levels(who: Lives, read: dict[str, np.ndarray], *, treated: bool) -> dict[str, np.ndarray]:
    """Factors of the markers: given ones are relative to the usual at that age, or, after a prior treatment, to what
    the person's own course gives. BSAP goes along with P1NP, by its smaller exponent."""
    if not who.marker or all(np.isnan(x).all() for x in who.marker.values()):
        return {}
    base, found = who.model.parameters(), {}
    usual = None if treated else usual_lives(models.get(who.model.name, getattr(who.model, "without", ())))
    for name, given in who.marker.items():
        level = given
        if usual is not None:
            level = given * usual.at(name, who.male, who.age, who.changes["menopause_age"])[0] / read[name]
        found[name] = np.where(np.isfinite(level), level, 1.0)
    given = who.marker["p1np"]
    found["bsap"] = np.where(np.isfinite(given), given, 1.0) ** (base.bsap_exponent / base.p1np_exponent)
    return found


Run = tuple[Cohort, dict[str, np.ndarray], np.ndarray]


def _untreated(born: Cohort, threads: int | None, progress: Progress | None) -> Run:
    """Lives without treatment: the states of all at month 0, as a cohort that begins there."""
    model, n = born.model, born.n
    raw = steps.lives(born, states=True)
    states = np.empty((len(model.states), n))

    def work(first: int) -> None:
        some = born.take(slice(first, min(n, first + CHUNK)))
        x = raw.run(some, raw.grid)[0]
        again = np.flatnonzero(~np.isfinite(x[-1]).all(axis=0))
        if len(again):
            x[:, :, again] = raw.run(some.take(again), raw.fine)[0]
        states[:, first : first + some.n] = x[-1]

    parallel(work, range(0, n, CHUNK), threads, progress)
    failed = np.asarray(~np.isfinite(states).all(axis=0))
    states[:, failed] = born.x0[:, failed]
    cohort = Cohort(model, n, born.p, states, born.now, born.now, None, born.zero)
    return cohort, model.read_out(states, born.p), failed


def _after(born: Cohort, before: Sequence[Any], threads: int | None, progress: Progress | None) -> Run:
    """Lives with a prior treatment: what is in the body at month 0 is not known apart from its course, so that arms
    begin at birth."""
    model, n = born.model, born.n
    setup = steps.arm(born, before, [0.0], second=min(c.start for c in before), channels=steps.usual_channels(model))
    seen: dict[str, list[np.ndarray]] = {name: [] for name in model.endpoints}
    failed = []
    for first, last, observed, flags in batch.chunks(
        setup, lambda a, b: born.take(slice(a, b)), n, threads=threads, chunk=CHUNK, progress=progress
    ):
        for name, x in setup.endpoints(born.take(slice(first, last)), observed).items():
            seen[name].append(x[-1])
        failed.append(flags == batch.FAILED)
    return born, {name: np.concatenate(rows) for name, rows in seen.items()}, np.concatenate(failed)


def parallel(
    work: Callable[[int], None], parts: Sequence[int], threads: int | None, progress: Progress | None = None
) -> None:
    """Do parts on threads; the numbers do not depend on how many."""
    import os

    with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        for done, _ in enumerate(pool.map(work, parts), 1):
            if progress is not None:
                progress(done / len(parts))
