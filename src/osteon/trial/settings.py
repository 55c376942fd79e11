"""The sections `measurement` and `analysis` of a study file: how a trial is seen, and how it is judged.

Every field is optional. The defaults are records of the set "measurement" (`osteon.parameters`); 0 or false switches
a source of noise off.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, FiniteFloat, field_validator, model_validator

from osteon import parameters
from osteon.endpoints import ENDPOINTS, SITES
from osteon.errors import nearest
from osteon.validation import Strict


def default(ident: str) -> float:
    """The default of a setting: the value of its record."""
    return parameters.load("measurement")[ident].value


def _alone(key: str) -> Any:
    """A number alone stands for the field `key` of a section."""

    def read(value: Any) -> Any:
        return {key: float(value)} if isinstance(value, int | float) and not isinstance(value, bool) else value

    return BeforeValidator(read)


Share = Annotated[FiniteFloat, Field(ge=0, le=1)]
Positive = Annotated[FiniteFloat, Field(ge=0)]


def _site(value: str) -> str:
    if value not in SITES:
        raise ValueError(f"unknown site {value!r}{nearest(value, SITES, 0)}")
    return value


class Dropout(Strict):
    """People who leave: `per_year` is the share of those still in who leave within a year. Each % of BMD lost at
    `site` since month 0 multiplies that rate by exp(`per_pct_lost`): as seen at visits, or with `hidden` as it truly
    is, seen or not."""

    per_year: Annotated[FiniteFloat, Field(ge=0, lt=1)] = Field(default_factory=lambda: default("dropout_per_year"))
    per_pct_lost: Annotated[FiniteFloat, Field(ge=-2, le=2)] = 0.0
    site: str = "total_hip"
    hidden: bool = False

    @field_validator("site")
    @classmethod
    def _known(cls, value: str) -> str:
        return _site(value)


class Adherence(Strict):
    """Share of the doses that a person takes: beta distributed between people, with this mean and SD. It scales all
    doses of a person; which doses are missed is not modelled."""

    mean: Share = Field(default_factory=lambda: default("adherence_mean"))
    sd: Annotated[FiniteFloat, Field(ge=0, le=0.5)] = 0.0

    @model_validator(mode="after")
    def _possible(self) -> Adherence:
        if self.sd and self.sd**2 >= self.mean * (1 - self.mean):
            raise ValueError(f"sd {self.sd:g} is too large for a share with mean {self.mean:g}; give a smaller one")
        return self


class Rescue(Strict):
    """Who has lost more than `loss_pct` of BMD at `site`, as measured at a visit, goes over to another treatment.
    What it does is not simulated: the person is flagged, and values after that visit are missing."""

    site: str = "total_hip"
    loss_pct: Annotated[FiniteFloat, Field(gt=0, lt=100)] = Field(default_factory=lambda: default("rescue_loss"))

    @field_validator("site")
    @classmethod
    def _known(cls, value: str) -> str:
        return _site(value)


class Measurement(Strict):
    """How the people of a trial are seen (section `measurement`). With `twins` the arms hold the same people, as
    elsewhere in osteon; without, other people of the same kind, as in a trial."""

    twins: bool = True
    bmd_error: bool = True
    marker_error: bool = True
    precision: dict[str, Positive] = Field(default_factory=dict)
    visit_window_days: Annotated[FiniteFloat, Field(ge=0, le=90)] = Field(
        default_factory=lambda: default("visit_window")
    )
    missed_visits: Share = Field(default_factory=lambda: default("missed_visits"))
    dropout: Annotated[Dropout, _alone("per_year")] = Field(default_factory=Dropout)
    adherence: Annotated[Adherence, _alone("mean")] = Field(default_factory=Adherence)
    rescue: Annotated[Rescue, _alone("loss_pct")] | None = None

    @field_validator("precision")
    @classmethod
    def _measured(cls, value: dict[str, float]) -> dict[str, float]:
        known = [name for name, e in ENDPOINTS.items() if e.kind in ("bmd", "marker")]
        for name in value:
            if name not in known:
                raise ValueError(f"unknown end point {name!r}{nearest(name, known)}")
        return value


EXACT = {"bmd_error": False, "marker_error": False, "visit_window_days": 0.0, "missed_visits": 0.0,
         "dropout": {"per_year": 0.0}, "adherence": {"mean": 1.0}}  # fmt: skip
"""The section that switches all noise off: `Measurement.model_validate(EXACT)`."""


class Analysis(Strict):
    """How a trial is analysed (section `analysis`).

    `method` "ancova" compares the change at each visit, adjusted for the value at month 0; "mmrm" takes all visits
    together.
    `missing`: "observed" takes what is there, "locf" carries the last value forward, "baseline" carries the value at
    month 0 forward, "multiple" imputes `imputations` times, with `delta` (points of % change; of markers % of the
    value) added to what is imputed outside the reference arm, and from the reference arm's model if
    `reference_based`.
    """

    method: Literal["ancova", "mmrm"] = "ancova"
    missing: Literal["observed", "locf", "baseline", "multiple"] = "observed"
    primary: str | None = None
    month: Annotated[FiniteFloat, Field(gt=0)] | None = None
    reference: str | None = None
    robust: bool = False
    alpha: Annotated[FiniteFloat, Field(gt=0, lt=0.5)] = 0.05
    imputations: Annotated[int, Field(ge=2, le=1000)] = 20
    delta: FiniteFloat = 0.0
    reference_based: bool = False

    @field_validator("primary")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        if value is not None and value not in ENDPOINTS:
            raise ValueError(f"unknown end point {value!r}{nearest(value, ENDPOINTS)}")
        return value

    @model_validator(mode="after")
    def _fits(self) -> Analysis:
        if self.method == "mmrm" and self.missing != "observed":
            raise ValueError(f"missing: mmrm takes what was observed; 'missing: {self.missing}' goes with ancova")
        if self.missing != "multiple" and (self.delta or self.reference_based):
            raise ValueError("delta and reference_based belong to 'missing: multiple'")
        return self
