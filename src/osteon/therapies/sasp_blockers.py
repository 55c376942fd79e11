"""SASP blockers: a JAK inhibitor, anti-TNF, anti-IL-1, rapamycin.

    B = b u/(1 - b + b u)                       what a drug blocks of its target; u = 1 at the usual steady dose
    block = 1 - Π (1 - s B)                     of the SASP's effect on marrow: s is the target's share in it
    TNF, IL-1, JAK                              also in the lack of estrogen (mechanisms/inflammation)

Rapamycin makes cells put out less SASP; its share may be 0 (OTH-H01, OTH-A01).
"""

from __future__ import annotations

from math import log
from typing import Any

from osteon.mechanisms import Mechanism, Signals, States

JAK, TNF, IL1, RAPAMYCIN = "JAK inhibitor", "anti-TNF", "anti-IL-1", "rapamycin"


def signals(x: States, u: Signals, t: Any, p: Any, s: Signals) -> dict[str, Any]:
    """What the other mechanisms see of it."""

    def blocked(most: Any, level: Any) -> Any:
        return most * level / (1.0 - most + most * level)

    jak, tnf = blocked(p.jak_block, u[JAK]), blocked(p.tnf_block, u[TNF])
    il1, rapamycin = blocked(p.il1_block, u[IL1]), blocked(p.rapamycin_block, u[RAPAMYCIN])
    left = (1.0 - p.sasp_jak * jak) * (1.0 - p.sasp_tnf * tnf) * (1.0 - p.sasp_il1 * il1) * (1.0 - rapamycin)
    return {"sasp_block": 1.0 - left, "jak_block": jak, "tnf_block": tnf, "il1_block": il1}


def kinetics(p: Any) -> dict[str, tuple[Any, ...]]:
    """Channel, gain per dose unit and half-life (d) of each therapy."""
    return {
        "ruxolitinib": (JAK, log(2) / p.ruxolitinib_stay / p.ruxolitinib_dose, p.ruxolitinib_stay),
        "etanercept": (TNF, log(2) / p.etanercept_stay / p.etanercept_dose, p.etanercept_stay),
        "anakinra": (IL1, log(2) / p.anakinra_stay / p.anakinra_dose, p.anakinra_stay),
        "rapamycin": (RAPAMYCIN, log(2) / p.rapamycin_stay / p.rapamycin_dose, p.rapamycin_stay),
    }


MECHANISM = Mechanism(
    "SASP blockers", neutral={"sasp_block": 0.0, "jak_block": 0.0, "tnf_block": 0.0, "il1_block": 0.0},
    channels=(JAK, TNF, IL1, RAPAMYCIN), signals=signals, kinetics=kinetics,
)  # fmt: skip
