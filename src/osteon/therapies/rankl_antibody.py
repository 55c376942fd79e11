"""Denosumab: the share of osteoclast differentiation that it blocks, Ed · d/(d + EC)."""

from __future__ import annotations

from typing import Any

from osteon.mechanisms import Mechanism, Signals, States

CHANNEL = "RANKL antibody"


def signals(x: States, u: Signals, t: Any, p: Any, s: Signals) -> dict[str, Any]:
    """What the other mechanisms see of it."""
    d = u[CHANNEL]
    return {"rankl_block": p.denosumab_most * d / (d + p.denosumab_half_value)}


def kinetics(p: Any) -> dict[str, tuple[str, Any, Any]]:
    """Channel, gain per dose unit and half-life (d) of each therapy."""
    return {"denosumab": (CHANNEL, 1.0, p.denosumab_half_life)}


MECHANISM = Mechanism(
    "RANKL antibody", neutral={"rankl_block": 0.0}, channels=(CHANNEL,), signals=signals, kinetics=kinetics
)
