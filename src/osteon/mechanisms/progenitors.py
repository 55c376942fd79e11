"""Osteoblast progenitors of the marrow: how many, what each is worth, how many turn to fat.

    y  = 1 + M - L                                          number relative to the usual P
    M' = (max(D, 0) - M)/τ,   L' = (max(-D, 0) - L)/τ + kill (1 + M - L)
    D  = h (1 + g J)/(1 + g I') - 1                         I' = I - 1 inflammation above youth, J the usual
    A  = (P y q + G) ω,   φ = φ_usual (1 + φ_I I')/(1 + φ_I J)    osteogenic capacity, G graft, ω = (1 + φ_0)/(1 + φ)
    osteoblast supply × H(A)/H(A_usual),   H(A) = A (1 + a)/(a + A)

P, q, φ_usual and A_usual: mechanisms/ageing. Inflammation lowers number (g) and turns more to fat (φ_I): the
extrinsic part of their decline; N and q are intrinsic. H saturates: bone-building sites take fewer progenitors than
there are in youth, so that a fall of A to 0.4 costs 10 to 30 % of the supply. h is 1, less in mice that lack
progenitors by a gene (Sca-1)."""

from __future__ import annotations

from typing import Any

from osteon.mechanisms import Mechanism, Rates, Signals, States, above, inflammation


def relative(x: States) -> Any:
    """y."""
    return 1.0 + (x["progenitors_more"] - x["progenitors_less"])


def signals(x: States, u: Signals, t: Any, p: Any, s: Signals) -> dict[str, Any]:
    """What the other mechanisms see of it."""
    usual, f = s["usual_inflammation"], p.fat_inflammation
    fat = s["usual_fat"] * (1.0 + f * (inflammation.above_youth(s) - usual) / (1.0 + f * usual))
    own = s["usual_progenitors"] * relative(x)
    capacity = (own * s["progenitor_quality"] + s["graft"]) * (1.0 + p.fat_young) / (1.0 + fat)
    return {"osteogenic": capacity}


def supply(p: Any, s: Signals) -> Any:
    """Osteoblast supply relative to that of a person of usual progenitors."""
    own, usual, half = s["osteogenic"], s["usual_osteogenic"], p.progenitor_half
    return 1.0 + half * (own - usual) / (usual * (own + half))


def rates(x: States, u: Signals, t: Any, p: Any, s: Signals) -> Rates:
    """Production and loss of its states."""
    g, rate, kill = p.progenitor_inflammation, 1.0 / p.progenitor_time, s["progenitor_kill"]
    inflamed = inflammation.above_youth(s)
    off = s["progenitor_host"] * (1.0 + g * (s["usual_inflammation"] - inflamed) / (1.0 + g * inflamed)) - 1.0
    return {
        "progenitors_more": (above(off) * rate, rate),
        "progenitors_less": (above(-off) * rate + kill * (1.0 + x["progenitors_more"]), rate + kill),
    }


MECHANISM = Mechanism(
    "progenitors",
    {"progenitors_more": 0.0, "progenitors_less": 0.0},
    {"osteogenic": 1.0},
    signals=signals,
    rates=rates,
)
