"""For engines that take one person at a time: a person's life as stretches, each with the numbers it needs."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

import equations
import scenarios
from osteon.engine import trace
from osteon.engine.cohort import Cohort


def used_signs(system: equations.System) -> frozenset[int]:
    """Signs that the rates rest on."""
    nodes = [*system.rates.values(), *(n for k, n in enumerate(system.signs) if k not in system.free)]
    return frozenset(n.tag[1] for n in trace.order(nodes) if n.op == "leaf" and n.tag[0] == "sign")


def numbers(system: equations.System) -> list[str]:
    """Names of the numbers that a stretch gives: invariants, signs of time, levels (amplitude, plateau, decay)."""
    found = [f"q{k}" for k in range(len(system.invariants))]
    found += [f"sign{k}" for k in sorted(used_signs(system) & system.free)]
    found += [f"{letter}{a}" for a in range(len(system.agents)) for letter in "ack"]
    return found + (["since"] if system.agents else [])


@dataclass
class Stretch:
    """From `start` on: times to report, the first of which belong to `outputs`, and the last of which ends it.
    `numbers` are invariants, signs that rest on time alone, amplitude, plateau and decay of each agent, and, if there
    is one, the time to which amplitudes refer. `last` tells that another system follows."""

    system: equations.System
    start: float
    times: np.ndarray
    outputs: tuple[int, ...]
    numbers: np.ndarray
    last: bool


def stretches(scenario: str, cohort: Cohort) -> Iterator[list[Stretch]]:
    """Everyone's life, cut at kinks, doses and window edges."""
    parts = equations.parts(scenario, cohort.varying)
    systems = {id(p.system): p.system for p in parts}
    values = {key: s.values(cohort) for key, s in systems.items()}
    signed = {key: sorted(used_signs(s) & s.free) for key, s in systems.items()}
    gains, kinks, begin = equations.gains(scenario, cohort), equations.kinks(cohort), cohort.born - cohort.now
    edges = [(part.system, part.piece) for part in parts[1:]]
    signs = {
        (k, id(system)): _signs(
            system, (piece.start + piece.stop) / 2, cohort, values[id(system)], signed[id(system)]
        )
        for k, (system, piece) in enumerate(edges)
    }
    life = [begin, *kinks, np.zeros(cohort.n)]
    first = parts[0].system
    before = [
        _signs(first, (a + b) / 2, cohort, values[id(first)], signed[id(first)]) for a, b in itertools.pairwise(life)
    ]
    at_zero = tuple(i for i, t in enumerate(scenarios.OUTPUTS) if t == 0)
    for i in range(cohort.n):
        found = []
        for k in range(len(life) - 1):
            start, stop = float(life[k][i]), float(life[k + 1][i])
            if stop > start:
                own = np.concatenate([values[id(first)][:, i], before[k][:, i]])
                found.append(Stretch(first, start, np.array([stop]), at_zero if stop == 0 else (), own, stop == 0))
        level = dict.fromkeys(gains, 0.0)
        for k, (system, piece) in enumerate(edges):
            numbers = [*values[id(system)][:, i], *signs[k, id(system)][:, i]]
            for agent in level:
                level[agent] += gains[agent][0][i] * piece.dose.get(agent, 0.0)
            for agent in system.agents:
                gain, decay = gains[agent][0][i], gains[agent][1][i]
                plateau = gain * piece.inflow.get(agent, 0.0) / decay
                numbers += [level[agent] - plateau, plateau, decay]
            numbers += [piece.start] if system.agents else []
            for agent in level:
                gain, decay = gains[agent][0][i], gains[agent][1][i]
                plateau = gain * piece.inflow.get(agent, 0.0) / decay
                level[agent] = plateau + (level[agent] - plateau) * np.exp(-decay * (piece.stop - piece.start))
            times = [scenarios.OUTPUTS[j] for j in piece.outputs]
            times += [] if times and times[-1] == piece.stop else [piece.stop]
            last = k + 1 < len(edges) and edges[k + 1][0] is not system
            found.append(Stretch(system, piece.start, np.array(times), piece.outputs, np.array(numbers), last))
        yield found


def _signs(
    system: equations.System, time: float | np.ndarray, cohort: Cohort, inv: np.ndarray, rows: list[int]
) -> np.ndarray:
    """Signs that rest on time alone [k, person]."""
    nothing = dict.fromkeys(system.agents, 0.0)
    return system.sign(time, cohort.x0, nothing, inv)[rows] if rows else np.empty((0, cohort.n))
