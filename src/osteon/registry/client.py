"""A client of the registry's API v2: paging, resume, at most one request a second, back-off, errors in one line.

Nothing here runs unless `osteon registry refresh` is asked for. The base URL can be another one (a test, a mirror).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osteon import files
from osteon.errors import InputError, OsteonError, shorten
from osteon.registry.record import nct_id

if TYPE_CHECKING:
    import httpx

BASE = "https://clinicaltrials.gov/api/v2"
PAGE = 1000  # the largest page that the registry gives
TRIES = 6


class RegistryError(OsteonError):
    """The registry could not be asked, or answered with an error."""

    exit_status = 1


class Client:
    """Asks the registry; `pause` seconds between requests, `sleep` and `transport` are for tests."""

    def __init__(
        self,
        base: str = BASE,
        *,
        pause: float = 1.0,
        timeout: float = 60.0,
        sleep: Callable[[float], None] = time.sleep,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        try:
            import httpx
        except ImportError:
            raise InputError("refresh needs httpx; install it with: pip install 'osteon[registry]'") from None
        if not base.startswith(("http://", "https://")):
            raise InputError(f"--base-url {base!r}: it should begin with https://")
        self._httpx, self._sleep, self._pause, self._last = httpx, sleep, pause, 0.0
        self._client = httpx.Client(
            base_url=base.rstrip("/"), timeout=timeout, follow_redirects=True, transport=transport,
            headers={"User-Agent": "osteon (research; one request a second)", "Accept": "application/json"},
        )  # fmt: skip

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def _get(self, path: str, **parameters: str) -> Any:
        """The JSON of one answer, after waits and tries; 400 and 404 are not tried again."""
        problem = ""
        for attempt in range(TRIES):
            wait = self._last + self._pause - time.monotonic()
            if wait > 0:
                self._sleep(wait)
            self._last = time.monotonic()
            try:
                answer = self._client.get(path, params=parameters)
            except self._httpx.HTTPError as error:
                problem = f"{type(error).__name__}: {shorten(str(error))}"
                self._sleep(min(2.0**attempt, 30.0))
                continue
            if answer.status_code == 200:
                try:
                    return answer.json()
                except ValueError:
                    problem = "the answer is not JSON"
                    self._sleep(min(2.0**attempt, 30.0))
                    continue
            if answer.status_code == 429 or answer.status_code >= 500:
                problem = f"status {answer.status_code}"
                self._sleep(_retry_after(answer.headers.get("Retry-After"), attempt))
                continue
            raise _refusal(answer, path)
        raise RegistryError(f"the registry did not answer after {TRIES} tries ({problem}); try again later")

    def version(self) -> str:
        """The day (ISO) of the registry's data."""
        answer = self._get("/version")
        stamp = answer.get("dataTimestamp") if isinstance(answer, dict) else None
        if not isinstance(stamp, str) or len(stamp) < 10:
            raise RegistryError("the registry did not say the day of its data (dataTimestamp)")
        return stamp[:10]

    def study(self, nct: str) -> dict[str, Any]:
        """One study by its id; an old id leads to the new one."""
        wanted = nct_id(nct)
        if wanted is None:
            raise InputError(f"{nct!r} is not a registry id; one looks like NCT02566655")
        answer = self._get(f"/studies/{wanted}")
        if not isinstance(answer, dict):
            raise RegistryError(f"{wanted}: the answer is not a study")
        return answer

    def studies(
        self,
        parameters: dict[str, str],
        *,
        resume: Path | None = None,
        progress: Callable[[float], None] | None = None,
    ) -> Iterator[dict[str, Any]]:
        """All studies of a query, page after page, each once.

        `resume` is a file that keeps pages and token, so that a broken-off download goes on where it stopped; it is
        removed at the end. A token that has expired starts the query again.
        """
        asked = {"pageSize": str(PAGE), "countTotal": "true", **parameters}
        state = _read_state(resume, asked)
        seen: set[str] = set()
        pages: list[str] = state["pages"]
        for page in pages:
            yield from _fresh(json.loads(page), seen)
        token, total, fetched, restarts = state["token"], state["total"], len(pages) * PAGE, 0
        while token is not None or not pages:
            question = dict(asked)
            if token:
                question["pageToken"] = token
                question.pop("countTotal")
            try:
                answer = self._get("/studies", **question)
            except InputError:
                if not token or restarts:
                    raise
                restarts, token, pages = restarts + 1, "", []
                continue
            if not isinstance(answer, dict) or not isinstance(answer.get("studies"), list):
                raise RegistryError("the registry's answer has no list of studies")
            studies = [one for one in answer["studies"] if isinstance(one, dict)]
            total = answer.get("totalCount", total)
            following = answer.get("nextPageToken")
            token = following if isinstance(following, str) and following else None
            pages.append(json.dumps(studies))
            if resume is not None:
                _write_state(resume, asked, pages, token, total)
            fetched += len(studies)
            if progress and isinstance(total, int) and total:
                progress(min(fetched / total, 1.0))
            yield from _fresh(studies, seen)
            if token is None:
                break
        if resume is not None:
            resume.unlink(missing_ok=True)


def _fresh(studies: list[dict[str, Any]], seen: set[str]) -> Iterator[dict[str, Any]]:
    for one in studies:
        section = one.get("protocolSection")
        module = section.get("identificationModule") if isinstance(section, dict) else None
        nct = nct_id(module.get("nctId")) if isinstance(module, dict) else None
        if nct is None or nct not in seen:
            if nct:
                seen.add(nct)
            yield one


def _retry_after(header: str | None, attempt: int) -> float:
    try:
        return min(max(float(header or ""), 0.0), 120.0)
    except ValueError:
        return float(min(2.0**attempt, 60.0))


def _refusal(answer: Any, path: str) -> OsteonError:
    said = shorten(answer.text.strip(), 160) if "html" not in answer.headers.get("Content-Type", "") else ""
    if answer.status_code == 404:
        return InputError(f"the registry has no {path.rsplit('/', 1)[-1]}{': ' + said if said else ''}")
    if answer.status_code == 400:
        return InputError(f"the registry does not understand the query: {said or 'no reason given'}")
    return RegistryError(f"the registry answered with status {answer.status_code}{': ' + said if said else ''}")


def _read_state(resume: Path | None, asked: dict[str, str]) -> dict[str, Any]:
    empty: dict[str, Any] = {"pages": [], "token": "", "total": None}
    if resume is None or not resume.exists():
        return empty
    try:
        state = json.loads(resume.read_text("utf-8"))
        if state["asked"] == asked and isinstance(state["pages"], list) and isinstance(state["token"], str):
            return {key: state[key] for key in empty}
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return empty


def _write_state(resume: Path, asked: dict[str, str], pages: list[str], token: str | None, total: Any) -> None:
    if token is not None:
        content = {"asked": asked, "pages": pages, "token": token, "total": total}
        files.write_whole(resume, json.dumps(content))
