"""The usual course of ageing: what an untreated person of average burden has at each age.

    U' = η age - β U/(κ + U)              senescent cells (Karin 2019), σ = U/U_old
    N' = -d N                             the progenitors' own, intrinsic decline
    J  = i σ                              marrow inflammation above that of youth
    P  = N/(1 + g J)                      progenitors, relative to youth
    q  = 1/(1 + k a),  a = (age - adult)/(old - adult)                     what one of them is worth
    φ  = φ_0 (1 + φ_a a + φ_E (1 - E)),  ω = (1 + φ_0)/(1 + φ)             the share that does not turn to fat
    A  = P q ω                            osteogenic capacity

The fit of this model to trials and lives holds the ageing of a person of average burden already: in `supply_ageing`,
in estrogen, in the balance of its cells. So these curves are a yardstick. The mechanisms of ageing act on bone only
by how far a person is from them: by more or fewer senescent cells than usual, by therapies, by damage, or by being
left out (`without=["senescence"]` is a life without senescent cells, and shows what they carry). An untreated person
of average burden has exactly the rates of the fit, in every draw. The other way, new terms beside a smaller
`supply_ageing`, would need the whole fit again, with terms whose sizes no human trial tells. Leaving out `ageing`
leaves out all of them.

E is the estrogen that the person has, therapy included: what hormones do is in the fit, and not counted twice.
"""

from __future__ import annotations

from typing import Any

from osteon.mechanisms import Mechanism, Rates, Signals, States

YEAR_DAYS = 365.25
GROUP = ("ageing", "senescence", "inflammation", "progenitors", "graft")
"""What `without=["ageing"]` leaves out."""


def steady(p: Any, days: float) -> Any:
    """Senescent cells in balance at an age (d), from which life begins."""
    made = p.senescence_production * days
    return p.senescence_half * made / (p.senescence_removal - made)


def burden(x: States, p: Any) -> Any:
    """σ, relative to the usual burden at old age."""
    return x["senescent_usual"] / p.senescence_scale


def inflammation(x: States, p: Any) -> Any:
    """J."""
    return p.inflammation_ageing * burden(x, p)


def progenitors(x: States, p: Any) -> Any:
    """P."""
    return x["progenitor_line"] / (1.0 + p.progenitor_inflammation * inflammation(x, p))


def signals(x: States, u: Signals, t: Any, p: Any, s: Signals) -> dict[str, Any]:
    """What the other mechanisms see of it."""
    share = (t / YEAR_DAYS - p.adult_age) / (p.old_age - p.adult_age)
    quality = 1.0 / (1.0 + p.progenitor_quality_loss * share)
    fat = p.fat_young * (1.0 + p.fat_ageing * share + p.fat_estrogen * (1.0 - s["estrogen"]))
    number = progenitors(x, p)
    return {
        "usual_burden": burden(x, p), "usual_inflammation": inflammation(x, p), "usual_progenitors": number,
        "progenitor_quality": quality, "usual_fat": fat,
        "usual_osteogenic": number * quality * (1.0 + p.fat_young) / (1.0 + fat),
    }  # fmt: skip


def rates(x: States, u: Signals, t: Any, p: Any, s: Signals) -> Rates:
    """Production and loss of its states."""
    return {
        "senescent_usual": (
            p.senescence_production * t,
            p.senescence_removal / (p.senescence_half + x["senescent_usual"]),
        ),
        "progenitor_line": (0.0, p.progenitor_decline / (p.old_age - p.adult_age) / YEAR_DAYS),
    }


MECHANISM = Mechanism(
    "ageing", {"senescent_usual": 1.0, "progenitor_line": 1.0},
    {"usual_burden": 0.0, "usual_inflammation": 0.0, "usual_progenitors": 1.0, "progenitor_quality": 1.0,
     "usual_fat": 0.0, "usual_osteogenic": 1.0},
    signals=signals, rates=rates,
)  # fmt: skip
