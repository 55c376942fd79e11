"""Puts the API and the guard into an app: NiceGUI's own, or any FastAPI app (the tests' one)."""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from osteon.app.api import catalogue, registry, runs
from osteon.app.api.deps import State, use
from osteon.app.api.errors import add_handlers
from osteon.app.api.security import Guard, Security

ABOUT = (
    "What the app does, a script can do: the same numbers as `import osteon`. A research tool, not medical advice. "
    'Errors have one shape: {"error": {"what", "where", "hint"}}.'
)


@dataclass(frozen=True)
class Settings:
    """Where the app listens (`host`), and the token that it asks for when that is not this machine alone."""

    host: str = "127.0.0.1"
    token: str | None = None


def api(state: State) -> FastAPI:
    """The API as an app of its own, to be mounted at /api."""
    made = FastAPI(
        title="osteon", version=importlib.metadata.version("osteon"), description=ABOUT,
        docs_url=None, redoc_url=None, openapi_url="/openapi.json",
    )  # fmt: skip
    made.state.osteon = state
    for router in (catalogue.router, runs.router, registry.router):
        made.include_router(router)
    add_handlers(made)
    return made


def schema(made: FastAPI) -> dict[str, Any]:
    """The OpenAPI description, with addresses as seen from outside."""
    found = dict(made.openapi())
    found["paths"] = {f"/api{path}": item for path, item in found["paths"].items()}
    return found


def install(app: FastAPI, settings: Settings | None = None, *, state: State | None = None) -> State:
    """Mount the API at /api, its description at /openapi.json, and the guard before everything; call it before the
    app starts. The caller ends it with
    `state.close()`. Raises InputError for another host without a token."""
    settings = settings or Settings()
    guard = Guard(settings.host, settings.token)
    state = use(state or State())
    app.state.osteon = state
    made = api(state)

    async def description(_: Request) -> JSONResponse:
        return JSONResponse(schema(made))

    # First of all, since the app may have a description of its own, or a page for whatever is left.
    app.router.routes[:0] = [Route("/openapi.json", description), Mount("/api", made, name="api")]
    app.add_middleware(Security, guard=guard)
    return state
