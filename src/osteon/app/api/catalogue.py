"""Addresses of what osteon knows: therapies, parameters, evidence."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from osteon.app.api.deps import StateOf
from osteon.app.api.errors import ApiError
from osteon.app.api.forms import Model
from osteon.app.worker import plain
from osteon.errors import OsteonError

router = APIRouter()
Ident = Annotated[str, Path(max_length=120)]
NOTICE = "A research tool, not medical advice."


@router.get("/therapies", tags=["catalogue"], summary="All therapies that a plan may name")
def therapies() -> dict[str, Any]:
    """What each acts on, its grade of evidence, its known harms and contraindications, each with a source."""
    from osteon.therapies.catalogue import catalogue

    return {"therapies": [dataclasses.asdict(one) for one in catalogue().values()], "notice": NOTICE}


@router.get("/therapies/{ident}", tags=["catalogue"], summary="One therapy, by id or synonym")
def therapy(ident: Ident) -> dict[str, Any]:
    """404 with the nearest name when there is none."""
    from osteon.therapies import catalogue

    with _missing("therapy"):
        return {**dataclasses.asdict(catalogue.get(ident)), "notice": NOTICE}


@router.get("/params", tags=["catalogue"], summary="All parameters of a model")
def params(model: Model = "osteon") -> dict[str, Any]:
    """Id, value, units, origin, source and grade of each."""
    from osteon import parameters

    return {"parameters": [plain(dataclasses.asdict(record)) for record in parameters.shown(model).values()]}


@router.get("/params/{ident}", tags=["catalogue"], summary="One parameter with its reference")
def param(ident: Ident, model: Model = "osteon") -> dict[str, Any]:
    """404 with the nearest id when there is none."""
    from osteon import parameters
    from osteon.parameters.references import cite

    with _missing("parameter"):
        record = parameters.shown(model)[ident]
    return {**plain(dataclasses.asdict(record)), "reference": cite(record.source)}


@router.get("/evidence", tags=["evidence"], summary="The scoreboard")
def evidence(model: Model = "osteon") -> dict[str, Any]:
    """Scores of all published trials, fitted and not fitted, and where the model is wrong."""
    from osteon.app import scoreboard

    return scoreboard.board(model)


@router.get("/evidence/{trial}", tags=["evidence"], summary="One trial: published and simulated values by arm")
def evidence_trial(trial: Ident, model: Model = "osteon") -> dict[str, Any]:
    """Each value with where it was read. `is_simulated` false: POST to this address to simulate it."""
    from osteon.app import scoreboard

    with _missing("trial"):
        return scoreboard.arms(trial, model)


@router.post("/evidence/{trial}", tags=["evidence"], status_code=202, summary="Simulate the arms of a trial (a job)")
def evidence_score(trial: Ident, state: StateOf, model: Model = "osteon") -> dict[str, Any]:
    """Returns the job; what it finds is kept."""
    from osteon.evidence import load_trial

    with _missing("trial"):
        ident = load_trial(trial).id
    return state.jobs.add("score", f"{model} on {ident}", {"trial": ident, "model": model}).as_dict()


@router.get("/population", tags=["catalogue"], summary="Osteoporosis and low bone mass in a country")
async def people(
    state: StateOf,
    name: Annotated[str, Query(max_length=40)] = "us-50plus",
    people: Annotated[int, Query(ge=100, le=200_000)] = 20_000,
    seed: Annotated[int, Query(ge=0, lt=2**63)] = 0,
) -> dict[str, Any]:
    """Shares and millions by sex and age, from virtual people who stand for all."""
    from osteon.app import simulate

    found: dict[str, Any] = await state.aside(simulate.population, name, people, seed)
    return found


class _missing:
    """A name that is not there is 404, with the nearest one."""

    def __init__(self, what: str) -> None:
        self.what = what

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: Any, problem: Any, __: Any) -> None:
        if isinstance(problem, OsteonError):
            what, _, hint = " ".join(str(problem).split()).partition("; ")
            raise ApiError(404, what, self.what, hint) from None
