"""Studies run in processes of their own: the app goes on answering meanwhile, and a job can be stopped at any time.

Each job has a folder below one temporary folder of this session, which goes at exit. A file can be downloaded only
by a name that the job itself wrote.
"""

from __future__ import annotations

import atexit
import contextlib
import multiprocessing
import secrets
import shutil
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from osteon.app import worker
from osteon.app.limits import MAX_JOBS, MAX_KEPT, MAX_SECONDS, MAX_WAITING
from osteon.errors import InputError

QUEUED, RUNNING, DONE, FAILED, CANCELLED = "queued", "running", "done", "failed", "cancelled"
ENDED = frozenset({DONE, FAILED, CANCELLED})
_GRACE = 2.0  # seconds between asking a worker to end and ending it


@dataclass
class Job:
    """One piece of work: `share` of it done (0 to 1), `what` it is at, `files` it wrote (name to bytes)."""

    id: str
    kind: str
    title: str
    payload: dict[str, Any]
    folder: Path
    state: str = QUEUED
    share: float = 0.0
    what: str = "waiting"
    error: dict[str, Any] | None = None
    warnings: list[str] = field(default_factory=list)
    files: dict[str, int] = field(default_factory=dict)
    made: float = field(default_factory=time.monotonic)
    began: float | None = None
    ended: float | None = None
    process: Any = None

    def as_dict(self) -> dict[str, Any]:
        """What GET /api/jobs/ID tells."""
        end = self.ended if self.ended is not None else time.monotonic()
        seconds = round(end - self.began, 2) if self.began is not None else 0.0
        left = seconds * (1 / self.share - 1) if self.state == RUNNING and self.share > 0.02 else None
        return {
            "id": self.id, "kind": self.kind, "title": self.title, "state": self.state, "share": round(self.share, 4),
            "what": self.what, "seconds": seconds, "seconds_left": None if left is None else round(left),
            "warnings": list(self.warnings), "error": self.error,
            "files": [{"name": name, "bytes": size} for name, size in self.files.items()],
        }  # fmt: skip


class Jobs:
    """The jobs of one session; `most` of them run at once, the others wait."""

    def __init__(self, most: int = MAX_JOBS, waiting: int = MAX_WAITING, seconds: float = MAX_SECONDS) -> None:
        self.most, self.waiting, self.seconds = most, waiting, seconds
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()
        self._root: Path | None = None
        self._shut = False

    @property
    def root(self) -> Path:
        """The session's folder, made on first use."""
        if self._root is None:
            self._root = Path(tempfile.mkdtemp(prefix="osteon-app-"))
            atexit.register(self.close)
        return self._root

    def add(self, kind: str, title: str, payload: dict[str, Any]) -> Job:
        """Queue a job; raises InputError when too many wait."""
        with self._lock:
            if self._shut:
                raise InputError("the app is closing; start it again")
            if sum(job.state == QUEUED for job in self._jobs.values()) >= self.waiting:
                raise InputError(f"jobs: {self.waiting} wait already; try again when some are done, or cancel one")
            self._forget()
            ident = secrets.token_urlsafe(12)
            job = Job(ident, kind, title, payload, self.root / ident)
            job.folder.mkdir()
            self._jobs[ident] = job
            self._start_next()
        return job

    def get(self, ident: str) -> Job | None:
        """The job of that id."""
        return self._jobs.get(ident)

    def file(self, ident: str, name: str) -> Path | None:
        """A file that a finished job wrote, by its plain name; None for anything else."""
        job = self._jobs.get(ident)
        if job is None or job.state != DONE or name not in job.files:
            return None
        path = job.folder / name
        return path if path.is_file() and not path.is_symlink() else None

    def cancel(self, ident: str) -> Job | None:
        """Stop a job: its worker ends, its files go. One that has ended only loses its files."""
        with self._lock:
            job = self._jobs.get(ident)
            if job is None:
                return None
            if job.state not in ENDED:
                job.state, job.what, job.ended = CANCELLED, "cancelled", time.monotonic()
            process = job.process
        _end(process)
        job.files.clear()
        shutil.rmtree(job.folder, ignore_errors=True)
        with self._lock:
            self._start_next()
        return job

    def close(self) -> None:
        """End all workers and remove the session's folder."""
        with self._lock:
            self._shut = True
            running = [job for job in self._jobs.values() if job.state not in ENDED]
            for job in running:
                job.state, job.what, job.ended = CANCELLED, "the app was closed", time.monotonic()
        for job in running:
            _end(job.process)
        if self._root is not None:
            shutil.rmtree(self._root, ignore_errors=True)
            self._root = None
            atexit.unregister(self.close)

    def _forget(self) -> None:
        """Drop the oldest that have ended."""
        over = [job for job in self._jobs.values() if job.state in ENDED]
        for job in sorted(over, key=lambda j: j.ended or 0.0)[: max(0, len(over) - MAX_KEPT + 1)]:
            del self._jobs[job.id]
            shutil.rmtree(job.folder, ignore_errors=True)

    def _start_next(self) -> None:
        """Start what waits, as far as there is room; the lock is held."""
        free = self.most - sum(job.state == RUNNING for job in self._jobs.values())
        for job in [j for j in self._jobs.values() if j.state == QUEUED][: max(0, free)]:
            job.state, job.what, job.began = RUNNING, "starting", time.monotonic()
            threading.Thread(target=self._follow, args=(job,), name=f"osteon-job-{job.id}", daemon=True).start()

    def _follow(self, job: Job) -> None:
        """Start the worker and listen to it until it ends."""
        context = multiprocessing.get_context("spawn")
        ear, mouth = context.Pipe(duplex=False)
        process = context.Process(
            target=worker.main, args=(job.kind, job.payload, str(job.folder), mouth), name="osteon-job", daemon=True
        )
        try:
            process.start()
            job.process = process
            mouth.close()
            if job.state == CANCELLED:  # before there was anything to end
                _end(process)
            self._listen(job, ear)
        except Exception as problem:
            self._finish(job, FAILED, error={"what": f"the worker could not be started: {problem}", "where": "",
                                             "hint": "try again"})  # fmt: skip
        finally:
            _end(process)
            ear.close()
            self._finish(job, FAILED, error={"what": "the worker ended without an answer (out of memory?)",
                                             "where": "", "hint": "try again with fewer draws or arms"})  # fmt: skip
            with self._lock:
                self._start_next()

    def _listen(self, job: Job, ear: Any) -> None:
        end = time.monotonic() + self.seconds
        while job.state == RUNNING:
            if time.monotonic() > end:
                self._finish(job, FAILED, error={"what": f"it took over {self.seconds:,.0f} seconds and was stopped",
                                                 "where": "", "hint": "use osteon run, or fewer draws"})  # fmt: skip
                return
            if not ear.poll(0.5):
                continue
            try:
                word, *told = ear.recv()
            except (EOFError, OSError):
                return
            if word == "progress":
                job.share, job.what = max(job.share, min(1.0, told[0])), told[1] or job.what
            elif word == "warning":
                job.warnings.append(told[0])
            elif word == "error":
                self._finish(job, FAILED, error=told[0])
            elif word == "done":
                names = [name for name in told[0] if (job.folder / name).is_file()]
                self._finish(job, DONE, files={name: (job.folder / name).stat().st_size for name in names})

    def _finish(self, job: Job, state: str, **more: Any) -> None:
        with self._lock:
            if job.state in ENDED:
                return
            for key, value in more.items():
                setattr(job, key, value)
            job.state, job.ended = state, time.monotonic()
            job.what = state
            if state == DONE:
                job.share = 1.0


def _end(process: Any) -> None:
    """Ask a process to end, and end it."""
    if process is None or process.pid is None:
        return
    with contextlib.suppress(ValueError, OSError, AssertionError):
        if process.is_alive():
            process.terminate()
            process.join(_GRACE)
        if process.is_alive():
            process.kill()
        process.join(_GRACE)
