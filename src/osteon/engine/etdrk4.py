"""One step of the rational exponential Runge–Kutta method of order 4 (ETDRK4 in Krogstad's form), as a graph.

For dx/dt = P − L x with the loss L of the step's start held fast, N = P − (L_stage − L) x is integrated by four
stages and the exponential of −L h by a rational function: with w = L h / 2 ≥ 0 and
D(w) = 1 + w + w²/2 + w³/6 + w⁴/24,

    e^−w ≈ 1/D    φ1(w) = (1 + w/2 + w²/6 + w³/24)/D    φ2(w) = (1/2 + w/3 + w²/8 + w³/24)/D
    φ3(w) = (1/6 + w/8 + w²/24 + w³/48)/D

and the functions of z = 2 w follow by doubling, without another division:

    φ1(z) = φ1 − w φ1²/2    φ2(z) = φ2/2 + φ1²/4    φ3(z) = φ3/4 + φ2 (1 + φ1)/8        (right: at w)

No exponential, no Jacobian, no linear solve; L-stable for each state's own loss; L = 0 gives the classical
Runge–Kutta method. Sources: Krogstad 2005, J Comput Phys 203:72 (the stages); the doubling is the identity for
φ-functions of twice the argument, which also holds for the rational forms above since each is (1/k! − φ_{k+1})/w.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from osteon.engine.trace import Graph, Node, is_zero, leaves
from osteon.models import Model


@dataclass(frozen=True)
class Step:
    """The step's outputs: new states, the derivatives `last` of its last stage, and an estimate of the error made
    in the step before it."""

    graph: Graph
    states: list[Node]
    last: list[Node]
    sixth: Node
    error: Node


def step(model: Model, p: Any, graph: Graph, *, drug: bool) -> Step:
    """Trace `model.rates` four times and join the stages. `p` holds the parameters as nodes of `graph`.

    Leaves: ("x", i) states, ("u", channel, stage) exposures at the start, middle and end (absent when not
    `drug`), ("t",) time, ("h",) step, ("w", i) weights of the error estimate, ("last", i) and ("sixth",) what the
    step before left: its last derivatives, and a sixth of its length (0 when something happened since).

    The estimate is the classical companion of order 3 that takes the next step's first derivative as a fifth
    stage: h/6 (k4 − k5), summed with the weights, which say what an error of each state is worth in the goal.
    """
    n = len(model.states)
    t, h = graph.leaf("t"), graph.leaf("h")
    half = h * 0.5
    x = [graph.leaf("x", i) for i in range(n)]
    times = [t, t + half, t + h]

    def exposure(at: int) -> list[Any]:
        if not drug:
            return [0.0] * len(model.channels)
        return [graph.leaf("u", c, at) for c in range(len(model.channels))]

    def rates(state: Sequence[Any], at: int) -> tuple[list[Node], list[Node]]:
        production, loss = model.rates(state, exposure(at), times[at], p)
        return [graph.const(v) for v in production], [graph.const(v) for v in loss]

    memo: dict[int, frozenset[str]] = {}
    P1, L = rates(x, 0)
    phi = [_phi(graph, loss, half) for loss in L]
    fixed = [leaves(loss, memo) <= {"p", "s"} for loss in L]  # the loss never changes: N is P
    F1 = [P1[i] - L[i] * x[i] for i in range(n)]

    def forcing(state: list[Node], at: int) -> list[Node]:
        production, loss = rates(state, at)
        return [production[i] if fixed[i] else production[i] - (loss[i] - L[i]) * state[i] for i in range(n)]

    u2 = [x[i] + half * phi[i].one_half * F1[i] for i in range(n)]
    N2 = forcing(u2, 1)
    u3 = [u2[i] + h * phi[i].two_half * (N2[i] - P1[i]) for i in range(n)]
    N3 = forcing(u3, 1)
    first = [x[i] + h * phi[i].one * F1[i] for i in range(n)]
    u4 = [first[i] + h * (2.0 * phi[i].two) * (N3[i] - P1[i]) for i in range(n)]
    N4 = forcing(u4, 2)
    new, last_rate = [], []
    error = graph.const(0.0)
    for i in range(n):
        middle = (N2[i] - P1[i]) + (N3[i] - P1[i])
        last = N4[i] - P1[i]
        new.append(first[i] + h * (phi[i].middle * middle + phi[i].last * last))
        last_rate.append(N4[i] - L[i] * u4[i])
        error = error + graph.leaf("w", i) * (graph.leaf("last", i) - F1[i])
    return Step(graph, new, last_rate, h * (1 / 6), abs(error * graph.leaf("sixth")))


@dataclass(frozen=True)
class _Phi:
    one_half: Any
    two_half: Any
    one: Any
    two: Any
    middle: Any  # weight of N2 and N3
    last: Any  # weight of N4


def _phi(graph: Graph, loss: Node, half: Node) -> _Phi:
    """The φ-functions of one state at half and whole step."""
    if is_zero(loss):
        return _Phi(1.0, 0.5, 1.0, 0.5, 2 * 0.5 - 4 / 6, 4 / 6 - 0.5)
    w = loss * half
    top3 = 1 / 24 * w
    denominator = 1.0 + w * (1.0 + w * (0.5 + w * (1 / 6 + top3)))
    r = graph.recip(denominator)
    one = (1.0 + w * (0.5 + w * (1 / 6 + top3))) * r
    two = (0.5 + w * (1 / 3 + w * (0.125 + top3))) * r
    three = (1 / 6 + w * (0.125 + w * (1 / 24 + 1 / 48 * w))) * r
    square = one * one
    whole_one = one - (0.5 * w) * square
    whole_two = 0.5 * two + 0.25 * square
    four_three = three + two * (0.5 + 0.5 * one)  # 4 φ3 of the whole step
    return _Phi(one, two, whole_one, whole_two, 2.0 * whole_two - four_three, four_three - whole_two)
