"""One helper process for what takes seconds but is no job: it keeps Python's lock out of the way of the pages."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import signal
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from typing import Any

from osteon.errors import InputError, OsteonError

SECONDS = 120.0  # after which a call is given up


def _begin() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _call(work: Callable[..., Any], args: tuple[Any, ...], options: dict[str, Any]) -> tuple[str, Any]:
    """Runs in the helper: errors come back as plain words, since not every error can be sent."""
    try:
        return "ok", work(*args, **options)
    except OsteonError as problem:
        from osteon.app.problem import of

        return "error", (of(problem)["error"], isinstance(problem, InputError))


class Aside:
    """The helper; started on first use, started again when it had to be stopped."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self.seconds = seconds
        self._pool: ProcessPoolExecutor | None = None

    async def __call__(self, work: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """Run a function of a module there and return what it returns; raises ApiError."""
        from osteon.app.api.errors import ApiError  # and with it the web server, which the helper does without

        if self._pool is None:
            self._pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), _begin)
        pool, loop = self._pool, asyncio.get_running_loop()
        try:
            word, told = await asyncio.wait_for(loop.run_in_executor(pool, _call, work, args, options), self.seconds)
        except TimeoutError:
            self.close()
            raise ApiError(503, f"this took over {self.seconds:.0f} seconds and was stopped", "",
                           "ask for less, or use the command line") from None  # fmt: skip
        except BrokenExecutor:
            self.close()
            raise ApiError(503, "the helper process ended", "", "try again") from None
        if word == "error":
            problem, bad_input = told
            raise ApiError(400 if bad_input else 422, problem["what"], problem["where"], problem["hint"])
        return told

    def close(self) -> None:
        """End the helper."""
        pool, self._pool = self._pool, None
        if pool is None:
            return
        for process in list((getattr(pool, "_processes", None) or {}).values()):
            with contextlib.suppress(OSError, ValueError):
                process.kill()
        pool.shutdown(wait=False, cancel_futures=True)
