"""Thymic regeneration, growth hormone and DHEA: each its own term, since trials of thymic regeneration gave all
three.

    lack of estrogen × (1 + θ u)      thymic regeneration
    osteoblast supply × (1 + G 2 u/(1 + u))       growth hormone (THY-H03)
    estrogen therapy: e + d - e d,  d = D 2 u/(1 + u)          DHEA, by the estradiol that it becomes (THY-H04)

u = 1 at the usual steady dose. The prior of θ is centred at 0: thymectomised women have the bone of others (THY-H01),
and in mice more thymic output means more loss (THY-A03). How large θ, G and D are is assumed; no
thymic trial measured bone (THY-H02).
"""

from __future__ import annotations

from math import log
from typing import Any

from osteon.mechanisms import Mechanism, Signals, States

THYMUS, GH, DHEA = "thymic regeneration", "growth hormone", "DHEA"


def signals(x: States, u: Signals, t: Any, p: Any, s: Signals) -> dict[str, Any]:
    """What the other mechanisms see of it."""
    h, d = u[GH], u[DHEA]
    replaced = p.dhea_replaced * 2.0 * d / (1.0 + d)
    by_others = s["estrogen_therapy"]
    return {
        "thymic_output": p.thymic_effect * u[THYMUS],
        "growth_hormone": 1.0 + p.growth_hormone_effect * 2.0 * h / (1.0 + h),
        "estrogen_therapy": by_others + replaced - by_others * replaced,
    }


def kinetics(p: Any) -> dict[str, tuple[Any, ...]]:
    """Channel, gain per dose unit and half-life (d) of each therapy."""
    onset = p.immune_onset
    daily = log(2) / onset
    return {
        "thymic regeneration": (THYMUS, daily, onset),
        "growth hormone": (GH, daily / p.growth_hormone_dose, onset),
        "DHEA": (DHEA, daily / p.dhea_dose, onset),
    }


MECHANISM = Mechanism(
    "immune", neutral={"thymic_output": 0.0, "growth_hormone": 1.0}, channels=(THYMUS, GH, DHEA), signals=signals,
    kinetics=kinetics,
)  # fmt: skip
