"""Denosumab: cleared in two ways, and the share of osteoclast differentiation that it blocks.

    d' = absorbed - d (CL/V + Vmax/(Km V + d))        d: mg in the body; V: volume of distribution
    block = Ed · d/(d + EC)

The second way is its target: it takes little of a large dose but ends a small rest within weeks, so that the effect
stops about half a year after a dose.
"""

from __future__ import annotations

from math import log
from typing import Any

from osteon.mechanisms import Mechanism, Rates, Signals, States

CHANNEL = "RANKL antibody"


def signals(x: States, u: Signals, t: Any, p: Any, s: Signals) -> dict[str, Any]:
    """What the other mechanisms see of it."""
    d = x["denosumab"]
    return {"rankl_block": p.denosumab_most * d / (d + p.denosumab_half_value)}


def rates(x: States, u: Signals, t: Any, p: Any, s: Signals) -> Rates:
    """Production and loss of its state."""
    by_target = p.denosumab_target_most / (p.denosumab_target_half * p.denosumab_volume + x["denosumab"])
    return {"denosumab": (u[CHANNEL], p.denosumab_clearance / p.denosumab_volume + by_target)}


def kinetics(p: Any) -> dict[str, tuple[str, Any, Any]]:
    """Channel, gain per dose unit and half-life (d) of each therapy."""
    ka = p.denosumab_absorption
    return {
        "denosumab": (CHANNEL, p.denosumab_absorbed * ka / p.body_size, log(2) / ka),
        "denosumab IV": (CHANNEL, ka / p.body_size, log(2) / ka),  # all of it, at the same pace
    }


MECHANISM = Mechanism(
    "RANKL antibody", {"denosumab": 0.0}, {"rankl_block": 0.0}, channels=(CHANNEL,), signals=signals, rates=rates,
    kinetics=kinetics,
)  # fmt: skip
