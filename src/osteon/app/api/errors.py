"""Errors of one shape, `{"error": {"what", "where", "hint"}}`: what is wrong, where, and how to go on."""

from __future__ import annotations

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from osteon.app.problem import body, of
from osteon.errors import InputError, OsteonError, shorten

log = logging.getLogger("osteon.app")
_HINTS = {
    404: "see /openapi.json for what there is",
    405: "see /openapi.json for the methods of each address",
    413: "send less",
    415: "send JSON with the header Content-Type: application/json",
}


class ApiError(Exception):
    """An answer other than what was asked for: HTTP status, what is wrong, where, how to go on."""

    def __init__(self, status: int, what: str, where: str = "", hint: str = "") -> None:
        self.status, self.what, self.where, self.hint = status, what, where, hint
        super().__init__(what)


def _of_pydantic(problem: RequestValidationError) -> dict[str, Any]:
    errors = problem.errors()
    first = errors[0]
    where = ".".join(str(step) for step in first["loc"] if step != "body") or "body"
    what = str(first["msg"]).removeprefix("Value error, ")
    if first["type"] == "json_invalid":
        reason = first.get("ctx", {}).get("error", what)
        where = f"body, character {first['loc'][-1]}"
        return body(f"this is not valid JSON: {reason}", where, "check quotes and commas")
    given = first.get("input")
    if given is not None and not isinstance(given, dict | list):
        what += f", not {shorten(repr(given), 60)}"
    hint = f"{len(errors) - 1} more after this one" if len(errors) > 1 else "see /openapi.json for the form"
    return body(shorten(what, 300), where, hint)


def add_handlers(app: FastAPI) -> None:
    """Every way to fail answers in the one shape; what nobody foresaw is logged and told without a traceback."""

    @app.exception_handler(ApiError)
    async def _own(_: Request, problem: ApiError) -> JSONResponse:
        return JSONResponse(body(problem.what, problem.where, problem.hint), problem.status)

    @app.exception_handler(OsteonError)
    async def _osteon(_: Request, problem: OsteonError) -> JSONResponse:
        return JSONResponse(of(problem), 400 if isinstance(problem, InputError) else 422)

    @app.exception_handler(RequestValidationError)
    async def _form(_: Request, problem: RequestValidationError) -> JSONResponse:
        return JSONResponse(_of_pydantic(problem), 422)

    @app.exception_handler(HTTPException)
    async def _http(request: Request, problem: HTTPException) -> JSONResponse:
        where = shorten(request.url.path, 120)
        return JSONResponse(
            body(str(problem.detail), where, _HINTS.get(problem.status_code, "")),
            problem.status_code,
            headers=problem.headers,
        )

    @app.exception_handler(Exception)
    async def _unforeseen(_: Request, problem: Exception) -> JSONResponse:
        log.error("the API failed", exc_info=problem)
        return JSONResponse(body("osteon failed here, which it should not", "", "please report it"), 500)
