"""The people of a study, one by one: drawn as its table describes them, and otherwise as the population is.

A quantity given as {mean, sd, min, max} is normal between its limits with that mean and SD (trial/spread); one with
limits but no SD has the population's SD; a bare number is the same for all, save years since menopause beside a
spread of ages, whose mean it is. T-scores of several sites go together, and with age, as the survey's people do, less
so where a study takes only a narrow range (the formula of range restriction). What a study does not give is as in the
population of that age and sex: menopause, T-scores (given those that are known), weight (which goes along with BMD),
turnover. Prior vertebral fractures are nobody's unless the study gives them.

Person i is the same for the same seed, whatever the arms and the number of people.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from osteon import dosing, draws, parameters, tscores
from osteon.errors import InputError
from osteon.person import EARLIEST_MENOPAUSE, Distribution
from osteon.population import baseline, survey
from osteon.population.people import Population
from osteon.population.usual import SITES
from osteon.population.variation import BLOCK
from osteon.trial.spread import Spread

if TYPE_CHECKING:
    from osteon.models import Model
    from osteon.person import People
    from osteon.study import Study

LARGEST = 2_000_000  # people per arm
ATTEMPTS = 60
LIGHTEST, HEAVIEST = 30.0, 200.0  # kg
_KEY = 5
_FEATURES = ("age", "menopause", "weight", "femoral_neck", "lumbar_spine", "total_hip", "p1np", "ctx", "burden",
             "fracture")  # fmt: skip


def sample(study: Study, seed: int, model: Model) -> Population:
    """The `n_per_arm` people of a study, the same in each arm: columns of `population.people.FEATURES`.

    `acceptance` is the share of those drawn who could be (a menopause between 20 and 70, years since it as given,
    T-scores within ±6). Raises InputError when nearly nobody could be, or there are too many."""
    n = study.people.n_per_arm
    if n > LARGEST:
        raise InputError(f"people.n_per_arm: {n:,} people cannot be run one by one; give {LARGEST:,} or fewer")
    mice = "human" not in model.species
    found, missing, asked = {}, np.ones(n, bool), 0
    for attempt in range(ATTEMPTS):
        drawn = _Drawn(study, seed, model, n, attempt)
        columns, fits = drawn.mice() if mice else drawn.people()
        if not attempt:
            found = {name: np.array(x) for name, x in columns.items()}
        use = missing & fits
        for name, x in columns.items():
            found[name][use] = x[use]
        asked += int(missing.sum())
        missing &= ~fits
        if not missing.any():
            break
    else:
        raise InputError(
            f"people of {study.id}: {int(missing.sum()):,} of {n:,} could not be drawn: age, years since menopause "
            "and T-scores as given hardly go together; check their means and limits"
        )
    table = pd.DataFrame({"id": np.arange(n), "sex": study.people.sex, **found})
    if study.people.sex == "male" or mice:
        table = table.drop(columns=["menopause_age", "years_since_menopause"], errors="ignore")
    facts = {"study": study.id, "model": model.name, "fit": model.parameter_hash}
    return Population(study.id, table, seed, acceptance=n / asked, facts=facts)


def mean_deviation(model: Model, table: pd.DataFrame) -> float:
    """How far people's BMD is from the usual of their age on average, in SDs; 0 where none is known."""
    male, age = (table["sex"] == "male").to_numpy(), table["age"].to_numpy(float)
    menopause = baseline.menopause_age(table, float(model.parameters().menopause_age))
    z = baseline.deviation(model, baseline.targets(table), age, male, menopause)[0]
    return 0.0 if np.isnan(z).all() else float(np.nanmean(z))


def asks_for_burden(study: Study, model: Model) -> bool:
    """Whether senescent burden is to differ between people: it is given, or a therapy of ageing is in the study."""
    if study.people.senescent_burden is not None:
        return True
    person = study.people.mean_person()
    until = study.visits[-1] * 30.4375 + 1.0
    arms = dosing.arms(model, person, study.prior_regimen, [arm.schedule for arm in study.arms], until)
    return bool(draws.heard(model, arms) - set(getattr(model, "usual_channels", range(len(model.channels)))))


@dataclass
class _Drawn:
    """One attempt at drawing everyone."""

    study: Study
    seed: int
    model: Model
    n: int
    attempt: int

    @property
    def who(self) -> People:
        return self.study.people

    def z(self, feature: str) -> np.ndarray:
        """Standard normal scores [person] of a feature."""
        number = _FEATURES.index(feature)
        seeds = [
            np.random.SeedSequence(self.seed, spawn_key=(_KEY, number, self.attempt, block))
            for block in range(-(-self.n // BLOCK))
        ]
        return np.concatenate([np.random.default_rng(s).standard_normal(BLOCK) for s in seeds])[: self.n]

    def mice(self) -> tuple[dict[str, Any], np.ndarray]:
        """Columns of mice, and who can be (all)."""
        low, high = self.model.age_range
        age = Spread(self.who.age, 1.0, low, high).at(self.z("age"))
        usual: float = getattr(self.model, "usual_weight_kg", 0.03)
        given = self.who.weight_kg or Distribution(mean=usual, min=usual / 2, max=usual * 2)
        sd = parameters.load("trial")["spread_weight_mouse"].value * given.mean
        kg = Spread(given, sd, 0.2 * given.mean, 3 * given.mean).at(self.z("weight"))
        return {"age": age, "weight_kg": kg, **self._burden(self.model)}, np.ones(self.n, bool)

    def people(self) -> tuple[dict[str, Any], np.ndarray]:
        """Columns of people, and who can be."""
        low, high = self.model.age_range
        ages = Spread(self.who.age, parameters.load("trial")["age_sd"].value, low, high)
        z_age = self.z("age")
        age = ages.at(z_age)
        if "sex" not in self.model.uses:  # a model of one reference woman
            return {"age": age}, np.ones(self.n, bool)
        menopause, fits = self._menopause(ages, age, z_age)
        found: dict[str, Any] = {"age": age, "menopause_age": menopause, "years_since_menopause": age - menopause}
        bone, within = self._bone(ages, age, z_age, menopause)
        found |= bone | self._turnover()
        fits &= within
        found["weight_kg"] = self._weight()
        given = self.who.prior_vertebral_fracture
        share = given.mean if isinstance(given, Distribution) else float(bool(given))
        from scipy.special import ndtr

        found["prior_vertebral_fracture"] = ndtr(self.z("fracture")) < share
        return found | self._burden(self.model), fits

    def _menopause(self, ages: Spread, age: np.ndarray, z_age: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Age at menopause [person], and who can be."""
        spread, given = parameters.load("us_50plus")["menopause_sd"].value, self.who.years_since_menopause
        latest = parameters.load("trial")["latest_menopause"].value
        if self.who.sex == "male":
            return np.full(self.n, np.nan), np.ones(self.n, bool)
        z = self.z("menopause")
        if given is None:
            menopause = self.model.parameters().menopause_age + spread * z
            return menopause, (menopause >= EARLIEST_MENOPAUSE) & (menopause <= latest)
        years = Spread(given, float(np.hypot(spread, ages.sd)), 0.0, 90.0)
        if years.fixed and not ages.fixed:
            menopause = ages.mean - given.mean + spread * z
        elif years.fixed or ages.fixed:
            menopause = age - years.at(z)
        else:  # together such that ages at menopause are spread as in the population
            r = (ages.sd**2 + years.sd**2 - spread**2) / (2 * ages.sd * years.sd)
            r = float(np.clip(r, 0.0, 0.99))
            menopause = age - years.at(r * z_age + np.sqrt(1 - r**2) * z)
        return menopause, (menopause >= EARLIEST_MENOPAUSE) & (menopause <= latest) & (menopause <= age)

    def _bone(
        self, ages: Spread, age: np.ndarray, z_age: np.ndarray, menopause: np.ndarray
    ) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """T-scores and BMD by site, and who can be."""
        male, sex = np.full(self.n, self.who.sex == "male"), self.who.sex == "male"
        references, limit = tscores.references(), tscores.LIMIT
        together = survey.together(parameters.load("us_50plus"), sex)
        given = {site: q for site, q in (self.who.t_score or {}).items() if site in SITES}
        normal = {site: self.z(site) for site in SITES}
        spreads, narrow, own = {}, {}, {}
        for site, quantity in given.items():
            wide, by_age = self._population(site, ages, menopause)
            spreads[site] = Spread(quantity, wide, -limit, limit)
            narrow[site] = min(1.0, spreads[site].sd / wide)
            own[site] = _restricted(by_age, narrow[site])
        at = [SITES.index(site) for site in given]
        t: dict[str, np.ndarray] = {}
        if given:
            corr = np.eye(len(at))
            for i, one in enumerate(given):
                for j, other in enumerate(given):
                    if i != j:
                        k = float(np.sqrt(narrow[one] * narrow[other]))
                        corr[i, j] = _restricted(together[at[i], at[j]], k)
            mixed = np.linalg.cholesky(corr + 1e-9 * np.eye(len(at))) @ np.array([normal[site] for site in given])
            for i, site in enumerate(given):
                t[site] = spreads[site].at(own[site] * z_age + np.sqrt(1 - own[site] ** 2) * mixed[i])
        target = {site: references[site][0] + references[site][1] * x for site, x in t.items()}
        z = baseline.by_site(self.model, target, age, male, menopause)[0]
        rest = [i for i in range(len(SITES)) if i not in at]
        if rest:  # the other sites as in people with that bone at the sites that are given
            slope = together[np.ix_(rest, at)] @ np.linalg.inv(together[np.ix_(at, at)]) if at else np.zeros((3, 0))
            left = together[np.ix_(rest, rest)] - slope @ together[np.ix_(at, rest)]
            some = np.linalg.cholesky(left + 1e-12 * np.eye(len(rest))) @ np.array([normal[SITES[i]] for i in rest])
            z[rest] = slope @ z[at] + some
            for i in rest:
                site = SITES[i]
                mean, unit = references[site]
                t[site] = (baseline.bmd(self.model, site, z[i], age, male, menopause) - mean) / unit
        middle = self._middle(given, ages, menopause)
        if rest:
            middle[rest] = slope @ middle[at]
        self.z_bone = z.mean(axis=0) - middle.mean()
        scores = np.array([t[site] for site in SITES])
        return {f"{site}_t": t[site] for site in SITES}, (np.abs(scores) <= limit).all(axis=0)

    def _middle(self, given: dict[str, Distribution], ages: Spread, menopause: np.ndarray) -> np.ndarray:
        """How far the study's mean person is from the usual at each site, in SDs; 0 where not given."""
        references = tscores.references()
        target = {s: np.array([references[s][0] + references[s][1] * q.mean]) for s, q in given.items()}
        known = menopause[:BLOCK][np.isfinite(menopause[:BLOCK])]
        at = np.array([np.median(known) if len(known) else np.nan])
        male = np.array([self.who.sex == "male"])
        z = baseline.by_site(self.model, target, np.array([ages.mean]), male, at)[0][:, 0]
        return np.asarray(np.nan_to_num(z))

    def _population(self, site: str, ages: Spread, menopause: np.ndarray) -> tuple[float, float]:
        """SD of T-scores in the population of these ages, and their correlation with age there."""
        male, age = np.array([self.who.sex == "male"] * 3), np.array([0.0, -5.0, 5.0]) + ages.mean
        known = menopause[:BLOCK][np.isfinite(menopause[:BLOCK])]
        at = np.full(3, np.median(known) if len(known) else np.nan)
        mean = baseline.bmd(self.model, site, 0.0, age, male, at)
        unit = tscores.references()[site][1]
        sd = float(survey.spread(parameters.load("us_50plus"), site, male, age)[0] * mean[0] / unit)
        slope = float((mean[2] - mean[1]) / 10.0 / unit) * ages.sd
        wide = float(np.hypot(sd, slope))
        return wide, slope / wide

    def _turnover(self) -> dict[str, np.ndarray]:
        """CTX and P1NP relative to the usual at that age."""
        p = parameters.load("trial")
        r, z = p["p1np_with_ctx"].value, self.z("ctx")
        with_it = r * z + np.sqrt(1 - r**2) * self.z("p1np")
        return {"ctx": np.exp(p["spread_ctx"].value * z), "p1np": np.exp(p["spread_p1np"].value * with_it)}

    def _weight(self) -> np.ndarray:
        p, given = parameters.load("trial"), self.who.weight_kg
        usual = p[f"weight_{self.who.sex}"].value
        given = given or Distribution(mean=usual, sd=p["spread_weight"].value * usual)
        r = p["weight_with_bmd"].value
        z = r * self.z_bone + np.sqrt(1 - r**2) * self.z("weight")
        return Spread(given, p["spread_weight"].value * given.mean, LIGHTEST, HEAVIEST).at(z)

    def _burden(self, model: Model) -> dict[str, np.ndarray]:
        if "senescent_burden" not in model.uses or not asks_for_burden(self.study, model):
            return {}
        z, sd = self.z("burden"), parameters.load("trial")["spread_burden"].value
        given = self.who.senescent_burden
        if given is None:
            return {"senescent_burden": np.exp(sd * z - sd**2 / 2)}
        return {"senescent_burden": Spread(given, sd * given.mean, 0.0, 20.0).at(z)}


def _restricted(r: float, k: float) -> float:
    """A correlation among people taken from a range of k times the usual SD."""
    return float(r * k / np.sqrt(1 - r**2 + r**2 * k**2))


__all__ = ["asks_for_burden", "mean_deviation", "sample"]
