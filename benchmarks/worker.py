"""One engine in a process of its own: reads requests as JSON lines, answers them the same way.

Requests: {"do": "calibrate", "scenario": …, "quick": …} chooses the fastest setting that meets the accuracy;
{"do": "time", "scenario": …} takes one timing with it.
"""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from typing import Any

import numpy as np

import scenarios
import truth

TIGHTER = {
    True: 1,
    False: 2,
}  # by `quick`: how many settings beyond the first that is accurate enough are tried: the loosest need not be fastest
SCREEN = 16  # people on whom a setting is tried first
AIM_S = {True: 0.4, False: 1.5}  # how long one timing should take, by `quick`
FINALISTS, FINAL_ROUNDS = 5, 5
QUICK_ENGINE = 50_000  # patient-years per second from which another run costs little
COARSE = 60.0  # seconds after which the calibration of a scenario takes no further variants


class Worker:
    """Calibrates and times one engine."""

    def __init__(self, name: str) -> None:
        import engines

        begin = time.perf_counter()
        self.engine = engines.make(name)
        self.load_s = time.perf_counter() - begin
        self.chosen: dict[str, Any] = {}
        self.cohorts: dict[str, Any] = {}

    def hello(self) -> dict[str, Any]:
        return {"label": self.engine.label, "version": self.engine.version(), "load_s": round(self.load_s, 2)}

    def calibrate(self, scenario: str, quick: bool) -> dict[str, Any]:
        """The fastest setting that meets the accuracy, what was tried, and how many people a timing takes."""
        judged = getattr(self.engine, "people_quick", self.engine.people) if quick else self.engine.people
        people = scenarios.people(max(self.engine.people, truth.PEOPLE))
        if judged < people.n:
            people = people.take(slice(0, judged))
        right = truth.best(scenario, people, exact=not quick)
        tried: list[dict[str, Any]] = []
        begin, build_s = time.perf_counter(), 0.0
        for name, ladder in self.engine.variants(scenario, quick=quick).items():
            if any(t["enough"] for t in tried) and time.perf_counter() - begin > COARSE:
                tried.append({"variant": name, "setting": None, "enough": False, "note": "left out for time"})
                continue
            if quick:  # the full run walks all of the ladder
                loosest = getattr(self.engine, "quick_from", np.inf)
                ladder = [s for s in ladder if s.get("rtol", 0.0) <= loosest]
            passed = 0
            for setting in ladder:
                started = time.perf_counter()
                self.engine.build(scenario, setting)
                build_s = max(build_s, time.perf_counter() - started)
                found = self._judge(scenario, setting, people, right)
                tried.append({"variant": name, "setting": setting, **found})
                passed += found["enough"]
                if passed > (0 if found["rate"] < 5000 else TIGHTER[quick]):
                    break
        good = [t for t in tried if t["enough"]]
        if not good:
            return {"failed": "no setting meets the accuracy", "tried": tried}
        best = max(self._finalists(scenario, good, people), key=lambda t: t["rate"])
        fewest = self.engine.fewest
        n = int(min(max(best["rate"] * AIM_S[quick] / scenarios.YEARS, fewest, 4), 65_536))
        n = n // fewest * fewest
        self.chosen[scenario] = best["setting"]
        self.cohorts[scenario] = scenarios.people(max(n, truth.PEOPLE)).take(slice(0, n))
        if hasattr(self.engine, "setup_s"):
            best["setup_s"] = self.engine.setup_s(scenario)
        return {**best, "judged_on": judged, "timed_on": n, "build_s": round(build_s, 2), "tried": len(tried)} | {
            "others": sorted(good, key=lambda t: -t["rate"])[1:6]
        }

    def _finalists(self, scenario: str, good: list[dict[str, Any]], people: Any) -> list[dict[str, Any]]:
        """The fastest few, timed again in turns where that is cheap, so that chance does not choose."""
        best = sorted(good, key=lambda t: -t["rate"])[:FINALISTS]
        if len(best) == 1 or best[0]["rate"] < QUICK_ENGINE:
            return best
        seconds: list[list[float]] = [[] for _ in best]
        for _ in range(FINAL_ROUNDS):
            for one, taken in zip(best, seconds, strict=True):
                begin = time.process_time()
                self._solve(scenario, people, one["setting"])
                taken.append(time.process_time() - begin)
        return [
            {**t, "rate": people.n * scenarios.YEARS / max(float(np.median(taken)), 1e-9)}
            for t, taken in zip(best, seconds, strict=True)
        ]

    def _judge(self, scenario: str, setting: Any, people: Any, right: np.ndarray) -> dict[str, Any]:
        few = max(SCREEN, self.engine.fewest if self.engine.fewest < people.n else SCREEN)
        allowed = 0.001 * people.n
        if people.n > few and self.engine.fewest < people.n:
            some = people.take(slice(0, few))
            self.engine.solve(scenario, some.take(slice(0, min(few, 4))), setting)  # whatever compiles late
            begin = time.process_time()
            first = scenarios.accuracy(self._solve(scenario, some, setting), right[:, :few])
            rate = few * scenarios.YEARS / max(time.process_time() - begin, 1e-9)
            if (1 - first.share) * few > allowed or first.max_pct > 0.05:
                return {"enough": False, "share": first.share, "max_pct": finite(first.max_pct), "rate": rate}
        begin = time.process_time()
        found = self._solve(scenario, people, setting)
        rate = people.n * scenarios.YEARS / max(time.process_time() - begin, 1e-9)
        got = scenarios.accuracy(found, right)
        if got.enough and rate > QUICK_ENGINE:  # a second look, where it is cheap
            begin = time.process_time()
            self._solve(scenario, people, setting)
            rate = max(rate, people.n * scenarios.YEARS / max(time.process_time() - begin, 1e-9))
        return {"enough": got.enough, "share": got.share, "max_pct": finite(got.max_pct), "rate": rate}

    def _solve(self, scenario: str, people: Any, setting: Any) -> np.ndarray:
        """A setting so loose that an engine gives up is one that does not meet the accuracy."""
        try:
            return np.asarray(self.engine.solve(scenario, people, setting))
        except (RuntimeError, ValueError):
            return np.full((len(scenarios.OUTPUTS), people.n), np.nan)

    def time(self, scenario: str) -> dict[str, Any]:
        """CPU and wall seconds of one run with the chosen setting."""
        people = self.cohorts[scenario]
        wall, cpu = time.perf_counter(), time.process_time()
        self.engine.solve(scenario, people, self.chosen[scenario])
        return {"cpu_s": time.process_time() - cpu, "wall_s": time.perf_counter() - wall, "n": people.n}


def finite(value: float) -> float | None:
    """JSON knows no infinity."""
    return value if np.isfinite(value) else None


def main() -> None:
    """Answer requests until the input ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what engines print goes to the error output
    warnings.simplefilter("ignore")
    if len(sys.argv) > 2 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {int(sys.argv[2])})

    def say(answer: dict[str, Any]) -> None:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

    try:
        worker = Worker(sys.argv[1])
    except Exception as error:  # a peer that cannot be loaded here, for whatever reason, is left out
        say({"missing": f"{type(error).__name__}: {error}"})
        return
    say(worker.hello())
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if request["do"] == "calibrate":
                say(worker.calibrate(request["scenario"], request["quick"]))
            else:
                say(worker.time(request["scenario"]))
        except Exception as error:
            say({"failed": f"{type(error).__name__}: {error}"})


if __name__ == "__main__":
    main()
