"""A folder that holds a run over many people: one Parquet file per shard, its sums beside it, and what the run is.

`run.json` is written first and says what decides the numbers; `sums-….npz` is written after its shard's part and says
that the part is whole; `summary.csv` and `certificate.json` are written last. So the same command goes on from there.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from osteon import files
from osteon.engine.batch import Certificate
from osteon.errors import InputError, OsteonError, shorten
from osteon.population.moments import Sums, is_log
from osteon.population.shards import Done, Job, Shard

if TYPE_CHECKING:
    from osteon.population.many import Many

FORMAT = 1
_PART = re.compile(r"part-\d{10}\.parquet")


@dataclass(frozen=True)
class Place:
    """Where a worker puts its parts: the folder, and a folder in it by which to know that it is the same one."""

    folder: str
    scratch: str

    @contextlib.contextmanager
    def writer(self, job: Job, shard: Shard) -> Iterator[PartWriter]:
        """Writes a shard's part row group by row group; the file appears whole at the end. Where the folder is not
        to be seen, the content is kept for whoever asked."""
        scratch = Path(self.folder, self.scratch)
        seen = scratch.is_dir() and os.access(scratch, os.W_OK)
        target: Any = scratch / f"{secrets.token_hex(8)}.parquet" if seen else io.BytesIO()
        part = PartWriter(job, target)
        try:
            yield part
            part.close()
            if seen:
                with target.open("rb") as f:
                    part.digest = hashlib.file_digest(f, "sha256").hexdigest()
                part.size = target.stat().st_size
                target.replace(Path(self.folder, part_name(shard)))
            else:
                part.content = target.getvalue()
                part.size, part.digest = len(part.content), hashlib.sha256(part.content).hexdigest()
        except OSError as problem:
            raise OsteonError(f"cannot write in {self.folder!r}: {problem.strerror or problem}") from None
        finally:
            part.close()
            if seen:
                with contextlib.suppress(OSError):
                    target.unlink(missing_ok=True)


class PartWriter:
    """One row per person and time: person, day, flag and `<endpoint>_pct`."""

    size, digest, content = 0, "", None  # type: tuple[int, str, bytes | None]

    def __init__(self, job: Job, target: Any) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self.names = tuple(job.setup.model.endpoints)
        self.days = np.array(job.setup.plan.outputs)
        fields = [("person", pa.int64()), ("day", pa.float64()), ("flag", pa.int8())]
        self.schema = pa.schema([*fields, *((f"{name}_pct", pa.float64()) for name in self.names)])
        self._file: Any = pq.ParquetWriter(
            target, self.schema, compression="zstd", use_dictionary=["person", "day", "flag"]
        )

    def add(self, first: int, change: dict[str, np.ndarray], marks: np.ndarray) -> None:
        """Add people from `first` on; `change[name]` is [time, person]."""
        import pyarrow as pa

        n, times = len(marks), len(self.days)
        columns = [
            np.repeat(np.arange(first, first + n), times),
            np.tile(self.days, n),
            np.repeat(marks, times),
            *(100.0 * (np.expm1(x) if is_log(name) else x).T.ravel() for name, x in change.items()),
        ]
        # A missing number of someone whose run failed is a null, not NaN.
        arrays = [pa.array(c, from_pandas=True) for c in columns]
        self._file.write_table(pa.Table.from_arrays(arrays, schema=self.schema))

    def close(self) -> None:
        """Finish the file."""
        self._file.close()


def part_name(shard: Shard) -> str:
    """The file of a shard's people, after the first of them."""
    return f"part-{shard.first:010d}.parquet"


@dataclass
class Folder:
    """The folder of one run. `open_folder` makes it."""

    path: Path
    place: Place
    run: dict[str, Any]

    def same_run(self, what: Mapping[str, Any]) -> dict[str, Any] | None:
        """The run that the folder holds, if any; refused unless it states the same as `what`."""
        known = _read_json(self.path / "run.json")
        if known is None:
            if any(_PART.fullmatch(p.name) for p in self.path.iterdir()):
                raise InputError(f"{self.path}: holds part files, but no run.json that says of which run; "
                                 "choose another folder")  # fmt: skip
            return None
        if known.get("osteon") != "people" or "shard" not in known:
            raise InputError(f"{self.path}: its run.json is not of a run over many people; choose another folder")
        for key, value in _plain(what).items():
            if known.get(key) != value:
                there, here = (shorten(json.dumps(v, ensure_ascii=False), 60) for v in (known.get(key), value))
                raise InputError(
                    f"{self.path}: holds another run ({key.replace('_', ' ')}: {there} there, {here} here); "
                    "choose another folder"
                )
        self.run = known
        return known

    def begin(self, what: Mapping[str, Any]) -> None:
        """Say what the run is; it must be the same as the one that the folder holds."""
        whole = _plain({"osteon": "people", "format": FORMAT, **what})
        if self.same_run(whole) is None:
            self.run = whole
            files.write_whole(self.path / "run.json", json.dumps(self.run, indent=1, ensure_ascii=False) + "\n")

    @property
    def identity(self) -> str:
        return hashlib.sha256(json.dumps(self.run, sort_keys=True).encode()).hexdigest()[:32]

    def keep(self, shard: Shard, done: Done) -> None:
        """Keep a shard's sums, and so mark it as finished."""
        if done.content is not None:
            files.write_whole(self.path / part_name(shard), done.content)
        buffer = io.BytesIO()
        facts = {"run": self.identity, "last": shard.last, "size": done.size, "digest": done.digest,
                 "flags": done.flags, "same_bits": done.same_bits}  # fmt: skip
        np.savez(buffer, facts=np.array(json.dumps(facts)), **vars(done.sums))
        files.write_whole(self._sums(shard), buffer.getvalue())

    def find(self, shard: Shard, parts: bool = True) -> Done | None:
        """A shard that is finished and whole (its part is read for that, unless `parts` is false); None when it must
        be run (again)."""
        try:
            with np.load(self._sums(shard), allow_pickle=False) as kept:
                arrays = {name: kept[name] for name in kept.files}
            facts = json.loads(str(arrays.pop("facts")))
            if facts["run"] != self.identity or facts["last"] != shard.last:
                return None
            if parts and not _is_whole(self.path / part_name(shard), facts["size"], facts["digest"]):
                return None
            return Done(Sums(**arrays), facts["flags"], facts["size"], facts["digest"], None, facts["same_bits"])
        except Exception:  # missing, cut short or changed: whatever is wrong with it, the shard can be run again
            return None

    def _sums(self, shard: Shard) -> Path:
        return self.path / f"sums-{shard.first:010d}.npz"

    def finish(self, many: Many) -> None:
        """Write the summary table, and last the certificate by which the run is known as finished."""
        files.write_whole(self.path / "summary.csv", summary(many))
        assert many.certificate is not None
        facts = vars(many.certificate)
        if facts["threshold"] == np.inf:  # a population of one; JSON knows no infinity
            facts = facts | {"threshold": None}
        told = {"run": self.identity, "certificate": facts, "provenance": many.provenance}
        files.write_whole(self.path / "certificate.json", json.dumps(told, indent=1, ensure_ascii=False) + "\n")

    def finished(self) -> tuple[Certificate, dict[str, Any]] | None:
        """Certificate and provenance, when the folder's run has finished."""
        if not (self.path / "summary.csv").is_file():
            return None
        try:
            told = json.loads((self.path / "certificate.json").read_text("utf-8"))
            if told["run"] != self.identity:
                return None
            facts = told["certificate"]
            threshold = np.inf if facts["threshold"] is None else facts["threshold"]
            return Certificate(**facts | {"threshold": threshold}), told["provenance"]
        except Exception:  # missing or damaged: it can be made again
            return None


def summary(many: Many) -> str:
    """Means and spreads as CSV: endpoint, month, statistic, value, sd (between people) and n."""
    from osteon.units import MONTH_DAYS

    lines = ["endpoint,month,statistic,value,sd,n"]
    for name in many.moments.names:
        for day, mean, sd in zip(many.days, many.moments.mean_pct(name), many.moments.sd_pct(name), strict=True):
            month = float(day) / MONTH_DAYS
            lines.append(f"{name},{month!r},mean_pct_change,{float(mean)!r},{float(sd)!r},{many.moments.n}")
    return "\n".join(lines) + "\n"


def _is_whole(path: Path, size: int, digest: str) -> bool:
    if path.stat().st_size != size:
        return False
    with path.open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest() == digest


def _plain(what: Mapping[str, Any]) -> dict[str, Any]:
    """As it comes back from a JSON file."""
    plain: dict[str, Any] = json.loads(json.dumps(dict(what)))
    return plain


def _read_json(path: Path) -> dict[str, Any] | None:
    if not path.exists():
        return None
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        found = None
    if not isinstance(found, dict):
        raise InputError(f"{path}: cannot be read; move it away or choose another folder")
    return found


@contextlib.contextmanager
def open_folder(path: str | Path) -> Iterator[Folder]:
    """A folder for a run, kept from other runs while it is open; what a lost worker left behind goes."""
    if Path(path).is_file():
        raise InputError(f"{path}: this is a file; name a folder for the parts")
    with files.output_folder(path) as made:
        folder = made.resolve()
        with _locked(folder):
            for old in folder.glob(".osteon-run-*"):
                shutil.rmtree(old, ignore_errors=True)
            scratch = folder / f".osteon-run-{secrets.token_hex(8)}"
            scratch.mkdir()
            try:
                yield Folder(Path(path), Place(str(folder), scratch.name), {})
            finally:
                shutil.rmtree(scratch, ignore_errors=True)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One run at a time in a folder; the lock goes with the process that holds it."""
    try:
        import fcntl
    except ImportError:  # not on Windows
        yield
        return
    path = folder / ".osteon-lock"
    with path.open("w") as f:
        try:
            fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(f"{folder}: another osteon run is writing there") from None
        except OSError:  # a file system without locks
            pass
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
