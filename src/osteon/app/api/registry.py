"""Addresses of the trial records on this machine: trials to join, hosts of ancillary studies."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query

from osteon.app.api.deps import StateOf

router = APIRouter()
Text = Annotated[str | None, Query(max_length=120)]


@router.get("/records", tags=["registry"], summary="Whether there are trial records, and of which day")
async def records(state: StateOf) -> dict[str, Any]:
    """osteon asks no network by itself; `warning` says how records come in."""
    from osteon.app import records as clerk

    found: dict[str, Any] = await state.clerk(clerk.state)
    return found


@router.get("/find-trials", tags=["registry"], summary="Studies that may fit a person")
async def find_trials(
    state: StateOf,
    condition: Annotated[str, Query(min_length=2, max_length=120)] = "osteoporosis",
    age: Annotated[float | None, Query(ge=0, le=130)] = None,
    sex: Literal["female", "male"] | None = None,
    near: Text = None,
    within: Text = None,
    every: bool = False,
) -> dict[str, Any]:
    """What `osteon find-trials --json` prints, with the places of the sites. They may fit; only the site can say."""
    from osteon.app import records as clerk

    found: dict[str, Any] = await state.clerk(
        clerk.find_trials, condition, age, sex, near or None, within or None, every
    )
    return found


@router.get("/ancillary", tags=["registry"], summary="Trials that could teach about bone, ranked")
async def ancillary(
    state: StateOf,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    draws: Annotated[int, Query(ge=0, le=2000)] = 500,
) -> dict[str, Any]:
    """What `osteon ancillary rank --json` prints, for the first `limit` hosts, with their places."""
    from osteon.app import records as clerk

    found: dict[str, Any] = await state.clerk(clerk.hosts, limit, draws)
    return found
