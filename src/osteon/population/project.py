"""A population over the years under policies of treatment: bone, and fractures, in persons who age, die and enter.

Everyone of 50 and older at the start, and those who turn 50 later, goes on year by year. A person's untreated BMD is
the model's course times the person's own factor (osteon.population.survey), which stays; treatment multiplies it by
what the regimen does at that age and time since its start (osteon.population.effects). Deaths and fractures are
expected numbers, from hazards of the person's state in a year (osteon.fractures), so that chance between people is
not in the intervals; a first vertebral fracture falls in the year in which a person's cumulated hazard passes the
person's own limit, drawn once and the same under each policy.

Intervals are 5 to 95 % over draws: of the model's parameters (effects of treatment and rates of loss) and of the
gradient of fracture risk. Treatment does not change deaths; a fracture does not either. Nobody comes or leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from osteon import fractures, parameters, tscores
from osteon.errors import InputError
from osteon.fractures import hazards, relative
from osteon.models import Model
from osteon.population import effects, survey
from osteon.population.people import Population
from osteon.population.policies import Policy
from osteon.population.usual import SITES, usual_lives
from osteon.therapies import catalogue
from osteon.uncertainty import LOWER, UPPER

START = 2010
FURTHEST = 30  # years, for which those who turn 50 were counted
DRAWS = 50
KINDS = ("vertebral_fracture", "hip_fracture", "nonvertebral_fracture")
MEASURES = (
    "people", "osteoporosis", "low_bone_mass", "on_treatment", *KINDS,
)  # fmt: skip
"""What is counted each year: people at its start, and fractures in it."""

Progress = Callable[[float], None]


@dataclass(frozen=True)
class Projection:
    """`counts` [policy][measure] is [draw (0: most probable), year]: people, or fractures in the year from there."""

    policies: tuple[Policy, ...]
    years: np.ndarray
    counts: dict[str, dict[str, np.ndarray]]
    sampled: int
    draws: int
    facts: dict[str, Any]

    def table(self) -> pd.DataFrame:
        """One row per policy, year and measure, in people: value at the most probable parameters, 5 and 95 % of the
        draws; and the differences of the others from the first policy, as `averted_…` for fractures."""
        rows = []
        first = self.policies[0].name
        for policy in self.policies:
            for measure, found in self.counts[policy.name].items():
                rows += self._rows(policy.name, measure, found)
            if policy.name != first:
                for kind in (*KINDS, "fractures"):
                    rows += self._rows(policy.name, f"averted_{kind}",
                                       self.counts[first][kind] - self.counts[policy.name][kind])  # fmt: skip
        return pd.DataFrame(rows, columns=["policy", "year", "measure", "value", "lower", "upper"])

    def _rows(self, policy: str, measure: str, found: np.ndarray) -> list[tuple[Any, ...]]:
        drawn = found[1:] if self.draws else np.full((1, found.shape[1]), np.nan)
        low, high = np.quantile(drawn, [LOWER, UPPER], axis=0)
        return [
            (policy, int(y), measure, v, a, b)
            for y, v, a, b in zip(self.years, found[0], low, high, strict=True)
        ]  # fmt: skip

    def total(self, policy: str, measure: str = "fractures") -> tuple[float, float, float]:
        """Sum over the years: value, 5 and 95 %."""
        whole = self.counts[policy][measure].sum(axis=1)
        return (float(whole[0]), *self._limits(whole))

    def averted(self, policy: str, measure: str = "fractures") -> tuple[float, float, float]:
        """How many fewer than under the first policy over the years: value, 5 and 95 %."""
        less = (self.counts[self.policies[0].name][measure] - self.counts[policy][measure]).sum(axis=1)
        return (float(less[0]), *self._limits(less))

    def _limits(self, whole: np.ndarray) -> tuple[float, float]:
        if not self.draws:
            return float("nan"), float("nan")
        low, high = np.quantile(whole[1:], [LOWER, UPPER])
        return float(low), float(high)

    def grade(self, policy: Policy) -> str:
        """The lowest evidence grade of what the policy gives; "" where nobody is treated."""
        return max(catalogue.grades(policy.schedule.therapies()).values(), default="")


def project(
    name: str,
    policies: Sequence[Policy],
    years: int,
    *,
    n: int = 20_000,
    seed: int = 0,
    model: Model,
    draws: int = DRAWS,
    progress: Progress | None = None,
) -> Projection:
    """A shipped population over `years` under each policy; the first is what the others are set beside. `n` virtual
    people stand for those of the start. Raises InputError."""
    if not 1 <= years <= FURTHEST:
        raise InputError(f"years {years}: a projection goes 1 to {FURTHEST} years ahead")
    names = [policy.name for policy in policies]
    if len(set(names)) < len(names) or not names:
        raise InputError("policies: give at least one, each once")

    def told(share: float) -> None:
        if progress is not None:
            progress(share)

    people = _Lives(survey.sample(name, n, seed, model), years, seed, model)

    regimens = effects.Effects(model, years, draws)
    loss = regimens.loss()
    given = [regimens.of(policy.schedule) if policy.regimen else None for policy in policies]
    runs: dict[str, list[dict[str, np.ndarray]]] = {policy.name: [] for policy in policies}
    for draw in range(draws + 1):
        bone = people.drawn(loss[:, draw])
        for policy, effect in zip(policies, given, strict=True):
            runs[policy.name].append(people.run(policy, effect, bone, draw))
        told((draw + 1) / (draws + 1))
    counts = {name: {m: np.array([run[m] for run in each]) for m in each[0]} for name, each in runs.items()}
    facts = {"model": model.name, "fit": model.parameter_hash, "seed": seed, "population": name, "start": START}
    return Projection(tuple(policies), START + np.arange(years), counts, n, draws, facts)


@dataclass(frozen=True)
class _Bone:
    """Untreated people in one draw, by year [year, person]: BMD relative to that at the most probable parameters,
    the lower T-score of spine and neck, and fractures per year by kind of those without a vertebral fracture."""

    own: np.ndarray
    lowest: np.ndarray
    hazard: dict[str, np.ndarray]


class _Lives:
    """The people of the start and those who enter, and how they go on."""

    def __init__(self, start: Population, years: int, seed: int, model: Model) -> None:
        self.model, self.years = model, years
        t = start.table
        courses = usual_lives(model)
        male = (t["sex"] == "male").to_numpy()
        new = _entrants(start, years, seed, model)
        join = {key: np.concatenate([x, new[key]]) for key, x in {
            "male": male, "age": t["age"].to_numpy(), "menopause": t["menopause_age"].to_numpy(),
            "each": np.full(len(t), start.each), "enters": np.zeros(len(t), int),
            **{site: t[f"{site}_bmd"].to_numpy() for site in SITES},
        }.items()}  # fmt: skip
        self.male, self.age, self.each = join["male"].astype(bool), join["age"], join["each"]
        self.enters = join["enters"].astype(int)
        menopause = np.nan_to_num(join["menopause"], nan=50.0)
        rng = np.random.default_rng([seed, 7])
        self.limit, self.willing = rng.exponential(size=len(self.age)), rng.random(len(self.age))
        self.bmd = {}
        for site in SITES:
            own = join[site] / courses.bmd(site, self.male, self.age, menopause)
            ages = self.age[:, None] + np.maximum(np.arange(years + 1) - self.enters[:, None], 0)
            shape = ages.shape
            wide = [np.broadcast_to(x[:, None], shape).ravel() for x in (self.male, menopause)]
            usual = courses.bmd(site, wide[0], ages.ravel(), wide[1]).reshape(shape)
            self.bmd[site] = np.ascontiguousarray((own[:, None] * usual).T)
        self.before = _fractured_before(self)
        self._count()

    def _count(self) -> None:
        """What no draw and no policy changes, by year: whom people stand for at the start of a year (`weight`) and in
        the mean of it (`exposed`), as long as they live."""
        alive, weight, exposed = np.ones(len(self.age)), [], []
        for year in range(self.years):
            here = self.enters <= year
            dies = 1.0 - np.exp(-fractures.death_rate(self.ages(year) + 0.5, self.male))
            weight.append(self.each * alive * here)
            exposed.append(weight[-1] * (1.0 - dies / 2))
            alive = np.where(here, alive * (1.0 - dies), alive)
        self.weight, self.exposed = np.array(weight), np.array(exposed)

    def ages(self, year: int) -> np.ndarray:
        """Age of people in a year after the start."""
        return np.asarray(self.age + np.maximum(year - self.enters, 0))

    def drawn(self, loss: np.ndarray) -> _Bone:
        """The people untreated in a draw with that `loss` [sex, whole years from 50]."""
        own, lowest = np.empty((2, self.years, len(self.age)))
        hazard = {kind: np.empty_like(own) for kind in KINDS}
        never = np.zeros(len(self.age), bool)
        for year in range(self.years):
            age = self.ages(year)
            own[year] = self._kept(loss, age)
            t = self._t_scores(year, own[year])
            lowest[year] = np.minimum(t["lumbar_spine"], t["femoral_neck"])
            for kind, of in hazard.items():
                of[year] = fractures.hazard(kind, age + 0.5, self.male, t[fractures.SITES[kind]], never)
        return _Bone(own, lowest, hazard)

    def run(self, policy: Policy, given: effects.Effect | None, bone: _Bone, draw: int) -> dict[str, np.ndarray]:
        """Counts [year] by measure in one draw (0: the most probable parameters)."""
        n, v = len(self.age), hazards.numbers()
        cumulated, started, begun = self.before.copy(), np.full(n, -1), np.zeros(n)
        willing = self.willing < policy.uptake
        found: dict[str, list[float]] = {m: [] for m in (*MEASURES, "fractures")}
        last = given.ends if given is not None else 0.0
        for year in range(self.years):
            age, here, weight = self.ages(year), self.enters <= year, self.weight[year]
            fractured, lowest = cumulated >= self.limit, bone.lowest[year].copy()
            less: dict[str, np.ndarray] = {}
            if given is not None:
                new = here & (started < 0) & willing & policy.meant(age, self.male, lowest, fractured)
                started[new], begun[new] = year, age[new]
                who = np.flatnonzero(started >= 0)
                since = year - started[who]
                treated = {m: given.at(m, draw, self.male[who], begun[who], since) for m in effects.SEEN}
                own = {site: bone.own[year, who] * treated[f"{site}_bmd"] for site in SITES}
                t = self._t_scores(year, own, who)
                lowest[who] = np.minimum(t["lumbar_spine"], t["femoral_neck"])
                less = _less(treated)
                found["on_treatment"].append(weight[who[since < last]].sum())
            else:
                found["on_treatment"].append(0.0)
            found["people"].append(weight.sum())
            found["osteoporosis"].append(weight[lowest <= survey.OSTEOPOROSIS].sum())
            low = (lowest > survey.OSTEOPOROSIS) & (lowest < survey.LOW)
            found["low_bone_mass"].append(weight[low].sum())
            for kind in KINDS:
                hazard = bone.hazard[kind][year] * np.where(fractured, v[f"prior_{kind}"], 1.0)
                if less:
                    hazard[who] *= np.exp(less[kind])
                found[kind].append(float((self.exposed[year] * hazard).sum()))
                if kind == "vertebral_fracture":
                    cumulated += np.where(here, hazard, 0.0)
            found["fractures"].append(sum(found[kind][-1] for kind in KINDS[:1]) + found["nonvertebral_fracture"][-1])
        return {name: np.array(values) for name, values in found.items()}

    def _kept(self, loss: np.ndarray, age: np.ndarray) -> np.ndarray:
        """Bone left since the start in a draw, relative to that at the most probable parameters [person]."""
        years, found = np.arange(loss.shape[-1]), np.empty(len(age))
        for who, row in zip((~self.male, self.male), loss, strict=True):
            found[who] = np.interp(age[who] - 50.0, years, row) / np.interp(self.age[who] - 50.0, years, row)
        return found

    def _t_scores(
        self, year: int, factor: np.ndarray | dict[str, np.ndarray], who: np.ndarray | slice = slice(None)
    ) -> dict[str, np.ndarray]:
        """T-scores by site, with the untreated BMD of that year times factors [person]."""
        times = factor if isinstance(factor, dict) else dict.fromkeys(SITES, factor)
        known = tscores.references()
        return {s: (self.bmd[s][year, who] * times[s] - mean) / sd for s, (mean, sd) in known.items()}


def _less(treated: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The logarithm of what treatment multiplies hazards by, by kind, of what it multiplies BMD and the marker by."""
    v, found = hazards.numbers(), {}
    drop = np.maximum(0.0, -np.log(treated[effects.MARKER]))
    for kind in KINDS:
        gain = 100.0 * np.log(treated[f"{relative.PLACES[kind]}_bmd"])
        found[kind] = -v[f"bone_effect_{kind}"] * gain - v[f"turnover_effect_{kind}"] * drop
    return found


def _entrants(start: Population, years: int, seed: int, model: Model) -> dict[str, np.ndarray]:
    """People who turn 50 in each year, each standing for about as many as those of the start."""
    records = parameters.load("us_entrants")
    parts: dict[str, list[np.ndarray]] = {}
    rng = np.random.default_rng([seed, 8])
    for year in range(1, years):
        for sex in survey.SEXES:
            number = records[f"turning_50_{START + 5 * (year // 5)}_{sex}"].value / 5.0
            count = max(round(number / start.each), 1)
            made = survey.turning(start.name, model, sex, count, rng)
            made |= {"each": np.full(count, number / count), "enters": np.full(count, year)}
            for key, x in made.items():
                parts.setdefault(key, []).append(x)
    if not parts:
        return {key: np.zeros(0) for key in ("male", "age", "menopause", "each", "enters", *SITES)}
    return {key: np.concatenate(x) for key, x in parts.items()}


def _fractured_before(lives: _Lives) -> np.ndarray:
    """Cumulated hazard of vertebral fracture from 50 to the start [person], at the person's T-scores of the start
    shifted to those of people of each age."""
    one, total = np.ones(len(lives.age)), np.zeros(len(lives.age))
    untreated_t, never = lives._t_scores(0, one), np.zeros(len(one), bool)
    site = fractures.SITES["vertebral_fracture"]
    now = hazards.usual_t(site, lives.age, lives.male)[0]
    for age in range(50, int(lives.age.max()) + 1):
        spent, at = np.clip(lives.age - age, 0.0, 1.0), np.full(len(one), age + 0.5)
        t = untreated_t[site] - now + hazards.usual_t(site, at, lives.male)[0]
        total += spent * fractures.hazard("vertebral_fracture", at, lives.male, t, never)
    return total
