"""Estrogen and raloxifene: the share of the missing estrogen effect that they replace.

therapy = 2 h u/(1 + u)          u = 1 at the standard daily dose, so that it replaces h there
"""

from __future__ import annotations

from math import log
from typing import Any

from osteon.mechanisms import Mechanism, Signals, States

ESTROGEN, SERM = "estrogen", "SERM"
ONSET = 1.0  # days; assumed, short beside every cell's life


def signals(x: States, u: Signals, t: Any, p: Any, s: Signals) -> dict[str, Any]:
    """What the other mechanisms see of it."""
    e, r = u[ESTROGEN], u[SERM]
    by_estrogen = p.estrogen_replaced * 2.0 * e / (1.0 + e)
    by_serm = p.raloxifene_replaced * 2.0 * r / (1.0 + r)
    return {"estrogen_therapy": by_estrogen + by_serm - by_estrogen * by_serm}


def kinetics(p: Any) -> dict[str, tuple[str, Any, Any]]:
    """Channel, gain per dose unit and half-life (d) of each therapy."""
    daily = log(2) / ONSET
    return {
        "conjugated estrogens": (ESTROGEN, daily / p.conjugated_estrogens_dose, ONSET),
        "estradiol": (ESTROGEN, daily / p.estradiol_dose, ONSET),
        "raloxifene": (SERM, daily / p.raloxifene_dose, ONSET),
    }


MECHANISM = Mechanism(
    "hormones", neutral={"estrogen_therapy": 0.0}, channels=(ESTROGEN, SERM), signals=signals, kinetics=kinetics
)
