"""Simulated power against closed formulas, fresh people, and the analysis of a trial one by one."""

import numpy as np
import pytest

from osteon.errors import InputError
from osteon.power import formula, replicates
from osteon.power.pool import change
from osteon.trial.analyse.ancova import ancova
from osteon.trial.settings import Measurement
from power_made_up import ENDPOINT, NO_NOISE, people, pool

MANY = 4000


def drawn(of, n, settings=NO_NOISE, endpoint=ENDPOINT, count=MANY, seed=0, **more):
    return replicates.draw(of, 1, endpoint, 12.0, n, replicates=count, seed=seed, settings=settings, **more)


def within_error(share, expected, count=MANY, times=4.0):
    return abs(share - expected) < times * (expected * (1 - expected) / count) ** 0.5 + 1e-3


@pytest.mark.parametrize(("n", "difference"), [(10, 5.0), (40, 2.0), (107, 2.0), (200, 1.0)])
def test_power_of_a_normal_end_point_is_that_of_the_formula(n, difference):
    of = pool(difference)
    sd = float(change(ENDPOINT, of.true[ENDPOINT][0][:, [0, 2]]).std())
    trials = drawn(of, n)
    assert trials.effect == pytest.approx(difference)
    wide = sd * (1 + 1 / (2 * n - 4)) ** 0.5  # estimating the slope costs a little of a small trial
    assert within_error(trials.power().value, formula.power(difference, wide, n))
    assert trials.sd == pytest.approx(wide, rel=0.01)
    assert trials.power().lower < trials.power().value < trials.power().upper


def test_error_of_the_first_kind():
    for n, settings in ((10, NO_NOISE), (100, Measurement())):
        assert within_error(drawn(pool(0.0), n, settings).power().value, 0.05)
    assert within_error(drawn(pool(0.0), 50, alpha=0.01).power().value, 0.01)


def test_detectable_difference_is_that_of_the_formula():
    trials = drawn(pool(1.0), 60)
    found = trials.detectable(0.9)
    assert found.lower < found.value < found.upper
    assert found.value == pytest.approx(formula.detectable(trials.sd, 60), rel=0.04)
    assert trials.power(found.value - trials.effect).value == pytest.approx(0.9, abs=0.001)
    down = drawn(pool(-1.0), 60).detectable(0.9)
    assert down.value == pytest.approx(-found.value, rel=0.05)


def test_a_pool_drawn_again_and_again_is_as_good_as_fresh_people():
    """Each trial with people of its own, analysed alike; the pool is only 40 times a trial."""
    n, count, rng = 50, 3000, np.random.default_rng(5)
    true = people(rng, 2 * n * count, 2.5, 4.5).reshape(2, count, 2 * n, 3)
    seen = np.concatenate([true[0, :, :n], true[1, :, n:]], axis=1)[..., [0, 2]]
    estimate, se, df = replicates.analyse(ENDPOINT, seen, np.repeat([0, 1], n))
    fresh = replicates.Replicates(estimate, se, df, 2.5, 0.0, n, 2 * n * count).power().value
    of = pool(2.5, count=4000)
    trials = drawn(of, n)
    error = np.hypot(np.hypot(0.5 / count**0.5, 0.5 / MANY**0.5), trials.pool_error())
    assert abs(trials.power().value - fresh) < 4 * error
    assert 0 < trials.pool_error() < 0.02


def test_pool_error_is_what_pools_scatter_by():
    shares = [drawn(pool(2.5, count=500, seed=s), 50, count=2000, seed=s).power().value for s in range(30)]
    expected = np.hypot(drawn(pool(2.5, count=500), 50).pool_error(), (0.8 * 0.2 / 2000) ** 0.5)
    assert 0.6 < np.std(shares) / expected < 1.6


def test_each_trial_is_analysed_like_one_alone():
    of = pool()
    rng = np.random.default_rng(3)
    who = rng.integers(1000, size=(2, 3, 12))
    seen = np.concatenate([of.true[ENDPOINT][k][who[k]][..., [0, 2]] for k in (0, 1)], axis=1)
    arm = np.repeat([0, 1], 12)
    estimate, se, df = replicates.analyse(ENDPOINT, seen, arm)
    for i in range(3):
        _, one = ancova(change(ENDPOINT, seen[i]), seen[i, :, 0], arm)
        assert (estimate[i], se[i], df[i]) == pytest.approx(tuple(one.loc[0, ["estimate", "se", "df"]]))


def test_more_replicates_begin_with_the_same_ones():
    few, many = drawn(pool(), 20, count=300), drawn(pool(), 20, count=700)
    np.testing.assert_array_equal(few.estimate, many.estimate[:300])
    assert not np.array_equal(drawn(pool(), 20, count=300, seed=1).estimate, few.estimate)


def test_errors_of_measurement_and_dropout_take_power():
    exact = drawn(pool(), 50)
    noisy = drawn(pool(), 50, Measurement.model_validate({"visit_window_days": 0, "missed_visits": 0, "dropout": 0}))
    # Two scans of 1.3 %; adjusting for month 0 takes back a little of what its error adds.
    assert exact.sd < noisy.sd < (exact.sd**2 + 2 * 1.35**2) ** 0.5
    gone = drawn(pool(), 50, Measurement.model_validate({"visit_window_days": 0, "bmd_error": False, "dropout": 0.3}))
    assert gone.df.mean() + 3 == pytest.approx(100 * 0.7 * 0.97, rel=0.02)
    assert gone.power().value < exact.power().value


def test_early_visits_see_a_little_less():
    trials = drawn(pool(4.0), 100, Measurement.model_validate({"visit_window_days": 14, "bmd_error": False}))
    assert trials.effect == pytest.approx(4.0 * (1 - 7 / (12 * 30.4375)), rel=1e-6)
    assert trials.estimate.mean() == pytest.approx(trials.effect, abs=4 * trials.estimate.std() / MANY**0.5)


def test_leaving_may_depend_on_bone_lost():
    informed = {"visit_window_days": 0, "missed_visits": 0, "bmd_error": False,
                "dropout": {"per_year": 0.1, "per_pct_lost": 0.3, "hidden": True}}  # fmt: skip
    trials = drawn(pool(4.0), 100, Measurement.model_validate(informed), count=500)
    assert trials.estimate.mean() < 4.0 - 0.1  # those who lose most leave, more of them untreated
    rescue = {"visit_window_days": 0, "missed_visits": 0, "dropout": 0, "rescue": 2.0}
    assert drawn(pool(4.0), 100, Measurement.model_validate(rescue), count=500).df.mean() < 180


def test_assurance_is_the_mean_power_over_draws():
    trials = drawn(pool(2.0), 60)
    shifts = np.linspace(-1.5, 1.5, 61)
    found = trials.assurance(shifts)
    assert found.value == pytest.approx(np.mean([trials.power(s).value for s in shifts]))
    by_formula = np.mean([formula.power(2.0 + s, trials.sd, 60) for s in shifts])
    assert found.lower < by_formula < found.upper
    sure = trials.assurance(np.zeros(10))
    assert sure.value == trials.power().value
    assert sure.upper - sure.lower < found.upper - found.lower


def test_markers_are_compared_as_logarithms():
    of = pool(np.log(0.8), 0.3, endpoint="ctx")
    trials = drawn(of, 40, endpoint="ctx")
    assert trials.effect == pytest.approx(np.log(0.8))
    assert within_error(trials.power().value, formula.power(trials.effect, trials.sd, 40))


def test_trials_that_cannot_be_analysed_find_nothing():
    nobody = Measurement.model_validate({"missed_visits": 1.0})
    trials = drawn(pool(), 5, nobody, count=50)
    assert trials.power().value == 0.0
    assert trials.pool_error() is None
    assert not np.isfinite(trials.detectable(0.9).value)


@pytest.mark.parametrize(
    ("count", "n", "word"),
    [(0, 50, "replicates"), (10**7, 50, "replicates"), (1000, 1, "whole number"), (1_000_000, 10_000, "people")],
)
def test_hostile_numbers(count, n, word):
    with pytest.raises(InputError, match=word):
        drawn(pool(count=300), n, count=count)


def test_enrichment_conditions_the_same_people():
    of = pool()
    chosen = of.enrich({"total_hip": -2.0}, 1.2)
    assert (of.people["t_total_hip"][chosen.who] <= -2.0).all()
    assert (of.people["senescent_burden"][chosen.who] >= 1.2).all()
    assert chosen.share == pytest.approx(len(chosen.who) / 20_000)
    assert chosen.design == "total_hip T-score ≤ −2, senescent burden ≥ 1.2"
    with pytest.raises(InputError, match="fewer than 200"):
        of.enrich({"total_hip": -6.0})
    with pytest.raises(InputError, match="did you mean 'total_hip'"):
        of.enrich({"total_hips": -2.0})
