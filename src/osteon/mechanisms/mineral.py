"""Mineral per volume of each compartment: new bone is laid down with less, and fills up over years.

    m' = κ (F/V) (m_0 - m) + k_m (1 - m)

m_0 is what primary mineralisation reaches within weeks, k_m the rate of the secondary one. Low turnover makes bone
older and denser, which is a part of what an antiresorptive does to BMD. Life begins in the steady state.
"""

from __future__ import annotations

from typing import Any

from osteon.mechanisms import COMPARTMENTS, Mechanism, Rates, Signals, States, each
from osteon.mechanisms.remodelling import turnover


def rates(x: States, u: Signals, t: Any, p: Any, s: Signals) -> Rates:
    """Production and loss of its states."""
    found: Rates = {}
    filling = p.mineral_rate / 365.25
    for k in COMPARTMENTS:
        new = turnover(p, k) * s[f"formation_{k}"] / x[f"volume_{k}"]
        found[f"mineral_{k}"] = (new * p.mineral_new + filling, new + filling)
    return found


def steady(p: Any, k: str) -> Any:
    """Mineral of youth."""
    new, filling = turnover(p, k), p.mineral_rate / 365.25
    return (new * p.mineral_new + filling) / (new + filling)


MECHANISM = Mechanism("mineral", each("mineral"), rates=rates)
