"""Calcium and vitamin D: a little less osteoclast differentiation, by a calmer parathyroid.

    supplements = 2 e · v/(1 + v),   v = calcium/2400 mg + vitamin D/1600 IU, per day

The size e, at 1200 mg and 800 IU together, is set so that they lessen the loss of bone by what a meta-analysis of
trials found (Tang 2007). Trials give them in all arms, so that their effect is in every placebo arm too; they matter
where one is given alone.
"""

from __future__ import annotations

from math import log
from typing import Any

from osteon.mechanisms import Mechanism, Signals, States

CHANNEL = "supplements"


def signals(x: States, u: Signals, t: Any, p: Any, s: Signals) -> dict[str, Any]:
    """What the other mechanisms see of it."""
    v = u[CHANNEL]
    return {"supplements": 2.0 * p.supplements_effect * v / (1.0 + v)}


def kinetics(p: Any) -> dict[str, tuple[Any, ...]]:
    """Channel, gain per dose unit and half-life (d) of each therapy."""
    onset = p.supplements_onset
    daily = 0.5 * log(2) / onset
    return {
        "calcium": (CHANNEL, daily / p.calcium_dose, onset),
        "vitamin D": (CHANNEL, daily / p.vitamin_d_dose, onset),
    }


MECHANISM = Mechanism(
    "supplements", neutral={"supplements": 0.0}, channels=(CHANNEL,), signals=signals, kinetics=kinetics
)
