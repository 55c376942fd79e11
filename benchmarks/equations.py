"""A model's equations for engines that take equations, from the traced `rates`: nothing is typed again.

One `System` holds for a time in which the same agents are heard. Parameters that all people share are constants in
it, what rests on parameters alone is worked out once per person, states that are 0 and stay so are left out. A sign
stands for each |x|. If x rests on time alone, the sign is a number that the driver sets for each piece, as pieces end
where it changes. If not, it is up to the engine: heyoka has events that change it, CVODE is given |x| as it is.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import scenarios
from engines.base import Piece, pieces
from osteon.engine import etdrk4, trace
from osteon.engine.cohort import Cohort
from osteon.engine.trace import Graph, Node

MODEL = scenarios.MODEL
HEARD = 20.0  # half-lives, of whoever has the longest, after which an agent is left out


@dataclass
class System:
    """dx/dt of the states that are `awake`, with leaves ("x", i), ("u", agent), ("t",) days from month 0 and
    ("inv", k) for the values that rest on parameters alone. `signs` are the arguments of |x|, in the order of
    the leaves ("sign", k), which stand for their signs; `free` are those that rest on time and parameters alone."""

    agents: tuple[str, ...]
    awake: tuple[int, ...]
    rates: dict[int, Node]
    loss: dict[int, Node]
    invariants: list[Node]
    signs: list[Node] = field(default_factory=list)
    free: frozenset[int] = frozenset()

    def values(self, cohort: Cohort) -> np.ndarray:
        """The invariants of people [k, person]."""
        at = {("p", name): np.asarray(getattr(cohort.p, name), float) for name in cohort.varying}
        rows = [np.broadcast_to(v, cohort.n) for v in trace.evaluate(self.invariants, at)] if self.invariants else []
        return np.array(rows, float).reshape(len(rows), cohort.n)

    def sign(self, t: Any, x: np.ndarray, u: dict[str, Any], inv: np.ndarray) -> np.ndarray:
        """Sign of each |x| [k, person] at t; x[state, person] of all the model's states."""
        if not self.signs:
            return np.empty((0, x.shape[1]))
        at: dict[Any, Any] = {("t",): t} | {("u", a): u[a] for a in self.agents}
        at |= {("x", i): x[i] for i in self.awake} | {("inv", k): row for k, row in enumerate(inv)}
        known: list[np.ndarray] = []
        for k, node in enumerate(self.signs):  # one may rest on the sign of another
            value = np.broadcast_to(trace.evaluate([node], at)[0], x.shape[1])
            known.append(np.where(value < 0, -1.0, 1.0))
            at["sign", k] = known[-1]
        return np.array(known)


def system(agents: tuple[str, ...], dormant: frozenset[int], varying: tuple[str, ...]) -> System:
    """The equations while these agents are heard."""
    graph = _Signed()
    base = MODEL.parameters()
    p = base._make([graph.leaf("p", n) if n in varying else float(getattr(base, n)) for n in base._fields])
    exposure: list[Any] = [0.0] * len(MODEL.channels)
    kinetics = MODEL.kinetics(base)
    for agent in agents:
        exposure[kinetics[agent].channel] = exposure[kinetics[agent].channel] + graph.leaf("u", agent)
    x = [graph.const(0.0) if i in dormant else graph.leaf("x", i) for i in range(len(MODEL.states))]
    clock = graph.leaf("t") + scenarios.DRUG_AGE * scenarios.YEAR
    made, lost = MODEL.rates(x, exposure, clock, p)
    awake = tuple(i for i in range(len(x)) if i not in dormant)
    flows = {i: graph.const(made[i]) - graph.const(lost[i]) * x[i] for i in awake}
    memo: dict[int, frozenset[str]] = {}
    wanted = [*flows.values(), *graph.inside]
    found: dict[int, Node] = {}
    for node in trace.walk(wanted):
        if not trace.leaves(node, memo) <= {"p"}:
            found |= {a.index: a for a in node.args if a.op != "const" and trace.leaves(a, memo) <= {"p"}}
    invariants = [n for _, n in sorted(found.items())]
    again = _Replace(graph, {n.index: graph.leaf("inv", k) for k, n in enumerate(invariants)})
    signs = [again(n) for n in graph.inside]
    free = frozenset(k for k, n in enumerate(signs) if trace.leaves(n, {}) <= {"t", "inv", "sign"})
    return System(
        agents, awake, {i: again(n) for i, n in flows.items()},
        {i: graph.const(lost[i]) for i in awake}, invariants, signs, free,
    )  # fmt: skip


class _Signed(Graph):
    """A graph in which |x| is x times its sign; −x shares the sign of x."""

    def __init__(self) -> None:
        super().__init__()
        self.inside: list[Node] = []

    def unary(self, op: str, a: Any) -> Node:
        x = self.const(a)
        if x.op == "const":
            return self.const(abs(x.tag))
        if x.op == "neg":
            return self.unary(op, x.args[0])
        places = [n.index for n in self.inside]
        if x.index not in places:
            self.inside.append(x)
            places.append(x.index)
        return self.mul(self.leaf("sign", places.index(x.index)), x)


class _Replace:
    """Nodes with others in the place of some."""

    def __init__(self, graph: Graph, known: dict[int, Node]) -> None:
        self.graph, self.known = graph, known

    def __call__(self, output: Node) -> Node:
        for node in trace.order([output]):
            if node.index not in self.known:
                args = [self.known[a.index] for a in node.args]
                self.known[node.index] = getattr(self.graph, node.op)(*args) if args else node
        return self.known[output.index]


@dataclass(frozen=True)
class Part:
    """A piece of the course and the system that holds in it; the first part is the time before month 0."""

    piece: Piece
    system: System


@functools.cache
def parts(scenario: str, varying: tuple[str, ...]) -> tuple[Part, ...]:
    """The course of a scenario, the time before month 0 first, cut where agents fall silent too."""
    cohort = scenarios.people(2048)
    kinetics = MODEL.kinetics(cohort.p)
    lasting = {a: HEARD * float(np.max(k.half_life)) for a, k in kinetics.items()}
    heard_until: dict[str, float] = {}
    asleep, known = cohort.zero, dict[Any, System]()
    begin = float(np.min(cohort.born - cohort.now))

    def at(agents: tuple[str, ...]) -> System:
        nonlocal asleep
        channels = {kinetics[a].channel for a in agents}
        asleep = etdrk4.dormant(MODEL, channels, asleep)
        key = (agents, asleep)
        if key not in known:
            known[key] = system(agents, asleep, varying)
        return known[key]

    found = [Part(Piece(begin, 0.0), at(()))]
    for piece in pieces(scenario):
        for agent in {*piece.dose, *(a for a, rate in piece.inflow.items() if rate)}:
            stop = math.inf if piece.inflow.get(agent) else piece.start + lasting[agent]
            heard_until[agent] = max(heard_until.get(agent, -math.inf), stop)
        for agent, rate in piece.inflow.items():
            if not rate and heard_until.get(agent) == math.inf:
                heard_until[agent] = piece.start + lasting[agent]
        edges = sorted({e for e in heard_until.values() if piece.start < e < piece.stop})
        for start, stop in zip([piece.start, *edges], [*edges, piece.stop], strict=True):
            agents = tuple(a for a in piece.given if heard_until.get(a, -math.inf) > start)
            inside = tuple(i for i in piece.outputs if start < scenarios.OUTPUTS[i] <= stop)
            dose = piece.dose if start == piece.start else {}
            found.append(Part(Piece(start, stop, dose, piece.inflow, agents, inside), at(agents)))
    return tuple(found)


def kinks(cohort: Cohort) -> np.ndarray:
    """Everyone's kinks [kink, person], ascending, in days from month 0; none may lie after it."""
    rows = [np.broadcast_to(np.asarray(k, float), cohort.n) - cohort.now for k in MODEL.kinks(cohort.p)]
    found = np.sort(np.array(rows).reshape(len(rows), cohort.n), axis=0)
    if (found > 0).any():
        raise NotImplementedError("a kink after month 0: the benchmark cuts lives at kinks before it only")
    return np.maximum(found, cohort.born - cohort.now)


def gains(scenario: str, cohort: Cohort) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Gain and decay rate of each agent [person]."""
    kinetics = MODEL.kinetics(cohort.p)
    agents = dict.fromkeys(a for part in parts(scenario, cohort.varying) for a in part.piece.given)
    return {
        a: (
            np.broadcast_to(np.asarray(kinetics[a].gain, float), cohort.n),
            np.broadcast_to(math.log(2) / np.asarray(kinetics[a].half_life, float), cohort.n),
        )
        for a in agents
    }


def order(cohort: Cohort) -> np.ndarray:
    """People so that neighbours take like steps: by their kinks' year, then by their fastest loss."""
    p = cohort.p
    _, loss = MODEL.rates(cohort.x0, [0.0] * len(MODEL.channels), cohort.born, p)
    fastest = np.max([np.broadcast_to(v, cohort.n) for v in loss], axis=0)
    late = np.floor(kinks(cohort).sum(axis=0) / scenarios.YEAR)
    return np.lexsort((fastest, late))


def density(states: np.ndarray, cohort: Cohort) -> np.ndarray:
    """BMD[output, person] from states[output, state, person]."""
    return scenarios.density(states, cohort.p)


def text(
    nodes: Iterable[Node], leaf: Callable[[Node], str], *, once: bool = False, spelled: str = "v{}"
) -> tuple[list[tuple[str, str]], list[str]]:
    """Assignments (name, expression) in order, and the names of the nodes. With `once`, what is used once is put in
    place. Reciprocals that a product uses are written as divisions."""
    outputs = list(nodes)
    uses: dict[int, int] = {}
    for node in [*trace.order(outputs)]:
        for arg in node.args:
            uses[arg.index] = uses.get(arg.index, 0) + 1
    for node in outputs:
        uses[node.index] = uses.get(node.index, 0) + 2
    names: dict[int, str] = {}
    lines: list[tuple[str, str]] = []
    for node in trace.order(outputs):
        if node.op == "const":
            names[node.index] = f"({node.tag!r})" if node.tag < 0 else repr(node.tag)
            continue
        if node.op == "leaf":
            names[node.index] = leaf(node)
            continue
        args = [names[a.index] for a in node.args]
        written = _written(node, args)
        if once and uses[node.index] == 1:
            names[node.index] = f"({written})"
        else:
            names[node.index] = spelled.format(node.index)
            lines.append((names[node.index], written))
    return lines, [names[n.index] for n in outputs]


def _written(node: Node, args: Sequence[str]) -> str:
    if node.op in ("add", "sub", "mul"):
        return f"{args[0]} {({'add': '+', 'sub': '-', 'mul': '*'})[node.op]} {args[1]}"
    return {"neg": f"-{args[0]}", "recip": f"1.0 / {args[0]}"}[node.op]
