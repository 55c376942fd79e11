"""Senolytics: dasatinib + quercetin, each of the two, fisetin, navitoclax.

    k_systemic = K_DQ u_DQ + K_D u_D + K_Q u_Q + K_F u_F + K_N u_N        rate at which senescent cells die
    k_bone     = b k_systemic                                             b: what of it reaches bone
    progenitors and osteoblasts die at T u_N                              navitoclax, off target (SEN-A11)
    direct     = w v/(1 + v),  v = u_DQ + u_D                             dasatinib itself (SEN-A20), w from 0 to 1
    osteoclast formation × (1 - d direct),  osteoblast output × (1 + o direct)

u is such that its integral over a usual course (one dose of the regimen text) is 1 day, so that a course leaves e^-K
of the cells. For dasatinib + quercetin that is three days' pills; for navitoclax one day's."""

from __future__ import annotations

from math import log
from typing import Any

from osteon.mechanisms import Mechanism, Signals, States

BOTH, DASATINIB, QUERCETIN = "dasatinib and quercetin", "dasatinib", "quercetin"
FISETIN, NAVITOCLAX = "fisetin", "navitoclax"


def signals(x: States, u: Signals, t: Any, p: Any, s: Signals) -> dict[str, Any]:
    """What the other mechanisms see of it."""
    kill = p.dq_kill * (u[BOTH] + p.dasatinib_kill_share * u[DASATINIB] + p.quercetin_kill_share * u[QUERCETIN])
    kill = kill + p.fisetin_kill * u[FISETIN] + p.navitoclax_kill * u[NAVITOCLAX]
    v = (u[BOTH] + u[DASATINIB]) * p.senolytic_stay / log(2)
    direct = p.dasatinib_direct * v / (1.0 + v)
    toxic = p.navitoclax_toxicity * u[NAVITOCLAX]
    return {
        "kill_systemic": kill, "kill_bone": p.senolytic_bone * kill, "progenitor_kill": toxic,
        "osteoblast_kill": toxic, "dasatinib_resorption": 1.0 - p.dasatinib_resorption * direct,
        "dasatinib_formation": 1.0 + p.dasatinib_formation * direct,
    }  # fmt: skip


def kinetics(p: Any) -> dict[str, tuple[Any, ...]]:
    """Channel, gain per dose unit and half-life (d) of each therapy."""
    stay = p.senolytic_stay
    found = {
        "dasatinib+quercetin": (BOTH, p.dq_dose),
        "dasatinib": (DASATINIB, p.dasatinib_dose),
        "quercetin": (QUERCETIN, p.quercetin_dose),
        "fisetin": (FISETIN, p.fisetin_dose),
        "navitoclax": (NAVITOCLAX, p.navitoclax_dose),
    }
    return {name: (channel, log(2) / stay / dose, stay) for name, (channel, dose) in found.items()}


MECHANISM = Mechanism(
    "senolytics",
    neutral={"kill_systemic": 0.0, "kill_bone": 0.0, "progenitor_kill": 0.0, "osteoblast_kill": 0.0,
             "dasatinib_resorption": 1.0, "dasatinib_formation": 1.0},
    channels=(BOTH, DASATINIB, QUERCETIN, FISETIN, NAVITOCLAX), signals=signals, kinetics=kinetics,
)  # fmt: skip
