"""Open canals in cortical bone: what resorption has dug and formation has not filled yet.

    Q' = (R_C - Q)/τ_Q

The shaft of the radius bears little load and is read as a narrow cross-section, so that its BMD falls by a share of
what is open above youth: BMD of the distal third radius is divided by 1 + a · (Q - 1). It is why daily PTH lowers
radius BMD while the hip gains.
"""

from __future__ import annotations

from typing import Any

from osteon.mechanisms import Mechanism, Rates, Signals, States


def rates(x: States, u: Signals, t: Any, p: Any, s: Signals) -> Rates:
    """Production and loss of its state."""
    return {"porosity": (s["resorption_cortical"] / p.porosity_time, 1.0 / p.porosity_time)}


def factor(x: States, p: Any) -> Any:
    """What it makes of the radius' BMD."""
    return 1.0 / (1.0 + p.porosity_radius * (x.get("porosity", 1.0) - 1.0))


MECHANISM = Mechanism("porosity", {"porosity": 1.0}, rates=rates)
