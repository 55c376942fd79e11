"""The traced graph computes what `rates` computes, each expression once."""

import pytest

from osteon.engine import codegen, etdrk4, trace
from osteon.engine import layout as layouts
from osteon.engine.trace import Graph
from osteon.published.jorg2022 import Jorg2022, equilibrium

MODEL = Jorg2022()
P = MODEL.parameters()
PSI = (1.2, 3.0, 0.05, 0.32)


def traced():
    graph = Graph()
    x = [graph.leaf("x", i) for i in range(9)]
    u = [graph.leaf("u", c) for c in range(4)]
    p = P._make([graph.leaf("p", name) for name in P._fields])
    production, loss = MODEL.rates(x, u, graph.leaf("t"), p)
    return [graph.const(v) for v in (*production, *loss)]


def test_trace_equals_rates():
    x = [0.9 * v + 1 for v in equilibrium(P)]
    values = {("x", i): v for i, v in enumerate(x)} | {("u", c): v for c, v in enumerate(PSI)}
    values |= {("p", name): value for name, value in P._asdict().items()} | {("t",): 24465.0}
    production, loss = MODEL.rates(x, PSI, 24465.0, P)
    assert trace.evaluate(traced(), values) == pytest.approx([*production, *loss], rel=1e-14)


def test_folding():
    g = Graph()
    x = g.leaf("x", 0)
    assert x * 1 is x
    assert x + 0 is x
    assert trace.is_zero(x * 0)
    assert trace.is_zero(x - x)
    assert g.neg(-x) is x
    assert 1 / (1 / x) is x
    assert x + g.leaf("x", 1) is g.leaf("x", 1) + x
    assert (g.const(2) * 3 - 1).tag == 5
    assert (x**3).op == "mul"


def test_branching_and_odd_powers_are_refused():
    x = Graph().leaf("x", 0)
    with pytest.raises(TypeError, match="branch"):
        bool(x)
    with pytest.raises(TypeError, match="powers"):
        x**0.5


def order(h, steps):
    """Error in osteoclasts after steps of h days through the fast fall of estrogen."""
    from osteon.engine import exact
    from osteon.engine.exposure import Exposure

    graph = Graph()
    p = P._make([graph.leaf("s", name) for name in P._fields])
    one = etdrk4.step(MODEL, p, graph, channels=())
    start = 50.5 * 365
    x, ref = exact.solve(MODEL, P, Exposure([], {}, 4), [start, start + h * steps])
    values = {("s", name): value for name, value in P._asdict().items()}
    values |= {("w", i): 0.0 for i in range(9)} | {("last",): 0.0, ("sixth",): 0.0}
    for k in range(steps):
        values |= {("x", i): v for i, v in enumerate(x)} | {("t",): start + k * h, ("h",): float(h)}
        x = trace.evaluate(one.states.values(), values)
    return abs(x[4] / ref[4] - 1)


def test_order_four():
    assert 12 < order(10.0, 32) / order(5.0, 64) < 20


def test_layout_is_generated():
    use = layouts.Use(("eta_C", "omega_pC"), (0, 1, 2, 3), frozenset([6]))
    source = codegen.generate(MODEL, use, "float64")
    layout = source.layout
    assert layout.varying == ("omega_pC", "eta_C")
    assert set(layout.varying) | set(layout.shared) == set(P._fields)
    assert layout.row("x") == 0
    assert layout.row("end") > layout.row("out") >= layout.row("inv") >= layout.row("u") + 4 * layouts.STAGES
    assert layout.outputs == ("total_hip_bmd", "formation", "resorption")
    slots = [source.operations[kind]["slots"] for kind in ("rest", "free", "drug")]
    assert slots == sorted(set(slots))
    turned = layouts.Use(("omega_pC", "eta_C"), (0, 1, 2, 3), frozenset([6]))
    assert codegen.generate(MODEL, turned, "float64").text == source.text


def test_dormant_states():
    """Bound sclerostin sleeps until an antibody is given; a state that something makes does not."""
    everything = range(9)
    assert etdrk4.dormant(MODEL, (1, 2, 3), everything) == {6}
    assert etdrk4.dormant(MODEL, (0,), everything) == set()
    assert etdrk4.dormant(MODEL, (), [0, 4]) == set()
