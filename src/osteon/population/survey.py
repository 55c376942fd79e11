"""Populations as surveys found them: who lives in the United States at 50 and older, and their bone.

Ages come from the counts by sex and decade (2010 census, population table), log-linear within a decade and falling
by `old_age_decline` a year from 80. Women differ in age at menopause. A person's BMD at a site is

    mean course of the model at that age (and menopause) · (1 + offset + drift y) · exp(σ z - σ²/2)
    σ = sd · (1 + sd_growth y),   y = (age - 65)/10

with z standard normal, correlated between sites. Offsets, spreads, their change with age (a survey sees people born
at different times, and who is left of them; in NHANES spreads grow too, natural-history rows 8 to 12) and the
correlation of spine and femoral neck are fitted, by sex, to the survey's prevalence of osteoporosis and low bone mass
by decade and by site (Wright 2014; `calibrate`). T-scores are those of `osteon.tscores`: one female reference for
both sexes, as in the survey.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from osteon import models, parameters, tscores
from osteon.errors import InputError, nearest
from osteon.evidence.loader import table_rows
from osteon.models import Model
from osteon.population import ages
from osteon.population.ages import Band
from osteon.population.people import Population
from osteon.population.usual import SITES, Usual, usual_lives

SEXES = ("female", "male")
DECADES = (50, 60, 70, 80)
KINDS = ("osteoporosis", "low_bone_mass")
OSTEOPOROSIS, LOW = -2.5, -1.0  # WHO: at or below the first; below the second and above the first
NAMES = {"us-50plus": "us_50plus"}
_COUNTED = {"female": "F", "male": "M", "both": "M+F"}
_QUANTILES = 200  # of z, for expected shares


def sample(
    name: str = "us-50plus", n: int = 100_000, seed: int = 0, model: Model | None = None,
    bands: Sequence[Band] | None = None,
) -> Population:  # fmt: skip
    """n people of a shipped population, each standing for as many; or, with `bands` of another country's ages
    (population/ages), of that one with the bone of this survey's people of that sex and age. Raises InputError for a
    name that is not there."""
    if bands is None and name not in NAMES:
        raise InputError(f"there is no population {name!r}{nearest(name, NAMES, 0.3)}; there is {', '.join(NAMES)}")
    if not 100 <= n <= 10_000_000:
        raise InputError(f"a sample of a population holds 100 to 10,000,000 people, not {n:,}")
    model = model or models.get()
    p = parameters.load(NAMES.get(name, "us_50plus"))
    rng = np.random.default_rng(seed)
    own = bands is not None
    bands = bands or [Band(sex, d, d + 10, count) for sex in SEXES for d, count in census(sex).items()]

    def within(band: Band, share: np.ndarray) -> np.ndarray:
        if own:
            return ages.within(band, share, p["old_age_decline"].value)
        return _ages(p, band.sex, int(band.low), share)

    total = sum(band.count for band in bands)
    edges = np.round(np.cumsum([0.0, *(band.count / total * n for band in bands)])).astype(int)
    male, age = np.zeros(n, bool), np.empty(n)
    for band, first, last in zip(bands, edges[:-1], edges[1:], strict=True):
        male[first:last] = band.sex == "male"
        age[first:last] = within(band, (np.arange(last - first) + rng.random(last - first)) / max(last - first, 1))
    menopause = model.parameters().menopause_age + p["menopause_sd"].value * rng.standard_normal(n)
    table = pd.DataFrame({"id": np.arange(n), "sex": np.where(male, "male", "female"), "age": age})
    table["menopause_age"] = np.where(male, np.nan, menopause)
    references = tscores.references()
    for site, bmd in _bone(model, p, male, age, menopause, rng).items():
        mean, unit = references[site]
        table[f"{site}_bmd"] = bmd
        table[f"{site}_t"] = (bmd - mean) / unit
    return Population(name, table, seed, each=total / n, facts={"model": model.name, "fit": model.parameter_hash})


def turning(name: str, model: Model, sex: str, n: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """n people of one sex who turn 50 [person]: `male`, `age`, `menopause` (age) and BMD (g/cm2) by site. Their bone
    is that of people of 50 at the start: nothing is known here of how later births differ."""
    p = parameters.load(NAMES[name])
    male, age = np.full(n, sex == "male"), np.full(n, float(DECADES[0]))
    menopause = model.parameters().menopause_age + p["menopause_sd"].value * rng.standard_normal(n)
    return {"male": male, "age": age, "menopause": menopause, **_bone(model, p, male, age, menopause, rng)}


def _bone(
    model: Model, p: parameters.ParameterSet, male: np.ndarray, age: np.ndarray, menopause: np.ndarray,
    rng: np.random.Generator,
) -> dict[str, np.ndarray]:  # fmt: skip
    """BMD (g/cm2) [person] by site, as in the module's formula."""
    z, courses, found = _normals(p, male, rng), usual_lives(model), {}
    for site in SITES:
        sd = spread(p, site, male, age)
        mean = courses.bmd(site, male, age, menopause) * usual(p, site, male, age)
        found[site] = mean * np.exp(sd * z[site] - sd**2 / 2)
    return found


def status(population: Population) -> dict[str, np.ndarray]:
    """Who has osteoporosis and who low bone mass by the WHO's definitions: the lower T-score of lumbar spine and
    femoral neck."""
    lowest = population.table[["lumbar_spine_t", "femoral_neck_t"]].min(axis=1).to_numpy()
    return {"osteoporosis": lowest <= OSTEOPOROSIS, "low_bone_mass": (lowest > OSTEOPOROSIS) & (lowest < LOW)}


def shares(population: Population) -> list[dict[str, Any]]:
    """Percent and millions with osteoporosis and with low bone mass: all, by sex, by decade, by sex and decade."""
    table, found = population.table, status(population)
    decade = np.minimum(table["age"].to_numpy() // 10 * 10, DECADES[-1]).astype(int)
    rows = []
    for sex in ("both", *SEXES):
        who = np.ones(len(table), bool) if sex == "both" else table["sex"].to_numpy() == sex
        for start in (None, *DECADES):
            these = who if start is None else who & (decade == start)
            number = int(these.sum())
            if not number and (sex, start) != ("both", None):
                continue  # another country's table may have none
            row: dict[str, Any] = {
                "sex": sex, "age": _span(start), "millions": number * population.each / 1e6,
            }  # fmt: skip
            for name, has in found.items():
                row[f"{name}_pct"] = 100.0 * float(has[these].mean()) if number else float("nan")
                row[f"{name}_millions"] = float(has[these].sum()) * population.each / 1e6
            rows.append(row)
    return rows


def _span(decade: int | None) -> str:
    if decade is None:
        return "50+"
    return "80+" if decade == DECADES[-1] else f"{decade}-{decade + 9}"


@functools.cache
def census(sex: str) -> Mapping[int, float]:
    """People by decade of age in 2010, from the denominators of the population table."""
    return {d: float(_row(sex, d, "prevalence_osteoporosis")["n_or_denominator"]) for d in DECADES}


@functools.cache
def published(sex: str, decade: int | None, column: str = "value") -> Mapping[str, float]:
    """The survey's prevalence (%) in a sex ("both" too) and decade (None: all), or another column of its rows (0
    where that is empty): "unc_low" has the standard errors."""
    return {what: float(_row(sex, decade, f"prevalence_{what}")[column] or 0) for what in KINDS}


@functools.cache
def by_site(sex: str) -> Mapping[tuple[str, str], float]:
    """The survey's prevalence (%) by site and kind, over all decades."""
    sites = {"FN": "femoral_neck", "LS": "lumbar_spine"}
    kinds = {"osteoporosis": "osteoporosis", "low bone mass": "low_bone_mass"}
    found: dict[tuple[str, str], float] = {}
    for row in table_rows("population"):
        if row["category"] == "prevalence_by_site" and row["sex"] == _COUNTED[sex]:
            kind, _, site = row["measure"].rpartition(" ")
            found.setdefault((sites[site], kinds[kind]), float(row["value"]))  # the first is the whole survey's
    return found


def _row(sex: str, decade: int | None, category: str) -> dict[str, str]:
    for row in table_rows("population"):
        low = str(decade or 50)
        whole = row["age_hi"] == "" if decade in (None, DECADES[-1]) else row["age_hi"] != ""
        if (row["category"], row["population"], row["measure"]) == (category, "US, all", "prevalence") and (
            row["sex"] == _COUNTED[sex] and row["age_lo"] == low and whole
        ):
            return row
    raise LookupError(f"{category}, {sex}, {decade}")


def _ages(p: parameters.ParameterSet, sex: str, decade: int, share: np.ndarray) -> np.ndarray:
    """Ages at shares of a decade's people, the youngest first: a density that falls exponentially."""
    counts = census(sex)
    if decade == DECADES[-1]:
        fall, width = p["old_age_decline"].value, ages.LAST - decade
    else:
        after = decade + 10 if decade + 10 < DECADES[-1] else decade
        fall, width = float(np.log(counts[after - 10] / counts[after])) / 10.0, 10.0
    return np.asarray(decade - np.log1p(-share * -np.expm1(-fall * width)) / fall)


def _normals(p: parameters.ParameterSet, male: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Standard normal deviates by site: hip and spine follow the neck."""
    neck, spine, hip = rng.standard_normal((3, len(male)))
    together, near = _by_sex(p, "spine_with_neck", male), p["hip_with_neck"].value
    return {
        "femoral_neck": neck,
        "lumbar_spine": together * neck + np.sqrt(1 - together**2) * spine,
        "total_hip": near * neck + np.sqrt(1 - near**2) * hip,
    }


def usual(p: parameters.ParameterSet, site: str, male: np.ndarray, age: np.ndarray) -> np.ndarray:
    """Mean BMD of people [person] as the survey has it, relative to the model's mean course."""
    return 1 + (_by_sex(p, f"offset_{site}", male) + _by_sex(p, "drift", male) * (age - 65.0) / 10.0)


def spread(p: parameters.ParameterSet, site: str, male: np.ndarray, age: np.ndarray) -> np.ndarray:
    """SD of the logarithm of BMD between people of that sex and age [person]."""
    return _sd(_by_sex(p, f"sd_{site}", male), _by_sex(p, "sd_growth", male), age)


def together(p: parameters.ParameterSet, male: bool) -> np.ndarray:
    """Correlations of BMD between people, of the sites in the order of `SITES`: hip and spine follow the neck."""
    spine, hip = p["spine_with_neck_male" if male else "spine_with_neck_female"].value, p["hip_with_neck"].value
    return np.array([[1.0, spine * hip, spine], [spine * hip, 1.0, hip], [spine, hip, 1.0]])


def _by_sex(p: parameters.ParameterSet, name: str, male: np.ndarray) -> np.ndarray:
    return np.where(male, p[f"{name}_male"].value, p[f"{name}_female"].value)


def _sd(sd: Any, growth: Any, age: np.ndarray) -> np.ndarray:
    """SD of the logarithm of BMD between people of an age; it does not shrink below a third."""
    return np.asarray(sd * np.maximum(1 + growth * (age - 65.0) / 10.0, 1 / 3))


FITTED = (
    "offset_lumbar_spine", "offset_femoral_neck", "sd_lumbar_spine", "sd_femoral_neck", "spine_with_neck",
    "sd_growth", "drift",
)  # fmt: skip


def calibrate(model: Model | None = None) -> dict[str, float]:
    """The fitted numbers by record id, from the survey's prevalence; what made the shipped records."""
    from scipy.optimize import least_squares

    model = model or models.get()
    p, courses = parameters.load("us_50plus"), usual_lives(model)
    found: dict[str, float] = {}
    for sex in SEXES:

        def values(x: np.ndarray) -> dict[str, float]:
            return dict(zip(FITTED, [x[0], x[1], np.exp(x[2]), np.exp(x[3]), np.tanh(x[4]), x[5], x[6]], strict=True))

        def misses(x: np.ndarray, sex: str = sex) -> np.ndarray:
            got = expected(model, courses, p, sex, values(x))
            rows = []
            for d, weights in ((None, (3.0, 2.0)), *((d, (1.0, 0.6)) for d in DECADES)):
                for what, weight in zip(KINDS, weights, strict=True):
                    rows.append(weight * (got[d][what] - published(sex, d)[what]))
            rows += [0.4 * (got[None][key] - seen) for key, seen in by_site(sex).items()]
            return np.array(rows)

        best = least_squares(misses, [0.0, 0.0, np.log(0.15), np.log(0.15), 0.8, 0.1, 0.0])
        found |= {f"{name}_{sex}": float(value) for name, value in values(best.x).items()}
    return found


def expected(
    model: Model, courses: Usual, p: parameters.ParameterSet, sex: str, values: Mapping[str, float]
) -> dict[int | None, dict[Any, float]]:
    """Prevalence (%) by decade (None: all) and kind, or (site, kind), without chance."""
    from scipy.special import ndtr, ndtri

    share = (np.arange(30) + 0.5) / 30
    lives = np.array([0.0]) if sex == "male" else ndtri((np.arange(9) + 0.5) / 9)
    counts: Mapping[int, float] = census(sex)
    found: dict[int | None, dict[Any, float]] = {}
    u = (np.arange(_QUANTILES) + 0.5) / _QUANTILES
    for decade in DECADES:
        age, life = (x.ravel() for x in np.meshgrid(_ages(p, sex, decade, share), lives))
        menopause = model.parameters().menopause_age + p["menopause_sd"].value * life
        male = np.full(len(age), sex == "male")
        z: dict[tuple[str, float], np.ndarray] = {}
        for site in ("femoral_neck", "lumbar_spine"):
            sd, (mean, unit) = _sd(values[f"sd_{site}"], values["sd_growth"], age), tscores.references()[site]
            usual = 1 + values[f"offset_{site}"] + values["drift"] * (age - 65.0) / 10.0
            middle = np.log(courses.bmd(site, male, age, menopause) * usual) - sd**2 / 2
            z |= {(site, t): (np.log(mean + t * unit) - middle) / sd for t in (OSTEOPOROSIS, LOW)}
        rho = values["spine_with_neck"]
        below: dict[tuple[Any, float], float] = {}  # share at or below a T-score at either site, and at each
        for t in (OSTEOPOROSIS, LOW):
            neck, spine = z["femoral_neck", t], z["lumbar_spine", t]
            above = ndtri(ndtr(neck)[:, None] + ndtr(-neck)[:, None] * u)  # necks above the limit
            both = ndtr((rho * above - spine[:, None]) / np.sqrt(1 - rho**2)).mean(axis=1)
            below["either", t] = float(np.mean(1 - ndtr(-neck) * both))
            below["femoral_neck", t], below["lumbar_spine", t] = (
                float(np.mean(ndtr(neck))),
                float(np.mean(ndtr(spine))),
            )
        row: dict[Any, float] = {}
        for place in ("either", "femoral_neck", "lumbar_spine"):
            worst, low = below[place, OSTEOPOROSIS], below[place, LOW]
            for kind, share_of in zip(KINDS, (worst, low - worst), strict=True):
                row[kind if place == "either" else (place, kind)] = 100.0 * share_of
        found[decade] = row
    total = sum(counts.values())
    whole = {key: sum(found[d][key] * counts[d] for d in DECADES) / total for key in found[DECADES[0]]}
    return {None: whole, **found}
