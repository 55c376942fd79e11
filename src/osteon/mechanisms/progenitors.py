"""Osteoblast progenitors of the marrow: how many, what each is worth, how many turn to fat.

    y' = (h (1 + g J)/(1 + g I') - y)/τ - kill y      number relative to the usual P; I' = I - 1 inflammation, J usual
    A  = (P y q + G) ω,   φ = φ_usual (1 + φ_I I')/(1 + φ_I J)    osteogenic capacity, G graft, ω = (1 + φ_0)/(1 + φ)
    osteoblast supply × H(A)/H(A_usual),   H(A) = A (1 + a)/(a + A)

P, q, φ_usual and A_usual: mechanisms/ageing. Inflammation lowers number (g) and turns more to fat (φ_I): the
extrinsic part of their decline; N and q are intrinsic. H saturates: bone-building sites take fewer progenitors than
there are in youth, so that a fall of A to 0.4 costs 10 to 30 % of the supply. h is 1, less in mice that lack
progenitors by a gene (Sca-1)."""

from __future__ import annotations

from typing import Any

from osteon.mechanisms import Mechanism, Rates, Signals, States


def signals(x: States, u: Signals, t: Any, p: Any, s: Signals) -> dict[str, Any]:
    """What the other mechanisms see of it."""
    f = p.fat_inflammation
    fat = s["usual_fat"] * (1.0 + f * s["inflammation"]) / (1.0 + f * s["usual_inflammation"])
    own = s["usual_progenitors"] * x["progenitors"]
    capacity = (own * s["progenitor_quality"] + s["graft"]) * (1.0 + p.fat_young) / (1.0 + fat)
    return {"osteogenic": capacity}


def supply(p: Any, s: Signals) -> Any:
    """Osteoblast supply relative to that of a person of usual progenitors."""
    own, usual, half = s["osteogenic"], s["usual_osteogenic"], p.progenitor_half
    return own / usual * ((usual + half) / (own + half))


def rates(x: States, u: Signals, t: Any, p: Any, s: Signals) -> Rates:
    """Production and loss of its state."""
    g = p.progenitor_inflammation
    usual = (1.0 + g * s["usual_inflammation"]) / (1.0 + g * s["inflammation"])
    return {"progenitors": (p.progenitor_host * usual / p.progenitor_time,
                            1.0 / p.progenitor_time + s["progenitor_kill"])}  # fmt: skip


MECHANISM = Mechanism("progenitors", {"progenitors": 1.0}, {"osteogenic": 1.0}, signals=signals, rates=rates)
