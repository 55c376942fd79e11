"""The benchmark: osteon's kernel beside other ODE engines, in one run, each engine in a pinned process of its own.

`run.py` does all of it and writes results.json, `run.py --quick` takes under three minutes and writes
results-quick.json, both beside this file. `--model osteon` takes osteon's own model in place of the published one;
the peers get its equations from its one definition, and the names of the results end in -osteon.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import threading
import time
from datetime import date
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
PATIENCE_S = 400.0  # for one answer; an engine that takes longer is left out
REPEATS = {True: 3, False: 7}
RATIOS = {
    "heyoka": ["heyoka"],
    "libroadrunner": ["libroadrunner"],
    "diffrax": ["diffrax_tsit5", "diffrax_kvaerno3"],
    "sundials": ["sundials"],
    "scipy_published_style": ["scipy_published_style"],
    "scipy_lsoda": ["scipy_lsoda"],
}


class Process:
    """An engine's process, which waits when it is not asked."""

    def __init__(self, name: str, core: int | None) -> None:
        self.name = name
        command = [sys.executable, "-W", "ignore", str(HERE / "worker.py"), name]
        command += [str(core)] if core is not None else []
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, bufsize=1,
            env={**os.environ, **ONE_THREAD},
        )  # fmt: skip
        self.facts = self._read()

    def ask(self, **request: Any) -> dict[str, Any]:
        """Send a request and wait for the answer."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            return {"failed": "the process ended"}
        return self._read()

    def _read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        late = threading.Timer(PATIENCE_S, self.process.kill)
        late.start()
        line = self.process.stdout.readline()
        late.cancel()
        return json.loads(line) if line else {"failed": "the process ended, or took too long"}

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def say(text: str) -> None:
    print(text, flush=True)


def scenario_names() -> list[str]:
    """Those of the chosen model."""
    import scenarios  # reads BENCH_MODEL

    return list(scenarios.REGIMENS)


def start(names: list[str], core: int | None, quick: bool) -> dict[str, tuple[Process, dict[str, Any]]]:
    """Every engine's process, calibrated in both scenarios; those that cannot run are told apart by their facts."""
    found = {}
    for name in names:
        began = time.perf_counter()
        process = Process(name, core)
        facts = dict(process.facts)
        if "missing" in facts or "failed" in facts:
            say(f"{name}: left out ({facts.get('missing') or facts.get('failed')})")
        else:
            for scenario in scenario_names():
                facts[scenario] = process.ask(do="calibrate", scenario=scenario, quick=quick)
                chosen = facts[scenario].get("setting") or facts[scenario].get("failed")
                say(f"{name} {scenario}: {chosen} ({time.perf_counter() - began:.0f} s)")
            facts["calibration_s"] = round(time.perf_counter() - began, 1)
        found[name] = (process, facts)
    return found


def timings(engines: dict[str, tuple[Process, dict[str, Any]]], repeats: int) -> None:
    """A B A B …: every engine once per round, `repeats` rounds; CPU and wall times go into the facts."""
    import scenarios

    for scenario in scenario_names():
        ready = [n for n, (_, facts) in engines.items() if "setting" in facts.get(scenario, {})]
        for _ in range(repeats):
            for name in ready:
                process, facts = engines[name]
                got = process.ask(do="time", scenario=scenario)
                if "failed" in got:
                    say(f"{name} {scenario}: {got['failed']}")
                    continue
                for key in ("cpu_s", "wall_s"):
                    facts[scenario].setdefault(key, []).append(got[key])
        for name in ready:
            facts = engines[name][1][scenario]
            if "cpu_s" not in facts:
                continue
            people_years = scenarios.YEARS * facts["timed_on"]
            facts["patient_years_per_cpu_s"] = people_years / statistics.median(facts["cpu_s"])
            facts["patient_years_per_wall_s"] = people_years / statistics.median(facts["wall_s"])
            say(f"{name} {scenario}: {facts['patient_years_per_cpu_s']:,.0f} patient-years per CPU-second")


def ratios(engines: dict[str, Any]) -> dict[str, Any]:
    """By how much osteon is faster: the smaller of the scenarios, and each; None for what did not run."""

    def rate(name: str, scenario: str) -> float | None:
        return engines.get(name, {}).get(scenario, {}).get("patient_years_per_cpu_s")

    found: dict[str, Any] = {"ratios": {}, "ratios_by_scenario": {s: {} for s in scenario_names()}}
    for key, members in RATIOS.items():
        each = {}
        for scenario in scenario_names():
            own, peers = rate("osteon", scenario), [r for m in members if (r := rate(m, scenario))]
            each[scenario] = own / max(peers) if own and peers else None
            found["ratios_by_scenario"][scenario][key] = each[scenario]
        known = [r for r in each.values() if r is not None]
        found["ratios"][key] = min(known) if len(known) == len(scenario_names()) else None
    return found


def part(script: str, core: int | None, *args: str) -> Any:
    """The answer of another script of this folder, run in a process of its own."""
    command = [sys.executable, "-W", "ignore", str(HERE / script), *args]
    pin = [] if core is None else ["--core", str(core)]
    environment = {**os.environ, **ONE_THREAD}
    done = subprocess.run([*command, *pin], capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        say(f"{script}: {done.stderr.strip().splitlines()[-1] if done.stderr.strip() else 'failed'}")
        return None
    return json.loads(done.stdout)


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    name = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    return {"cpu": name, "cores": os.cpu_count(), "system": platform.system(), "python": platform.python_version()}


def main() -> None:
    """Run it and write the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer repeats and settings, no growth plots")
    parser.add_argument("--engines", help="only these, with commas between (osteon is always there)")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--model", choices=["published", "osteon"], default="published")
    options = parser.parse_args()
    os.environ["BENCH_MODEL"] = options.model  # before anything reads the scenarios, here and in all processes
    import engines as all_engines

    began = time.perf_counter()
    names = all_engines.names()
    if options.engines:
        names = [n for n in names if n == "osteon" or n in options.engines.split(",")]
    core = max(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    running = start(names, core, options.quick)
    timings(running, REPEATS[options.quick])
    for process, _ in running.values():
        process.close()
    facts = {name: f for name, (_, f) in running.items()}
    own = [facts["osteon"][s] for s in scenario_names()]
    limit = part("limit.py", core)
    results = {
        **ratios(facts),
        "accuracy": {
            "share_below_0_01_pct": min((f.get("share", 0.0) for f in own), default=0.0),
            "max_pct": max((f.get("max_pct") or float("inf") for f in own), default=None),
            "people": own[0].get("judged_on"),
        },
        "share_of_arithmetic_limit": limit and limit["share"],
        "first_call_s": part("startup.py", core),
        "engines": facts,
        "arithmetic_limit": limit,
        "machine": machine(),
        "date": date.today().isoformat(),
        "model": options.model,
        "quick": options.quick,
        "repeats": REPEATS[options.quick],
    }
    if not options.quick:
        results["reference"] = part("check_truth.py", None)
    if not options.quick and options.model == "published":
        results["growth"] = part("growth.py", core)
    results["took_s"] = round(time.perf_counter() - began, 1)
    name = "results" + ("-osteon" if options.model == "osteon" else "") + ("-quick" if options.quick else "")
    target = options.out or HERE / f"{name}.json"
    target.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    say(f"wrote {target.name} after {results['took_s']:.0f} s")


if __name__ == "__main__":
    main()
