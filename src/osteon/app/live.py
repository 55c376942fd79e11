"""What the page "Explore" asks while a slider moves: plans in, curves out, as small and fast as can be.

The curves are those of `service.courses`; scripts had better ask the API, which says what it takes and gives.
"""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from osteon.app import service
from osteon.app.plan import MOST_TREATMENTS, Plan, Treatment, read_pair
from osteon.errors import OsteonError, shorten

router = APIRouter(include_in_schema=False)


class Ask(BaseModel):
    """A plan and the treatments that it is compared with, as they are or as the `text` of a link; `bands`: with
    uncertainty; `moving`: a slider moves, and only what is drawn then is wanted."""

    model_config = ConfigDict(extra="forbid")
    text: str | None = Field(None, max_length=8000)
    plan: Plan | None = None
    other: list[Treatment] | None = Field(None, max_length=MOST_TREATMENTS)
    bands: bool = False
    moving: bool = False

    def pair(self) -> tuple[Plan, list[Treatment] | None]:
        """The plan and what it is compared with."""
        if self.plan is None:
            return read_pair(self.text or "")
        if self.other is not None:
            Plan.model_validate({**self.plan.model_dump(), "treatments": [t.model_dump() for t in self.other]})
        return self.plan, self.other


@router.post("/live")
def live(content: dict[str, Any]) -> Response:
    """Curves of one plan or two, the link's text, and the plans as they were understood."""
    try:
        plan, other = Ask.model_validate(content).pair()
        draws = service.DRAWS if content.get("bands") else 0
        lean = bool(content.get("moving"))
        second = plan.model_copy(update={"treatments": other}) if other is not None else None
        found = {
            "state": {
                "plan": plan.model_dump(),
                "other": [t.model_dump() for t in other] if other is not None else None,
            },
            "text": plan.to_text(other),
            "typical": service.person(plan, draws=draws),
            "a": service.courses(plan, draws=draws, lean=lean),
            "b": service.courses(second, draws=draws, lean=lean) if second else None,
        }
        return _answer(found)
    except (OsteonError, ValidationError) as error:
        return _answer({"error": _said(error)})  # a plan on its way to a better one is no failure of the page


@router.post("/live/nothing")
def nothing(content: dict[str, Any]) -> Response:
    """The question, sent back: what a question costs by itself. Against it the speed of a slider is
    measured."""
    return _answer(content)


@router.post("/live/study")
def study(content: dict[str, Any]) -> Response:
    """The study file of one plan or two."""
    try:
        plan, other = Ask.model_validate(content).pair()
        return Response(plan.study_yaml(other), media_type="application/yaml")
    except (OsteonError, ValidationError) as error:
        return _answer({"error": _said(error)}, 422)


def _said(error: Exception) -> str:
    """One line for the page."""
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        where = ".".join(str(step) for step in first["loc"])
        return shorten(f"{where}: {first['msg'].removeprefix('Value error, ')}".lstrip(": "), 300)
    return shorten(str(error), 300)


def _answer(content: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(content), status, media_type="application/json")
