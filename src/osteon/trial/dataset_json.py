"""Tables as CDISC Dataset-JSON 1.1: one file per table, columns described once, rows as arrays.

The keys are those of the standard; `problems` checks a document against them. What is missing is null.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import pyarrow as pa

VERSION = "1.1.0"
ROWS = 100_000  # of a piece of text
THREADS = 2  # that make pieces; the text of numbers is made without Python's lock
TYPES = ("string", "integer", "decimal", "float", "double", "boolean", "datetime", "date", "time", "URI")
_REQUIRED = ("datasetJSONCreationDateTime", "datasetJSONVersion", "itemGroupOID", "records", "name", "label",
             "columns")  # fmt: skip
_OPTIONAL = ("fileOID", "dbLastModifiedDateTime", "originator", "sourceSystem", "studyOID", "metaDataVersionOID",
             "metaDataRef", "rows")  # fmt: skip
_COLUMN = ("itemOID", "name", "label", "dataType")
_COLUMN_MORE = ("targetDataType", "length", "displayFormat", "keySequence")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True)
class Column:
    """A variable: its name (at most 8 characters), label (at most 40), type, and its place in the key if any."""

    name: str
    label: str
    type: str = "string"
    key: int = 0

    def described(self, table: str) -> dict[str, Any]:
        """The column as Dataset-JSON has it; dates are text that readers turn into whole days."""
        made: dict[str, Any] = {"itemOID": f"IT.{table}.{self.name}", "name": self.name, "label": self.label,
                                "dataType": self.type}  # fmt: skip
        if self.type == "date":
            made |= {"targetDataType": "integer", "displayFormat": "E8601DA."}
        return made | ({"keySequence": self.key} if self.key else {})


def document(
    table: pd.DataFrame, columns: Sequence[Column], *, name: str, label: str, study: str, created: str, version: str
) -> dict[str, Any]:
    """A table with these columns as a Dataset-JSON document; `created` is a moment such as 2026-01-31T12:00:00."""
    pieces = encoded(table, columns, name=name, label=label, study=study, created=created, version=version)
    found: dict[str, Any] = json.loads(b"".join(pieces))
    return found


def encoded(
    table: pd.DataFrame, columns: Sequence[Column], *, name: str, label: str, study: str, created: str, version: str
) -> Iterator[bytes]:
    """The document as JSON text (UTF-8), in pieces of many rows: quick, and never all of a large table at once."""
    head = {
        "datasetJSONCreationDateTime": created,
        "datasetJSONVersion": VERSION,
        "fileOID": f"{study}.{name}",
        "originator": "osteon (simulated data, no real people)",
        "sourceSystem": {"name": "osteon", "version": version},
        "studyOID": study,
        "metaDataVersionOID": f"MDV.{study}",
        "itemGroupOID": f"IG.{name}",
        "records": len(table),
        "name": name,
        "label": label,
        "columns": [column.described(name) for column in columns],
    }
    yield _json(head)[:-1].encode() + b',"rows":['
    cells = [_cells(table[column.name], column) for column in columns]

    def piece(first: int) -> bytes:
        return (b"," if first else b"") + _rows([x.slice(first, ROWS) for x in cells])

    with ThreadPoolExecutor(THREADS) as pool:
        yield from _in_order(pool, piece, range(0, len(table), ROWS))
    yield b"]}"


def _in_order(
    pool: ThreadPoolExecutor, make: Callable[[int], bytes], places: Iterable[int], ahead: int = THREADS
) -> Iterator[bytes]:
    """Pieces in their order, of which no more than `ahead` wait."""
    waiting: deque[Future[bytes]] = deque()
    for place in places:
        waiting.append(pool.submit(make, place))
        if len(waiting) > ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _cells(values: pd.Series, column: Column) -> pa.Array:
    """A column as numbers, or as JSON text, each of its different texts once; what is missing is null."""
    import pyarrow as pa

    if column.type in ("double", "float", "decimal"):
        x = np.round(values.to_numpy(float, na_value=np.nan), 6)
        return pa.array(x, mask=~np.isfinite(x))
    if column.type == "integer":
        x = values.to_numpy(float, na_value=np.nan)
        known = np.isfinite(x)
        return pa.array(np.where(known, x, 0).astype(np.int64), mask=~known)
    kinds = values.astype("category").cat
    codes = kinds.codes.to_numpy().astype(np.int32)
    texts = pa.array([_json(str(text)) if text != "" else None for text in kinds.categories], pa.string())
    return pa.DictionaryArray.from_arrays(pa.array(codes, mask=codes < 0), texts)


def _rows(cells: Sequence[pa.Array]) -> bytes:
    """Rows of JSON text, with commas between them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = [pc.fill_null(pc.cast(x, pa.string()), "null") for x in cells]
    inner = pc.binary_join_element_wise(*texts, ",")
    rows = pc.binary_join_element_wise("[", inner, "]", "")
    one = pa.ListArray.from_arrays(pa.array([0, len(rows)], pa.int32()), rows)
    joined: bytes = pc.binary_join(one, ",")[0].as_buffer().to_pybytes()
    return joined


def _json(content: Any) -> str:
    return json.dumps(content, allow_nan=False, ensure_ascii=False, separators=(",", ":"))


def problems(content: Any) -> list[str]:
    """What in a parsed document is not Dataset-JSON 1.1; empty when all is well."""
    if not isinstance(content, dict):
        return ["the document is not an object"]
    found = [f"{key} is missing" for key in _REQUIRED if key not in content]
    found += [f"{key} is not a key of Dataset-JSON" for key in content if key not in (*_REQUIRED, *_OPTIONAL)]
    if found:
        return found
    if not re.fullmatch(r"1\.1(\.\d+)?", str(content["datasetJSONVersion"])):
        found.append(f"datasetJSONVersion {content['datasetJSONVersion']!r} is not 1.1")
    found += [f"{key} is not a moment" for key in ("datasetJSONCreationDateTime", "dbLastModifiedDateTime")
              if key in content and not _MOMENT.fullmatch(str(content[key]))]  # fmt: skip
    system = content.get("sourceSystem", {"name": "", "version": ""})
    if not isinstance(system, dict) or set(system) != {"name", "version"}:
        found.append("sourceSystem is not {name, version}")
    columns, rows = content["columns"], content.get("rows", [])
    if not isinstance(columns, list) or not columns or not all(isinstance(column, dict) for column in columns):
        return [*found, "columns is not a list of columns"]
    found += [p for place, column in enumerate(columns) for p in _column_problems(place, column)]
    for key in ("itemOID", "name"):
        seen = [column.get(key) for column in columns]
        found += [f"{key} {one!r} stands twice" for one in dict.fromkeys(seen) if seen.count(one) > 1]
    if not isinstance(content["records"], int) or ("rows" in content and content["records"] != len(rows)):
        found.append(f"records is {content['records']}, but there are {len(rows)} rows")
    return found if found else _row_problems(columns, rows)


def _column_problems(place: int, column: dict[str, Any]) -> list[str]:
    found = [f"column {place + 1}: {key} is missing" for key in _COLUMN if not isinstance(column.get(key), str)]
    found += [f"column {place + 1}: unknown key {key}" for key in column if key not in (*_COLUMN, *_COLUMN_MORE)]
    if column.get("dataType") not in TYPES:
        found.append(f"column {place + 1}: unknown dataType {column.get('dataType')!r}")
    if column.get("targetDataType", "integer") not in ("integer", "decimal"):
        found.append(f"column {place + 1}: unknown targetDataType {column['targetDataType']!r}")
    return found


def _fits(value: Any, kind: str) -> bool:
    if value is None:
        return True
    if kind == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    if kind in ("float", "double"):
        return isinstance(value, int | float) and not isinstance(value, bool) and value == value
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "date":
        return isinstance(value, str) and _DAY.fullmatch(value) is not None
    return isinstance(value, str)


def _row_problems(columns: list[dict[str, Any]], rows: list[Any]) -> list[str]:
    """The first problem of the rows."""
    kinds = [column["dataType"] for column in columns]
    for number, row in enumerate(rows, 1):
        if not isinstance(row, list) or len(row) != len(columns):
            return [f"row {number} is not a list of {len(columns)} values"]
        for column, kind, value in zip(columns, kinds, row, strict=True):
            if not _fits(value, kind):
                return [f"row {number}: {column['name']} {value!r} is not a {kind}"]
    return []
