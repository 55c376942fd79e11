"""Romosozumab and blosozumab: they bind sclerostin; `c` is the level relative to the half-value of binding."""

from __future__ import annotations

from typing import Any

from osteon.mechanisms import Mechanism, Signals, States

CHANNEL = "sclerostin antibody"


def signals(x: States, u: Signals, t: Any, p: Any, s: Signals) -> dict[str, Any]:
    """What the other mechanisms see of it."""
    return {"sclerostin_antibody": u[CHANNEL]}


def kinetics(p: Any) -> dict[str, tuple[str, Any, Any]]:
    """Channel, gain per dose unit and half-life (d) of each therapy."""
    romosozumab = (CHANNEL, 1.0 / p.romosozumab_half_value / p.body_size, p.romosozumab_half_life)
    blosozumab = (CHANNEL, 1.0 / p.blosozumab_half_value / p.body_size, p.blosozumab_half_life)
    # Half-values are doses under the skin; what of one is absorbed is not told apart, so that a vein counts the same.
    return {
        "romosozumab": romosozumab, "romosozumab IV": romosozumab, "blosozumab": blosozumab,
        "blosozumab IV": blosozumab,
    }  # fmt: skip


MECHANISM = Mechanism(
    "sclerostin antibody", neutral={"sclerostin_antibody": 0.0}, channels=(CHANNEL,), signals=signals,
    kinetics=kinetics,
)  # fmt: skip
