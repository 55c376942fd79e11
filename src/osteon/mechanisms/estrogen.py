"""Estrogen over the life course, and slow ageing of the osteoblast supply.

    E = floor + (1 - floor) · fall((age - a_m) / w)          women: a smooth step round the final menstrual period
    E = 1 - drift · max(age - a_d, 0)                        men: free estradiol falls slowly
    E_eff = E + (1 - E) · therapy                            a replaced share of what is missing
    without ovaries E falls to the floor at once (mice)
    supply = 1 - ageing · max(age - a_s, 0)                   pre-osteoblasts made, relative to youth

E = 1 before the menopause. Estradiol falls from two years before to two after the final period (Sowers 2008), which
the width w stands for.
"""

from __future__ import annotations

from typing import Any

from osteon.mechanisms import Mechanism, Signals, States, above, fall

YEAR_DAYS = 365.25


def signals(x: States, u: Signals, t: Any, p: Any, s: Signals) -> dict[str, Any]:
    """What the other mechanisms see of it."""
    age = t / YEAR_DAYS
    women = p.estrogen_floor + (1.0 - p.estrogen_floor) * fall((age - p.menopause_age) / p.menopause_width)
    men = 1.0 - p.estrogen_drift_men * above(age - p.estrogen_drift_from)
    own = women + p.male * (men - women)
    own = own - s["ovary_loss"] * (own - p.estrogen_floor)
    ageing = p.supply_ageing * (1.0 + p.male * (p.supply_ageing_men - 1.0))
    return {
        "estrogen": own + (1.0 - own) * s["estrogen_therapy"],
        "osteoblast_supply": 1.0 - ageing * above(age - p.supply_ageing_from),
    }


def kinks(p: Any) -> tuple[Any, ...]:
    """When its rates have a kink (d since birth)."""
    return (p.estrogen_drift_from * YEAR_DAYS, p.menopause_age * YEAR_DAYS, p.supply_ageing_from * YEAR_DAYS)


MECHANISM = Mechanism("estrogen", neutral={"estrogen": 1.0, "osteoblast_supply": 1.0}, signals=signals, kinks=kinks)
