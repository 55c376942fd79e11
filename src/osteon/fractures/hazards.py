"""How often bones break: hazards of vertebral, hip and non-vertebral fracture of people of the United States.

    hazard = population rate · exp(-g (T - m) - g² s²/2) · prior · exp(relative)

`population rate` of an age and sex doubles every so many years. T is the T-score of the total hip (femoral neck for
hip fracture), m and s its mean and SD in the population of that age and sex: the middle factor is 1 on average over
it. g is the published gradient of risk: ln(risk ratio per SD) divided by that SD in T-scores. `prior` is the factor
of an earlier vertebral fracture, R for those who have one and 1 for the others, divided by its population average; 1
where it is not known. `relative` is what a treatment does (`osteon.fractures.relative`).

Vertebral fractures are morphometric: seen on radiographs, of which a share comes to clinical attention
(`clinical_share`). Non-vertebral fractures hold those of the hip. Numbers are records of the set "fracture".
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np

from osteon import parameters
from osteon.errors import InputError, nearest

KINDS = ("vertebral_fracture", "hip_fracture", "nonvertebral_fracture")
SITES = {"vertebral_fracture": "total_hip", "hip_fracture": "femoral_neck", "nonvertebral_fracture": "total_hip"}
"""Whose T-score a hazard is read from."""
SEXES = ("female", "male")
YOUNGEST = 50.0
"""Below it people are taken for people of 50: the sources say nothing of younger ones."""
MOST_WITH_PRIOR = 0.5  # share of people with a vertebral fracture beyond which its growth with age is not followed
Values = Mapping[str, float]


@functools.cache
def numbers() -> Mapping[str, float]:
    """The values of the records by id."""
    return {ident: record.value for ident, record in parameters.load("fracture").items()}


def trial_values(values: Values | None = None) -> dict[str, float]:
    """The values with the rates of people who take part in trials, who break fewer hips than others of their bone."""
    found = dict(values or numbers())
    for sex in SEXES:
        found[f"rate_hip_fracture_{sex}"] *= found["trial_level_hip_fracture"]
    return found


def check(kind: str) -> str:
    """The kind of fracture itself. Raises InputError for one that is not there."""
    if kind not in KINDS:
        raise InputError(f"unknown fracture {kind!r}{nearest(kind, KINDS, 0.3)}; there is {', '.join(KINDS)}")
    return kind


def hazard(
    kind: str,
    age: Any,
    male: Any,
    t_score: Any = None,
    prior_vertebral: Any = None,
    relative: Any = 0.0,
    values: Values | None = None,
) -> np.ndarray:
    """Fractures of a kind per year, of arrays that broadcast: age (year), male (bool), T-score of `SITES[kind]`
    (None: averaged over people of that age and sex), earlier vertebral fracture (bool or its share; None: not known),
    and the logarithm of what treatment multiplies it by. Raises InputError."""
    v = values or numbers()
    check(kind)
    years, man = np.maximum(np.asarray(age, float), YOUNGEST), np.asarray(male, bool)
    rate = population_rate(kind, years, man, v)
    if t_score is not None:
        g = gradient(kind, v)
        mean, sd = usual_t(SITES[kind], years, man, v)
        rate = rate * np.exp(-g * (np.asarray(t_score, float) - mean) - g**2 * sd**2 / 2)
    if prior_vertebral is not None:
        rate = rate * prior_factor(kind, years, prior_vertebral, v)
    return np.asarray(rate * np.exp(relative))


def population_rate(kind: str, age: Any, male: Any, values: Values | None = None) -> np.ndarray:
    """Fractures per year of the mean of the population of an age and sex."""
    v, year = values or numbers(), np.maximum(np.asarray(age, float), YOUNGEST)
    at, doubling = v[f"age_{kind}"], v[f"doubling_{kind}"]
    rate = np.where(np.asarray(male, bool), v[f"rate_{kind}_male"], v[f"rate_{kind}_female"])
    return np.asarray(rate * 2.0 ** ((year - at) / doubling))


def gradient(kind: str, values: Values | None = None) -> float:
    """Rise of the logarithm of risk with each point that the T-score lies lower."""
    v = values or numbers()
    return float(np.log(v[f"risk_per_sd_{kind}"]) / v[f"risk_sd_{kind}"])


def usual_t(site: str, age: Any, male: Any, values: Values | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Mean and SD of a site's T-score in the population of an age and sex."""
    v, man = values or numbers(), np.asarray(male, bool)
    y = (np.clip(np.asarray(age, float), YOUNGEST, 100.0) - 70.0) / 10.0

    def of(sex: str) -> tuple[np.ndarray, np.ndarray]:
        m0, m1, m2 = (v[f"usual_{site}_{sex}_{i}"] for i in range(3))
        return m0 + m1 * y + m2 * y**2, v[f"usual_sd_{site}_{sex}_0"] + v[f"usual_sd_{site}_{sex}_1"] * y

    (mean, sd), (his_mean, his_sd) = of("female"), of("male")
    return np.where(man, his_mean, mean), np.where(man, his_sd, sd)


def prior_factor(kind: str, age: Any, prior: Any, values: Values | None = None) -> np.ndarray:
    """What an earlier vertebral fracture (bool, or the share with one) multiplies the rate of the population by."""
    v = values or numbers()
    ratio, had = v[f"prior_{kind}"], np.asarray(prior, float)
    usual = prior_share(age, v)
    return np.asarray((1.0 + had * (ratio - 1.0)) / (1.0 + usual * (ratio - 1.0)))


def prior_share(age: Any, values: Values | None = None) -> np.ndarray:
    """Share of the population of an age that has a vertebral fracture, seen or not."""
    v, year = values or numbers(), np.maximum(np.asarray(age, float), YOUNGEST)
    share = v["prior_share_75"] * np.exp(v["prior_share_growth"] * (year - 75.0))
    return np.asarray(np.minimum(share, MOST_WITH_PRIOR))
