"""Loading exercise: heavy lifting and impacts, which wake lining cells as a loss of sclerostin does.

    loading = 2 u/(1 + u)

u = 1 for two sessions of high-intensity training a week, as in the trial that the size is taken from (LIFTMOR: Watson
2018); more sessions add less and less. The pool of lining cells and the pull of bone volume give the gain an end.
"""

from __future__ import annotations

from math import log
from typing import Any

from osteon.mechanisms import Mechanism, Signals, States

CHANNEL = "loading"


def signals(x: States, u: Signals, t: Any, p: Any, s: Signals) -> dict[str, Any]:
    """What the other mechanisms see of it."""
    v = u[CHANNEL]
    return {"loading": 2.0 * v / (1.0 + v)}


def kinetics(p: Any) -> dict[str, tuple[Any, ...]]:
    """Channel, gain per session and half-life (d)."""
    return {"exercise": (CHANNEL, p.loading_interval * log(2) / p.loading_onset, p.loading_onset)}


MECHANISM = Mechanism("loading", neutral={"loading": 0.0}, channels=(CHANNEL,), signals=signals, kinetics=kinetics)
