"""The osteoclast line of each compartment: precursors that also die, and osteoclasts.

    pre' = [1 - ((1 - δ) ρ + δ) · pre]/τ_pre
    C'   = η [ρ · pre - C (1 + β)]
    ρ = r (1 - supplements) (1 + cE ν (1 - E) L) (1 - w + w B) (1 - Ed d/(d + EC)) (1 + cR rP u) S D (1 - o + o O)

Differentiation ρ answers to sclerostin antibody by r, calcium and vitamin D, estrogen E, RANKL from osteoblasts B,
denosumab d and PTH u; death to bisphosphonate β. L is what cytokine blockers leave of the lack of estrogen, S the
part of SASP (both mechanisms/inflammation, 1 in a person of usual ageing), D that of dasatinib; o is the share of
RANKL that osteocytes make, O whether they can (mice without it: SEN-A10). Without death of precursors (δ = 0) they
would pile up under denosumab and rebound without bound."""

from __future__ import annotations

from typing import Any

from osteon.mechanisms import COMPARTMENTS, Mechanism, Rates, Signals, States, each, inflammation


def rates(x: States, u: Signals, t: Any, p: Any, s: Signals) -> Rates:
    """Production and loss of its states."""
    found: Rates = {}
    calm = s["sclerostin_rankl"]
    for k in COMPARTMENTS:
        by_estrogen = p.estrogen_cortical if k == "cortical" else 1.0
        by_pth = p.pth_resorption_cortical if k == "cortical" else 1.0
        pre, blasts = x[f"pre_osteoclasts_{k}"], x[f"osteoblasts_{k}"]
        rate = calm * (1.0 + by_estrogen * p.estrogen_gain * (1.0 - s["estrogen"]) * s["estrogen_lack"])
        rate = rate * (1.0 - p.rankl_share + p.rankl_share * blasts) * (1.0 - s["rankl_block"])
        rate = rate * (1.0 - s["supplements"]) * (1.0 + by_pth * p.pth_resorption * s["pth_resorption"])
        rate = rate * (inflammation.resorption(p, s, k) * s["dasatinib_resorption"])
        rate = rate * (1.0 + inflammation.osteocytes(p, k) * (s["osteocyte_rankl"] - 1.0))
        dying = p.pre_osteoclast_death
        found[f"pre_osteoclasts_{k}"] = (
            1.0 / p.pre_osteoclast_time,
            ((1.0 - dying) * rate + dying) / p.pre_osteoclast_time,
        )
        found[f"osteoclasts_{k}"] = (
            p.osteoclast_rate * rate * pre,
            p.osteoclast_rate * (1.0 + s["bisphosphonate"]),
        )
    return found


MECHANISM = Mechanism("osteoclasts", {**each("pre_osteoclasts"), **each("osteoclasts")}, rates=rates)
