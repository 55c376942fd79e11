"""Marrow inflammation by the SASP of senescent cells, its part in osteoclast formation, and that of cytokines and T
cells in the lack of estrogen.

    I  = (1 + J)(1 + H - C)                                           inflammation; the usual one is 1 + J
    H' = (max(D, 0) - H)/τ,   C' = (max(-D, 0) - C)/τ                 how far it is above, below
    D  = (i X (1 - block)(1 - calm) - J)/(1 + J)
    X: SASP (mechanisms/senescence), block: SASP blockers, calm: what a graft of stem cells leaves behind
    osteoclast formation × (i + e ν (I - 1) r)/(i + e ν J)           1 at the usual inflammation
    r: 1, less in mice whose osteocytes lack RANKL, by which SASP acts (SEN-A10)
    lack of estrogen × (1 - f_T TNF)(1 - f_1 IL-1)(1 - f_J JAK)(1 - f_c T)(1 + thymus)

The second part is of today's drugs' model: the term by which estrogen's lack raises osteoclast formation, and what of
it is lost when TNF, IL-1 or T cells T are; a graft's calm counts as a loss of T cells (CEL-A04). The shares overlap
(both blockers together do less than their sum); those of TNF and IL-1 are fitted to the rise of CTX after estrogen
was stopped (INT-H01). Estrogen's lack is not in the end point `inflammation`."""

from __future__ import annotations

from typing import Any

from osteon.mechanisms import Mechanism, Rates, Signals, States, above


def signals(x: States, u: Signals, t: Any, p: Any, s: Signals) -> dict[str, Any]:
    """What the other mechanisms see of it."""
    lack = (1.0 - p.tnf_share * s["tnf_block"]) * (1.0 - p.il1_share * s["il1_block"])
    t_cells = 1.0 - (1.0 - s["t_cell_loss"]) * (1.0 - s["immune_calm"])
    lack = lack * (1.0 - p.jak_share * s["jak_block"]) * (1.0 - p.t_cell_share * t_cells)
    lack = lack * (1.0 + s["thymic_output"])
    return {"inflammation_change": change(x, s["usual_inflammation"]), "estrogen_lack": lack}


def change(x: States, usual: Any) -> Any:
    """I - 1 - J, with J the usual."""
    return (1.0 + usual) * (x["inflamed"] - x["calmed"])


def resorption(p: Any, s: Signals, k: str) -> Any:
    """What SASP makes of osteoclast formation in a compartment, relative to a person of usual burden."""
    gain = p.senescence_resorption * (p.senescence_resorption_cortical if k == "cortical" else 1.0)
    usual, lost = s["usual_inflammation"], osteocytes(p, k) * (1.0 - s["osteocyte_rankl"])
    more = above_youth(s)
    return 1.0 + gain * (more - usual - more * lost) / (p.inflammation_ageing + gain * usual)


def above_youth(s: Signals) -> Any:
    """I - 1; without the mechanism there is none."""
    return 0.0 if s["inflammation_change"] is None else s["usual_inflammation"] + s["inflammation_change"]


def osteocytes(p: Any, k: str) -> Any:
    """The share of a compartment's RANKL that osteocytes make."""
    return p.osteocyte_rankl_cortical if k == "cortical" else p.osteocyte_rankl_trabecular


def rates(x: States, u: Signals, t: Any, p: Any, s: Signals) -> Rates:
    """Production and loss of its state."""
    usual = s["usual_inflammation"]
    own = p.inflammation_ageing * s["sasp"] * (1.0 - s["sasp_block"]) * (1.0 - s["immune_calm"])
    off, rate = (own - usual) / (1.0 + usual), 1.0 / p.inflammation_time
    return {"inflamed": (above(off) * rate, rate), "calmed": (above(-off) * rate, rate)}


MECHANISM = Mechanism(
    "inflammation", {"inflamed": 0.0, "calmed": 0.0}, {"inflammation_change": None, "estrogen_lack": 1.0},
    signals=signals, rates=rates,
)  # fmt: skip
