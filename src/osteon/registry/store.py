"""The user's own copy of records: DuckDB for the records, SQLite FTS5 for their text, in the platform's data folder.

A record is kept once per snapshot day. Importing the same file again changes nothing; an import is in the store whole
or not at all. The index carries the number of the store's last change and is made again where the two differ. What is
drawn from a record is kept beside it, with a digest of the rules, and drawn again where they have changed since.
"""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import json
import re
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from osteon import userdata
from osteon.errors import InputError, OsteonError, nearest
from osteon.registry.extract import extract, rules
from osteon.registry.files import Item
from osteon.registry.record import Record, day, nct_id

_SCHEMA = """
CREATE TABLE IF NOT EXISTS studies (nct VARCHAR, snapshot DATE, source VARCHAR, digest VARCHAR, raw VARCHAR,
                                    PRIMARY KEY (nct, snapshot));
CREATE TABLE IF NOT EXISTS imports (source VARCHAR, snapshot DATE, estimated BOOLEAN, studies INTEGER,
                                    imported TIMESTAMP);
CREATE TABLE IF NOT EXISTS state (change INTEGER);
CREATE TABLE IF NOT EXISTS drawn (digest VARCHAR PRIMARY KEY, rules VARCHAR, kept VARCHAR);
"""
_INDEX = """
CREATE VIRTUAL TABLE IF NOT EXISTS texts USING fts5(nct UNINDEXED, snapshot UNINDEXED, status UNINDEXED, title,
    conditions, interventions, summary, rest, tokenize='porter unicode61 remove_diacritics 2');
CREATE TABLE IF NOT EXISTS state (change INTEGER);
"""
STALE = 180  # days after which statuses are called old


@dataclass
class Report:
    """What an import did: counts, the snapshot days, and what could not be used (place and problem)."""

    new: int = 0
    changed: int = 0
    same: int = 0
    unusable: list[str] = field(default_factory=list)
    snapshots: list[str] = field(default_factory=list)
    estimated: bool = False

    @property
    def studies(self) -> int:
        return self.new + self.changed + self.same


class Store:
    """A folder with the records; opened for each piece of work, closed at its end."""

    def __init__(self, folder: str | Path | None = None) -> None:
        self.folder = Path(folder) if folder is not None else userdata.folder("registry")
        self.file, self.index = self.folder / "studies.duckdb", self.folder / "texts.sqlite"

    @contextlib.contextmanager
    def _open(self, *, write: bool = False) -> Iterator[Any]:
        try:
            import duckdb
        except ImportError:
            raise InputError("the registry needs duckdb; install it with: pip install 'osteon[registry]'") from None
        if not write and not self.file.exists():
            raise InputError(
                "no records yet; bring some in with: osteon registry import FILE… (or: refresh --query …)"
            )
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            link = duckdb.connect(str(self.file), read_only=not write)
        except OSError as error:
            raise InputError(f"cannot write in {self.folder}: {error.strerror or error}; set XDG_DATA_HOME") from None
        except duckdb.Error as error:
            busy = "lock" in str(error).casefold()
            raise OsteonError(
                f"{self.file}: " + ("another osteon is using the records; try again when it is done" if busy
                                    else "the store is damaged; remove it and import again")
            ) from None  # fmt: skip
        try:
            if write:
                link.execute(_SCHEMA)
            yield link
        except duckdb.Error as error:
            raise OsteonError(f"{self.file}: {str(error).splitlines()[0]}") from None
        finally:
            link.close()

    def add(
        self,
        items: Iterable[Item],
        source: str,
        snapshot: str | None = None,
        progress: Callable[[float], None] | None = None,
    ) -> Report:
        """Add studies; `snapshot` is the day (ISO) of the download, else taken from each record or the file's latest.

        Nothing is stored when reading fails or is stopped midway.
        """
        report, rows, latest = Report(), {}, None
        undated: list[tuple[str, str]] = []
        for item in items:
            study = item.study
            nct = nct_id(Record(study).get("identificationModule.nctId")) if study is not None else None
            if study is None or nct is None:
                report.unusable.append(f"{item.where}: {item.problem or 'no usable NCT id'}")
                continue
            record = Record(study)
            raw = json.dumps(study, ensure_ascii=True, separators=(",", ":"))
            held = snapshot or _held(record)
            updated = record.updated
            if updated and updated <= datetime.date.today() and (latest is None or updated > latest):
                latest = updated
            digest = hashlib.sha256(raw.encode()).hexdigest()
            if held is None:
                undated.append((nct, ""))
            rows[nct, held or ""] = (nct, held, source, digest, raw)
        day_of_file = latest.isoformat() if latest else datetime.date.today().isoformat()
        report.estimated = bool(undated)
        final = {(nct, held or day_of_file): (nct, held or day_of_file, *rest)
                 for (nct, _), (_, held, *rest) in rows.items()}  # fmt: skip
        if final:
            self._write(list(final.values()), report, source, progress)
        return report

    def _write(
        self,
        rows: list[tuple[str, ...]],
        report: Report,
        source: str,
        progress: Callable[[float], None] | None,
    ) -> None:
        import pyarrow as pa

        names = ("nct", "snapshot", "source", "digest", "raw")
        table = pa.table({name: [row[i] for row in rows] for i, name in enumerate(names)})
        with self._open(write=True) as link:
            link.register("incoming", table)
            link.begin()
            try:
                kinds = link.execute(
                    "SELECT count(*) FILTER (s.nct IS NULL), count(*) FILTER (s.digest <> i.digest),"
                    " count(*) FILTER (s.digest = i.digest) FROM incoming i LEFT JOIN studies s"
                    " ON s.nct = i.nct AND s.snapshot = i.snapshot::DATE"
                ).fetchone()
                report.new, report.changed, report.same = kinds
                report.snapshots = sorted({row[1] for row in rows})
                if report.new or report.changed:
                    link.execute(
                        "INSERT OR REPLACE INTO studies SELECT nct, snapshot::DATE, source, digest, raw FROM incoming"
                    )
                    change = int(link.execute("SELECT coalesce(max(change), 0) FROM state").fetchone()[0]) + 1
                    link.execute("DELETE FROM state")
                    link.execute("INSERT INTO state VALUES (?)", [change])
                    link.execute(
                        "INSERT INTO imports VALUES (?, ?, ?, ?, ?)",
                        [source, report.snapshots[-1], report.estimated, len(rows), datetime.datetime.now()],
                    )
                self._draw(link, progress)
                link.commit()
            except BaseException:
                link.rollback()
                raise
            self._reindex(link)

    def _undrawn(self, link: Any, what: str) -> list[Any]:
        """Of studies from which nothing is drawn by today's rules."""
        rows: list[Any] = link.execute(
            f"SELECT {what} FROM studies s ANTI JOIN (SELECT digest FROM drawn WHERE rules = ?) d USING (digest)",
            [rules()],
        ).fetchall()
        return rows

    def _draw(self, link: Any, progress: Callable[[float], None] | None = None) -> None:
        """Draw the values where that is still to be done, and forget those of texts that are gone."""
        import pyarrow as pa

        rows = self._undrawn(link, "DISTINCT s.digest, s.raw")
        if not rows:
            return
        kept = []
        for index, (digest, raw) in enumerate(rows):
            kept.append((digest, rules(), extract(Record(json.loads(raw))).kept))
            if progress and index % 20 == 0:
                progress(index / len(rows))
        link.execute("DELETE FROM drawn WHERE digest NOT IN (SELECT digest FROM studies)")
        names = ("digest", "rules", "kept")
        link.register("kept", pa.table({name: [row[i] for row in kept] for i, name in enumerate(names)}))
        link.execute("INSERT OR REPLACE INTO drawn SELECT digest, rules, kept FROM kept")

    def _renew(self, progress: Callable[[float], None] | None) -> bool:
        """Draw anew where the store is of another osteon, with other rules; False where it cannot be written."""
        with self._open() as link:
            known = link.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'drawn'").fetchone()[0]
            if known and not self._undrawn(link, "count(*)")[0][0]:
                return True
        try:
            with self._open(write=True) as link:
                link.begin()
                self._draw(link, progress)
                link.commit()
        except OsteonError:
            return False
        return True

    def _change(self, link: Any) -> int:
        return int(link.execute("SELECT coalesce(max(change), 0) FROM state").fetchone()[0])

    def _reindex(self, link: Any) -> None:
        """Make the full-text index anew where it is behind the records; one transaction."""
        change = self._change(link)
        with contextlib.closing(sqlite3.connect(self.index)) as db:
            try:
                db.executescript(_INDEX)
                row = db.execute("SELECT max(change) FROM state").fetchone()
            except sqlite3.DatabaseError:
                row = None
            if row is not None and row[0] == change:
                return
        if row is None:
            self.index.unlink(missing_ok=True)
        with contextlib.closing(sqlite3.connect(self.index)) as db:
            db.executescript(_INDEX)
            with db:
                db.execute("DELETE FROM texts")
                db.execute("DELETE FROM state")
                cursor = link.execute(
                    "SELECT nct, snapshot, raw FROM studies QUALIFY row_number() OVER"
                    " (PARTITION BY nct ORDER BY snapshot DESC) = 1"
                )
                while batch := cursor.fetchmany(500):
                    db.executemany("INSERT INTO texts VALUES (?, ?, ?, ?, ?, ?, ?, ?)", map(_texts, batch))
                db.execute("INSERT INTO state VALUES (?)", (change,))

    def _versions(
        self, link: Any, where: str = "", values: Iterable[Any] = (), as_of: str | None = None
    ) -> list[Any]:
        """One version of each study: the latest not after `as_of`, else the earliest; without it the latest."""
        order = "snapshot DESC"
        values = list(values)
        if as_of:
            order = "snapshot <= ?::DATE DESC,"
            order += " CASE WHEN snapshot <= ?::DATE THEN -epoch(snapshot) ELSE epoch(snapshot) END"
            values += [as_of, as_of]
        rows: list[Any] = link.execute(
            f"SELECT nct, snapshot, raw, digest FROM studies {where}"
            f" QUALIFY row_number() OVER (PARTITION BY nct ORDER BY {order}) = 1"
            " ORDER BY nct",
            values,
        ).fetchall()
        return rows

    def records(
        self, as_of: str | None = None, progress: Callable[[float], None] | None = None, *, drawn: bool = True
    ) -> list[Record]:
        """All studies, one version of each (see `_versions`), by id; unless `drawn` is False each with what was drawn
        from it, which a store of another osteon may take seconds to make."""
        drawn = drawn and self._renew(progress)
        with self._open() as link:
            kept = dict(link.execute("SELECT digest, kept FROM drawn").fetchall()) if drawn else {}
            return [
                Record(json.loads(raw), snapshot.isoformat(), kept.get(digest))
                for _, snapshot, raw, digest in self._versions(link, as_of=as_of)
            ]

    def get(self, nct: str, as_of: str | None = None) -> Record:
        """One study; raises InputError naming the nearest id."""
        wanted = nct_id(nct)
        if wanted is None:
            raise InputError(f"{nct!r} is not a registry id; one looks like NCT02566655")
        with self._open() as link:
            rows = self._versions(link, "WHERE nct = ?", [wanted], as_of)
            if not rows:
                ids = [row[0] for row in link.execute("SELECT DISTINCT nct FROM studies").fetchall()]
                raise InputError(
                    f"{wanted} is not among your {len(ids)} studies{nearest(wanted, ids, 0.85)}; bring it in with:"
                    f" osteon registry refresh --query 'AREA[NCTId]{wanted}'"
                )
            return Record(json.loads(rows[0][2]), rows[0][1].isoformat())

    def search(self, words: str, limit: int = 20) -> tuple[list[dict[str, Any]], float]:
        """Studies whose text fits the words, best first, and the milliseconds it took; titles weigh most."""
        begin = time.perf_counter()
        terms = [one.strip('"-') for one in re.findall(r"\"[^\"]+\"|[\w-]+", words)]
        terms = [one for one in terms if re.search(r"\w", one)]
        if not terms:
            raise InputError('search for at least one word, such as: osteoporosis "stem cells"')
        if not self.index.exists():
            with self._open(write=self.file.exists()) as link:
                self._reindex(link)
        quoted = " ".join(f'"{term}"' for term in terms)
        statement = (
            "SELECT nct, title, status, snapshot, bm25(texts, 0, 0, 0, 10, 6, 6, 3, 1) AS score,"
            " snippet(texts, -1, '', '', ' … ', 12) FROM texts WHERE texts MATCH ? ORDER BY score LIMIT ?"
        )
        try:
            with contextlib.closing(sqlite3.connect(f"file:{self.index}?mode=ro", uri=True)) as db:
                rows = db.execute(statement, (quoted, limit)).fetchall()
        except sqlite3.DatabaseError:
            raise OsteonError(f"{self.index}: the index is damaged; remove it, it is made again") from None
        found = [
            {
                "nct": nct,
                "title": title,
                "status": status,
                "snapshot": snapshot,
                "score": round(-score, 3),
                "snippet": text,
            }
            for nct, title, status, snapshot, score, text in rows
        ]
        return found, 1000.0 * (time.perf_counter() - begin)

    def newest(self) -> str | None:
        """The latest snapshot day in the store."""
        with self._open() as link:
            value = link.execute("SELECT max(snapshot) FROM studies").fetchone()[0]
            return value.isoformat() if value else None


def _held(record: Record) -> str | None:
    """The day that the registry itself writes into a record it serves."""
    held = day(record.get("derivedSection.miscInfoModule.versionHolder"))
    return held.isoformat() if held and held <= datetime.date.today() else None


def _texts(row: tuple[str, datetime.date, str]) -> tuple[str, ...]:
    nct, snapshot, raw = row
    record = Record(json.loads(raw))
    tier = {name: "\n".join(p.text for p in passages) for name, passages in record.passages.items()}
    rest = "\n".join((tier["arm"], tier["description"], tier["outcome"], tier["eligibility"],
                      "\n".join(f"{site.get('facility')} {site.get('city')} {site.get('country')}"
                                for site in record.items("contactsLocationsModule.locations"))))  # fmt: skip
    texts = (
        tier["title"],
        tier["keyword"] + "\n" + "\n".join(record.meshes),
        tier["intervention"],
        tier["summary"],
        rest,
    )
    clean = [text.encode("utf-8", "replace").decode().replace("\x00", " ") for text in texts]
    clean[0] = clean[0].splitlines()[0] if clean[0].strip() else record.title
    return nct, snapshot.isoformat(), record.status, *clean


def stale(snapshot: str | None, today: datetime.date | None = None) -> str:
    """A warning where statuses are old, or ""."""
    taken = day(snapshot)
    age = ((today or datetime.date.today()) - taken).days if taken else 0
    if age <= STALE:
        return ""
    return f"the records are of {snapshot}, {age} days ago; sites may have opened or closed: osteon registry refresh"
