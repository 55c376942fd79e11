"""Writes the source of a model's kernel: straight-line arithmetic over a block of people at a time.

All that a block of people needs lies in one flat array of rows of `lanes` numbers (see `Layout`), addressed with
constant offsets, which lets the compiler put people in the lanes of vector registers. Expressions that rest on
parameters alone are computed once per block, those on a step's length alone once for each run of equal steps, those
on its start alone at the end of the step before. Reciprocals that do not wait for each other share one division
(1/a and 1/b from 1/(a·b)), since a vector division costs as much as a dozen products.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib import resources

from osteon.engine import etdrk4, straight, trace
from osteon.engine.layout import Layout, Use
from osteon.engine.trace import Graph, Node
from osteon.engine.writer import Writer
from osteon.models import Model


@dataclass
class Source:
    """The text of a kernel and its layout; `operations` counts what a step of each kind takes per person."""

    text: str
    layout: Layout
    dormant: frozenset[int]
    operations: dict[str, dict[str, int]] = field(default_factory=dict)


def generate(model: Model, use: Use, dtype: str) -> Source:
    """The kernel's source. Steps are of three kinds: "rest" before anything has happened, "free" while no drug is
    heard, and "drug". A short one has no code of its own for "free"; its grids must have "drug" there."""
    graph = Graph()
    names = model.parameters()._fields
    vary = tuple(n for n in names if n in set(use.varying))
    p = model.parameters()._make([graph.leaf("p" if n in vary else "s", n) for n in names])
    asleep = etdrk4.dormant(model, use.channels, use.zero)
    at_rest = etdrk4.dormant(model, (), use.zero)
    steps = {"rest": etdrk4.step(model, p, graph, channels=(), dormant=at_rest)}
    if at_rest != asleep and not use.short:
        steps["free"] = etdrk4.step(model, p, graph, channels=(), dormant=asleep)
    if use.channels:
        steps["drug"] = etdrk4.step(model, p, graph, channels=use.channels, dormant=asleep)
    x = [graph.const(0.0) if i in asleep else graph.leaf("x", i) for i in range(len(model.states))]
    seen = dict(zip(model.states, x, strict=True)) if use.raw else model.observe(x, p)
    seen = {name: graph.const(value) for name, value in seen.items()}
    wanted = {name: [*one.states.values(), one.last, one.sixth, one.error] for name, one in steps.items()}
    memo: Kinds = {}
    on_people, on_shared = _hoist([n for nodes in wanted.values() for n in nodes] + list(seen.values()), memo)
    fixed = {n.index for n in on_people + on_shared}
    lengths = {name: _alone(nodes, {"p", "s", "h"}, memo, fixed) for name, nodes in wanted.items()}
    nows = {name: _alone(nodes, {"p", "s", "t", "u0"}, memo, fixed) for name, nodes in wanted.items()}
    row_of = {
        kind: {index: i for i, index in enumerate(sorted({n.index for nodes in found.values() for n in nodes}))}
        for kind, found in (("len", lengths), ("now", nows))
    }
    shared = tuple(n for n in names if n not in vary)
    layout = Layout(
        len(model.states), use.channels, vary, shared, len(on_people), len(on_shared), tuple(seen),
        len(row_of["now"]), len(row_of["len"]), use.few,
    )  # fmt: skip
    writer = Writer(layout, dtype)
    parts = [
        writer.function(
            "shared", [(n, f"s[{layout.place('inv') + i}]") for i, n in enumerate(on_shared)], lanes=False
        ),
    ]
    writer.known |= {n.index: f"s[{layout.place('inv') + i}]" for i, n in enumerate(on_shared)}
    row = layout.row("inv")
    parts.append(writer.function("prepare", [(n, writer.cell(row + i)) for i, n in enumerate(on_people)]))
    writer.known |= {n.index: writer.cell(row + i) for i, n in enumerate(on_people)}
    source, always = Source("", layout, asleep), dict(writer.known)

    def cell(kind: str, node: Node) -> str:
        return writer.cell(layout.row(kind) + row_of[kind][node.index])

    for name, one in steps.items():
        for kind, function, nodes in (("len", "lengths", lengths[name]), ("now", "begin", nows[name])):
            parts.append(writer.function(f"{function}_{name}", [(n, cell(kind, n)) for n in nodes]))
            source.operations[f"{function}_{name}"] = dict(writer.counted)
        writer.known |= {n.index: cell("len", n) for n in lengths[name]} | {
            n.index: cell("now", n) for n in nows[name]
        }
        targets = [(n, writer.cell(layout.row("x") + i)) for i, n in one.states.items()]
        targets += [(one.last, writer.cell(layout.row("last"))), (one.sixth, writer.cell(layout.row("sixth")))]
        at_end = _Shift(graph)
        targets += [(at_end(n), cell("now", n)) for n in nows[name]]
        parts.append(writer.function(f"step_{name}", targets, error=one.error))
        source.operations[name] = dict(writer.counted)
        writer.known = dict(always)
    for name, same in (("free", "drug" if use.short and "drug" in steps else "rest"), ("drug", "free")):
        if name not in steps:
            parts += [f"{function}_{name} = {function}_{same}\n" for function in ("step", "lengths", "begin")]
            for prefix in ("", "lengths_", "begin_"):
                source.operations[prefix + name] = source.operations[prefix + same]
    row = layout.row("out")
    parts.append(writer.function("observe", [(n, writer.cell(row + i)) for i, n in enumerate(seen.values())]))
    source.text = _fill(writer).replace("#MODEL#\n", "\n".join(["", *parts]))
    return source


def _fill(writer: Writer) -> str:
    """The frame with its constants."""
    layout = writer.layout
    frame = resources.files("osteon.engine").joinpath("kernel_frame.py.txt").read_text("utf-8")
    rows = ("x", "last", "sixth", "error", "base", "scale", "now", "p", "u", "inv", "len", "out", "end")
    sizes = {
        "LANES": layout.lanes, "N_X": layout.states, "N_P": len(layout.varying), "N_U": len(layout.channels),
        "N_OUT": len(layout.outputs), **{f"ROW_{part.upper()}": layout.row(part) for part in rows},
    }  # fmt: skip
    header = "".join(f"{key} = {value}\n" for key, value in sizes.items())
    header = f"F = np.{writer.dtype}\nSTRAIGHT = {straight.VERSION}\n{header}"
    return frame.replace("#SIZES#\n", header)


Kinds = dict[int, frozenset[str]]


def _hoist(wanted: list[Node], memo: Kinds) -> tuple[list[Node], list[Node]]:
    """The largest expressions that rest on parameters alone: on people's own, and on shared ones."""
    alone = {n.index: n for n in _alone(wanted, {"p", "s"}, memo, set())}
    shared: dict[int, Node] = {}
    for node in trace.walk(alone.values()):  # inside people's own expressions, shared parts come out too
        for arg in (*node.args, node):
            if arg.op not in ("leaf", "const") and trace.leaves(arg, memo) <= {"s"}:
                shared[arg.index] = arg
    people = [n for i, n in sorted(alone.items()) if i not in shared]
    keep = {a.index for n in trace.walk(wanted) for a in n.args if n.index not in shared} | {n.index for n in wanted}
    return people, [n for i, n in sorted(shared.items()) if i in keep]


def _alone(wanted: Iterable[Node], kinds: set[str], memo: Kinds, known: set[int]) -> list[Node]:
    """The largest expressions that rest on leaves of these kinds alone, and that are not known already. A leaf by
    itself counts where it is an exposure at a step's start, which nobody else keeps from the step before."""
    found: dict[int, Node] = {}
    outputs = list(wanted)
    for node in trace.walk(outputs):
        if not trace.leaves(node, memo) <= kinds:
            for arg in node.args:
                if arg.index not in known and trace.leaves(arg, memo) <= kinds and _worked_out(arg):
                    found[arg.index] = arg
    return [n for _, n in sorted(found.items())]


def _worked_out(node: Node) -> bool:
    """No bare input, but for an exposure at the step's start: its own row is written only when a step begins afresh,
    so that it is carried over like every expression on the start."""
    return node.op not in ("leaf", "const") or (node.op == "leaf" and node.tag[0] == "u" and node.tag[2] == 0)


class _Shift:
    """What stands at a step's end where a node stands at its start: t becomes t + h, exposures those at the end."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.known: dict[int, Node] = {}

    def __call__(self, node: Node) -> Node:
        if node.index not in self.known:
            self.known[node.index] = self._of(node)
        return self.known[node.index]

    def _of(self, node: Node) -> Node:
        if node.op == "const":
            return node
        if node.op == "leaf":
            if node.tag == ("t",):
                return node + self.graph.leaf("h")
            return self.graph.leaf("u", node.tag[1], 2) if node.tag[0] == "u" else node
        args = [self(a) for a in node.args]
        again: Node = getattr(self.graph, node.op)(*args) if node.op != "abs" else self.graph.unary("abs", *args)
        return again
