"""The fit's residuals are those of the scores, its derivatives those of the reference, and it finds its way back."""

import numpy as np
import pytest

from osteon.evidence.loader import load_trials
from osteon.evidence.score import arm_line
from osteon.fit.optimise import fit
from osteon.fit.problem import Problem, coordinates
from osteon.fit.targets import Targets, targets
from osteon.skeleton import Osteon

MODEL = Osteon()
NAMES = ("denosumab_half_value", "turnover_trabecular", "pre_osteoclast_death")


@pytest.fixture(scope="module")
def problem():
    tasks = [t for t in targets(MODEL).tasks if t.trial == "DMAB_PH2"][:3]
    found = Problem(MODEL, Targets(tuple(tasks)), [c for c in coordinates("osteon") if c.id in NAMES])
    found.prepare(found.center)
    return found


def test_only_trials_for_fitting():
    every = targets(MODEL)
    names = {t.trial for t in every.tasks}
    assert names <= {*load_trials("fit"), "natural history"}
    assert not names & set(load_trials("validate"))
    assert len(names) > 10
    assert len(every.differences) > 15


def test_residuals_are_those_of_the_scores(problem):
    values = MODEL.parameters()
    residuals = problem.residuals(np.array([c.at(getattr(values, c.id)) for c in problem.free]))[0]
    at = 0
    for task in problem.tasks:
        trial = load_trials()[task.trial]
        arm = next(a for a in trial.arms if a.id == task.arm)
        line = arm_line(MODEL, trial, arm, np.array(task.days) / 30.4375)
        for value in task.values:
            where = int(np.argmin(np.abs(line.months * 30.4375 - task.days[value.output])))
            model = line.change[value.endpoint][where]
            model = np.log1p(model / 100) if value.endpoint in ("ctx", "p1np", "bsap") else model
            assert residuals[at] * value.error == pytest.approx(model - value.change, abs=0.06)
            at += 1
    assert at == len(residuals)


def test_finds_its_way_back(problem):
    """From half a prior's width away, the fit comes back to a better place than it began, the same from both sides."""
    ends = [fit(problem, problem.center + side * 0.5 * problem.width, rounds=15) for side in (-1, 1)]
    np.testing.assert_allclose(ends[0].z, ends[1].z, atol=0.1)
    assert ends[0].cost == pytest.approx(ends[1].cost, rel=1e-2)
