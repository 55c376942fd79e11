"""Registry files as people have them: one study, an API page, a bare array, JSON lines, zip of NCT*.json, gz."""

from __future__ import annotations

import gzip
import io
import itertools
import json
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from osteon.errors import InputError, shorten

LIMIT = 200_000_000  # characters of one JSON text; a study has about 17,000


@dataclass(frozen=True)
class Item:
    """One study as found in a file, or what is wrong with it; `where` says which."""

    where: str
    study: dict[str, Any] | None = None
    problem: str = ""


def read(path: str | Path) -> Iterator[Item]:
    """The studies of a file, in its order; a file that is broken as a whole raises InputError naming it."""
    path = Path(path)
    try:
        with path.open("rb") as stream:
            yield from _bytes(stream, str(path))
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file") from None
    except IsADirectoryError:
        raise InputError(f"{path}: this is a folder; name files in it, such as {path}/*.json") from None
    except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile) as error:
        raise InputError(
            f"{path}: the archive is damaged or cut short ({shorten(str(error))}); fetch it again"
        ) from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: this is not a text file (UTF-8), nor gz or zip") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None


def _bytes(stream: IO[bytes], where: str) -> Iterator[Item]:
    head = stream.read(4)
    stream.seek(0)
    if head[:2] == b"\x1f\x8b":
        with gzip.open(stream) as unpacked:
            inner = unpacked.read(4)
            unpacked.seek(0)
            if inner[:2] in (b"\x1f\x8b", b"PK"):
                yield from _bytes(io.BytesIO(unpacked.read(LIMIT)), where)
            else:
                yield from _text(io.TextIOWrapper(unpacked, "utf-8-sig"), where)
    elif head[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(stream) as archive:
            names = sorted(n for n in archive.namelist() if n.casefold().endswith((".json", ".jsonl", ".json.gz")))
            if not names:
                raise InputError(f"{where}: no .json file in this zip")
            for name in names:
                if archive.getinfo(name).file_size > LIMIT:
                    yield Item(f"{where}, {name}", problem="too large for a study")
                    continue
                with archive.open(name) as member:
                    yield from _bytes(io.BytesIO(member.read()), f"{where}, {name}")
    else:
        yield from _text(io.TextIOWrapper(stream, "utf-8-sig"), where)


def _text(stream: IO[str], where: str) -> Iterator[Item]:
    head: list[str] = []  # the first two lines that are not blank, with the blank ones around them
    while sum(bool(line.strip()) for line in head) < 2 and (line := stream.readline(LIMIT)):
        head.append(line)
    full = [line for line in head if line.strip()]
    if not full:
        raise InputError(f"{where}: the file is empty")
    start = full[0].lstrip()[0]
    if start not in "{[":
        hint = "; this is XML or a web page, fetch JSON" if start == "<" else ""
        raise InputError(f"{where}: not JSON, it begins with {shorten(full[0], 30)!r}{hint}")
    whole, _ = _parse(full[0]) if start == "{" else (None, "")
    if whole is not None and len(full) == 1:
        yield from _study_or_page(whole, where)
        return
    lines = start == "{" and len(full) > 1 and _parse(full[1])[0] is not None  # perhaps only the first is damaged
    if whole is not None or lines:
        yield from _lines(head, stream, where)
        return
    value, problem = _parse("".join(head) + stream.read(LIMIT))
    if value is None:
        raise InputError(f"{where}: not valid JSON: {problem}")
    yield from _study_or_page(value, where)


def _study_or_page(value: Any, where: str) -> Iterator[Item]:
    if isinstance(value, dict):
        if not isinstance(value.get("studies"), list):
            yield _item(value, where)
            return
        value = value["studies"]
    for index, one in enumerate(value):
        yield _item(one, f"{where}, study {index + 1}")


def _lines(head: list[str], stream: IO[str], where: str) -> Iterator[Item]:
    rest = iter(lambda: stream.readline(LIMIT), "")
    for number, line in enumerate(itertools.chain(head, rest), 1):
        if line.strip():
            yield _line(line, f"{where}, line {number}")


def _line(line: str, where: str) -> Item:
    value, problem = _parse(line)
    return Item(where, problem=f"not valid JSON: {problem}") if value is None else _item(value, where)


def _item(value: Any, where: str) -> Item:
    if not isinstance(value, dict):
        return Item(where, problem=f"a study is an object, not {type(value).__name__}")
    return Item(where, study=value)


def _parse(text: str) -> tuple[Any, str]:
    """The value, or None and what is wrong."""
    try:
        value = json.loads(text, parse_constant=lambda _: None)
    except json.JSONDecodeError as error:
        return None, f"{error.msg} at line {error.lineno}, column {error.colno}"
    except RecursionError:
        return None, "nested too deeply"
    except ValueError as error:
        return None, shorten(str(error))
    return (value, "") if value is not None else (None, "null")
