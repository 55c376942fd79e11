"""The form of a trial file: people, sources, arms with regimen texts, and curves of published values."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, FiniteFloat, field_validator, model_validator

from osteon.endpoints import ENDPOINTS, SITES
from osteon.person import Distribution, Sex
from osteon.regimen import Regimen, parse_regimen
from osteon.study import Arm, Study
from osteon.validation import RegimenText, Strict

Use = Literal["fit", "validate"]
Share = Annotated[FiniteFloat, Field(ge=0, le=1)]


class Registry(Strict):
    """A trial registry's id; `checked` when it was seen at a source, not remembered."""

    id: str
    checked: bool


class Source(Strict):
    """Where values were read; `via` when not in the report itself."""

    citation: str
    doi: str | None = None
    doi_checked: bool | None = None
    pmid: int | str | None = None
    via: str | None = None
    checked_at: str | None = None
    note: str | None = None


class Spread(Strict):
    """Any of mean, SD and limits, as far as they are known."""

    mean: FiniteFloat | None = None
    sd: FiniteFloat | None = None
    min: FiniteFloat | None = None
    max: FiniteFloat | None = None


class TrialPeople(Strict):
    """Who took part, as far as it is known; nothing is filled in."""

    sex: Sex | None = None
    share_male: Share | None = None
    description: str | None = None
    n: int | None = None
    age: Spread | None = None
    years_since_menopause: FiniteFloat | None = None
    t_score: dict[str, Spread] | None = None
    prior_vertebral_fracture_pct: FiniteFloat | None = None
    prior_fracture_pct: FiniteFloat | None = None
    bmi: FiniteFloat | None = None
    weight_kg: FiniteFloat | None = None
    ctx_ng_ml: FiniteFloat | None = None
    p1np_ug_l: FiniteFloat | None = None
    bmd_lumbar_spine_g_cm2: FiniteFloat | None = None
    prior_therapy: str | None = None
    calcium_vitamin_d: str | None = None
    entry: str | None = None
    source: str | None = None
    how_known: str | None = None
    confidence: str | None = None
    note: str | None = None

    @field_validator("t_score")
    @classmethod
    def _sites(cls, value: dict[str, Spread] | None) -> dict[str, Spread] | None:
        for site in value or {}:
            if site not in SITES:
                raise ValueError(f"unknown site {site!r} (known: {', '.join(SITES)})")
        return value


class TrialArm(Strict):
    """An arm: its regimen in osteon's grammar, and the texts that the working tables used for it."""

    id: str
    title: str
    regimen: RegimenText
    prior: RegimenText | None = None
    n: int | None = None
    coded_as: list[str] = Field(default_factory=list)
    people: TrialPeople | None = None
    note: str | None = None

    @property
    def schedule(self) -> Regimen:
        return parse_regimen(self.regimen)

    @property
    def prior_schedule(self) -> Regimen:
        return parse_regimen(self.prior) if self.prior else Regimen()


class Point(Strict):
    """One published value. `likelihood` marks the one row per curve, end point and time that is scored."""

    month: FiniteFloat | None = None
    months: list[FiniteFloat] | None = None
    value: FiniteFloat | None = None
    value_range: list[FiniteFloat | None] | None = None
    low: FiniteFloat | None = None
    high: FiniteFloat | None = None
    se: FiniteFloat | None = None
    sd: FiniteFloat | None = None
    row: int
    at: str | None = None
    likelihood: bool = True
    uncertainty: str | None = None
    kind: str | None = None
    confidence: str | None = None
    statistic: str | None = None
    comparator: str | None = None
    source: str | None = None
    note: str | None = None
    was: dict[str, Any] | None = None
    mended: str | None = None

    @model_validator(mode="after")
    def _says_why(self) -> Point:
        if self.was is not None and not self.mended:
            raise ValueError(f"row {self.row}: a changed value says why in 'mended'")
        return self

    @property
    def bar(self) -> tuple[float | None, float | None]:
        """Limits to draw: those given, or one standard error either way. A between-person SD draws none."""
        if self.se is not None and self.value is not None:
            return self.value - self.se, self.value + self.se
        return self.low, self.high


class Curve(Strict):
    """Values of one end point in one arm over time, or of a difference between two arms (arm − minus)."""

    id: str
    curve: str
    arm: str
    minus: str | None = None
    arm_coded: str | None = None
    endpoint: str
    endpoint_coded: str
    statistic: str
    comparator: str | None = None
    unit: str
    uncertainty: str | None = None
    kind: str
    confidence: str
    source: str
    n: int | None = None
    n_note: str | None = None
    weight: Share = 1.0
    note: str | None = None
    points: list[Point]

    @model_validator(mode="after")
    def _possible(self) -> Curve:
        for p in self.points:
            if p.month is not None and p.month < 0:
                raise ValueError(f"row {p.row}: month {p.month:g} is negative")
            marker = self.endpoint in ENDPOINTS and ENDPOINTS[self.endpoint].kind == "marker"
            if marker and self.unit.startswith("%") and p.value is not None and p.value <= -100:
                raise ValueError(f"row {p.row}: a marker cannot fall by {-p.value:g} %")
        return self

    @property
    def scored(self) -> bool:
        """A change from baseline of an end point that osteon knows, not a difference between arms."""
        kind = ENDPOINTS[self.endpoint].kind if self.endpoint in ENDPOINTS else None
        return (
            kind in ("bmd", "marker")
            and self.comparator == "baseline"
            and self.minus is None
            and self.unit == "% change from baseline"
        )

    def scored_points(self) -> list[Point]:
        """The points that count in scores (see docs/evidence.md): unweighted, baseline, likelihood rows."""
        if not self.scored:
            return []
        return [
            p
            for p in self.points
            if p.likelihood and p.month is not None and p.value is not None and p.comparator in (None, "baseline")
        ]


class Trial(Strict):
    """A published trial. `use` fit: may be fitted; validate: is only ever scored."""

    id: str
    title: str
    year: int
    registry: Registry | None = None
    values: int
    use: Use
    summary: str
    people: TrialPeople
    sources: dict[str, Source]
    arms: list[TrialArm]
    curves: list[Curve]

    @model_validator(mode="after")
    def _refers(self) -> Trial:
        held = sum(len(curve.points) for curve in self.curves)
        if held != self.values:
            raise ValueError(
                f"values: {self.values} points are announced but {held} are there; the file is cut short, "
                "or the count was not brought up to date"
            )
        arms = [arm.id for arm in self.arms]
        for ident in arms:
            if arms.count(ident) > 1:
                raise ValueError(f"arms: {ident!r} stands twice")
        ids = [curve.id for curve in self.curves]
        for curve in self.curves:
            if ids.count(curve.id) > 1:
                raise ValueError(f"curves: {curve.id!r} stands twice")
            for name in (curve.arm, curve.minus):
                if name is not None and name not in arms:
                    raise ValueError(f"curve {curve.id}: there is no arm {name!r}")
            for key in (curve.source, *(p.source for p in curve.points if p.source)):
                if key not in self.sources:
                    raise ValueError(f"curve {curve.id}: there is no source {key!r}")
        return self

    def arm(self, ident: str) -> TrialArm:
        return next(arm for arm in self.arms if arm.id == ident)

    def curves_of(self, arm: str) -> list[Curve]:
        """The curves of an arm that can be scored."""
        return [curve for curve in self.curves if curve.arm == arm and curve.scored_points()]

    def mean_age(self, arm: TrialArm | None = None) -> float | None:
        """Mean age of the arm, else of the trial, in years."""
        for people in (arm.people if arm else None, self.people):
            if people and people.age and people.age.mean is not None:
                return people.age.mean
        return None

    def sex(self, arm: TrialArm | None = None) -> str | None:
        """Sex of the arm's people, else of the trial's, when all have the same."""
        return next((p.sex for p in (arm.people if arm else None, self.people) if p and p.sex), None)

    def years_since_menopause(self, arm: TrialArm | None = None) -> float | None:
        """Mean years since menopause of the arm, else of the trial."""
        for people in (arm.people if arm else None, self.people):
            if people and people.years_since_menopause is not None:
                return people.years_since_menopause
        return None

    def weight_kg(self, arm: TrialArm | None = None) -> float | None:
        """Mean body weight of the arm, else of the trial."""
        found = (p.weight_kg for p in (arm.people if arm else None, self.people) if p)
        return next((w for w in found if w is not None), None)

    def study(
        self, arms: list[str] | None = None, *, n_per_arm: int | None = None, age: float | None = None
    ) -> Study:
        """This trial as a study that can be run: its arms, the months and end points of their curves."""
        chosen = [arm for arm in self.arms if (arm.id in arms if arms is not None else self.curves_of(arm.id))]
        curves = [curve for arm in chosen for curve in self.curves_of(arm.id)]
        months = sorted({0.0} | {p.month for c in curves for p in c.scored_points() if p.month is not None})
        mean = age if age is not None else self.mean_age(chosen[0] if len(chosen) == 1 else None)
        if mean is None:
            raise ValueError(f"{self.id} does not state a mean age; give one")
        spread = self.people.age
        people: dict[str, Any] = {
            "species": "human",
            "sex": self.people.sex or "female",
            "age": Distribution(mean=mean, sd=spread.sd if spread else None),
            "n_per_arm": n_per_arm or next((arm.n for arm in chosen if arm.n), None) or 1,
        }
        known = [name for name in ENDPOINTS if name in {curve.endpoint for curve in curves}]
        priors = {arm.prior for arm in chosen}
        return Study.model_validate(
            {
                "id": self.id,
                "title": self.title,
                "people": people,
                "prior": priors.pop() if len(priors) == 1 else None,
                "arms": [Arm(name=arm.title, regimen=arm.regimen) for arm in chosen],
                "visits": months,
                "endpoints": known,
            }
        )
