"""A model of twenty states with fast and slow parts goes through the same engine: no state is counted by hand."""

import dataclasses
import subprocess
import sys

import numpy as np
import pytest

from osteon.engine import batch, exact
from osteon.engine.exposure import Exposure
from osteon.population.variation import Variation
from osteon.published.jorg2022 import Jorg2022
from osteon.regimen import parse_regimen

CHAIN = 5


class Twenty(Jorg2022):
    """The published model with eleven invented states: a chain of progenitors, senescent cells, what they secrete,
    RANKL and OPG, and a graft that lives for weeks. Rates go up to 6 per day."""

    states = (
        *Jorg2022.states,
        *(f"progenitors_{i}" for i in range(CHAIN)),
        *("senescent", "secretion", "rankl", "opg", "graft", "debris"),
    )

    def start(self, p):
        clock, x = super().start(p)
        return clock, [*x, *[1.0] * CHAIN, 0.2, 0.2, 1.0, 1.0, 0.0, 0.0]

    def rates(self, x, exposure, t, p):
        production, loss = super().rates(x[:9], exposure, t, p)
        chain, (senescent, secretion, rankl, opg, graft, debris) = x[9 : 9 + CHAIN], x[9 + CHAIN :]
        inflow = [1.0, *chain[:-1]]
        production += [0.5 * v for v in inflow]
        loss += [0.5 * (1.0 + 0.2 * secretion)] * CHAIN
        damage = t / (30000.0 + t)
        production += [
            0.004 * damage, 6.0 * senescent, 3.0 * (1.0 + secretion), 3.0 / (1.0 + 0.3 * secretion),
            0.02 * graft / (1.0 + secretion), 0.1 * graft * secretion,
        ]  # fmt: skip
        loss += [0.01 / (1.0 + senescent), 6.0, 3.0, 3.0, 0.05, 1.0]
        production[4] = production[4] * (0.95 + 0.05 * rankl / (opg + 0.5))
        production[1] = production[1] * (0.9 + 0.1 * chain[-1])
        loss[8] = loss[8] + 0.0 * debris
        return production, loss


MODEL = Twenty()
SPREAD = {"omega_pC": 0.2, "eta_C": 0.2, "T_deno": 0.2, "tau_e": 0.2}
N = 64
DAYS = [0.0, 180.0, 365.0, 730.0, 1460.0]


@pytest.mark.slow
def test_twenty_states_agree_with_the_reference():
    people = Variation(MODEL, N, SPREAD, 60.0, seed=3).people
    courses = list(parse_regimen("denosumab 60 mg SC every 180 days x4").courses(DAYS[-1], year_days=365.0))
    setup = batch.prepare(MODEL, people, N, courses, DAYS)
    assert len(MODEL.states) == setup.kernel.source.layout.states == 20
    assert {MODEL.states[i] for i in setup.kernel.source.dormant} == {"bound_sclerostin", "graft", "debris"}
    observed, flags = setup.chunk(people(0, N))
    assert (flags != batch.FAILED).all()
    ours = setup.goal(observed)
    for i in range(0, N, 8):
        who = people(i, i + 1)
        p = who.p._make([float(v[0]) if np.ndim(v) else v for v in who.p])
        own = [dataclasses.replace(c, start=c.start + who.now[0], stop=c.stop + who.now[0]) for c in courses]
        states = exact.solve(MODEL, p, Exposure(own, MODEL.kinetics(p), 4), np.array(DAYS) + who.now[0])
        theirs = MODEL.observe(states.T, p)["total_hip_bmd"]
        assert np.max(np.abs(ours[:, i] - theirs)) / theirs[0] < 2e-4


@pytest.mark.slow
def test_twenty_states_compile_cold(tmp_path):
    """From nothing; how long it takes is told, not judged: `make bench` measures."""
    code = (
        "import time, test_large_model as t\nfrom osteon.engine import batch\n"
        "people = t.Variation(t.MODEL, 64, t.SPREAD, 60.0, seed=3).people\n"
        "begin = time.perf_counter()\nbatch.prepare(t.MODEL, people, 64, [], t.DAYS, channels=range(4))\n"
        "print(time.perf_counter() - begin)"
    )
    import os
    from pathlib import Path

    env = {**os.environ, "OSTEON_CACHE": str(tmp_path), "PYTHONPATH": str(Path(__file__).parent)}
    told = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True).stdout
    print(f"cold compile of 20 states with all drug channels: {float(told):.1f} s")
    assert list(tmp_path.glob("osteon_kernel_*.py"))
