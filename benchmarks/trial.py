"""How long a virtual trial and its replicates take, in seconds of CPU (of all threads together) and of the clock.

The trial has 10,000 people in each of three arms for five years, seven visits, five end points and three kinds of
fracture. The replicates are 1,000 trials of 200 people drawn from a pool, as `osteon power` runs them. CPU seconds
hardly depend on what else a machine does; over its number of cores they say what the clock would show on an idle one
at best.

    python benchmarks/trial.py [--people N] [--replicates N] [--threads N]
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

ANTIBODY = "denosumab 60 mg sc every 6 months"
BONE = ["lumbar_spine_bmd", "total_hip_bmd", "femoral_neck_bmd", "ctx", "p1np"]
FRACTURES = ["vertebral_fracture", "hip_fracture", "nonvertebral_fracture"]


def trial_study(people: int) -> Any:
    """A study of three arms over five years."""
    return _study(
        people, {"placebo": "none", "antibody": ANTIBODY, "tablet": "alendronate 70 mg oral weekly"},
        [0, 6, 12, 24, 36, 48, 60], [*BONE, *FRACTURES],
    )  # fmt: skip


def replicate_study() -> Any:
    """A study of two arms over two years, of which replicates are drawn."""
    return _study(100, {"placebo": "none", "antibody": ANTIBODY}, [0, 6, 12, 24], ["total_hip_bmd"])


def _study(people: int, arms: dict[str, str], visits: list[int], endpoints: list[str]) -> Any:
    from osteon.files import Document
    from osteon.study import study_from

    return study_from(
        Document(
            {
                "id": "timed",
                "people": {"species": "human", "sex": "female", "age": {"mean": 70, "sd": 6}, "n_per_arm": people,
                           "t_score": {"total_hip": {"mean": -2.2, "sd": 0.7}}},
                "arms": [{"name": name, "regimen": text} for name, text in arms.items()],
                "visits": [float(month) for month in visits],
                "endpoints": endpoints,
            }
        )
    )  # fmt: skip


class Clock:
    """Seconds by step, printed as they come."""

    def __init__(self) -> None:
        self.cpu = self.wall = 0.0

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time what is done inside."""
        cpu, wall = time.process_time(), time.perf_counter()
        yield
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        self.cpu, self.wall = self.cpu + cpu, self.wall + wall
        print(f"  {name:<44}{cpu:8.1f}{wall:8.1f}", flush=True)

    def total(self) -> None:
        """The sums."""
        print(f"  {'together':<44}{self.cpu:8.1f}{self.wall:8.1f}", flush=True)
        self.cpu = self.wall = 0.0


def main() -> None:
    """Run both and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--people", type=int, default=10_000)
    options.add_argument("--replicates", type=int, default=1_000)
    options.add_argument("--threads", type=int, default=None)
    chosen = options.parse_args()
    clock = Clock()
    print(f"{os.cpu_count()} cores{'CPU s':>41}{'clock s':>8}")
    print(f"trial of {chosen.people:,} people × 3 arms × 5 years")
    with clock.step("start (imports)"):
        import osteon.trial.run as runs
    _trial(clock, runs, trial_study(chosen.people), chosen.threads)
    print(f"{chosen.replicates:,} replicates of a trial of 200 people")
    _replicates(clock, chosen.replicates)


def _trial(clock: Clock, runs: Any, study: Any, threads: int | None) -> None:
    from osteon import models
    from osteon.trial import measure
    from osteon.trial.analyse.plan import analyse

    model = models.get(None)
    with clock.step("people and their true courses"):
        true = runs.run_people(study, model=model, seed=1, threads=threads)
    with clock.step("fractures"):
        events, death = runs._fractures(true, study, 1)
    with clock.step("measurement"):
        seen = runs._with_events(measure.observe(true, study, 1, death_day=death), study, events, death)
    with clock.step("analysis"):
        findings = analyse(seen, study, 1, events)
    found = runs.TrialResult(study, true, seen, events, findings, [])
    with clock.step("files: NetCDF, ADaM, report, summary"), tempfile.TemporaryDirectory() as folder:
        runs.write(found, folder)
    clock.total()


def _replicates(clock: Clock, replicates: int) -> None:
    from osteon import models
    from osteon.power import pool
    from osteon.power import replicates as drawn

    with clock.step(f"pool of {pool.DEFAULT:,} people, 2 arms"):
        people = pool.simulate(replicate_study(), endpoints=["total_hip_bmd"], model=models.get(None), seed=1)
    with clock.step("replicates with ANCOVA"):
        drawn.draw(people, 1, "total_hip_bmd", 24.0, 100, replicates=replicates, seed=1).power()
    clock.total()


if __name__ == "__main__":
    main()
