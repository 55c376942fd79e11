"""Degenerative change of the spine: osteophytes and hardened end plates and facets, which DXA counts as bone.

    D' = rate · y/(y + y_s),  y = max(age - a_0, 0)
    BMD of the lumbar spine is multiplied by 1 + D

It is why spine BMD by DXA stays flat in ageing men, and falls less in old women, while trabecular bone is lost.
"""

from __future__ import annotations

from typing import Any

from osteon.mechanisms import Mechanism, Rates, Signals, States, above

YEAR_DAYS = 365.25


def rates(x: States, u: Signals, t: Any, p: Any, s: Signals) -> Rates:
    """Production and loss of its state."""
    years = above(t / YEAR_DAYS - p.degeneration_from)
    return {"degeneration": (p.degeneration_rate / YEAR_DAYS * years / (years + p.degeneration_soft), 0.0)}


def kinks(p: Any) -> tuple[Any, ...]:
    """When its rate has a kink (d since birth)."""
    return (p.degeneration_from * YEAR_DAYS,)


MECHANISM = Mechanism("degeneration", {"degeneration": 0.0}, rates=rates, kinks=kinks)
