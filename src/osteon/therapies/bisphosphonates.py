"""Bisphosphonates: taken up by the bone surface, buried, and set free again by resorption.

    A' = uptake - kA A + rel Rs Z        on the surface, in units of half-maximal effect
    Z' = ret kA A - rel Rs Z             buried; 1 - ret is lost from the body
    β  = bmax · A/(1 + A)                added death of osteoclasts

Rs is the resorption of the whole skeleton relative to youth. A dose is taken up within days (uptake half-life).
"""

from __future__ import annotations

from math import log
from typing import Any

from osteon.mechanisms import Mechanism, Rates, Signals, States

CHANNEL = "bisphosphonate"
# Share of a dose by mouth that is absorbed: rows PK-ALN-002 and PK-IBN-001 of the physiology table.
ABSORBED = {"alendronate": 0.0076, "ibandronate": 0.0063}
UPTAKE = 1.0  # half-life of uptake into bone, days; assumed, short beside the stay on the surface


def signals(x: States, u: Signals, t: Any, p: Any, s: Signals) -> dict[str, Any]:
    """What the other mechanisms see of it."""
    a = x["bisphosphonate_surface"]
    return {"bisphosphonate": p.bisphosphonate_most * a / (1.0 + a)}


def rates(x: States, u: Signals, t: Any, p: Any, s: Signals) -> Rates:
    """Production and loss of its states."""
    released = p.bisphosphonate_release / 365.25 * s["skeletal_resorption"]
    leaving = p.bisphosphonate_stay
    return {
        "bisphosphonate_surface": (u[CHANNEL] + released * x["bisphosphonate_buried"], leaving),
        "bisphosphonate_buried": (p.bisphosphonate_kept * leaving * x["bisphosphonate_surface"], released),
    }


def kinetics(p: Any) -> dict[str, tuple[Any, ...]]:
    """Channel, gain per dose unit and half-life (d) of each therapy."""
    per_mg = p.alendronate_potency * log(2) / UPTAKE
    return {
        "alendronate": (CHANNEL, per_mg, UPTAKE, {"IV": 1.0 / ABSORBED["alendronate"]}),
        "risedronate": (CHANNEL, per_mg * p.risedronate_relative, UPTAKE),
        "ibandronate": (
            CHANNEL,
            per_mg * p.ibandronate_relative,
            UPTAKE,
            {"IV": 1.0 / ABSORBED["ibandronate"]},
        ),
        "zoledronate": (CHANNEL, per_mg * p.zoledronate_relative, UPTAKE),
    }


MECHANISM = Mechanism(
    "bisphosphonates", {"bisphosphonate_surface": 0.0, "bisphosphonate_buried": 0.0}, {"bisphosphonate": 0.0},
    channels=(CHANNEL,), signals=signals, rates=rates, kinetics=kinetics,
)  # fmt: skip
