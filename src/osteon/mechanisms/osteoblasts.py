"""The osteoblast line of each compartment: precursors that also die, osteoblasts, and a finite pool of lining cells.

    pre' = [supply · P g · W^γ - ((1 - δ) φ + δ) · pre]/τ_pre     W coupling signal from resorbed bone, δ share dying
    B'   = S d φ · pre/τ_B + α ℓ · lining - B (1 + e (1 - E))/(τ_B (1 + survival · u)) - K · B
    lining' = (B - lining)/τ_lining - α · lining
    φ = (1 + m Ps · uncovered)/(1 + m Ps · excess)                m: weight of the compartment, 1 in trabecular bone
    α = (m As · uncovered + m' Ap · u) · W + Al · loading

P: progenitors, S: senescent neighbours, both 1 in a person of usual ageing (mechanisms/ageing); g growth hormone, d
dasatinib, K what a toxic senolytic kills, E estrogen, without which osteoblasts die sooner (e). u is the exposure to
PTH analogues. All are 1 before the menopause. The finite lining pool is why a burst of formation fades within months;
its waking needs coupling signal, so bone whose turnover is held down answers less."""

from __future__ import annotations

from typing import Any

from osteon.mechanisms import COMPARTMENTS, Mechanism, Rates, Signals, States, each, power, progenitors, senescence


def rates(x: States, u: Signals, t: Any, p: Any, s: Signals) -> Rates:
    """Production and loss of its states."""
    found: Rates = {}
    pth = s["pth"]
    supply = s["osteoblast_supply"] * progenitors.supply(p, s) * s["growth_hormone"]
    lack = 1.0 + p.estrogen_survival * (1.0 - s["estrogen"])
    for k in COMPARTMENTS:
        weight = p.sclerostin_cortical if k == "cortical" else 1.0
        weight_pth = p.pth_cortical if k == "cortical" else 1.0
        pre, blasts = x[f"pre_osteoblasts_{k}"], x[f"osteoblasts_{k}"]
        lining, coupling = x[f"lining_cells_{k}"], x[f"coupling_{k}"]
        speed = 1.0 + weight * p.sclerostin_speed * s["uncovered"]
        speed = speed / (1.0 + weight * p.sclerostin_speed * s["excess"])
        waking = (weight * p.sclerostin_waking * s["uncovered"] + weight_pth * p.pth_waking * pth) * coupling
        waking = waking + p.loading_waking * s["loading"]
        output = senescence.output(p, s, k) * s["dasatinib_formation"]
        dying = p.pre_osteoblast_death
        found[f"pre_osteoblasts_{k}"] = (
            supply * power(coupling, p.coupling_exponent) / p.pre_osteoblast_time,
            ((1.0 - dying) * speed + dying) / p.pre_osteoblast_time,
        )
        found[f"osteoblasts_{k}"] = (
            output * speed * pre / p.osteoblast_time + waking * p.lining_share * lining,
            lack / (p.osteoblast_time * (1.0 + p.pth_survival * weight_pth * pth)) + s["osteoblast_kill"],
        )
        found[f"lining_cells_{k}"] = (blasts / p.lining_time, 1.0 / p.lining_time + waking)
    return found


MECHANISM = Mechanism(
    "osteoblasts", {**each("pre_osteoblasts"), **each("osteoblasts"), **each("lining_cells")}, rates=rates
)
