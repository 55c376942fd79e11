"""Who is treated: one person, or the people of a study described by means and spreads."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Field,
    FiniteFloat,
    field_validator,
    model_serializer,
    model_validator,
)

from osteon.endpoints import SITES
from osteon.errors import nearest, shorten
from osteon.validation import Strict

Species = Literal["human", "mouse"]
Sex = Literal["female", "male"]
EARLIEST_MENOPAUSE = 20.0  # years of age; earlier ones are diseases that no model here holds


class Distribution(Strict):
    """A number, or a spread of numbers over people: normal with `mean` and `sd`, cut at `min` and `max`."""

    mean: FiniteFloat
    sd: Annotated[FiniteFloat, Field(ge=0)] | None = None
    min: FiniteFloat | None = None
    max: FiniteFloat | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Distribution:
        low = self.mean if self.min is None else self.min
        high = self.mean if self.max is None else self.max
        if not low <= self.mean <= high:
            raise ValueError(f"min ≤ mean ≤ max does not hold: {self.min}, {self.mean}, {self.max}")
        return self

    @model_serializer
    def _as_given(self) -> Any:
        given = {k: getattr(self, k) for k in ("mean", "sd", "min", "max") if getattr(self, k) is not None}
        return self.mean if list(given) == ["mean"] else given


def _number_or_spread(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("must be a number or {mean, sd, min, max}")
    if isinstance(value, int | float):
        if not abs(value) < 1e9:
            raise ValueError(f"must be a finite number of reasonable size, not {shorten(str(value), 30)}")
        return Distribution(mean=float(value))
    if isinstance(value, dict | Distribution):
        return value
    raise ValueError(f"must be a number or {{mean, sd, min, max}}, not {shorten(repr(value))}")


Quantity = Annotated[Distribution, BeforeValidator(_number_or_spread)]


def _check_sites(t_score: dict[str, Any] | None) -> dict[str, Any] | None:
    for site in t_score or {}:
        if site not in SITES:
            raise ValueError(f"unknown site {site!r}{nearest(site, SITES, 0)}")
    return t_score


class Person(Strict):
    """One virtual human or mouse at month 0. Age in years (a mouse's in months), weight in kg."""

    species: Species = "human"
    sex: Sex = "female"
    age: FiniteFloat
    years_since_menopause: Annotated[FiniteFloat, Field(ge=0, le=90)] | None = None
    t_score: dict[str, FiniteFloat] | None = None
    weight_kg: Annotated[FiniteFloat, Field(gt=0)] | None = None
    prior_vertebral_fracture: bool | None = None
    senescent_burden: Annotated[FiniteFloat, Field(ge=0, le=20)] | None = None
    """Senescent cells relative to the usual number at that age."""

    @field_validator("t_score")
    @classmethod
    def _sites(cls, value: dict[str, float] | None) -> dict[str, float] | None:
        return _check_sites(value)

    @model_validator(mode="after")
    def _menopause_in_life(self) -> Person:
        years = self.years_since_menopause
        if self.species == "human" and years is not None and self.age - years < EARLIEST_MENOPAUSE:
            raise ValueError(
                f"years_since_menopause {years:g}: the menopause would lie at {self.age - years:g}; "
                f"it lies at {EARLIEST_MENOPAUSE:g} or later"
            )
        return self

    def given(self) -> set[str]:
        """Names of the features that are known beyond species and age ("sex" when male)."""
        names = {k for k in ("years_since_menopause", "t_score", "weight_kg", "prior_vertebral_fracture",
                             "senescent_burden")
                 if getattr(self, k) is not None}  # fmt: skip
        return names | ({"sex"} if self.sex == "male" else set())


class People(Strict):
    """The people of a study: each quantity a number or a spread; `n_per_arm` of them in each arm."""

    species: Species
    sex: Sex
    age: Quantity
    years_since_menopause: Quantity | None = None
    t_score: dict[str, Quantity] | None = None
    weight_kg: Quantity | None = None
    prior_vertebral_fracture: bool | Quantity | None = None
    senescent_burden: Quantity | None = None
    n_per_arm: Annotated[int, Field(ge=1, le=10**9)]

    @field_validator("t_score")
    @classmethod
    def _sites(cls, value: dict[str, Any] | None) -> dict[str, Any] | None:
        return _check_sites(value)

    @field_validator("weight_kg")
    @classmethod
    def _weighs(cls, value: Distribution | None) -> Distribution | None:
        if value is not None and (value.mean <= 0 or (value.min is not None and value.min <= 0)):
            raise ValueError("must be above 0")
        return value

    @field_validator("prior_vertebral_fracture")
    @classmethod
    def _share(cls, value: bool | Distribution | None) -> bool | Distribution | None:
        if isinstance(value, Distribution) and not 0 <= value.mean <= 1:
            raise ValueError("must be true, false or a share from 0 to 1")
        return value

    @model_validator(mode="after")
    def _menopause_in_life(self) -> People:
        years = self.years_since_menopause
        if self.species == "human" and years is not None and self.age.mean - years.mean < EARLIEST_MENOPAUSE:
            raise ValueError(
                f"years_since_menopause {years.mean:g}: the mean menopause would lie at "
                f"{self.age.mean - years.mean:g}; it lies at {EARLIEST_MENOPAUSE:g} or later"
            )
        return self

    def mean_person(self) -> Person:
        """The person with the mean of every quantity."""
        menopause, weight, fracture = self.years_since_menopause, self.weight_kg, self.prior_vertebral_fracture
        return Person(
            species=self.species,
            sex=self.sex,
            age=self.age.mean,
            years_since_menopause=menopause.mean if menopause else None,
            t_score={site: q.mean for site, q in self.t_score.items()} if self.t_score else None,
            weight_kg=weight.mean if weight else None,
            senescent_burden=self.senescent_burden.mean if self.senescent_burden else None,
            prior_vertebral_fracture=fracture.mean >= 0.5 if isinstance(fracture, Distribution) else fracture,
        )
