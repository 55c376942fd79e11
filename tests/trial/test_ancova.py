"""ANCOVA: against statsmodels, and its type I error."""

import numpy as np
import pytest

from osteon.errors import InputError
from osteon.trial.analyse.ancova import ancova, ancova_many


def made(replicates=6, n=90, arms=3, seed=0, effect=0.0):
    rng = np.random.default_rng(seed)
    arm = np.repeat(np.arange(arms), n // arms)
    baseline = rng.normal(0.8, 0.1, (replicates, n))
    change = -1 + effect * arm - 4 * (baseline - 0.8) + rng.normal(0, 3, (replicates, n))
    return change, baseline, arm


def test_the_fast_one_equals_statsmodels():
    change, baseline, arm = made(effect=1.0)
    change[:, ::7] = np.nan
    baseline[2, 5] = np.nan
    many = ancova_many(change, baseline, arm)
    for i in range(len(change)):
        _, apart = ancova(change[i], baseline[i], arm)
        for name in ("estimate", "se", "df", "lower", "upper", "p"):
            assert getattr(many, name)[i] == pytest.approx(apart[name].to_numpy(), rel=1e-9), name


def test_arms_may_differ_between_replicates():
    change, baseline, arm = made()
    shuffled = np.stack([np.random.default_rng(i).permutation(arm) for i in range(len(change))])
    many = ancova_many(change, baseline, shuffled)
    for i in range(len(change)):
        assert many.estimate[i] == pytest.approx(
            ancova(change[i], baseline[i], shuffled[i])[1]["estimate"].to_numpy()
        )


def test_a_baseline_that_is_the_same_for_all_is_left_out():
    change, _, arm = made()
    many = ancova_many(change, np.ones_like(change), arm)
    _, apart = ancova(change[0], np.ones(90), arm)
    assert many.se[0] == pytest.approx(apart["se"].to_numpy())
    assert (apart["df"] == 87).all()


def test_adjusted_means_are_those_at_the_mean_baseline():
    change, baseline, arm = made(effect=2.0)
    means, apart = ancova(change[0], baseline[0], arm)
    assert means["estimate"].diff()[1] == pytest.approx(apart["estimate"][0])
    assert means["n"].tolist() == [30, 30, 30]


def test_type_one_error_is_five_percent():
    change, baseline, arm = made(replicates=20_000, n=40, arms=2)
    share = (ancova_many(change, baseline, arm).p < 0.05).mean()
    assert share == pytest.approx(0.05, abs=4 * (0.05 * 0.95 / 20_000) ** 0.5)


def test_robust_errors_hold_when_arms_scatter_differently():
    rng, n = np.random.default_rng(1), 60
    arm = np.repeat([0, 1], [45, 15])
    wrong = {False: 0, True: 0}
    for _ in range(400):
        change = rng.normal(0, np.where(arm, 6.0, 2.0))
        for robust in wrong:
            wrong[robust] += ancova(change, rng.normal(0, 1, n), arm, robust=robust)[1]["p"][0] < 0.05
    assert wrong[True] < 40 < wrong[False]


def test_too_few_people_is_an_error():
    with pytest.raises(InputError, match="arm 2 has nobody"):
        ancova(np.array([1.0, 2.0, np.nan]), np.zeros(3), np.array([0, 0, 1]))
    with pytest.raises(InputError, match="too few"):
        ancova(np.array([1.0, 2.0]), np.zeros(2), np.array([0, 1]))
    assert np.isnan(ancova_many(np.array([1.0, 2.0]), np.zeros(2), np.array([0, 1])).p).all()
