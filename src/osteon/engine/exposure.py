"""Drug exposure in closed form: pulses and windows that decay with a half-life.

A pulse adds `gain · dose` at its time, which then halves every half-life. A window adds `gain · rate` per day
between its edges. Between two breakpoints each agent is therefore `a · exp(-k (t - t_break)) + c`, so that the
level at any time costs one exponential per agent, whatever the number of doses.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from osteon.regimen import Course

if TYPE_CHECKING:
    from jaxtyping import Float

WINDOW_MAX_INTERVAL = 1.0  # days; doses at most this far apart act as a constant rate


def is_window(course: Course) -> bool:
    """Whether a course acts as a constant rate (a window) and not as pulses."""
    return 0 < course.interval <= WINDOW_MAX_INTERVAL * (1 + 1e-12)


@dataclass(frozen=True)
class Kinetics:
    """How one therapy drives a model: `channel` index, `gain` per dose unit, `half_life` in days (numbers, or
    arrays over people)."""

    channel: int
    gain: Any
    half_life: Any


def agent(course: Course, kinetics: Mapping[str, Any]) -> str:
    """The entry of a course in a model's kinetics: its therapy, with the route where that has an entry of its own."""
    by_route = f"{course.therapy} {course.route}"
    return by_route if by_route in kinetics else course.therapy


class Exposure:
    """Levels on `n_channels` channels over time.

    `breaks` are the times (days) where a dose falls or a window begins or ends. `at(t)` is right-continuous;
    `segment(k)` gives the levels as a function of time that holds from break k to break k+1, ends included.
    """

    def __init__(self, courses: Sequence[Course], kinetics: Mapping[str, Kinetics], n_channels: int) -> None:
        self.n_channels = n_channels
        names = [agent(course, kinetics) for course in courses]
        agents = list(dict.fromkeys(names))
        self._kinetics = [kinetics[name] for name in agents]
        self._decay = np.array([math.log(2) / k.half_life for k in self._kinetics])
        jumps, rates = _events(courses, [agents.index(name) for name in names], self._kinetics)
        self.breaks: Float[np.ndarray, " segment"] = np.array(sorted(set(jumps) | set(rates)))
        self._amplitude, self._plateau = self._march(jumps, rates)

    def _march(
        self, jumps: Mapping[float, np.ndarray], rates: Mapping[float, np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray]:
        n = len(self._kinetics)
        amplitude, plateau = np.zeros((len(self.breaks), n)), np.zeros((len(self.breaks), n))
        level, rate, before = np.zeros(n), np.zeros(n), None
        for k, time in enumerate(self.breaks):
            if before is not None:
                level = amplitude[k - 1] * np.exp(-self._decay * (time - before)) + plateau[k - 1]
            level = level + jumps.get(time, 0.0)
            rate = rate + rates.get(time, 0.0)
            # Windows that have all closed leave rounding dust behind; a level cannot be driven by it.
            rate = np.where(np.abs(rate) < 1e-14, 0.0, rate)
            plateau[k] = rate / self._decay
            amplitude[k] = level - plateau[k]
            before = time
        return amplitude, plateau

    def segment(self, k: int) -> Segment:
        """Levels from break k on; k = -1 is the time before the first break."""
        if k < 0 or not len(self.breaks):
            return Segment(0.0, (), (0.0,) * self.n_channels)
        base, terms = [0.0] * self.n_channels, []
        for j, kin in enumerate(self._kinetics):
            base[kin.channel] += float(self._plateau[k, j])
            if self._amplitude[k, j] != 0.0:
                terms.append((kin.channel, float(self._amplitude[k, j]), float(self._decay[j])))
        return Segment(float(self.breaks[k]), tuple(terms), tuple(base))

    def segment_at(self, t: float) -> Segment:
        """The segment that holds just after time t."""
        return self.segment(bisect_right(self.breaks, t) - 1)

    def at(self, t: float) -> tuple[float, ...]:
        """Levels on each channel at time t (days), doses at t included."""
        return self.segment_at(t).at(t)


@dataclass(frozen=True)
class Segment:
    """Levels between two breaks: `base` plus `amplitude · exp(-decay · (t - start))` for each term."""

    start: float
    terms: tuple[tuple[int, float, float], ...]
    base: tuple[float, ...]

    def at(self, t: float) -> tuple[float, ...]:
        if not self.terms:
            return self.base
        levels = list(self.base)
        for channel, amplitude, decay in self.terms:
            levels[channel] += amplitude * math.exp(-decay * (t - self.start))
        return tuple(levels)


def _events(
    courses: Sequence[Course], numbers: Sequence[int], kinetics: list[Kinetics]
) -> tuple[dict[float, np.ndarray], dict[float, np.ndarray]]:
    """Jumps of the level, and changes of the inflow, by time and agent; `numbers` gives the agent of each course."""
    jumps: dict[float, np.ndarray] = {}
    rates: dict[float, np.ndarray] = {}
    for course, j in zip(courses, numbers, strict=True):
        unit = np.zeros(len(kinetics))
        unit[j] = kinetics[j].gain * course.dose
        if is_window(course):
            inflow = unit / course.interval
            rates[course.start] = rates.get(course.start, 0.0) + inflow
            rates[course.stop] = rates.get(course.stop, 0.0) - inflow
        else:
            for time in course.times:
                jumps[float(time)] = jumps.get(float(time), 0.0) + unit
    return jumps, rates
