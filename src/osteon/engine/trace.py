"""Traces a model's `rates` into an expression graph, so that one definition serves every engine.

`rates` is plain arithmetic; called with `Node`s in place of numbers it leaves behind a graph of what it computes.
Equal expressions become one node, constants fold, and `x + 0`, `x · 1` and `x · 0` vanish, so that generated code
holds each operation once. Divisions become products with reciprocals, which the code generator gathers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

COMMUTE = ("add", "mul")


@dataclass(frozen=True, eq=False)
class Node:
    """One value of the graph. `op` is "const", "leaf", or an operation on `args`; `tag` names a leaf or holds
    the constant."""

    graph: Graph
    op: str
    args: tuple[Node, ...]
    tag: Any
    index: int

    def __add__(self, other: Any) -> Node:
        return self.graph.add(self, other)

    def __radd__(self, other: Any) -> Node:
        return self.graph.add(other, self)

    def __sub__(self, other: Any) -> Node:
        return self.graph.sub(self, other)

    def __rsub__(self, other: Any) -> Node:
        return self.graph.sub(other, self)

    def __mul__(self, other: Any) -> Node:
        return self.graph.mul(self, other)

    def __rmul__(self, other: Any) -> Node:
        return self.graph.mul(other, self)

    def __truediv__(self, other: Any) -> Node:
        return self.graph.mul(self, self.graph.recip(other))

    def __rtruediv__(self, other: Any) -> Node:
        return self.graph.mul(other, self.graph.recip(self))

    def __neg__(self) -> Node:
        return self.graph.neg(self)

    def __abs__(self) -> Node:
        return self.graph.unary("abs", self)

    def __pow__(self, power: Any) -> Node:
        if isinstance(power, int) and 0 < power <= 8:
            result = self
            for _ in range(power - 1):
                result = result * self
            return result
        raise TypeError("rates are plain arithmetic: powers are whole numbers from 1 to 8")

    def __bool__(self) -> bool:
        raise TypeError("rates cannot branch on a value; write max(x, 0) as (x + abs(x)) / 2")


class Graph:
    """A growing set of nodes, each expression once."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self._known: dict[Any, Node] = {}

    def _node(self, op: str, args: tuple[Node, ...], tag: Any = None) -> Node:
        key = (op, tuple(a.index for a in args), tag)
        if op in COMMUTE:
            key = (op, tuple(sorted(a.index for a in args)), tag)
        if key not in self._known:
            node = Node(self, op, args, tag, len(self.nodes))
            self.nodes.append(node)
            self._known[key] = node
        return self._known[key]

    def leaf(self, *tag: Any) -> Node:
        """An input, told apart by its tag."""
        return self._node("leaf", (), tag)

    def const(self, value: Any) -> Node:
        """A number; a node stays what it is."""
        if isinstance(value, Node):
            return value
        return self._node("const", (), float(value))

    def _fold(self, *args: Any) -> tuple[list[Node], list[float | None]]:
        nodes = [self.const(a) for a in args]
        return nodes, [n.tag if n.op == "const" else None for n in nodes]

    def add(self, a: Any, b: Any) -> Node:
        (x, y), (u, v) = self._fold(a, b)
        if u is not None and v is not None:
            return self.const(u + v)
        if u == 0:
            return y
        if v == 0:
            return x
        if y.op == "neg":
            return self.sub(x, y.args[0])
        if x.op == "neg":
            return self.sub(y, x.args[0])
        return self._node("add", (x, y))

    def sub(self, a: Any, b: Any) -> Node:
        (x, y), (u, v) = self._fold(a, b)
        if u is not None and v is not None:
            return self.const(u - v)
        if v == 0:
            return x
        if u == 0:
            return self.neg(y)
        if x is y:
            return self.const(0.0)
        if y.op == "neg":
            return self.add(x, y.args[0])
        return self._node("sub", (x, y))

    def mul(self, a: Any, b: Any) -> Node:
        (x, y), (u, v) = self._fold(a, b)
        if u is not None and v is not None:
            return self.const(u * v)
        if u == 0 or v == 0:
            return self.const(0.0)
        if u == 1:
            return y
        if v == 1:
            return x
        return self._node("mul", (x, y))

    def recip(self, a: Any) -> Node:
        (x,), (u,) = self._fold(a)
        if u is not None:
            return self.const(1.0 / u)
        if x.op == "recip":
            return x.args[0]
        return self._node("recip", (x,))

    def neg(self, a: Any) -> Node:
        (x,), (u,) = self._fold(a)
        if u is not None:
            return self.const(-u)
        return x.args[0] if x.op == "neg" else self._node("neg", (x,))

    def unary(self, op: str, a: Any) -> Node:
        (x,), (u,) = self._fold(a)
        if u is not None:
            return self.const(abs(u))
        return self._node(op, (x,))


def order(outputs: Iterable[Node]) -> list[Node]:
    """Every node that the outputs need, each after those it needs itself."""
    needed: set[int] = set()
    todo = list(outputs)
    graph = todo[0].graph if todo else None
    while todo:
        node = todo.pop()
        if node.index not in needed:
            needed.add(node.index)
            todo.extend(node.args)
    return [n for n in graph.nodes if n.index in needed] if graph else []


def leaves(node: Node, memo: dict[int, frozenset[str]]) -> frozenset[str]:
    """The kinds of leaf that a node rests on: the first part of the tag, for exposures with their stage ("u0")."""
    stack = [node]
    while stack:
        top = stack[-1]
        if top.index in memo:
            stack.pop()
            continue
        waiting = [a for a in top.args if a.index not in memo]
        if waiting:
            stack.extend(waiting)
            continue
        kind = "".join(str(part) for part in top.tag[::2]) if top.op == "leaf" and top.tag[0] == "u" else None
        own = frozenset([kind or str(top.tag[0])]) if top.op == "leaf" else frozenset()
        memo[top.index] = own.union(*(memo[a.index] for a in top.args)) if top.args else own
        stack.pop()
    return memo[node.index]


def evaluate(nodes: Iterable[Node], values: dict[Any, Any]) -> list[Any]:
    """The nodes' values, leaves looked up by tag; for tests and for printing."""
    outputs = list(nodes)
    found: dict[int, Any] = {}
    for node in order(outputs):
        found[node.index] = _value(node, found, values)
    return [found[n.index] for n in outputs]


def _value(node: Node, found: dict[int, Any], values: dict[Any, Any]) -> Any:
    if node.op == "const":
        return node.tag
    if node.op == "leaf":
        return values[node.tag]
    args = [found[a.index] for a in node.args]
    if node.op == "recip":
        return 1.0 / args[0]
    if node.op == "neg":
        return -args[0]
    if node.op == "abs":
        return abs(args[0])
    return {"add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b}[node.op](*args)


def walk(outputs: Iterable[Node]) -> Iterator[Node]:
    """The nodes in order, leaves and constants left out."""
    return (n for n in order(outputs) if n.op not in ("leaf", "const"))


def is_zero(node: Node) -> bool:
    """Whether the node is the constant 0."""
    return node.op == "const" and node.tag == 0.0
