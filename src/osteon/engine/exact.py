"""The reference integrator: SciPy's DOP853, restarted at every dose, window edge and kink.

Restarting keeps the solver from stepping over a jump that it was not told about. Values at a breakpoint are
those just before it, since a visit that falls on a dosing day is measured before the dose.

Decades of untreated life before month 0 are stiff: there an explicit method's steps are as short as the fastest
process, whatever the tolerance. A model of many parts takes them with LSODA at the same tolerance, seven times as
fast and equal to 1e-10.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from osteon.engine.exposure import Exposure
from osteon.errors import IntegrationError
from osteon.models import Model

if TYPE_CHECKING:
    from jaxtyping import Float

RTOL, ATOL = 1e-11, 1e-12
_MAX_STEPS = 20_000  # per piece between two breakpoints; a smooth piece needs tens


def solve(
    model: Model,
    p: Any,
    exposure: Exposure,
    times: Sequence[float] | Float[np.ndarray, " time"],
    *,
    rtol: float = RTOL,
    atol: float = ATOL,
    tick: Callable[[float], None] | None = None,
) -> Float[np.ndarray, "time state"]:
    """States of one person at `times` (days on the model's clock, ascending).

    `tick(t)` is called as time goes on. Raises IntegrationError when the solver gives up or a state is
    not finite.
    """
    times = np.asarray(times, float)
    clock, state = model.start(p)
    x = np.asarray(state, float)
    if len(times) and times[0] < clock:
        raise IntegrationError(f"{model.name} starts at day {clock:g}; day {times[0]:g} is before that")
    out = np.empty((len(times), len(x)))
    done = int(np.searchsorted(times, clock, side="right"))
    out[:done] = x
    if done == len(times):
        return out
    composed = getattr(model, "composed", False)
    rate = _compiled(model, p) if composed else _rate(model, p)
    end = float(times[-1])
    edges = {float(b) for b in exposure.breaks if clock < b < end}
    edges |= {k for k in model.kinks(p) if clock < k < end}
    quiet = min([float(times[0]), *(float(b) for b in exposure.breaks)]) if composed else clock
    if clock < quiet < end:
        edges.add(quiet)
    for stop in [*sorted(edges), end]:
        if stop <= quiet:
            x = _untreated(model, rate, clock, stop, x, rtol, atol)
            if stop == times[done]:
                out[done], done = x, done + 1
            clock = stop
            continue
        upto = int(np.searchsorted(times, stop, side="right"))
        x = _piece(model, rate, exposure, clock, stop, x, times[done:upto], out[done:upto], rtol, atol)
        clock, done = stop, upto
        if tick is not None:
            tick(stop)
    return out


Rate = Callable[[np.ndarray, Sequence[float], float], np.ndarray]


def _compiled(model: Model, p: Any) -> Rate:
    from osteon.engine.derivative import derivative  # a second that other models need not wait for

    return derivative(model, p)


def _rate(model: Model, p: Any) -> Rate:
    rates = model.rates

    def rate(y: np.ndarray, u: Sequence[float], t: float) -> np.ndarray:
        x = y.tolist()  # plain floats are several times faster than numpy scalars
        production, loss = rates(x, u, t, p)
        return np.array([a - b * c for a, b, c in zip(production, loss, x, strict=True)])

    return rate


_one_at_a_time = threading.Lock()  # LSODA keeps its state in one place


def _untreated(
    model: Model,
    rate: Rate,
    start: float,
    stop: float,
    x: Float[np.ndarray, " state"],
    rtol: float,
    atol: float,
) -> Float[np.ndarray, " state"]:
    """The state at stop of a life without drugs from start on."""
    from scipy.integrate import LSODA

    silent = [0.0] * len(model.channels)
    with _one_at_a_time:
        solver = LSODA(lambda t, y: rate(y, silent, t), start, x, stop, rtol=rtol, atol=atol)
        for _ in range(_MAX_STEPS):
            message = solver.step()
            if solver.status == "failed" or not np.all(np.isfinite(solver.y)):
                raise IntegrationError(f"{model.name}: the integrator stopped at day {solver.t:g}: {message}")
            if solver.status == "finished":
                return np.maximum(solver.y, 0.0)  # what is absent strays by 1e-27
    raise IntegrationError(f"{model.name}: no end in sight at day {solver.t:g} after {_MAX_STEPS} steps")


def _piece(
    model: Model,
    rate: Rate,
    exposure: Exposure,
    start: float,
    stop: float,
    x0: Float[np.ndarray, " state"],
    times: Float[np.ndarray, " time"],
    out: Float[np.ndarray, "time state"],
    rtol: float,
    atol: float,
) -> Float[np.ndarray, " state"]:
    """Integrate from start to stop, where nothing jumps; fills `out` and returns the state at stop."""
    levels = exposure.segment_at(start).at

    def derivative(t: float, y: np.ndarray) -> np.ndarray:
        return rate(y, levels(t), t)

    from scipy.integrate import DOP853  # a third of a second that the kernel need not wait for

    solver = DOP853(derivative, start, x0, stop, rtol=rtol, atol=atol)
    done = 0
    for _ in range(_MAX_STEPS):
        message = solver.step()
        if solver.status == "failed" or not np.all(np.isfinite(solver.y)):
            raise IntegrationError(f"{model.name}: the integrator stopped at day {solver.t:g}: {message}")
        upto = int(np.searchsorted(times, solver.t, side="right"))
        if upto > done:
            out[done:upto] = solver.dense_output()(times[done:upto]).T
            done = upto
        if solver.status == "finished":
            return np.asarray(solver.y, float)
    raise IntegrationError(f"{model.name}: no end in sight at day {solver.t:g} after {_MAX_STEPS} steps")
