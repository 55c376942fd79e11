"""Writes the source of a model's kernel: straight-line arithmetic over 64 people at a time.

All that a block of people needs lies in one flat array of rows of `LANES` numbers (see `Layout`), addressed with
constant offsets, which lets the compiler put people in the lanes of vector registers. Expressions that rest on
parameters alone are computed once per block. Reciprocals that do not wait for each other share one division
(1/a and 1/b from 1/(a·b)), since a vector division costs as much as a dozen products.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib import resources

from osteon.engine import etdrk4, trace
from osteon.engine.trace import Graph, Node
from osteon.models import Model

LANES = 64
STAGES = 3  # exposures at the start, the middle and the end of a step
GROUP = {"float64": 4, "float32": 3}  # reciprocals per division; fewer where a product might overflow


@dataclass(frozen=True)
class Layout:
    """Where things stand, generated from the model: rows of a block's array, places in the shared array."""

    states: int
    channels: tuple[int, ...]  # those of the model's channels that are used
    varying: tuple[str, ...]  # parameters that differ between people
    shared: tuple[str, ...]  # parameters that are the same for all
    invariants: int
    shared_invariants: int
    outputs: tuple[str, ...]
    now: int  # values that rest on the start of a step alone, carried over from the end of the one before
    lengths: int  # values that rest on a step's length alone

    def row(self, name: str) -> int:
        """First row of a part of the block's array; "end" is the number of rows."""
        sizes = {
            "x": self.states, "last": 1, "sixth": 1, "error": 1, "base": 1, "scale": 1,
            "now": self.now, "p": len(self.varying), "u": len(self.channels) * STAGES, "inv": self.invariants,
            "len": self.lengths, "out": len(self.outputs), "end": 0,
        }  # fmt: skip
        at = 0
        for part, size in sizes.items():
            if part == name:
                return at
            at += size
        raise KeyError(name)

    def place(self, name: str) -> int:
        """First place of a part of the shared array: parameters "s", invariants "inv", error weights "w"."""
        return {"s": 0, "inv": len(self.shared), "w": len(self.shared) + self.shared_invariants}.get(
            name, len(self.shared) + self.shared_invariants + self.states
        )


@dataclass(frozen=True)
class Use:
    """What a kernel is made for; it leaves out what that does not need. The same use, the same bits."""

    varying: tuple[str, ...] = ()
    channels: tuple[int, ...] = ()
    """Drug channels that are ever heard."""
    zero: frozenset[int] = frozenset()
    """States that are 0 at everyone's start, and that no jump touches."""
    raw: bool = False
    """Whether outputs are the states themselves and not what the model observes."""


@dataclass
class Source:
    """The text of a kernel and its layout; `operations` counts what a step of each kind takes per person."""

    text: str
    layout: Layout
    dormant: frozenset[int]
    operations: dict[str, dict[str, int]] = field(default_factory=dict)


def generate(model: Model, use: Use, dtype: str) -> Source:
    """The kernel's source. Steps are of three kinds: "rest" before anything has happened, "free" while no drug is
    heard, and "drug"."""
    graph = Graph()
    names = model.parameters()._fields
    vary = tuple(n for n in names if n in set(use.varying))
    p = model.parameters()._make([graph.leaf("p" if n in vary else "s", n) for n in names])
    asleep = etdrk4.dormant(model, use.channels, use.zero)
    at_rest = etdrk4.dormant(model, (), use.zero)
    steps = {"rest": etdrk4.step(model, p, graph, channels=(), dormant=at_rest)}
    if at_rest != asleep:
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
        len(row_of["now"]), len(row_of["len"]),
    )  # fmt: skip
    writer = _Writer(layout, dtype)
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
    for name, same in (("free", "rest"), ("drug", "free")):
        if name not in steps:
            parts += [f"{function}_{name} = {function}_{same}\n" for function in ("step", "lengths", "begin")]
            for prefix in ("", "lengths_", "begin_"):
                source.operations[prefix + name] = source.operations[prefix + same]
    row = layout.row("out")
    parts.append(writer.function("observe", [(n, writer.cell(row + i)) for i, n in enumerate(seen.values())]))
    source.text = _fill(writer).replace("#MODEL#\n", "\n".join(["", *parts]))
    return source


def _fill(writer: _Writer) -> str:
    """The frame with its constants."""
    layout = writer.layout
    frame = resources.files("osteon.engine").joinpath("kernel_frame.py.txt").read_text("utf-8")
    rows = ("x", "last", "sixth", "error", "base", "scale", "now", "p", "u", "inv", "len", "out", "end")
    sizes = {
        "LANES": LANES, "N_X": layout.states, "N_P": len(layout.varying), "N_U": len(layout.channels),
        "N_OUT": len(layout.outputs), **{f"ROW_{part.upper()}": layout.row(part) for part in rows},
    }  # fmt: skip
    header = "".join(f"{key} = {value}\n" for key, value in sizes.items())
    constants = "".join(f"{name} = F({value!r})\n" for value, name in writer.constants.items())
    return frame.replace("#SIZES#\n", f"F = np.{writer.dtype}\n" + header).replace("#CONSTANTS#\n", constants)


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
    """The largest expressions that rest on leaves of these kinds alone, and that are not known already."""
    found: dict[int, Node] = {}
    outputs = list(wanted)
    for node in trace.walk(outputs):
        if not trace.leaves(node, memo) <= kinds:
            for arg in node.args:
                if arg.op not in ("leaf", "const") and arg.index not in known and trace.leaves(arg, memo) <= kinds:
                    found[arg.index] = arg
    return [n for _, n in sorted(found.items())]


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


class _Writer:
    """Writes functions; keeps the constants and the expressions that are known already."""

    def __init__(self, layout: Layout, dtype: str) -> None:
        self.layout, self.dtype = layout, dtype
        self.constants: dict[float, str] = {}
        self.known: dict[int, str] = {}
        self.counted: dict[str, int] = {}

    def cell(self, row: int) -> str:
        """A row of the block at the present lane."""
        return f"w[{row * LANES} + j]"

    def function(
        self, name: str, targets: list[tuple[Node, str]], *, lanes: bool = True, error: Node | None = None
    ) -> str:
        """A function that computes the targets' nodes and stores them."""
        body = _Body(self, [n for n, _ in targets] + ([error] if error is not None else []))
        indent = "        " if lanes else "    "
        lines = [f"{indent}{line}" for line in body.lines]
        lines += [f"{indent}{target} = {body.name(node)}" for node, target in targets]
        if error is not None:
            cell = self.cell(self.layout.row("error"))
            lines.append(f"{indent}{cell} = {cell} + {body.name(error)}")
        self.counted = body.counted()
        scalars = [f"    {var} = {place}" for place, var in body.scalars.items()]
        args = "w, s, t, h" if name.startswith(("step", "lengths", "begin")) else ("w, s" if lanes else "s")
        head = ["@njit(**OPTIONS)", f"def {name}({args}):", *(scalars or [])]
        if not lines:
            return "\n".join([*head, "    return", ""])
        return "\n".join([*head, *(["    for j in range(LANES):"] if lanes else []), *lines, ""])


class _Body:
    """Straight-line code for some nodes, with reciprocals gathered."""

    def __init__(self, writer: _Writer, outputs: list[Node]) -> None:
        self.writer = writer
        self.lines: list[str] = []
        self.scalars: dict[str, str] = {}
        self.names: dict[int, str] = {}
        self.nodes: list[Node] = []
        self.divisions = self.extra = 0
        needed = self._needed(outputs)
        depth = self._depths(needed)
        for level in range(1, max(depth.values(), default=0) + 1):
            todo = [n for n in needed if n.op == "recip" and depth[n.index] == level]
            size = GROUP[writer.dtype]
            for at in range(0, len(todo), size):
                group = todo[at : at + size]
                for node in group:
                    self._emit(node.args[0])
                self._divide(group)
        for node in outputs:
            self._emit(node)

    def _needed(self, outputs: list[Node]) -> list[Node]:
        stop = self.writer.known
        seen: dict[int, Node] = {}
        todo = list(outputs)
        while todo:
            node = todo.pop()
            if node.index not in seen and node.index not in stop:
                seen[node.index] = node
                todo.extend(node.args)
        return [seen[i] for i in sorted(seen)]

    def _depths(self, needed: list[Node]) -> dict[int, int]:
        """How many divisions one after the other stand before each node."""
        depth: dict[int, int] = {}
        for node in needed:
            before = max((depth.get(a.index, 0) for a in node.args), default=0)
            depth[node.index] = before + (node.op == "recip")
        return depth

    def name(self, node: Node) -> str:
        """The variable that holds a node's value."""
        if node.op == "const":
            return self.writer.constants.setdefault(node.tag, f"C{len(self.writer.constants)}")
        if node.index not in self.names:
            self.names[node.index] = self._load(node)
        return self.names[node.index]

    def _load(self, node: Node) -> str:
        place = self.writer.known.get(node.index) or self._leaf(node)
        if place.startswith("s["):
            return self.scalars.setdefault(place, f"s{len(self.scalars)}")
        self.lines.append(f"v{node.index} = {place}")
        return f"v{node.index}"

    def _leaf(self, node: Node) -> str:
        layout, cell = self.writer.layout, self.writer.cell
        kind, *rest = node.tag
        if kind == "s":
            return f"s[{layout.place('s') + layout.shared.index(rest[0])}]"
        if kind == "w":
            return f"s[{layout.place('w') + rest[0]}]"
        if kind == "x":
            return cell(layout.row("x") + rest[0])
        if kind == "p":
            return cell(layout.row("p") + layout.varying.index(rest[0]))
        if kind == "last":
            return cell(layout.row("last"))
        if kind == "sixth":
            return cell(layout.row("sixth"))
        if kind == "u":
            return cell(layout.row("u") + layout.channels.index(rest[0]) * STAGES + rest[1])
        scale = cell(layout.row("scale"))
        return f"{scale} * h" if kind == "h" else f"{cell(layout.row('base'))} + {scale} * t"

    def _emit(self, output: Node) -> None:
        """Everything that `output` needs and that is not there yet."""
        stack = [output]
        while stack:
            node = stack[-1]
            if node.op == "const" or node.index in self.names:
                stack.pop()
            elif node.op == "leaf" or node.index in self.writer.known:
                self.name(node)
                stack.pop()
            else:
                waiting = [a for a in node.args if a.op != "const" and a.index not in self.names]
                if waiting:
                    stack.extend(reversed(waiting))
                    continue
                assert node.op != "recip", "reciprocals are emitted by level"
                self.lines.append(f"v{node.index} = {self._expression(node)}")
                self.names[node.index] = f"v{node.index}"
                self.nodes.append(node)
                stack.pop()

    def _expression(self, node: Node) -> str:
        args = [self.name(a) for a in node.args]
        if node.op in ("add", "sub", "mul"):
            return f"{args[0]} {({'add': '+', 'sub': '-', 'mul': '*'})[node.op]} {args[1]}"
        return {"neg": f"-{args[0]}", "abs": f"abs({args[0]})"}[node.op]

    def _divide(self, group: list[Node]) -> None:
        """The reciprocals of a group from one division, by a balanced tree of products: up, divide, down."""
        tag = group[-1].index

        def up(low: int, high: int) -> str:
            if high - low == 1:
                return self.name(group[low].args[0])
            middle = (low + high) // 2
            left, right = up(low, middle), up(middle, high)
            below[low, high] = (left, right)
            self.lines.append(f"q{tag}_{low}_{high} = {left} * {right}")
            return f"q{tag}_{low}_{high}"

        def down(low: int, high: int, name: str) -> None:
            """`name` holds the reciprocal of the product of low … high − 1."""
            if high - low == 1:
                return
            middle = (low + high) // 2
            left, right = below[low, high]
            for part, other in (((low, middle), right), ((middle, high), left)):
                single = part[1] - part[0] == 1
                found = f"v{group[part[0]].index}" if single else f"r{tag}_{part[0]}_{part[1]}"
                self.lines.append(f"{found} = {name} * {other}")
                down(*part, found)

        below: dict[tuple[int, int], tuple[str, str]] = {}
        product = up(0, len(group))
        one = self.writer.constants.setdefault(1.0, f"C{len(self.writer.constants)}")
        whole = f"v{group[0].index}" if len(group) == 1 else f"r{tag}"
        self.lines.append(f"{whole} = {one} / {product}")
        down(0, len(group), whole)
        self.names |= {n.index: f"v{n.index}" for n in group}
        self.divisions += 1
        self.extra += 3 * (len(group) - 1)

    def counted(self) -> dict[str, int]:
        """Operations per person: products, sums, divisions, and the slots they take when a product that is
        used once is fused with its sum."""
        uses: dict[int, int] = {}
        for node in self.nodes:
            for arg in node.args:
                uses[arg.index] = uses.get(arg.index, 0) + 1
        products = sum(n.op == "mul" for n in self.nodes) + self.extra
        sums = sum(n.op in ("add", "sub") for n in self.nodes)
        fused = sum(
            n.op in ("add", "sub") and any(a.op == "mul" and uses[a.index] == 1 for a in n.args) for n in self.nodes
        )
        return {"products": products, "sums": sums, "divisions": self.divisions, "slots": products + sums - fused}
