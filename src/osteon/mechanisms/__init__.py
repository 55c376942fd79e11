"""Biological processes, one file each: what makes every state and what removes it.

A mechanism owns states, and may offer signals to the others: quantities that follow from states and time without a
memory of their own. `osteon.skeleton` puts mechanisms together to a model. Everything is plain arithmetic, so that
one definition serves every engine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

COMPARTMENTS = ("trabecular", "cortical")

States = Mapping[str, Any]
Signals = Mapping[str, Any]
Rates = dict[str, tuple[Any, Any]]
"""Production and loss by state: dx/dt = production - loss · x."""


def _none(x: States, u: Signals, t: Any, p: Any, s: Signals) -> dict[str, Any]:
    return {}


@dataclass(frozen=True)
class Mechanism:
    """One process, or one class of therapies.

    `states` gives each state's value at the start of life. `signals(x, u, t, p, s)` and `rates(x, u, t, p, s)` get
    the states, exposures by channel, time in days since birth, the parameters, and the signals of the mechanisms
    before it (rates: of all). `neutral` are the values that its signals take when it is left out.
    """

    name: str
    states: Mapping[str, float] = field(default_factory=dict)
    neutral: Mapping[str, float | None] = field(default_factory=dict)
    channels: tuple[str, ...] = ()
    signals: Callable[[States, Signals, Any, Any, Signals], dict[str, Any]] = _none
    rates: Callable[[States, Signals, Any, Any, Signals], Rates] = _none
    kinetics: Callable[[Any], Mapping[str, tuple[Any, ...]]] = lambda p: {}
    """Therapies by name: channel, gain per dose unit, half-life (d). A route with another gain has an entry of its
    own ("ibandronate IV")."""
    kinks: Callable[[Any], tuple[Any, ...]] = lambda p: ()
    """Times (d since birth) at which its rates have a kink."""


def each(name: str, value: float = 1.0) -> dict[str, float]:
    """A state in both compartments."""
    return {f"{name}_{k}": value for k in COMPARTMENTS}


def above(x: Any) -> Any:
    """max(x, 0) in plain arithmetic."""
    return (x + abs(x)) / 2


def power(x: Any, exponent: Any) -> Any:
    """x to the exponent for x near 1, as a quotient of two straight lines (exact to second order at x = 1)."""
    half = (x - 1.0) / 2
    return (1.0 + (1.0 + exponent) * half) / (1.0 + (1.0 - exponent) * half)


def fall(z: Any) -> Any:
    """A smooth step from 1 (z far below 0) to 0: the distribution function of Laplace, with its exponential as a
    quotient. Its slope has a kink at 0."""
    a = abs(z)
    rest = 1.0 / (1.0 + a * (1.0 + a * (0.5 + a * (1 / 6 + a / 24))))
    return 0.5 - 0.5 * z * (1.0 + a * (0.5 + a * (1 / 6 + a / 24))) * rest
