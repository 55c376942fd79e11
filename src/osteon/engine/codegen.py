"""Writes the source of a model's kernel: straight-line arithmetic over 64 people at a time.

All that a block of people needs lies in one flat array of rows of `LANES` numbers (see `Layout`), addressed with
constant offsets, which lets the compiler put people in the lanes of vector registers. Expressions that rest on
parameters alone are computed once per block. Reciprocals that do not wait for each other share one division
(1/a and 1/b from 1/(a·b)), since a vector division costs as much as a dozen products.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from importlib import resources

from osteon.engine import etdrk4, trace
from osteon.engine.trace import Graph, Node
from osteon.models import Model

LANES = 64
STAGES = 3  # exposures at the start, the middle and the end of a step
GROUP = {"float64": 8, "float32": 3}  # reciprocals per division; fewer where a product might overflow


@dataclass(frozen=True)
class Layout:
    """Where things stand, generated from the model: rows of a block's array, places in the shared array."""

    states: int
    channels: int
    varying: tuple[str, ...]  # parameters that differ between people
    shared: tuple[str, ...]  # parameters that are the same for all
    invariants: int
    shared_invariants: int

    def row(self, name: str) -> int:
        """First row of a part of the block's array; "end" is the number of rows."""
        sizes = {
            "x": self.states, "last": self.states, "sixth": 1, "error": 1, "base": 1, "scale": 1,
            "p": len(self.varying), "u": self.channels * STAGES, "inv": self.invariants, "end": 0,
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


@dataclass
class Source:
    """The text of a kernel and its layout; `operations` counts what a step takes per person."""

    text: str
    layout: Layout
    operations: dict[str, dict[str, int]] = field(default_factory=dict)


def generate(model: Model, varying: Sequence[str], dtype: str) -> Source:
    """The kernel's source for a model whose parameters `varying` differ between people."""
    graph = Graph()
    names = model.parameters()._fields
    vary = tuple(n for n in names if n in set(varying))
    p = model.parameters()._make([graph.leaf("p" if n in vary else "s", n) for n in names])
    steps = {name: etdrk4.step(model, p, graph, drug=name == "drug") for name in ("free", "drug")}
    on_people, on_shared = _hoist(n for s in steps.values() for n in (*s.states, *s.last, s.sixth, s.error))
    shared = tuple(n for n in names if n not in vary)
    layout = Layout(len(model.states), len(model.channels), vary, shared, len(on_people), len(on_shared))
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
    source = Source("", layout)
    for name, one in steps.items():
        targets = [(n, writer.cell(layout.row("x") + i)) for i, n in enumerate(one.states)]
        targets += [(n, writer.cell(layout.row("last") + i)) for i, n in enumerate(one.last)]
        targets.append((one.sixth, writer.cell(layout.row("sixth"))))
        parts.append(writer.function(f"step_{name}", targets, error=one.error))
        source.operations[name] = dict(writer.counted)
    frame = resources.files("osteon.engine").joinpath("kernel_frame.py.txt").read_text("utf-8")
    rows = {
        f"ROW_{part.upper()}": layout.row(part)
        for part in ("x", "last", "sixth", "error", "base", "scale", "p", "u", "inv", "end")
    }
    sizes = {"LANES": LANES, "N_X": layout.states, "N_P": len(vary), "N_U": layout.channels, **rows}
    header = "".join(f"{key} = {value}\n" for key, value in sizes.items())
    constants = "".join(f"{name} = F({value!r})\n" for value, name in writer.constants.items())
    source.text = frame.replace("#SIZES#\n", f"F = np.{dtype}\n" + header).replace(
        "#MODEL#\n", constants + "\n" + "\n".join(parts)
    )
    return source


def _hoist(outputs: Iterable[Node]) -> tuple[list[Node], list[Node]]:
    """The largest expressions that rest on parameters alone: on people's own, and on shared ones."""
    wanted = list(outputs)
    memo: dict[int, frozenset[str]] = {}
    alone: dict[int, Node] = {}
    for node in trace.walk(wanted):
        if not trace.leaves(node, memo) <= {"p", "s"}:
            for arg in node.args:
                if arg.op not in ("leaf", "const") and trace.leaves(arg, memo) <= {"p", "s"}:
                    alone[arg.index] = arg
    shared: dict[int, Node] = {}
    for node in trace.walk(alone.values()):  # inside people's own expressions, shared parts come out too
        for arg in (*node.args, node):
            if arg.op not in ("leaf", "const") and trace.leaves(arg, memo) <= {"s"}:
                shared[arg.index] = arg
    people = [n for i, n in sorted(alone.items()) if i not in shared]
    keep = {a.index for n in trace.walk(wanted) for a in n.args if n.index not in shared} | {n.index for n in wanted}
    return people, [n for i, n in sorted(shared.items()) if i in keep]


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
        args = "w, s, t, h" if name.startswith("step") else ("w, s" if lanes else "s")
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
            return cell(layout.row("last") + rest[0])
        if kind == "sixth":
            return cell(layout.row("sixth"))
        if kind == "u":
            return cell(layout.row("u") + rest[0] * STAGES + rest[1])
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
        """The reciprocals of a group from one division."""
        below = [self.name(n.args[0]) for n in group]
        products = [below[0]]
        for i, factor in enumerate(below[1:], 1):
            products.append(f"q{group[i].index}")
            self.lines.append(f"{products[-1]} = {products[-2]} * {factor}")
        rest = f"v{group[0].index}" if len(group) == 1 else f"r{group[-1].index}"
        self.lines.append(
            f"{rest} = {self.writer.constants.setdefault(1.0, f'C{len(self.writer.constants)}')} / {products[-1]}"
        )
        for i in range(len(group) - 1, 0, -1):
            self.lines.append(f"v{group[i].index} = {rest} * {products[i - 1]}")
            following = f"v{group[0].index}" if i == 1 else f"r{group[i - 1].index}"
            self.lines.append(f"{following} = {rest} * {below[i]}")
            rest = following
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
