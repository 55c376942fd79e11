"""Policies: who of a population starts which regimen. Shipped ones in `policies.toml`, others from a file."""

from __future__ import annotations

import functools
import tomllib
from importlib import resources
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field, FiniteFloat

from osteon import files
from osteon.errors import InputError, nearest
from osteon.person import Sex
from osteon.regimen import Regimen, parse_regimen
from osteon.validation import RegimenText, Strict, validate

Share = Annotated[FiniteFloat, Field(ge=0, le=1)]


class Criterion(Strict):
    """Who is meant: all that is given must hold. `t_score_max` is the highest that the lower T-score of lumbar spine
    and femoral neck may be."""

    sex: Sex | None = None
    age_min: FiniteFloat | None = None
    age_max: FiniteFloat | None = None
    t_score_max: Annotated[FiniteFloat, Field(ge=-8, le=8)] | None = None
    vertebral_fracture: bool | None = None

    def holds(self, age: np.ndarray, male: np.ndarray, lowest: np.ndarray, fractured: np.ndarray) -> np.ndarray:
        """For each of people [person]: age (y), sex, lower T-score, whether a vertebra has fractured."""
        who = np.ones(len(age), bool)
        if self.sex is not None:
            who &= male == (self.sex == "male")
        if self.age_min is not None:
            who &= age >= self.age_min
        if self.age_max is not None:
            who &= age <= self.age_max
        if self.t_score_max is not None:
            who &= lowest <= self.t_score_max
        if self.vertebral_fracture is not None:
            who &= fractured == self.vertebral_fracture
        return who


class Policy(Strict):
    """A regimen for the share `uptake` of those for whom any of `who` holds; without a regimen nobody is treated."""

    name: Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[A-Za-z0-9_.-]+$")]
    title: Annotated[str, Field(max_length=200)] = ""
    regimen: RegimenText | None = None
    who: list[Criterion] = Field(default_factory=list)
    uptake: Share = 1.0
    hypothetical: bool = False

    @property
    def schedule(self) -> Regimen:
        return parse_regimen(self.regimen) if self.regimen else Regimen()

    def meant(self, age: np.ndarray, male: np.ndarray, lowest: np.ndarray, fractured: np.ndarray) -> np.ndarray:
        """Of people [person], those who are to be treated."""
        found = np.zeros(len(age), bool)
        for criterion in self.who:
            found |= criterion.holds(age, male, lowest, fractured)
        return found if self.regimen else np.zeros(len(age), bool)


@functools.cache
def shipped() -> dict[str, Policy]:
    """The shipped policies by name."""
    text = resources.files("osteon.population").joinpath("policies.toml").read_text("utf-8")
    found = [
        validate(Policy, files.Document(row), "policies.toml", InputError) for row in tomllib.loads(text)["policy"]
    ]
    return {policy.name: policy for policy in found}


def get(name: str) -> Policy:
    """A shipped policy by name, or one from a YAML file. Raises InputError."""
    if name in shipped():
        return shipped()[name]
    if Path(name).suffix in (".yaml", ".yml"):
        return validate(Policy, files.read_yaml(name, InputError), name, InputError)
    raise InputError(
        f"unknown policy {name!r}{nearest(name, list(shipped()))}; there are {', '.join(shipped())}, or a .yaml file"
    )
