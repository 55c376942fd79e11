"""How near the kernel is to what the core's arithmetic allows.

Operations per step and person are counted by the code generator. The limit takes, for each kind of step, the longer
of (products and sums, a fused pair counted once) ÷ (the rate at which this core does them) and divisions ÷ (their
rate). Both rates are measured here, in the same process, by loops that do nothing else. Memory, events, outputs and
everything that is not arithmetic count as nothing. Peaks and times are each the best of some tries.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from typing import Any

import numpy as np
from numba import njit

import scenarios
from osteon.engine import batch, cohort, grid

OPTIONS = {"error_model": "numpy", "boundscheck": False, "fastmath": {"contract", "nsz", "arcp"}}
"""As in the kernel's frame."""
PEOPLE, REPEATS, TURNS, WIDTH = 16_384, 9, 200_000, 64
CHAIN = 24  # operations one after the other on a number; other numbers fill the gaps
# Of each agent on board, counted by hand in the frame: in every step, and more where the step's length is a new one.
EXPOSURE, FADE = {"slots": 4, "divisions": 0}, {"slots": 12, "divisions": 1}
KINDS = ("rest", "free", "drug")


@njit(**OPTIONS)
def products(x: np.ndarray, a: float, b: float, turns: int) -> None:
    """`CHAIN` fused multiply-adds per number and turn."""
    for _ in range(turns):
        for j in range(WIDTH):
            v = x[j]
            v = (((((((v * a + b) * a + b) * a + b) * a + b) * a + b) * a + b) * a + b) * a + b
            v = (((((((v * a + b) * a + b) * a + b) * a + b) * a + b) * a + b) * a + b) * a + b
            v = (((((((v * a + b) * a + b) * a + b) * a + b) * a + b) * a + b) * a + b) * a + b
            x[j] = v


@njit(**OPTIONS)
def divisions(x: np.ndarray, a: float, b: float, turns: int) -> None:
    """Four divisions per number and turn; the sums between them run beside."""
    for _ in range(turns):
        for j in range(WIDTH):
            v = x[j]
            v = a / (b + v)
            v = a / (b + v)
            v = a / (b + v)
            v = a / (b + v)
            x[j] = v


def peaks() -> dict[str, float]:
    """Fused multiply-adds and divisions per second on one core, the best of some tries."""
    found = {}
    for name, loop, each, turns in (("slots", products, CHAIN, TURNS), ("divisions", divisions, 4, TURNS)):
        x = np.linspace(0.5, 1.5, WIDTH)
        loop(x, 0.999, 0.001, 10)
        best = np.inf
        for _ in range(REPEATS):
            begin = time.process_time()
            loop(x, 0.999, 0.5, turns)
            best = min(best, time.process_time() - begin)
        found[name] = turns * WIDTH * each / best
    return found


def passes(setup: Any, people: Any, arrays: Any, steps: Any) -> np.ndarray:
    """How often each step is made, per person on average: more than once where someone's kink lies inside."""
    count = np.ones(len(steps))
    kinks = [t[arrays.order] for t in cohort.kink_times(people, setup.plan)]
    lanes = setup.kernel.source.layout.lanes
    blocks = range(0, people.n, lanes)
    for k in np.flatnonzero(steps.kinked):
        begin, end = steps.t[k], steps.t[k] + steps.h[k]
        for first in blocks:
            some = any(((begin < t[first : first + lanes]) & (t[first : first + lanes] < end)).any() for t in kinks)
            count[k] += some * (len(kinks) + 1) / len(blocks)
    return count


def needed(setup: Any, people: Any, steps: Any, peak: dict[str, float]) -> float:
    """Seconds that the arithmetic of a run takes at the peaks."""
    arrays = cohort.arrays(people, setup.plan, setup.kernel.source.layout, setup.kernel.dtype)
    agents = np.diff(steps.active_from)
    operations = setup.kernel.source.operations
    new = np.concatenate([[True], (steps.h[1:] != steps.h[:-1]) | (steps.fresh[1:] > 0)])
    total = 0.0
    for k, times in enumerate(passes(setup, people, arrays, steps)):
        kind, parts = KINDS[steps.kind[k]], []
        parts += [(operations[kind], times), (operations[f"lengths_{kind}"], new[k] + times - 1)]
        parts += [(operations[f"begin_{kind}"], float(steps.fresh[k]))]
        parts += [(EXPOSURE, times * agents[k]), (FADE, (new[k] + times - 1) * agents[k])]
        slots, divided = (sum(one[key] * often for one, often in parts) for key in ("slots", "divisions"))
        total += max(slots / peak["slots"], divided / peak["divisions"])
    return total * people.n


def measure(scenario: str, peak: dict[str, float]) -> dict[str, Any]:
    """Share of the limit that the kernel call alone reaches, and the whole run with re-runs and all around it."""
    people = scenarios.people(PEOPLE)

    def some(first: int, last: int) -> Any:
        return people.take(slice(first, last))

    setup = batch.prepare(scenarios.MODEL, some, PEOPLE, scenarios.courses(scenario), scenarios.OUTPUTS)
    layout = setup.kernel.source.layout
    arrays = cohort.arrays(people, setup.plan, layout, setup.kernel.dtype)
    s = setup.kernel.shared_array(people.p, setup.weights)
    part = batch.CHUNK
    out, error = np.empty((setup.grid.n_outputs, len(layout.outputs), PEOPLE)), np.empty(PEOPLE)
    alone, whole = [], []
    flags = np.empty(PEOPLE, np.int8)
    for _ in range(REPEATS):
        begin = time.process_time()
        for first in range(0, PEOPLE, part):
            grid.call(setup.kernel, setup.grid, setup.plan, arrays, s, out, error, first, first + part)
        alone.append(time.process_time() - begin)
        begin = time.process_time()
        for first, last, _, marks in batch.chunks(setup, some, PEOPLE, threads=1):
            flags[first:last] = marks
        whole.append(time.process_time() - begin)
    once = needed(setup, people, setup.grid, peak)
    again = [np.flatnonzero(flags >= batch.RERUN), np.flatnonzero(flags == batch.FINER)]
    finer = zip(again, (setup.fine, setup.finest), strict=True)
    more = sum(needed(setup, people.take(who), steps, peak) for who, steps in finer if len(who))
    return {
        "steps": len(setup.grid), "kernel_share": once / min(alone),
        "run_share": (once + more) / min(whole), "kernel_s": min(alone),
        "run_s": min(whole), "limit_s": once, "limit_with_reruns_s": once + more,
        "run_again": len(again[0]) / PEOPLE, "operations": setup.kernel.source.operations, "people": PEOPLE,
    }  # fmt: skip


def main() -> None:
    """Print all as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--core", type=int)
    core = parser.parse_args().core
    if core is not None:
        os.sched_setaffinity(0, {core})
    peak = peaks()
    each = {scenario: measure(scenario, peak) for scenario in scenarios.REGIMENS}
    print(json.dumps({"share": min(e["kernel_share"] for e in each.values()), "peaks_per_s": peak, **each}))


if __name__ == "__main__":
    main()
