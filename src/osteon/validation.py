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
    message = first["msg"].removeprefix("Value error, ")
    if not path and (key := message.split(":")[0]) in kind.model_fields:  # of the whole, and about one key of it
        path, message = [key], message.removeprefix(f"{key}: ")
    field = "".join(f"[{s}]" if isinstance(s, int) else f".{s}" for s in path).lstrip(".")
    if first["type"] == "extra_forbidden":
        message = _unknown_key(str(path[-1]), first["input"], _keys_at(kind, path[:-1]))
    elif first["type"] == "missing":
        message = "this key is missing"
    elif first["type"] == "string_type" and isinstance(first["input"], bool | int | float):
        message = f"must be text, not the {'word' if isinstance(first['input'], bool) else 'number'} "
        message += f"{str(first['input']).casefold()}; put it in quotes"
    elif first["type"] in ("string_type", "model_type", "dict_type", "list_type"):
        message = _wrong_kind(kind, path, first["type"], first["input"])
    elif "input" in first and not isinstance(first["input"], dict | list) and "Value error" not in first["msg"]:
        message = f"{message}, not {shorten(repr(first['input']))}"
    line = f", line {document.line(path)}" if document.has_lines else ""
    more = f" ({len(errors) - 1} more after this one)" if len(errors) > 1 else ""
    return f"{where}{line}: {field + ': ' if field else ''}{message}{more}"


def _unknown_key(key: str, value: Any, known: list[str]) -> str:
    options = f"(known: {', '.join(known)})"
    word, colon, _ = key.partition(":")
    if value is None and colon and word.strip() in known:
        return f"unknown key {key!r}: put a space after the colon of {word.strip()!r}"
    if value is None and not nearest(key, known, 0.7):
        # A key without a value is most often the rest of a text that a comma has cut in two.
        return (
            f"unknown key {shorten(key)!r} {options}; inside {{…}} a comma ends a text: put a text that holds one in "
            'quotes, such as name: "a, b"'
        )
    return f"unknown key {key!r}{nearest(key, known, 0.4)} {options}"


def _wrong_kind(kind: Any, path: list[Any], wanted: str, value: Any) -> str:
    what = {"string_type": "text", "dict_type": "a mapping {name: value, …}", "list_type": "a list [a, b, …]"}
    needed = what.get(wanted) or "a mapping {" + ", ".join(f"{key}: …" for key in _keys_at(kind, path)) + "}"
    if value is None:
        return f"this is empty; it must be {needed}"
    given = "a mapping" if isinstance(value, dict) else "a list" if isinstance(value, list) else shorten(repr(value))
    quotes = "; put a text that holds brackets in quotes" if wanted == "string_type" else ""
    return f"must be {needed}, not {given}{quotes}"


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
