"""Checked input: the base of all that is read from files, and its errors as one clear line."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from osteon.errors import InputError, RegimenError, nearest, shorten
from osteon.files import Document
from osteon.regimen import parse_regimen


class Strict(BaseModel):
    """No unknown key, no silent conversion, no change afterwards."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def _parses(text: str) -> str:
    try:
        parse_regimen(text)
    except RegimenError as error:
        raise ValueError(str(error)) from None
    return text


RegimenText = Annotated[str, AfterValidator(_parses)]
"""A text that parses as a regimen; kept as it was written."""

T = TypeVar("T", bound=Strict)


def validate(kind: type[T], document: Document, where: str, error: type[InputError]) -> T:
    """`kind` from a document; pydantic's complaints become one line with line number and nearest key."""
    try:
        return kind.model_validate(document.data)
    except ValidationError as problem:
        raise error(_one_line(kind, problem, document, where)) from None


def _one_line(kind: type[Strict], problem: ValidationError, document: Document, where: str) -> str:
    # A misspelt key is also a missing one; the misspelling is what helps.
    errors = sorted(problem.errors(), key=lambda e: ("extra_forbidden", "missing").index(e["type"])
                    if e["type"] in ("extra_forbidden", "missing") else 2)  # fmt: skip
    first = errors[0]
    path = [step for step in first["loc"] if not (isinstance(step, str) and step.startswith("function-"))]
    field = "".join(f"[{s}]" if isinstance(s, int) else f".{s}" for s in path).lstrip(".")
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        options = _keys_at(kind, path[:-1])
        message = f"unknown key {path[-1]!r}{nearest(str(path[-1]), options, 0.4)} (known: {', '.join(options)})"
    elif first["type"] == "missing":
        message = "this key is missing"
    elif "input" in first and not isinstance(first["input"], dict | list) and "Value error" not in first["msg"]:
        message = f"{message}, not {shorten(repr(first['input']))}"
    line = f", line {document.line(path)}" if document.has_lines else ""
    more = f" ({len(errors) - 1} more after this one)" if len(errors) > 1 else ""
    return f"{where}{line}: {field + ': ' if field else ''}{message}{more}"


def _keys_at(kind: Any, path: list[Any]) -> list[str]:
    """The keys that the model at `path` knows."""
    for step in path:
        if isinstance(step, int) or not hasattr(kind, "model_fields") or step not in kind.model_fields:
            continue
        kind = _model_in(kind.model_fields[step].annotation) or kind
    return list(kind.model_fields)


def _model_in(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, Strict):
        return annotation
    for part in getattr(annotation, "__args__", ()):
        if found := _model_in(part):
            return found
    return None
