"""A model's derivative as one plain Python function, written from its traced graph.

For a model that is put together from many parts, calling the parts costs more than their arithmetic; the reference
integrator takes this function instead. It computes what `rates` computes, with the parameters as constants.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from osteon.engine import trace
from osteon.engine.trace import Graph, Node
from osteon.models import Model

Derivative = Callable[[Sequence[float], Sequence[float], float], list[float]]


def derivative(model: Model, p: Any) -> Derivative:
    """dx/dt as a function of states, exposures and time."""
    graph = Graph()
    x = [graph.leaf("x", i) for i in range(len(model.states))]
    u = [graph.leaf("u", c) for c in range(len(model.channels))]
    production, loss = model.rates(x, u, graph.leaf("t"), p)
    outputs = [graph.const(a) - graph.const(b) * c for a, b, c in zip(production, loss, x, strict=True)]
    lines = ["def derivative(x, u, t):"]
    lines += [f"    {', '.join(f'x{i}' for i in range(len(x)))}, = x"] if x else []
    lines += [f"    {', '.join(f'u{c}' for c in range(len(u)))}, = u"] if u else []
    names: dict[int, str] = {}
    for node in trace.order(outputs):
        names[node.index] = _name(node)
        if node.op not in ("const", "leaf"):
            lines.append(f"    {names[node.index]} = {_expression(node, names)}")
    lines.append(f"    return [{', '.join(names[n.index] for n in outputs)}]")
    made: dict[str, Any] = {}
    exec(compile("\n".join(lines), f"<derivative of {model.name}>", "exec"), made)
    found: Derivative = made["derivative"]
    return found


def _name(node: Node) -> str:
    if node.op == "const":
        return repr(node.tag)
    if node.op == "leaf":
        return "".join(str(part) for part in node.tag)
    return f"v{node.index}"


def _expression(node: Node, names: dict[int, str]) -> str:
    args = [names[a.index] for a in node.args]
    if node.op in ("add", "sub", "mul"):
        return f"{args[0]} {({'add': '+', 'sub': '-', 'mul': '*'})[node.op]} {args[1]}"
    return {"neg": f"-{args[0]}", "abs": f"abs({args[0]})", "recip": f"1.0 / {args[0]}"}[node.op]
