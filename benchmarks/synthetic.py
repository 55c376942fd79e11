"""The published model with a chain of further states, for the question how cost grows with the number of states."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from osteon.published.jorg2022 import Jorg2022, equilibrium, turnover

OWN = 9
SLOWEST, FASTEST = 0.002, 0.2  # rates of the chain, 1/d
AT_REST = 612.0  # osteocytes
PULL = 0.05  # by how much of its change the chain's end changes formation


def chain_rate(i: int, extra: int) -> float:
    """Rate of the i-th further state, slow at first and fast at the end."""
    return SLOWEST * (FASTEST / SLOWEST) ** (i / max(extra - 1, 1))


def make(states: int) -> Jorg2022:
    """A model of so many states. The chain follows the osteocytes, each link saturating, and its end acts on
    formation, so that none of it can be left out."""
    extra = states - OWN
    if not extra:
        return Jorg2022()

    class Longer(Jorg2022):
        states = (*Jorg2022.states, *(f"chain_{i}" for i in range(extra)))

        def start(self, p: Any) -> tuple[float, list[Any]]:
            return 0.0, rest(p, extra)

        def rates(self, x: Sequence[Any], exposure: Sequence[Any], t: Any, p: Any) -> tuple[list[Any], list[Any]]:
            made, lost = super().rates(x[:OWN], exposure, t, p)
            formation, resorption = turnover(x[:OWN], p)
            made = [*made]
            made[7] = formation * (1.0 + PULL * (x[-1] - 1.0)) - resorption
            before = x[2] / AT_REST
            for i in range(extra):
                rate = chain_rate(i, extra)
                made.append(rate * 2.0 * before / (1.0 + before))
                lost.append(rate)
                before = x[OWN + i]
            return made, lost

    return Longer()


def rest(p: Any, extra: int) -> list[Any]:
    """The fixed point at e = 1 without drugs."""
    x = equilibrium(p)
    before = x[2] / AT_REST
    for _ in range(extra):
        before = 2.0 * before / (1.0 + before)
        x.append(before)
    return x
