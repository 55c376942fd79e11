"""Free sclerostin seen by the osteoblast line, and the answers of osteocytes to its loss.

    i  = 1 - (1 + g X)/(1 + c)      loss of free sclerostin; c antibody relative to its half-value
    X' = (c/(1 + c) - X)/τ_X        osteocytes make more: the formation burst fades, and undershoots after stopping
    r  = 1 - Qs · c/(kQ + c) + Qa · Y                          what it makes of osteoclast differentiation
    Y' = (1 - Y) c/(kQ + c)/τ_rise - Y/τ_fall                  osteocytes come to make more RANKL

Signals: `uncovered` = max(i, 0) speeds the osteoblast line and wakes lining cells, `excess` = max(-i, 0) slows it;
`sclerostin_rankl` = r. Resorption falls within days of the antibody, comes back within weeks as Y rises, and
overshoots after stopping until Y is gone. Whether RANKL, OPG or something else carries Y is not known; the course is
that of CTX.
"""

from __future__ import annotations

from typing import Any

from osteon.mechanisms import Mechanism, Rates, Signals, States, above


def signals(x: States, u: Signals, t: Any, p: Any, s: Signals) -> dict[str, Any]:
    """What the other mechanisms see of it."""
    c = s["sclerostin_antibody"]
    lost = 1.0 - (1.0 + p.compensation_gain * x["compensation"]) / (1.0 + c)
    rankl = 1.0 - p.antibody_resorption * c / (p.antibody_resorption_half + c) + p.rankl_answer * x["rankl_answer"]
    return {"uncovered": above(lost), "excess": above(-lost), "sclerostin_rankl": rankl}


def rates(x: States, u: Signals, t: Any, p: Any, s: Signals) -> Rates:
    """Production and loss of its states."""
    c = s["sclerostin_antibody"]
    answer = c / (p.antibody_resorption_half + c) / p.rankl_answer_rise
    return {
        "compensation": (c / (1.0 + c) / p.compensation_time, 1.0 / p.compensation_time),
        "rankl_answer": (answer, answer + 1.0 / p.rankl_answer_fall),
    }


MECHANISM = Mechanism(
    "sclerostin", {"compensation": 0.0, "rankl_answer": 0.0},
    {"uncovered": 0.0, "excess": 0.0, "sclerostin_rankl": 1.0}, signals=signals, rates=rates,
)  # fmt: skip
