"""Straight-line arithmetic as machine code, past the compiler's front end.

A kernel's steps are thousands of lines `a = b * c`. Numba infers types line by line, at milliseconds each, which is
most of a minute for a large model; nothing is to be inferred there. An intrinsic hands the lines to LLVM as they are,
in the caller's function: the same machine code, bit for bit, in a tenth of the time.

A line is `name = term`, `name = -term`, `name = abs(term)` or `name = term op term`, with op one of + - * /. A term
is a name, a number, `t`, `h`, `s[12]` (an element of the shared array) or `w[64 + j]` (lane j of a row of the block).
`w[64 + j]` and `s[12]` may stand on the left too. It is Python, so that a test can run it as such.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

VERSION = 1  # in the text of every kernel: what is made of the lines has changed when it has
_PLACE = re.compile(r"([ws])\[(\d+)(?: \+ (j))?\]")
_TERM = r"(?:w\[\d+ \+ j\]|s\[\d+\]|[a-z]\w*|-?\d[\d.]*(?:e[-+]?\d+)?)"
_LINE = re.compile(
    rf"(?P<to>{_TERM}) = "
    rf"(?:(?P<sign>-)?(?P<one>{_TERM})|abs\((?P<abs>{_TERM})\)|(?P<left>{_TERM}) (?P<op>[-+*/]) (?P<right>{_TERM}))"
)


def straight(number: type[np.floating[Any]], lanes: int, arguments: str, before: str, inside: str) -> Any:
    """A function for compiled code that runs the lines `before` once, then those `inside` for every j < lanes.
    `arguments` is one of "s", "w, s", "w, s, t, h"."""
    kind = types.float64 if number is np.float64 else types.float32
    once, often = before.split("\n"), inside.split("\n")

    def typed(*arrays: Any) -> tuple[Any, Callable[..., Any]]:
        def write(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            body = _Body(context, builder, kind)
            for name, given, value in zip(arguments.split(", "), signature.args, values, strict=True):
                body.take(name, given, value)
            body.write(once, None)
            if inside:
                count = ir.Constant(body.index, lanes)
                with cgutils.for_range(builder, count, intp=body.index) as loop:
                    body.write(often, loop.index)
            return context.get_dummy_value()

        return types.void(*arrays), write

    def shared(typing: Any, s: Any) -> Any:
        return typed(s)

    def block(typing: Any, w: Any, s: Any) -> Any:
        return typed(w, s)

    def step(typing: Any, w: Any, s: Any, t: Any, h: Any) -> Any:
        return typed(w, s, t, h)

    return intrinsic({"s": shared, "w, s": block, "w, s, t, h": step}[arguments])


def term(operation: str, args: Sequence[str]) -> str:
    """The right side of a line: an operation of the graph (`trace`) on named terms."""
    if operation in ("add", "sub", "mul"):
        return f"{args[0]} {({'add': '+', 'sub': '-', 'mul': '*'})[operation]} {args[1]}"
    return {"neg": f"-{args[0]}", "abs": f"abs({args[0]})", "recip": f"1.0 / {args[0]}"}[operation]


class _Body:
    """Lines made into instructions at the builder's place."""

    def __init__(self, context: Any, builder: Any, kind: Any) -> None:
        self.context, self.builder, self.kind = context, builder, kind
        self.real, self.index = context.get_value_type(kind), context.get_value_type(types.intp)
        self.names: dict[str, Any] = {}
        self.arrays: dict[str, Any] = {}

    def take(self, name: str, given: Any, value: Any) -> None:
        """An argument: an array's data, or a number."""
        if isinstance(given, types.Array):
            self.arrays[name] = self.context.make_array(given)(self.context, self.builder, value).data
        else:
            self.names[name] = self.context.cast(self.builder, value, given, self.kind)

    def write(self, lines: list[str], lane: Any) -> None:
        """The lines, for one lane."""
        build = self.builder
        operations = {"+": build.fadd, "-": build.fsub, "*": build.fmul, "/": build.fdiv}
        for line in filter(None, lines):
            parts = _LINE.fullmatch(line)
            if parts is None:
                raise ValueError(f"not straight-line arithmetic: {line!r}")
            if parts["op"]:
                found = operations[parts["op"]](self._term(parts["left"], lane), self._term(parts["right"], lane))
            elif parts["abs"]:
                absolute = build.module.declare_intrinsic("llvm.fabs", [self.real])
                found = build.call(absolute, [self._term(parts["abs"], lane)])
            else:
                found = self._term(parts["one"], lane)
                found = build.fneg(found) if parts["sign"] else found
            if place := _PLACE.fullmatch(parts["to"]):
                build.store(found, self._address(place, lane))
            else:
                self.names[parts["to"]] = found

    def _term(self, text: str, lane: Any) -> Any:
        if text in self.names:
            return self.names[text]
        if place := _PLACE.fullmatch(text):
            return self.builder.load(self._address(place, lane))
        return ir.Constant(self.real, float(text))

    def _address(self, place: re.Match[str], lane: Any) -> Any:
        at = ir.Constant(self.index, int(place[2]))
        if place[3]:
            at = self.builder.add(lane, at, flags=("nsw", "nuw"))
        return self.builder.gep(self.arrays[place[1]], [at], inbounds=True)
