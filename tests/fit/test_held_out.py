"""Trials left out and mechanisms left out: the same rows as the scores, the right things dropped, files that say it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from osteon import parameters, uncertainty
from osteon.evidence.loader import load_trials
from osteon.evidence.score import validate
from osteon.fit import ablation, held_out, optimise
from osteon.fit.effects import DRIFT, RESPONSE, Effects
from osteon.fit.loss import soft
from osteon.fit.problem import Problem, coordinates
from osteon.fit.targets import Difference, Side, Targets, targets
from osteon.skeleton import Osteon

MODEL = Osteon()
NAMES = ("denosumab_half_value", "turnover_trabecular", "pre_osteoclast_death")  # as elsewhere: one kernel


@pytest.fixture(scope="module")
def every():
    """A treated arm and placebo of ROMO_PH2, their difference, the arms of FLEX, a life."""
    whole = targets(MODEL).tasks
    tasks = [
        *[t for t in whole if t.trial == "ROMO_PH2" and t.courses][:1],
        *[t for t in whole if t.trial == "ROMO_PH2" and not t.courses][:1],
        *[t for t in whole if t.trial == "FLEX"],
        *[t for t in whole if t.trial == "natural history"],
    ]
    side = [Side(n, len(tasks[n].days) - 1) for n in (0, 1)]
    return Targets(tuple(tasks), (Difference("total_hip_bmd", side[0], side[1], 5.0, 0.55),))


@pytest.fixture(scope="module")
def problem(every):
    free = [c for c in coordinates("osteon") if c.id in NAMES]
    found = Problem(MODEL, every, free, effects=Effects(every))
    found.prepare(found.center)
    return found


@pytest.fixture(scope="module")
def best(problem):
    return optimise.fit(problem, problem.center)


def test_the_response_of_a_trial_is_what_errors_of_values_do_not_explain():
    miss = uncertainty.misses()["total_hip_bmd"]
    row = {"trial": held_out.SHARED, "endpoint": "total_hip_bmd", "n": 10, "size": 4.0}
    assert held_out.response([{**row, "held_out": np.hypot(miss, 0.8)}], "bmd") == pytest.approx(0.2)
    assert held_out.response([{**row, "held_out": miss / 2}], "bmd") == 0
    other = {**row, "trial": held_out.ALL, "held_out": 99.0}
    assert held_out.response([{**row, "held_out": miss}, other], "bmd") == 0


@pytest.mark.parametrize("kind", ["bmd", "marker"])
def test_the_shipped_response_is_that_of_the_shipped_fit(kind):
    folder = Path(parameters.__file__).parent / "osteon" / "fit"
    rows = pd.read_csv(folder / held_out.FILE).to_dict("records")
    seen = parameters.load("observation")[f"response_{kind}"].value
    assert seen == pytest.approx(held_out.response(rows, kind), abs=0.01)


def test_effects_act_where_they_should(every, problem):
    effects = problem.effects
    assert effects.trials == ["FLEX", "ROMO_PH2"]
    one, other = problem.changes(problem.center[None, : problem.count])
    plain = effects.predicted(one, other, np.zeros((1, 4)))
    np.testing.assert_allclose(plain, one - other)
    moved = effects.predicted(one, other, np.array([[0.0, np.log(1.1), 0.0, 0.5]]))[0]
    at = 0
    for task in every.tasks:
        for v in task.values:
            month = task.days[v.output] / 30.4375
            expected = plain[0, at]
            if task.trial == "ROMO_PH2" and v.endpoint.endswith("_bmd"):
                expected = expected * (
                    1.1 if any(c.start < task.days[v.output] for c in task.courses) else 1.0
                ) + 0.5 * (1 - np.exp(-month / 6))
            assert moved[at] == pytest.approx(expected), (task.trial, v)
            at += 1
    # A drift that both arms share leaves their difference alone.
    assert moved[at] == pytest.approx(1.1 * one[0, at] - other[0, at])


def test_derivatives_of_the_effects(problem):
    z = problem.center + 0.3 * problem.width
    r, slopes = problem.jacobian(z)
    np.testing.assert_allclose(r, problem.residuals(z)[0], atol=1e-9)
    for i in range(problem.count, len(z)):
        step = 1e-5 * np.eye(len(z))[i]
        up, down = problem.residuals(np.array([z + step, z - step]))
        np.testing.assert_allclose(slopes[:, i], (up - down) / 2e-5, atol=1e-5)


def test_integrated_effects_are_those_of_quadrature(problem):
    """Differences between sets of parameters in the misfit with effects integrated out, trial by trial, exactly."""
    rng = np.random.default_rng(0)
    z = problem.center[: problem.count] + 0.1 * rng.standard_normal((4, problem.count))
    one, other = problem.changes(z)
    k = len(problem.effects.trials)
    x, w = np.polynomial.hermite_e.hermegauss(50)
    e, s = (m.ravel() for m in np.meshgrid(x * RESPONSE, x * DRIFT))
    weight = np.outer(w, w).ravel() / (2 * np.pi)
    exact = []
    for i in range(len(z)):
        total = 0.0
        for t in range(k):
            effects = np.zeros((len(e), 2 * k))
            effects[:, t], effects[:, k + t] = e, s
            at = np.flatnonzero(problem.effects.member[:, t])
            changes = problem.effects.predicted(one[i : i + 1], other[i : i + 1], effects)
            loss = 0.5 * soft((changes - problem.change) / problem.error)[:, at].sum(axis=1)
            total += loss.min() - np.log(np.sum(weight * np.exp(loss.min() - loss)))
        rest = ~problem.effects.member.any(axis=1)
        exact.append(
            total + 0.5 * soft(((one - other)[i] - problem.change) / problem.error, problem.scale)[rest].sum()
        )
    ours = problem.effects.integrated(one, other, problem.change, problem.error, problem.scale, 1e3)
    np.testing.assert_allclose(ours - ours[0], np.array(exact) - exact[0], atol=0.2)
    np.testing.assert_allclose(ours, exact, atol=0.5)


def test_what_is_left_out(every, problem):
    part = problem.without("ROMO_PH2")
    assert {t.trial for t in part.tasks} == {"FLEX", "natural history"}
    assert part.targets.differences == ()
    assert len(part.center) == len(problem.center)
    z = problem.center
    kept = [i for i, (t, _) in enumerate((t, v) for t in every.tasks for v in t.values) if t.trial != "ROMO_PH2"]
    np.testing.assert_allclose(part.residuals(z)[0], problem.residuals(z)[0][kept])
    other = problem.without("FLEX")
    assert (other.targets.differences[0].one.task, other.targets.differences[0].other.task) == (0, 1)


def test_leave_one_out(problem, best, tmp_path):
    rows = held_out.leave_one_out(problem, best.z)
    held_out.write(rows, tmp_path)
    table = pd.read_csv(tmp_path / held_out.FILE, keep_default_na=False)
    flex = table[table["trial"] == "FLEX"].set_index("endpoint")
    assert set(table["trial"]) == {"ROMO_PH2", "FLEX", held_out.ALL}
    assert flex.loc["total_hip_bmd", "alone"] == "alendronate"
    whole = table[(table["trial"] == held_out.ALL) & (table["endpoint"] == "total_hip_bmd")].iloc[0]
    parts = table[(table["trial"] != held_out.ALL) & (table["endpoint"] == "total_hip_bmd")]
    assert whole["n"] == parts["n"].sum()
    for column in ("fitted", "held_out"):
        pooled = np.sqrt((parts["n"] * parts[column] ** 2).sum() / whole["n"])
        assert whole[column] == pytest.approx(pooled)


def test_errors_are_those_of_validate(problem, best):
    """RMSE on a trial is what `validate` says of the model with the fitted values, without trial effects."""
    model = held_out.fitted(problem, best.z)
    scores = validate(model, [load_trials()["FLEX"]])
    ours = held_out.scored_errors(problem, best.z)
    for row in scores.rows():
        assert held_out.rmse([ours["FLEX", row["endpoint"]]]) == pytest.approx(row["rmse"], abs=0.01)
    assert scores.points["lower"].isna().all(), "the shipped draws do not belong to these values"


def test_cases():
    found, lacking = ablation.cases()
    names = [case.name for case in found]
    assert names[0] == "nothing"
    assert "mineral" in names
    assert not {"bisphosphonates", "rankl_antibody", "osteoclasts"} & set(names)
    assert lacking == [], "a part names parameters that the records lack"


def test_ablate(problem, best, tmp_path):
    held = {"osteoclast_rate": 0.02}
    some = [ablation.Case("nothing", "whole"), ablation.Case("slow osteoclasts", "part", held=held)]
    done = ablation.ablate(problem, best.z, some)
    assert done[1].misfit > done[0].misfit
    ablation.write(done, tmp_path)
    table = pd.read_csv(tmp_path / ablation.FILE)
    assert list(table["left_out"]) == ["nothing", "slow osteoclasts"]
    assert table["more"][0] == 0
    assert "fit_total_hip_bmd" in table
    assert not [c for c in table if c.startswith("validate")]
    part, end = ablation.refit(problem, best.z, some[1])
    assert end.cost == pytest.approx(done[1].misfit, rel=1e-3)
    assert part.model.parameters().osteoclast_rate == 0.02
    assert len(part.free) == len(problem.free)


def test_a_case_without_a_finite_course_is_said_to_be_one(problem, best, monkeypatch, tmp_path):
    monkeypatch.setattr(ablation, "_prepared", lambda *_: False)
    whole = ablation.Ablated(ablation.Case("nothing", "whole"), 1.0, {"total_hip_bmd": (3, 0.5)})
    (lost,) = ablation.ablate(problem, best.z, [ablation.Case("slow", "part", held={"osteoclast_rate": 0.02})])
    assert lost.misfit is None
    ablation.write([whole, lost], tmp_path)
    assert (tmp_path / ablation.FILE).read_text().splitlines()[2] == "slow,part,,,"
