"""What becomes of stem cells that were given: a day in the lung, a few that engraft in bone, a slow change of the
host's immune state.

    G' = (f_v (b + h c) + f_l l)/(H (1 + γ I')) + ρ G - G (ρ (y + G/P) + (1 + λ I')/τ_G)      grafted progenitors
    M' = k v/(1 + v + ζ v²) (1 - M) - M/τ_M,   v = b + c + w l          immune state; calm = m M

b, c, l: cells in blood and lung per day, homing cells, cells at the site (therapies/stem_cells), gone within a day or
two (CEL-A05). H: the host's progenitors in youth, I' marrow inflammation above youth: an inflamed marrow takes fewer
cells and loses them sooner (INT-A01). y + G/P is how full the niche is: a graft grows where the host's progenitors
are missing by a gene (CEL-A01), not where they are as usual at that age. ζ lets a larger dose do less (CEL-H10).
Cells into a vein act almost wholly through M (CEL-A04, CEL-H03)."""

from __future__ import annotations

from typing import Any

from osteon.mechanisms import Mechanism, Rates, Signals, States, inflammation, progenitors


def signals(x: States, u: Signals, t: Any, p: Any, s: Signals) -> dict[str, Any]:
    """What the other mechanisms see of it."""
    return {"graft": x["graft"], "immune_calm": p.graft_calm * x["graft_immune"]}


def rates(x: States, u: Signals, t: Any, p: Any, s: Signals) -> Rates:
    """Production and loss of its states."""
    blood, homing, site = s["cells_blood"], s["cells_homing"], s["cells_site"]
    inflamed, growth = inflammation.above_youth(s), p.graft_growth
    settled = p.graft_engrafted * (blood + p.graft_homing * homing) + p.graft_engrafted_local * site
    own = progenitors.relative(x) if "progenitors_more" in x else 1.0
    full = own + x["graft"] / s["usual_progenitors"]
    v = blood + homing + p.graft_site_immune * site
    drive = p.graft_immune_rate * v / (1.0 + v + p.graft_immune_excess * v * v)
    return {
        "graft": (
            settled / (p.graft_host_cells * (1.0 + p.graft_inflammation * inflamed)) + growth * x["graft"],
            growth * full + (1.0 + p.graft_inflammation_loss * inflamed) / p.graft_time,
        ),
        "graft_immune": (drive, drive + 1.0 / p.graft_immune_time),
    }


MECHANISM = Mechanism(
    "graft", {"graft": 0.0, "graft_immune": 0.0}, {"graft": 0.0, "immune_calm": 0.0}, signals=signals, rates=rates
)
