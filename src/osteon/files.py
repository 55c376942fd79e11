"""Files: YAML that knows its line numbers, and writing that is whole or not at all."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from osteon.errors import InputError, shorten

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):  # type: ignore[misc]
    """YAML 1.2 scalars: an arm may be called `off` or `no`, and 2e6 is a number."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "a key must be a plain word", key_node.start_mark)
            key = key_node.value
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} stands twice", key_node.start_mark
                )
            seen.add(key)
        found: dict[Any, Any] = super().construct_mapping(node, deep)
        return found


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]+", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
     "-+.0123456789"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
):  # fmt: skip
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first))


def _construct_float(loader: Any, node: Any) -> float:
    return float(node.value.replace(".inf", "inf").replace(".nan", "nan"))


_Loader.add_constructor("tag:yaml.org,2002:float", _construct_float)


class Document:
    """A YAML document: `data`, and the line on which each of its parts stands."""

    def __init__(self, data: Any, node: Any = None) -> None:
        self.data, self._node = data, node

    @property
    def has_lines(self) -> bool:
        return self._node is not None

    def line(self, path: Sequence[str | int]) -> int:
        """Line (from 1) of the deepest part of `path` that is in the file."""
        node, line = self._node, self._node.start_mark.line + 1
        for step in path:
            found = None
            if isinstance(node, yaml.MappingNode):
                for key, value in node.value:
                    if key.value == str(step):
                        line, found = key.start_mark.line + 1, value
            elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
                found = node.value[step]
                line = found.start_mark.line + 1
            if found is None:
                break
            node = found
        return int(line)


def read_text(path: str | Path, error: type[InputError] = InputError) -> str:
    """The text of a file; raises `error` with one clear line."""
    try:
        return Path(path).read_text("utf-8")
    except FileNotFoundError:
        raise error(f"{path}: there is no such file") from None
    except IsADirectoryError:
        raise error(f"{path}: this is a folder; name a file in it") from None
    except UnicodeDecodeError:
        raise error(f"{path}: this is not a text file (UTF-8)") from None
    except OSError as problem:
        raise error(f"{path}: cannot be read: {problem.strerror}") from None


def _remedy(problem: str) -> str:
    """How to go on after what the YAML library says, where that is known."""
    if "mapping values are not allowed" in problem or "',' or '}'" in problem:
        return """; put a text that holds ': ', ',', '#', quotes or brackets in quotes, such as name: "a: b\""""
    if "cannot start any token" in problem:
        return "; put a text that begins with @, %, ` or a tab in quotes"
    if "unexpected end of stream" in problem:
        return "; a quote or bracket is not closed"
    return ""


def parse_yaml(text: str, where: str, error: type[InputError] = InputError) -> Document:
    """A YAML text whose top is a mapping; raises `error` naming `where` and the line."""
    try:
        loader = _Loader(text)
        for event in yaml.parse(text, Loader=_Base):
            if isinstance(event, yaml.AliasEvent):
                raise yaml.composer.ComposerError(None, None, "aliases (*name) are not read", event.start_mark)  # type: ignore[arg-type]
        node = loader.get_single_node()
        data = loader.construct_document(node) if node is not None else None
    except yaml.MarkedYAMLError as problem:
        line = f", line {problem.problem_mark.line + 1}" if problem.problem_mark else ""
        what = str(problem.problem or problem.context)
        raise error(f"{where}{line}: not valid YAML: {what}{_remedy(what)}") from None
    except Exception as problem:  # a hostile tag can raise anything
        raise error(f"{where}: not valid YAML: {shorten(str(problem))}") from None
    if not isinstance(data, dict):
        raise error(f"{where}: not a YAML mapping; it should begin with keys such as 'id: …'")
    return Document(data, node)


def read_yaml(path: str | Path, error: type[InputError] = InputError) -> Document:
    """The YAML document in a file."""
    return parse_yaml(read_text(path, error), str(path), error)


def check_writable(folder: str | Path) -> Path:
    """Make the folder if need be, and be sure that files can be written in it; raises InputError."""
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as problem:
        raise InputError(
            f"cannot write in {str(folder)!r}: {problem.strerror or problem}; choose another place"
        ) from None
    return folder


@contextlib.contextmanager
def output_folder(folder: str | Path) -> Iterator[Path]:
    """A folder that can be written in; one that was made for this and is still empty goes when the work fails."""
    made = not Path(folder).exists()
    path = check_writable(folder)
    try:
        yield path
    except BaseException:
        if made:
            with contextlib.suppress(OSError):
                path.rmdir()
        raise


def write_whole(path: str | Path, write: Callable[[Path], None] | str | bytes) -> Path:
    """Write a file by way of a temporary one beside it, so that it is there whole or not at all.

    `write` is the content, or a function that writes it to the path it is given (same suffix).
    """
    path = Path(path)
    check_writable(path.parent)
    if path.is_dir():
        raise InputError(f"cannot write {str(path)!r}: this is a folder")
    handle, name = tempfile.mkstemp(prefix=".osteon-", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        if isinstance(write, str):
            temporary.write_text(write, "utf-8", newline="\n")
        elif isinstance(write, bytes):
            temporary.write_bytes(write)
        else:
            write(temporary)
        temporary.chmod(0o666 & ~_umask())
        os.replace(temporary, path)
    except OSError as problem:
        raise InputError(f"cannot write {str(path)!r}: {problem.strerror or problem}") from None
    finally:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()
    return path


def put(made: Path, path: Path) -> Path:
    """Move a whole file, made on the same disk, to its place."""
    check_writable(path.parent)
    if path.is_dir():
        raise InputError(f"cannot write {str(path)!r}: this is a folder")
    os.replace(made, path)
    return path


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
