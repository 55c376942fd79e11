"""Addresses that simulate: plans at once, studies and designs as jobs."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse

from osteon.app import limits, studies
from osteon.app.api.deps import State, StateOf
from osteon.app.api.errors import ApiError
from osteon.app.api.forms import Asked, Compare, FactorialRequest, JobRequest, Model, StudyText
from osteon.app.jobs import Job
from osteon.app.plan import Plan
from osteon.errors import InputError, StudyError
from osteon.study import Study
from osteon.units import MONTH_DAYS

router = APIRouter()
JobId = Annotated[str, Path(max_length=40)]
Draws = Annotated[int, Query(ge=0, le=limits.MAX_DRAWS)]
_TYPES = {"html": "text/html; charset=utf-8", "csv": "text/csv; charset=utf-8", "yaml": "application/yaml",
          "json": "application/json", "png": "image/png", "nc": "application/x-netcdf",
          "parquet": "application/vnd.apache.parquet"}  # fmt: skip
# A report is text that came from a user: it may show itself, and nothing else.
_SHUT = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"


@router.post("/simulate", tags=["simulate"], summary="One person under one plan")
async def simulate(
    plan: Asked, state: StateOf, model: Model = "osteon", draws: Draws = 0, fast: bool = False
) -> dict[str, Any]:
    """The numbers of `osteon.simulate`, monthly. `fast`: those of the page, from the kernel on steps laid out by rule
    (BMD within 0.05 %, markers within 1 %), with its own keys."""
    from osteon.app import simulate as plans

    _check(plan, "plan")
    if fast:
        from osteon.app import service

        found: dict[str, Any] = await run_in_threadpool(service.courses, plan)
        return found
    found = await state.aside(plans.simulate, plan.model_dump(), model, draws)
    return found


@router.post("/compare", tags=["simulate"], summary="Two plans and their difference")
async def compare(form: Compare, state: StateOf, model: Model = "osteon", draws: Draws = 0) -> dict[str, Any]:
    """`difference` is b − a in points of %."""
    from osteon.app import simulate as plans

    _check(form.a, "a")
    _check(form.b, "b")
    if form.a.years != form.b.years:
        what = f"a looks {form.a.years:g} years ahead and b {form.b.years:g}"
        raise ApiError(400, what, "years", "make them equal")
    found: dict[str, Any] = await state.aside(plans.compare, form.a.model_dump(), form.b.model_dump(), model, draws)
    return found


def _check(plan: Plan, where: str) -> None:
    from osteon.regimen import parse_regimen

    limits.check_regimen(parse_regimen(plan.regimen), plan.years * 12 * MONTH_DAYS, where)


def _study(form: StudyText, draws: int | None = None, *, trial: bool = False) -> Study:
    if (form.yaml is None) == (form.study is None):
        raise ApiError(400, "give a study as yaml or as study, one of the two", "body", "see /openapi.json")
    return studies.read(form.yaml if form.yaml is not None else form.study or {}, draws, trial=trial)


@router.post("/studies", tags=["studies"], summary="Check a study")
async def check_study(request: Request) -> dict[str, Any]:
    """A study as YAML (Content-Type: application/yaml or text/plain), or as JSON: `{"yaml": …}`, `{"study": …}`, or
    its keys themselves. 400 with line or field when it is not valid."""
    raw = await request.body()
    kind = request.headers.get("content-type", "").split(";")[0].strip().casefold()
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise ApiError(400, "the body is not text (UTF-8)", "body", "send the study file as it is") from None
    return await run_in_threadpool(_checked, text, kind)


def _checked(text: str, kind: str) -> dict[str, Any]:
    import json

    given: Any = text
    if kind == "application/json":
        try:
            given = json.loads(text)
        except (ValueError, RecursionError) as problem:
            raise ApiError(400, f"this is not valid JSON: {str(problem)[:120]}", "body", "check quotes") from None
        if not isinstance(given, dict):
            raise ApiError(400, "the body must be a mapping", "body", 'such as {"yaml": "id: …"}')
        if set(given) <= {"yaml", "study"} and given:
            given = next(iter(given.values()))
        if not isinstance(given, str | dict):
            raise ApiError(400, "yaml must be text, study a mapping", "body", "see /openapi.json")
    return studies.told(studies.read(given))


@router.post("/jobs", tags=["jobs"], status_code=202, summary="Run a study in the background")
def add_job(form: JobRequest, state: StateOf) -> dict[str, Any]:
    """Returns the job with its id; 400 when the study is not valid or too large, 503 when too many wait."""
    study = _study(form, form.draws, trial=form.trial)
    return _add(state, form.kind, study, form.model, form.draws, form.seed, trial=form.trial)


@router.post("/factorial", tags=["jobs"], status_code=202, summary="Compare all combinations of a study's factors")
def factorial(form: FactorialRequest, state: StateOf) -> dict[str, Any]:
    """Returns a job; its file contrasts.json is what `osteon factorial --json` prints."""
    return _add(state, "factorial", _study(form, form.draws), form.model, form.draws, form.seed)


def _add(
    state: State, kind: str, study: Study, model: str, draws: int | None, seed: int, *, trial: bool = False
) -> dict[str, Any]:
    from osteon.design import design_of

    if kind == "factorial":
        design_of(study)  # raises where the arms are no design
    payload = {"study": studies.as_dict(study), "model": model, "draws": draws, "seed": seed}
    payload |= {"trial": True} if trial else {}
    try:
        return state.jobs.add(kind, study.title or study.id, payload).as_dict()
    except StudyError:
        raise
    except InputError as full:
        raise ApiError(503, str(full), "jobs", "try again later") from None


def _job(state: State, ident: str) -> Job:
    return _there(state.jobs.get(ident))


def _there(job: Job | None) -> Job:
    if job is None:
        raise ApiError(404, "there is no such job", "jobs", "its id is what POST /api/jobs returned; old jobs go")
    return job


@router.get("/jobs/{ident}", tags=["jobs"], summary="How far a job is")
def job(ident: JobId, state: StateOf) -> dict[str, Any]:
    """`state` is queued, running, done, failed or cancelled; `share` is what is done, 0 to 1."""
    return _job(state, ident).as_dict()


@router.delete("/jobs/{ident}", tags=["jobs"], summary="Cancel a job, or remove its files")
def cancel(ident: JobId, state: StateOf) -> dict[str, Any]:
    """Ends its process at once."""
    return _there(state.jobs.cancel(ident)).as_dict()


@router.get("/jobs/{ident}/files", tags=["jobs"], summary="The files of a job")
def files(ident: JobId, state: StateOf) -> dict[str, Any]:
    """Names and sizes; there are none before it is done."""
    return {"files": _job(state, ident).as_dict()["files"]}


@router.get("/jobs/{ident}/files/{name:path}", tags=["jobs"], summary="Download a file of a job")
def file(ident: JobId, name: str, state: StateOf, inline: bool = False) -> FileResponse:
    """Only a name that the job wrote; `inline` shows a report in the page, shut off from everything else."""
    _job(state, ident)
    path = state.jobs.file(ident, name)
    if path is None:
        raise ApiError(404, "the job has no such file", "files", "GET the address of its files for the names")
    kind = _TYPES.get(path.suffix.lstrip("."), "application/octet-stream")
    way = "inline" if inline and path.suffix in (".html", ".png") else "attachment"
    answer = FileResponse(path, media_type=kind, filename=path.name, content_disposition_type=way)
    answer.headers["content-security-policy"] = _SHUT
    return answer
