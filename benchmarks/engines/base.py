"""What every engine offers, and the course of a scenario as pieces between which nothing jumps."""

from __future__ import annotations

import functools
import math
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

import scenarios
from osteon.engine.cohort import Cohort
from osteon.engine.exposure import is_window

Setting = dict[str, Any]
LEVELS = ("romosozumab", "denosumab", "alendronate")


class Engine(Protocol):
    """An engine solves a cohort in a scenario with a setting, and knows its settings by variant."""

    label: str
    people: int
    """On how many people its accuracy is judged."""
    fewest: int
    """How many people make one timing sensible (a full batch)."""

    def version(self) -> str: ...

    def variants(self, scenario: str, *, quick: bool) -> dict[str, list[Setting]]:
        """Ways to use it, each with its settings from the loosest to the tightest."""

    def build(self, scenario: str, setting: Setting) -> None:
        """Compile or load what a setting needs; not part of the timings."""

    def solve(self, scenario: str, cohort: Cohort, setting: Setting) -> np.ndarray:
        """BMD[output, person]."""


@dataclass
class Piece:
    """From `start` to `stop` (days from 65). `dose` is what is given at the start, by agent; `inflow` the amount per
    day that a window gives; `given` the agents given up to now; `outputs` those in (start, stop]."""

    start: float
    stop: float
    dose: dict[str, float] = field(default_factory=dict)
    inflow: dict[str, float] = field(default_factory=dict)
    given: tuple[str, ...] = ()
    outputs: tuple[int, ...] = ()


@functools.cache
def pieces(scenario: str) -> list[Piece]:
    """The time from 65 on, cut at every dose and window edge."""
    courses, outputs = scenarios.courses(scenario), scenarios.OUTPUTS
    doses: dict[float, dict[str, float]] = {0.0: {}}
    inflows: dict[float, dict[str, float]] = {}
    for course in courses:
        if is_window(course):
            inflows.setdefault(course.start, {})[course.therapy] = course.dose / course.interval
            inflows.setdefault(course.stop, {})[course.therapy] = 0.0
        else:
            for time in course.times.tolist():
                doses.setdefault(float(time), {})[course.therapy] = course.dose
    end = outputs[-1]
    edges = [e for e in sorted({*doses, *inflows}) if e < end]
    found, inflow, given = [], dict[str, float](), list[str]()
    for start, stop in zip(edges, [*edges[1:], end], strict=True):
        inflow = inflow | inflows.get(start, {})
        for name in (*doses.get(start, {}), *inflows.get(start, {})):
            if name not in given:
                given.append(name)
        inside = tuple(i for i, t in enumerate(outputs) if start < t <= stop and t > 0)
        found.append(Piece(start, stop, doses.get(start, {}), dict(inflow), tuple(given), inside))
    return found


@dataclass
class Levels:
    """Level of each agent in closed form, for all people: `plateau + amplitude · exp(−decay (t − start))`, as arrays
    [piece, agent, person], agents in the order of `LEVELS`."""

    starts: np.ndarray
    amplitude: np.ndarray
    plateau: np.ndarray
    decay: np.ndarray


def levels(scenario: str, cohort: Cohort) -> Levels:
    """The levels of a cohort in a scenario."""
    course = pieces(scenario)
    kinetics = cohort.model.kinetics(cohort.p)
    gain = np.stack([np.broadcast_to(kinetics[a].gain, cohort.n) for a in LEVELS])
    decay = np.stack([np.broadcast_to(math.log(2) / kinetics[a].half_life, cohort.n) for a in LEVELS])
    level = np.zeros((len(LEVELS), cohort.n))
    amplitude, plateau = (np.zeros((len(course), len(LEVELS), cohort.n)) for _ in range(2))
    for k, piece in enumerate(course):
        for i, agent in enumerate(LEVELS):
            level[i] += gain[i] * piece.dose.get(agent, 0.0)
            plateau[k, i] = gain[i] * piece.inflow.get(agent, 0.0) / decay[i]
        amplitude[k] = level - plateau[k]
        level = plateau[k] + amplitude[k] * np.exp(-decay * (piece.stop - piece.start))
    return Levels(np.array([p.start for p in course]), amplitude, plateau, decay)


def menopause(cohort: Cohort) -> np.ndarray:
    """Each person's kink, days from 65; moved off an output by a millionth of a day, for grids that must ascend."""
    kink = np.broadcast_to((cohort.p.a_e - scenarios.DRUG_AGE) * scenarios.YEAR, cohort.n)
    near = np.round(kink / scenarios.YEAR) * scenarios.YEAR
    return np.where(np.abs(kink - near) < 1e-6, near + 1e-6, kink)


def tolerances(loosest: float, tightest: float, per_decade: int = 2) -> list[float]:
    """A ladder from loose to tight."""
    count = round(math.log10(loosest / tightest) * per_decade) + 1
    return [float(f"{t:.3g}") for t in np.geomspace(loosest, tightest, count)]


@dataclass
class Stretch:
    """For engines that take one person at a time: from `start` to `stop`, which piece's levels hold (−1: none), and
    the times to report, the last of which is `stop`."""

    start: float
    stop: float
    piece: int
    outputs: tuple[int, ...]
    times: np.ndarray


def stretches(scenario: str, kink: float) -> list[Stretch]:
    """One person's time from 45 to 75, cut at the kink, every dose and window edge."""
    times, course = scenarios.OUTPUTS, pieces(scenario)
    spans = [(times[0], kink, -1), (kink, 0.0, -1)]
    spans += [(p.start, p.stop, k) for k, p in enumerate(course)]
    found = []
    for start, stop, piece in spans:
        inside = tuple(range(bisect_right(times, start), bisect_right(times, stop)))
        at = [times[i] for i in inside]
        found.append(Stretch(start, stop, piece, inside, np.array(at if at and at[-1] == stop else [*at, stop])))
    return found
