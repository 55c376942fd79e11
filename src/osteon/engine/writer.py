"""Writes the graph's expressions as straight-line code over a block of people."""

from __future__ import annotations

from osteon.engine.layout import STAGES, Layout
from osteon.engine.straight import term
from osteon.engine.trace import Node

_FUNCTION = '''
_{name} = straight(F, LANES, "{args}", """\
{before}""", """\
{inside}""")


@njit(**OPTIONS)
def {name}({args}):
    _{name}({args})
'''
GROUP = {"float64": 4, "float32": 3}  # reciprocals per division; fewer where a product might overflow


class Writer:
    """Writes functions; keeps the expressions that are known already."""

    def __init__(self, layout: Layout, dtype: str) -> None:
        self.layout, self.dtype = layout, dtype
        self.known: dict[int, str] = {}
        self.counted: dict[str, int] = {}

    def cell(self, row: int) -> str:
        """A row of the block at the present lane."""
        return f"w[{row * self.layout.lanes} + j]"

    def function(
        self, name: str, targets: list[tuple[Node, str]], *, lanes: bool = True, error: Node | None = None
    ) -> str:
        """A function that computes the targets' nodes and stores them."""
        body = Body(self, [n for n, _ in targets] + ([error] if error is not None else []))
        lines = [*body.lines, *(f"{target} = {body.name(node)}" for node, target in targets)]
        if error is not None:
            cell = self.cell(self.layout.row("error"))
            lines.append(f"{cell} = {cell} + {body.name(error)}")
        self.counted = body.counted()
        once = [f"{var} = {place}" for place, var in body.scalars.items()] if lines else []
        args = "w, s, t, h" if name.startswith(("step", "lengths", "begin")) else ("w, s" if lanes else "s")
        before, inside = (once, lines) if lanes else ([*once, *lines], [])
        return _FUNCTION.format(name=name, args=args, before="\n".join(before), inside="\n".join(inside))


class Body:
    """Straight-line code for some nodes, with reciprocals gathered."""

    def __init__(self, writer: Writer, outputs: list[Node]) -> None:
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
            return repr(float(node.tag))
        if node.index not in self.names:
            self.names[node.index] = self._load(node)
        return self.names[node.index]

    def _load(self, node: Node) -> str:
        found = f"v{node.index}"
        place = self.writer.known.get(node.index) or self._leaf(node)
        if place.startswith("s["):
            return self.scalars.setdefault(place, f"s{len(self.scalars)}")
        self.lines.append(f"{found} = {place}")
        return found

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
        scale = cell(layout.row("scale"))  # of a person's own clock
        if kind == "h":
            return f"{scale} * h"
        self.lines.append(f"passed = {scale} * t")
        return f"{cell(layout.row('base'))} + passed"

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
                self.lines.append(f"v{node.index} = {term(node.op, [self.name(a) for a in node.args])}")
                self.names[node.index] = f"v{node.index}"
                self.nodes.append(node)
                stack.pop()

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
        whole = f"v{group[0].index}" if len(group) == 1 else f"r{tag}"
        self.lines.append(f"{whole} = 1.0 / {product}")
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
