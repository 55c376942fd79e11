"""What requests may hold: every field has its limits, and an unknown one is an error."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from osteon.app.limits import MAX_BODY, MAX_DRAWS
from osteon.app.plan import Plan

Model = Literal["osteon", "jorg2022"]


class Form(BaseModel):
    """No unknown key."""

    model_config = ConfigDict(extra="forbid")


class Asked(Plan):
    """A plan, by itself or as `{"plan": …}`."""

    @model_validator(mode="before")
    @classmethod
    def _unwrapped(cls, value: Any) -> Any:
        return value["plan"] if isinstance(value, dict) and list(value) == ["plan"] else value


class Compare(Form):
    """Two plans of the same length."""

    a: Plan
    b: Plan


class StudyText(Form):
    """A study as a file has it (`yaml`), or as its keys (`study`): one of the two."""

    yaml: Annotated[str, Field(max_length=MAX_BODY)] | None = None
    study: dict[str, Any] | None = None


class JobRequest(StudyText):
    """A study to run: `run` its arms, or compare the cells of a `factorial` design. `draws` of the model's posterior:
    200 unless told otherwise, 0 for the most probable parameters alone. `trial`: also as a virtual trial, with people
    one by one, measured with error and analysed."""

    kind: Literal["run", "factorial"] = "run"
    trial: bool = False
    model: Model = "osteon"
    draws: Annotated[int, Field(ge=0, le=MAX_DRAWS)] | None = None
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0

    @model_validator(mode="after")
    def _either(self) -> JobRequest:
        if self.trial and self.kind == "factorial":
            raise ValueError("a virtual trial is of a study's arms: trial goes with kind run")
        return self


class FactorialRequest(StudyText):
    """A study with factors to compare."""

    model: Model = "osteon"
    draws: Annotated[int, Field(ge=0, le=MAX_DRAWS)] | None = None
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
