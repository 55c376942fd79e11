"""How cost per patient-year grows with people, states, years and doses: osteon, and heyoka where it is there."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import scenarios
import synthetic
from osteon.engine import batch, cohort

PEOPLE = (64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576)
PEER_PEOPLE = (64, 256, 1024, 4096, 16_384)
STATES = (9, 12, 16, 20, 30)
YEARS = (5, 10, 20, 40, 60)
DOSES = (0, 6, 12, 24, 48, 84, 120)
MANY, PEER_MANY, REPEATS = 16_384, 4096, 3
SETTING = {"lanes": 32, "tol": 1e-5, "scale": 0.01, "avx512": False}  # one that is accurate enough in all of these
BEFORE = scenarios.DRUG_AGE - scenarios.START_AGE


def cpu(work: Callable[[], Any], repeats: int = REPEATS) -> float:
    """Median CPU seconds."""
    found = []
    for _ in range(repeats):
        begin = time.process_time()
        work()
        found.append(time.process_time() - begin)
    return statistics.median(found)


def osteon(people: Any, scenario: str, years: float) -> dict[str, Any]:
    """Nanoseconds per patient-year of the run, with and without the choice of steps; its number of steps."""

    def some(first: int, last: int) -> Any:
        return people.take(slice(first, last))

    def prepare(who: Any = people) -> Any:
        def part(first: int, last: int) -> Any:
            return who.take(slice(first, last))

        return batch.prepare(who.model, part, who.n, scenarios.courses(scenario), scenarios.OUTPUTS)

    setup = prepare()  # compiles
    begin = time.process_time()
    prepare(people.take(slice(None, None, -1)))  # other people in the pilot, so the steps are chosen anew
    chosen = time.process_time() - begin

    def run() -> None:
        for _ in batch.chunks(setup, some, people.n, threads=1):
            pass

    seconds = cpu(run, 1 if people.n > 200_000 else REPEATS)
    amount = people.n * years
    return {
        "ns": 1e9 * seconds / amount,
        "ns_with_setup": 1e9 * (seconds + chosen) / amount,
        "steps": len(setup.grid),
    }


def heyoka(n: int, scenario: str, years: float) -> dict[str, Any] | None:
    """Nanoseconds per patient-year, and how accurate it is."""
    try:
        import engines
        import truth

        peer = engines.make("heyoka")
    except ImportError:
        return None
    people = scenarios.people(n)
    peer.build(scenario, SETTING)
    peer.solve(scenario, people, SETTING)
    seconds = cpu(lambda: peer.solve(scenario, people, SETTING))
    few = people.take(slice(0, min(n, 256)))
    got = scenarios.accuracy(peer.solve(scenario, few, SETTING), truth.fine(scenario, few))
    return {"ns": 1e9 * seconds / (n * years), "max_pct": got.max_pct}


def horizon(years: float) -> None:
    """Let scenarios end so many years after 65."""
    last = int(scenarios.DRUG_AGE + years)
    scenarios.OUTPUTS = tuple(
        scenarios.YEAR * (age - scenarios.DRUG_AGE) for age in range(int(scenarios.START_AGE), last + 1)
    )


def by_people() -> list[dict[str, Any]]:
    """DA, 30 years."""
    rows = []
    for n in PEOPLE:
        row = {"people": n, "osteon": osteon(scenarios.people(n), "DA", 30.0)}
        rows.append(row | ({"heyoka": heyoka(n, "DA", 30.0)} if n in PEER_PEOPLE else {}))
    return rows


def by_states() -> list[dict[str, Any]]:
    """DA, 30 years, longer and longer models; osteon alone."""
    rows = []
    base = scenarios.people(MANY)
    for states in STATES:
        model = synthetic.make(states)
        values = {name: v for name, v in base.p._asdict().items() if np.ndim(v)}
        start = (scenarios.START_AGE * scenarios.YEAR, synthetic.rest(base.p, states - synthetic.OWN))
        people = cohort.make(model, MANY, changes=values, age=scenarios.DRUG_AGE, start=start)
        rows.append({"states": states, "osteon": osteon(people, "DA", 30.0)})
    return rows


def by_years() -> list[dict[str, Any]]:
    """DA, longer and longer after 65."""
    rows = []
    for years in YEARS:
        horizon(years)
        name = f"DA for {years} years"
        scenarios.REGIMENS[name] = scenarios.REGIMENS["DA"]
        total = BEFORE + years
        row = {"years": total, "osteon": osteon(scenarios.people(MANY), name, total)}
        rows.append(row | {"heyoka": heyoka(PEER_MANY, name, total)})
    horizon(scenarios.END_AGE - scenarios.DRUG_AGE)
    return rows


def by_doses() -> list[dict[str, Any]]:
    """So many monthly doses of romosozumab from 65, 30 years in all."""
    rows = []
    for doses in DOSES:
        name = f"{doses} doses"
        scenarios.REGIMENS[name] = f"romosozumab 210 mg SC every 30 days x{doses}" if doses else "none"
        row = {"doses": doses, "osteon": osteon(scenarios.people(MANY), name, 30.0)}
        rows.append(row | {"heyoka": heyoka(PEER_MANY, name, 30.0)})
    return rows


def main() -> None:
    """Print all as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--core", type=int)
    core = parser.parse_args().core
    if core is not None:
        os.sched_setaffinity(0, {core})
    found = {"people": by_people(), "states": by_states(), "years": by_years(), "doses": by_doses()}
    print(json.dumps({**found, "setting": SETTING}))


if __name__ == "__main__":
    main()
