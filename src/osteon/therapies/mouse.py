"""What is done to mice in experiments: ovariectomy, thymectomy, irradiation and chemotherapy as pulses of damage, and
genetic clearance of senescent cells. Genes too: RANKL of osteocytes, progenitors that are missing.

    ovaries lost, T cells lost: 1 from the day of surgery on
    senescent cells made per day: irradiation R u_R in bone, chemotherapy X u_X in both places
    progenitors die at L times their rates
    clearance: senescent cells die at K u in bone (osteocyte), elsewhere (osteocyte-sparing), or both (systemic)

Each pulse fades within days; u has the integral of 1 day for a dose of the regimen text (24 Gy for irradiation).
"""

from __future__ import annotations

from math import log
from typing import Any

from osteon.mechanisms import Mechanism, Signals, States

OVARIES, THYMUS, IRRADIATION, CHEMOTHERAPY = "ovariectomy", "thymectomy", "irradiation", "chemotherapy"
SYSTEMIC, OSTEOCYTE, SPARING = "clearance systemic", "clearance osteocyte", "clearance osteocyte-sparing"
FOREVER = 1e7  # half-life (d) of what surgery does


def signals(x: States, u: Signals, t: Any, p: Any, s: Signals) -> dict[str, Any]:
    """What the other mechanisms see of it."""
    by_rays, by_drugs = u[IRRADIATION], u[CHEMOTHERAPY]
    kill = p.clearance_kill
    damage = p.chemotherapy_damage * by_drugs
    return {
        "osteocyte_rankl": p.osteocyte_rankl,
        "progenitor_host": p.progenitor_host,
        "ovary_loss": u[OVARIES],
        "t_cell_loss": u[THYMUS],
        "damage_bone": damage + p.irradiation_damage * by_rays,
        "damage_systemic": damage,
        "progenitor_kill": s["progenitor_kill"] + p.damage_progenitors * (by_rays + by_drugs),
        "kill_bone": s["kill_bone"] + kill * (u[SYSTEMIC] + u[OSTEOCYTE]),
        "kill_systemic": s["kill_systemic"] + kill * (u[SYSTEMIC] + u[SPARING]),
    }


def kinetics(p: Any) -> dict[str, tuple[Any, ...]]:
    """Channel, gain per dose unit and half-life (d) of each."""
    stay = p.damage_stay
    pulse = log(2) / stay
    return {
        "ovariectomy": (OVARIES, 1.0, FOREVER),
        "thymectomy": (THYMUS, 1.0, FOREVER),
        "irradiation": (IRRADIATION, pulse / p.irradiation_dose, stay),
        "chemotherapy": (CHEMOTHERAPY, pulse, stay),
        **{name: (name, pulse, stay) for name in (SYSTEMIC, OSTEOCYTE, SPARING)},
    }


MECHANISM = Mechanism(
    "experiments",
    neutral={"osteocyte_rankl": 1.0, "progenitor_host": 1.0,
             "ovary_loss": 0.0, "t_cell_loss": 0.0, "damage_bone": 0.0, "damage_systemic": 0.0},
    channels=(OVARIES, THYMUS, IRRADIATION, CHEMOTHERAPY, SYSTEMIC, OSTEOCYTE, SPARING),
    signals=signals, kinetics=kinetics,
)  # fmt: skip
