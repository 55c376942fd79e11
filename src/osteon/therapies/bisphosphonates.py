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
    uptake = p.bisphosphonate_uptake
    alendronate = p.alendronate_potency * log(2) / uptake
    ibandronate = alendronate * p.ibandronate_relative
    return {
        "alendronate": (CHANNEL, alendronate, uptake),
        "alendronate IV": (CHANNEL, alendronate / p.alendronate_absorbed, uptake),
        "alendronate SC": (CHANNEL, alendronate / p.alendronate_absorbed, uptake),
        "risedronate": (CHANNEL, alendronate * p.risedronate_relative, uptake),
        "ibandronate": (CHANNEL, ibandronate, uptake),
        "ibandronate IV": (CHANNEL, ibandronate / p.ibandronate_absorbed, uptake),
        "ibandronate SC": (CHANNEL, ibandronate / p.ibandronate_absorbed, uptake),
        "zoledronate": (CHANNEL, alendronate * p.zoledronate_relative, uptake),
        "zoledronate SC": (CHANNEL, alendronate * p.zoledronate_relative, uptake),
    }


MECHANISM = Mechanism(
    "bisphosphonates", {"bisphosphonate_surface": 0.0, "bisphosphonate_buried": 0.0}, {"bisphosphonate": 0.0},
    channels=(CHANNEL,), signals=signals, rates=rates, kinetics=kinetics,
)  # fmt: skip
