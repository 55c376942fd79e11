"""Senescent cells of a person, in bone (osteocytes) and elsewhere (marrow, blood, other tissues).

    S  = m U + E - C,  m = 1 + m₊ - m₋        m: burden of the person relative to the usual one U (mechanisms/ageing)
    E' = damage + ψ r E_s - (r + k) E             what damage added
    C' = k m U + ψ r C_s - (r + k) C              what was cleared
    r  = β κ/((κ + S)(κ + m U))                   so that S' = m U' + damage - β [S/(κ + S) - m U/(κ + m U)] - k S

This is the saturated removal of Karin 2019 to the letter, written as the departure from the untreated course: E and C
are 0 until something happens, so that they cost nothing in other runs. r is slow where there are many cells, which is
why a dent heals within days or weeks in women and months in old mice. ψ is the share in which senescent cells
elsewhere make (or, cleared, spare) senescent cells in bone (bystanders, SEN-A04); it is in C and E of bone alone.

    output of osteoblasts = (1 + f σ)/(1 + f S_b)      each relative to usual at old age; cortical f times its weight

Estrogen does not act on S (SEN-H08, SEN-A07; SEN-A08 says otherwise of rats). `estrogen_senescence` is a switch, 0 by
default: with it bone sees S (1 + switch (1 - E)).
"""

from __future__ import annotations

from typing import Any

from osteon.mechanisms import Mechanism, Rates, Signals, States

PLACES = ("bone", "systemic")
FIXED = ("burden_more", "burden_less", "estrogen_senescence")
"""States that stay what they are at the start of life: what makes a person other than the usual one. They are 0 in
most runs, and the engines leave out all that follows from what is 0."""
DEPARTURES = tuple(f"{what}_{place}" for place in PLACES for what in ("damaged", "cleared"))


def untreated(x: States) -> Any:
    """m U."""
    return x["senescent_usual"] + (x["burden_more"] - x["burden_less"]) * x["senescent_usual"]


def cells(x: States, p: Any, place: str) -> Any:
    """Senescent cells of a place, relative to the usual number at old age."""
    return (untreated(x) + (x[f"damaged_{place}"] - x[f"cleared_{place}"])) / p.senescence_scale


def joint(bone: Any, systemic: Any) -> Any:
    """What the two places make of SASP together: their contraharmonic mean, in which the larger part counts for more.

    Either place keeps most of it up by itself: clearing osteocytes alone leaves resorption (SEN-A03), sparing them
    does about nothing (SEN-A09), clearing both lowers it (SEN-A01). The form was chosen for these three."""
    apart = (systemic - bone) / 2
    middle = bone + apart
    return middle + apart * apart / (middle + 1e-12)


def signals(x: States, u: Signals, t: Any, p: Any, s: Signals) -> dict[str, Any]:
    """What the other mechanisms see of it."""
    seen = 1.0 + x["estrogen_senescence"] * (1.0 - s["estrogen"])
    found = {f"senescent_{place}": cells(x, p, place) * seen for place in PLACES}
    return found | {"sasp": joint(found["senescent_bone"], found["senescent_systemic"])}


def output(p: Any, s: Signals, k: str) -> Any:
    """Output of the osteoblast line of a compartment, relative to that of a person of usual burden."""
    loss = p.senescence_formation * (p.senescence_formation_cortical if k == "cortical" else 1.0)
    return 1.0 + loss * (s["usual_burden"] - s["senescent_bone"]) / (1.0 + loss * s["senescent_bone"])


def rates(x: States, u: Signals, t: Any, p: Any, s: Signals) -> Rates:
    """Production and loss of its states."""
    found: Rates = {}
    usual = untreated(x)
    half = p.senescence_half
    for place in PLACES:
        damaged, cleared = x[f"damaged_{place}"], x[f"cleared_{place}"]
        now = usual + (damaged - cleared)
        rate = p.senescence_removal * half / ((half + now) * (half + usual))
        kill = s[f"kill_{place}"]
        more, less = s[f"damage_{place}"], kill * usual
        if place == "bone":
            more = more + p.bystander_share * rate * x["damaged_systemic"]
            less = less + p.bystander_share * rate * x["cleared_systemic"]
        found[f"damaged_{place}"] = (more, rate + kill)
        found[f"cleared_{place}"] = (less, rate + kill)
    return found | dict.fromkeys(FIXED, (0.0, 0.0))


MECHANISM = Mechanism(
    "senescence", dict.fromkeys((*DEPARTURES, *FIXED), 0.0),
    {"senescent_bone": 0.0, "senescent_systemic": 0.0, "sasp": 0.0}, signals=signals, rates=rates,
)  # fmt: skip
