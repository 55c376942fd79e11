"""Teriparatide, abaloparatide and PTH(1-84): daily injections, as the mean effect of a day.

    effect = u (1 + h)/(u + h)
    z' = (effect on resorption - z)/τ_R

u = 1 for teriparatide 20 µg daily; h is where larger doses add less. Formation rises at once, resorption months later
(z): the anabolic window. Abaloparatide raises resorption less for the same formation.
"""

from __future__ import annotations

from math import log
from typing import Any

from osteon.mechanisms import Mechanism, Rates, Signals, States

CHANNEL, RESORPTION = "PTH analogue", "abaloparatide"


def signals(x: States, u: Signals, t: Any, p: Any, s: Signals) -> dict[str, Any]:
    """What the other mechanisms see of it."""
    whole = u[CHANNEL] + u[RESORPTION]
    less = (1.0 + p.pth_saturation) / (whole + p.pth_saturation)
    return {"pth": less * whole, "pth_resorption": x["pth_resorption"]}


def rates(x: States, u: Signals, t: Any, p: Any, s: Signals) -> Rates:
    """Production and loss of its state."""
    whole = u[CHANNEL] + u[RESORPTION]
    less = (1.0 + p.pth_saturation) / (whole + p.pth_saturation)
    drive = less * (u[CHANNEL] + p.abaloparatide_resorption * u[RESORPTION])
    return {"pth_resorption": (drive / p.pth_resorption_time, 1.0 / p.pth_resorption_time)}


def kinetics(p: Any) -> dict[str, tuple[str, Any, Any]]:
    """Channel, gain per dose unit and half-life (d) of each therapy."""
    onset = p.pth_onset
    daily = log(2) / onset / p.body_size
    return {
        "teriparatide": (CHANNEL, daily / p.teriparatide_dose, onset),
        "PTH(1-84)": (CHANNEL, daily * p.pth84_effect / p.pth84_dose, onset),
        "abaloparatide": (RESORPTION, daily * p.abaloparatide_effect / p.abaloparatide_dose, onset),
    }


MECHANISM = Mechanism(
    "PTH analogues", {"pth_resorption": 0.0}, {"pth": 0.0, "pth_resorption": 0.0}, channels=(CHANNEL, RESORPTION),
    signals=signals, rates=rates, kinetics=kinetics,
)  # fmt: skip
