"""Estrogen, with or without a progestin, and raloxifene: the share of the missing estrogen effect that they replace.

therapy = h u/(1 - h + h u)      u = 1 at the standard daily dose, which replaces h
u of estrogen is raised by a progestin: u (1 + g · 2 m/(1 + m)), m = 1 at its standard dose
"""

from __future__ import annotations

from math import log
from typing import Any

from osteon.mechanisms import Mechanism, Signals, States

ESTROGEN, SERM, PROGESTIN = "estrogen", "SERM", "progestin"


def signals(x: States, u: Signals, t: Any, p: Any, s: Signals) -> dict[str, Any]:
    """What the other mechanisms see of it."""
    e, r, m = u[ESTROGEN], p.raloxifene_replaced * u[SERM], u[PROGESTIN]
    e = p.estrogen_replaced * e * (1.0 + p.progestin_gain * 2.0 * m / (1.0 + m))
    by_estrogen = e / (1.0 - p.estrogen_replaced + e)
    by_serm = r / (1.0 - p.raloxifene_replaced + r)
    return {"estrogen_therapy": by_estrogen + by_serm - by_estrogen * by_serm}


def kinetics(p: Any) -> dict[str, tuple[Any, ...]]:
    """Channel, gain per dose unit and half-life (d) of each therapy."""
    onset = p.hormone_onset
    daily = log(2) / onset
    return {
        "conjugated estrogens": (ESTROGEN, daily / p.conjugated_estrogens_dose, onset),
        "estradiol": (ESTROGEN, daily / p.estradiol_dose, onset),
        "estradiol TD": (ESTROGEN, daily * p.estradiol_patch / p.estradiol_dose, onset),
        "medroxyprogesterone": (PROGESTIN, daily / p.medroxyprogesterone_dose, onset),
        "raloxifene": (SERM, daily / p.raloxifene_dose, onset),
    }


MECHANISM = Mechanism(
    "hormones",
    neutral={"estrogen_therapy": 0.0},
    channels=(ESTROGEN, SERM, PROGESTIN),
    signals=signals,
    kinetics=kinetics,
)
