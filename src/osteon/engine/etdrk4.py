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

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from osteon.engine.trace import Graph, Node, is_zero, leaves
from osteon.models import Model


@dataclass(frozen=True)
class Step:
    """The step's outputs: new `states` by index (dormant ones left out), the weighted derivative `last` of its last
    stage, a sixth of its length, and an estimate of the error made in the step before it."""

    states: dict[int, Node]
    last: Node
    sixth: Node
    error: Node


def step(model: Model, p: Any, graph: Graph, *, channels: Collection[int], dormant: Collection[int] = ()) -> Step:
    """Trace `model.rates` four times and join the stages. `p` holds the parameters as nodes of `graph`.

    Leaves: ("x", i) states, ("u", channel, stage) exposures at the start, middle and end, ("t",) time, ("h",) step,
    ("w", i) weights of the error estimate, ("last",) and ("sixth",) what the step before left: its last weighted
    derivative, and a sixth of its length (0 when something happened since). Channels that are not in `channels` are
    silent; `dormant` states are and stay 0.

    The estimate is the classical companion of order 3 that takes the next step's first derivative as a fifth
    stage: h/6 (k4 − k5), summed with the weights, which say what an error of each state is worth in the goal.
    """
    n = len(model.states)
    awake = [i for i in range(n) if i not in dormant]
    t, h = graph.leaf("t"), graph.leaf("h")
    half = h * 0.5
    zero = graph.const(0.0)
    x = {i: graph.leaf("x", i) for i in awake}
    times = [t, t + half, t + h]

    def rates(state: dict[int, Node], at: int) -> tuple[list[Node], list[Node]]:
        exposure = [graph.leaf("u", c, at) if c in channels else 0.0 for c in range(len(model.channels))]
        production, loss = model.rates([state.get(i, zero) for i in range(n)], exposure, times[at], p)
        return [graph.const(v) for v in production], [graph.const(v) for v in loss]

    memo: dict[int, frozenset[str]] = {}
    P1, L = rates(x, 0)
    phi = {i: _phi(graph, L[i], half) for i in awake}
    fixed = {i for i in awake if leaves(L[i], memo) <= {"p", "s"}}  # the loss never changes: N is P
    F1 = {i: P1[i] - L[i] * x[i] for i in awake}

    def forcing(state: dict[int, Node], at: int) -> dict[int, Node]:
        production, loss = rates(state, at)
        return {i: production[i] if i in fixed else production[i] - (loss[i] - L[i]) * state[i] for i in awake}

    u2 = {i: x[i] + half * phi[i].one_half * F1[i] for i in awake}
    N2 = forcing(u2, 1)
    u3 = {i: u2[i] + h * phi[i].two_half * (N2[i] - P1[i]) for i in awake}
    N3 = forcing(u3, 1)
    first = {i: x[i] + h * phi[i].one * F1[i] for i in awake}
    u4 = {i: first[i] + h * (2.0 * phi[i].two) * (N3[i] - P1[i]) for i in awake}
    N4 = forcing(u4, 2)
    new: dict[int, Node] = {}
    began = ended = zero
    for i in awake:
        middle = (N2[i] - P1[i]) + (N3[i] - P1[i])
        new[i] = first[i] + h * (phi[i].middle * middle + phi[i].last * (N4[i] - P1[i]))
        began = began + graph.leaf("w", i) * F1[i]
        ended = ended + graph.leaf("w", i) * (N4[i] - L[i] * u4[i])
    error = abs((graph.leaf("last") - began) * graph.leaf("sixth"))
    return Step(new, ended, h * (1 / 6), error)


def dormant(model: Model, channels: Collection[int], zero: Collection[int]) -> frozenset[int]:
    """Those of the states that are `zero` at the start and stay so, as nothing makes them while all channels but
    `channels` are silent."""
    graph = Graph()
    p = model.parameters()
    p = p._make([graph.leaf("p", name) for name in p._fields])
    found = set(zero)
    while True:
        x = [graph.const(0.0) if i in found else graph.leaf("x", i) for i in range(len(model.states))]
        exposure = [graph.leaf("u", c) if c in channels else 0.0 for c in range(len(model.channels))]
        production, _ = model.rates(x, exposure, graph.leaf("t"), p)
        still = {i for i in found if is_zero(graph.const(production[i]))}
        if still == found:
            return frozenset(found)
        found = still


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
