"""A plan: one person and what she or he is given when, as the page, the API and a link hold it.

The text of a plan is the fragment of a link, such as

    v=1&sex=female&age=66&ysm=16&ls=-2.5&y=10&t=denosumab,60,mg,SC,every+6+months,0,24

with one `t` for each treatment, and one `u` for each treatment of the plan that it is compared with. Reading never
fails: what cannot be used is left out, so that an old or broken link still opens.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable
from typing import Annotated, Any
from urllib.parse import parse_qsl, quote, quote_plus, unquote_plus

import yaml
from pydantic import Field, FiniteFloat, ValidationError, field_validator, model_validator

from osteon.errors import InputError
from osteon.person import EARLIEST_MENOPAUSE, Person, Sex
from osteon.regimen import Regimen, parse_regimen
from osteon.therapies import catalogue
from osteon.units import number
from osteon.validation import Strict

VERSION = "1"
MOST_TREATMENTS = 12
LONGEST_TEXT = 4000  # characters of a link that are read
T_SITES = {"ls": "lumbar_spine", "th": "total_hip", "fn": "femoral_neck"}
"""Sites with a T-score, by their short names in a link."""
ENDPOINTS = [
    "lumbar_spine_bmd", "total_hip_bmd", "femoral_neck_bmd", "p1np", "ctx", "formation", "resorption",
    "senescent_burden", "inflammation", "progenitors",
]  # fmt: skip
_SHORT = {"sex": "sex", "age": "age", "ysm": "years_since_menopause", "w": "weight_kg", "sb": "senescent_burden",
          "y": "years"}  # fmt: skip


@functools.lru_cache(512)
def parsed(text: str) -> Regimen:
    """`parse_regimen`, kept: a slider asks for the same regimen again and again. Raises RegimenError."""
    return parse_regimen(text)


class Treatment(Strict):
    """One therapy from `start_month` on for `months` (`interval` "once": a single dose, and `months` means nothing).
    `dose` in `unit`; both None where the therapy takes none or has a usual one."""

    therapy: Annotated[str, Field(max_length=60)]
    dose: Annotated[FiniteFloat, Field(gt=0, le=1e12)] | None = None
    unit: Annotated[str, Field(max_length=12)] | None = None
    route: Annotated[str, Field(max_length=8)] | None = None
    interval: Annotated[str, Field(max_length=30)] = "daily"
    start_month: Annotated[FiniteFloat, Field(ge=0, le=360)] = 0.0
    months: Annotated[FiniteFloat, Field(ge=0.25, le=360)] = 12.0

    @field_validator("therapy")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            therapy = catalogue.get(value)
        except InputError as error:
            raise ValueError(str(error)) from None
        if "human" not in therapy.species:
            raise ValueError(f"{therapy.id} is not for people")
        return therapy.id

    @model_validator(mode="after")
    def _can_be_read(self) -> Treatment:
        if (self.dose is None) != (self.unit is None):
            raise ValueError("give dose and unit, or neither")
        try:
            regimen = parsed(self.regimen)
        except InputError as error:
            raise ValueError(str(error)) from None
        if len(regimen.blocks) != 1 or len(regimen.blocks[0].components) != 1:
            raise ValueError(f"{self.regimen!r} is more than one treatment")
        return self

    @property
    def once(self) -> bool:
        """Whether it is a single dose."""
        return self.interval.strip().casefold() == "once"

    @property
    def end_month(self) -> float:
        """When it ends; a single dose does at once."""
        return self.start_month + (0.0 if self.once else self.months)

    @property
    def regimen(self) -> str:
        """As a component of a regimen text."""
        words = [self.therapy]
        if self.dose is not None:
            words.append(f"{number(self.dose)} {self.unit}")
        words += [self.route or "", self.interval]
        if not self.once:
            words.append(f"for {number(self.months)} months")
        if self.start_month > 0:
            words.append(f"starting at month {number(self.start_month)}")
        return " ".join(word for word in words if word)


class Plan(Strict):
    """One person, the treatments, and the `years` to look ahead. T-scores and weight that are not given are the
    usual ones of that age and sex; `senescent_burden` counts senescent cells relative to the usual number."""

    sex: Sex = "female"
    age: Annotated[FiniteFloat, Field(ge=30, le=95)] = 66.0
    years_since_menopause: Annotated[FiniteFloat, Field(ge=0, le=70)] | None = None
    t_score: dict[str, Annotated[FiniteFloat, Field(ge=-6, le=6)]] = Field(default_factory=dict)
    weight_kg: Annotated[FiniteFloat, Field(ge=30, le=200)] | None = None
    senescent_burden: Annotated[FiniteFloat, Field(ge=0, le=10)] = 1.0
    treatments: Annotated[list[Treatment], Field(max_length=MOST_TREATMENTS)] = Field(default_factory=list)
    years: Annotated[FiniteFloat, Field(ge=1, le=20)] = 10.0

    @field_validator("t_score")
    @classmethod
    def _sites(cls, value: dict[str, float]) -> dict[str, float]:
        for site in value:
            if site not in T_SITES.values():
                raise ValueError(f"there is no T-score of {site[:30]!r}; there are {', '.join(T_SITES.values())}")
        return value

    @model_validator(mode="after")
    def _holds_together(self) -> Plan:
        years = self.years_since_menopause
        if self.sex == "female" and years is not None and self.age - years < EARLIEST_MENOPAUSE:
            raise ValueError(
                f"years_since_menopause {years:g}: the menopause lies at {EARLIEST_MENOPAUSE:g} or later"
            )
        try:
            parsed(self.regimen)
        except InputError as error:
            raise ValueError(str(error)) from None
        return self

    @property
    def regimen(self) -> str:
        """The treatments as one regimen text; "none" without any."""
        return " + ".join(t.regimen for t in sorted(self.treatments, key=lambda t: t.start_month)) or "none"

    @property
    def person(self) -> Person:
        """The person at month 0."""
        return Person(
            sex=self.sex,
            age=self.age,
            years_since_menopause=self.years_since_menopause if self.sex == "female" else None,
            t_score=self.t_score or None,
            weight_kg=self.weight_kg,
            senescent_burden=self.senescent_burden if self.senescent_burden != 1 else None,
        )

    def to_text(self, other: Iterable[Treatment] | None = None) -> str:
        """The fragment of a link to this plan, and to the treatments that it is compared with."""
        pairs = [("v", VERSION)]
        for short, name in _SHORT.items():
            value = getattr(self, name)
            if value is not None:
                pairs.append((short, value if isinstance(value, str) else number(value)))
        pairs += [(short, number(self.t_score[site])) for short, site in T_SITES.items() if site in self.t_score]
        text = "&".join(f"{key}={quote(value)}" for key, value in pairs)
        text += "".join(f"&t={_pack(t)}" for t in self.treatments)
        if other is not None:
            packed = [_pack(t) for t in other] or ["none"]
            text += "".join(f"&u={one}" for one in packed)
        return text

    @classmethod
    def from_text(cls, text: str) -> Plan:
        """The plan of a link's fragment; what cannot be read is left out, and nothing raises."""
        return read_pair(text)[0]

    def study_yaml(self, other: Iterable[Treatment] | None = None, *, people: int = 100) -> str:
        """A study file with an untreated arm, the plan, and the one that it is compared with."""
        person = self.person.model_dump(exclude_none=True)
        arms = [{"name": "untreated", "regimen": "none"}]
        if self.treatments or other is None:
            arms.append({"name": "plan A", "regimen": self.regimen})
        if other is not None:
            second = self.model_copy(update={"treatments": list(other)})
            arms.append({"name": "plan B", "regimen": second.regimen})
        end = self.years * 12
        visits = [m for m in (0, 3, 6, *range(12, 241, 6)) if m < end] + [end]
        content = {
            "id": "plan",
            "title": "A plan from osteon app",
            "people": {**person, "n_per_arm": people},
            "arms": arms,
            "visits": [int(m) if m == int(m) else m for m in visits],
            "endpoints": ENDPOINTS,
        }
        return yaml.safe_dump(content, sort_keys=False, allow_unicode=True)


def read_pair(text: str) -> tuple[Plan, list[Treatment] | None]:
    """The plan of a link's fragment and the treatments that it is compared with (None: nothing to compare)."""
    values: dict[str, Any] = {}
    scores: dict[str, float] = {}
    lists: dict[str, list[Treatment]] = {"t": [], "u": []}
    compared = False
    plain = str(text)[:LONGEST_TEXT].lstrip("#")
    for key, value in _pairs(plain):
        if key in ("t", "u"):
            compared = compared or key == "u"
            treatment = _unpack(value)
            if treatment is not None and fits(lists[key], treatment):
                lists[key].append(treatment)
        elif key in T_SITES:
            found = _number(value)
            if found is not None and -6 <= found <= 6:
                scores[T_SITES[key]] = found
        elif key in _SHORT:
            values[_SHORT[key]] = value if key == "sex" else _number(value)
    plan = Plan()
    for name, value in (*values.items(), ("t_score", scores), ("treatments", lists["t"])):
        if value is not None:
            try:
                plan = Plan(**{**plan.model_dump(), name: value})
            except ValidationError:
                continue
    return plan, lists["u"] if compared else None


def fits(treatments: Iterable[Treatment], one: Treatment) -> bool:
    """Whether a treatment can join others: not too many of them, and none twice at a time."""
    try:
        Plan(treatments=[*treatments, one])
    except ValidationError:
        return False
    return True


def _pairs(text: str) -> list[tuple[str, str]]:
    # Values of treatments stay packed: their commas are told from those within by being unquoted later.
    found = []
    for piece in text.split("&")[:200]:
        key, _, value = piece.partition("=")
        if key in ("t", "u"):
            found.append((key, value))
        else:
            found += parse_qsl(f"{key}={value}", errors="replace")
    return found


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _pack(t: Treatment) -> str:
    dose = number(t.dose) if t.dose is not None else ""
    words = [t.therapy, dose, t.unit or "", t.route or "", t.interval, number(t.start_month), number(t.months)]
    return ",".join(quote_plus(word, safe="()/") for word in words)


def _unpack(text: str) -> Treatment | None:
    words = [unquote_plus(word, errors="replace") for word in text.split(",")]
    if len(words) != 7:
        return None
    therapy, dose, unit, route, interval, start, months = words
    try:
        return Treatment(
            therapy=therapy,
            dose=_number(dose) if dose else None,
            unit=unit or None,
            route=route or None,
            interval=interval,
            start_month=_number(start) or 0.0,
            months=_number(months) or 12.0,
        )
    except ValidationError:
        return None
