"""Tables as CDISC Dataset-JSON 1.1: one file per table, columns described once, rows as arrays.

The keys are those of the standard; `problems` checks a document against them. What is missing is null.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

VERSION = "1.1.0"
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


def or_none(values: np.ndarray, keep: np.ndarray) -> np.ndarray:
    """Values as objects, None where they are not to be kept."""
    found = values.astype(object)
    found[~np.asarray(keep, bool)] = None
    return found


def document(
    table: pd.DataFrame, columns: Sequence[Column], *, name: str, label: str, study: str, created: str, version: str
) -> dict[str, Any]:
    """A table with these columns as a Dataset-JSON document; `created` is a moment such as 2026-01-31T12:00:00."""
    cells = []
    for column in columns:
        values = table[column.name].to_numpy()
        if column.type in ("double", "float", "decimal"):
            x = np.round(values.astype(float), 6)
            cells.append(or_none(x, np.isfinite(x)).tolist())
        elif column.type == "integer":
            x = values.astype(float)
            known = np.isfinite(x)
            cells.append(or_none(np.where(known, x, 0).astype(np.int64), known).tolist())
        else:
            cells.append([None if v is None or v == "" else str(v) for v in values])
    return {
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
        "rows": [list(row) for row in zip(*cells, strict=True)],
    }


def text(content: dict[str, Any]) -> str:
    """The document as JSON text."""
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
