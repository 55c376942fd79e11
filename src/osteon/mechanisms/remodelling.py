"""Bone volume of each compartment, made and removed at its surface, and the coupling of formation to resorption.

    R = C · S(V)    F = B · V^(-b)                R, F relative to youth
    V' = κ (F - R)                                κ turnover per day
    W' = (R - W)/τ_W                              coupling signal

S(V) = V (1 + a)/(V + a), with slope σ = a/(1 + a) at V = 1: surface grows with volume, and is lost with it. The two
exponents give every loss and gain an end. Life begins at 20 with more cortical bone than adult life keeps: a surplus
of growth, which the exponents wear off over decades.
"""

from __future__ import annotations

from typing import Any

from osteon.mechanisms import COMPARTMENTS, Mechanism, Rates, Signals, States, each, power


def turnover(p: Any, k: str) -> Any:
    """κ of a compartment, per day."""
    return (p.turnover_trabecular if k == "trabecular" else p.turnover_cortical) / 365.25


def resorption_per_volume(volume: Any, p: Any) -> Any:
    """S(V)/V."""
    a = p.resorption_exponent / (1.0 - p.resorption_exponent)
    return (1.0 + a) / (volume + a)


def resorption(x: States, p: Any, k: str) -> Any:
    """R of a compartment."""
    volume = x[f"volume_{k}"]
    return x[f"osteoclasts_{k}"] * resorption_per_volume(volume, p) * volume


def formation(x: States, p: Any, k: str) -> Any:
    """F of a compartment."""
    return x[f"osteoblasts_{k}"] * power(x[f"volume_{k}"], -p.formation_exponent)


def surplus_left(p: Any, years: float) -> Any:
    """What is left of the surplus of growth after some years, by the two exponents' pull."""
    pull = p.turnover_cortical * (p.formation_exponent + (1.0 - p.coupling_exponent) * p.resorption_exponent)
    return p.growth_surplus / (1.0 + years * pull)


def signals(x: States, u: Signals, t: Any, p: Any, s: Signals) -> dict[str, Any]:
    """What the other mechanisms see of it."""
    found = {f"resorption_{k}": resorption(x, p, k) for k in COMPARTMENTS}
    return found | {f"formation_{k}": formation(x, p, k) for k in COMPARTMENTS}


def rates(x: States, u: Signals, t: Any, p: Any, s: Signals) -> Rates:
    """Production and loss of its states."""
    found: Rates = {}
    for k in COMPARTMENTS:
        rate = turnover(p, k)
        lost = x[f"osteoclasts_{k}"] * resorption_per_volume(x[f"volume_{k}"], p)
        found[f"volume_{k}"] = (rate * s[f"formation_{k}"], rate * lost)
        found[f"coupling_{k}"] = (s[f"resorption_{k}"] / p.coupling_time, 1.0 / p.coupling_time)
    return found


MECHANISM = Mechanism("remodelling", {**each("volume"), **each("coupling")}, signals=signals, rates=rates)
