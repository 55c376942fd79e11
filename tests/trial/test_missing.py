"""What stands in for values that are missing."""

import numpy as np
import pytest

from osteon.errors import InputError
from osteon.trial.analyse.ancova import ancova
from osteon.trial.analyse.missing import carry, impute, pooled


def made(n=4000, seed=0, effect=2.0):
    """Those who have lost at visit 0 leave before visit 1, more of them in arm 1 by the effect."""
    rng = np.random.default_rng(seed)
    arm, baseline = np.arange(n) % 2, rng.normal(0, 1, n)
    change = rng.normal(0, 1, (n, 2)).cumsum(axis=1) + 0.5 * baseline[:, None] + effect * arm[:, None] * [0.5, 1]
    seen = change.copy()
    seen[change[:, 0] > 1, 1] = np.nan
    return change, seen, baseline, arm


def test_carrying_forward():
    change = np.array([[1.0, np.nan, 3.0, np.nan], [np.nan, np.nan, 2.0, 4.0]])
    assert carry(change, "locf").tolist() == [[1, 1, 3, 3], [0, 0, 2, 4]]
    assert carry(change, "baseline").tolist() == [[1, 0, 3, 0], [0, 0, 2, 4]]


def test_imputation_undoes_what_leaving_hid():
    change, seen, baseline, arm = made()
    true = ancova(change[:, 1], baseline, arm)[1]["estimate"][0]
    naive = ancova(seen[:, 1], baseline, arm)[1]["estimate"][0]
    values = impute(seen, baseline, arm, np.random.default_rng(1), times=10)
    assert np.array_equal(values[:, np.isfinite(seen)], np.repeat(seen[np.isfinite(seen)][None], 10, 0))
    means, apart = pooled(values[:, :, 1], baseline, arm, arms=2)
    assert abs(apart["estimate"][0] - true) < 0.1 < abs(naive - true)
    full = ancova(change[:, 1], baseline, arm)[1]
    assert full["se"][0] < apart["se"][0] < 2 * full["se"][0]
    assert apart["df"][0] < full["df"][0]
    assert means["estimate"].diff()[1] == pytest.approx(apart["estimate"][0])


def test_delta_and_reference():
    _, seen, baseline, arm = made()
    gap = ~np.isfinite(seen)
    plain, moved = (impute(seen, baseline, arm, np.random.default_rng(1), times=2, delta=d) for d in (0.0, -1.0))
    assert moved[:, gap & (arm == 1)[:, None]] == pytest.approx(plain[:, gap & (arm == 1)[:, None]] - 1)
    assert moved[:, gap & (arm == 0)[:, None]] == pytest.approx(plain[:, gap & (arm == 0)[:, None]])
    copied = impute(seen, baseline, arm, np.random.default_rng(1), times=5, reference_based=True)
    new = gap[:, 1] & (arm == 1)
    assert copied[:, new, 1].mean() < plain[:, new, 1].mean() - 0.5  # the reference arm gains less after visit 0


def test_nothing_missing_gives_the_ancova_itself():
    change, _, baseline, arm = made(n=100)
    _, apart = pooled(np.stack([change[:, 1]] * 3), baseline, arm, arms=2)
    _, one = ancova(change[:, 1], baseline, arm)
    assert apart["estimate"][0] == pytest.approx(one["estimate"][0])
    assert apart["se"][0] == pytest.approx(one["se"][0])


def test_type_one_error_of_multiple_imputation():
    wrong, n = 0, 120
    for seed in range(n):
        _, seen, baseline, arm = made(n=80, seed=seed, effect=0.0)
        values = impute(seen, baseline, arm, np.random.default_rng(seed), times=5)[:, :, 1]
        wrong += pooled(values, baseline, arm, arms=2)[1]["p"][0] < 0.05
    assert wrong / n == pytest.approx(0.05, abs=3.5 * (0.05 * 0.95 / n) ** 0.5)


def test_too_few_people_is_an_error():
    with pytest.raises(InputError, match="too few people"):
        impute(np.array([[1.0], [np.nan], [2.0]]), np.arange(3.0), np.array([0, 1, 1]), np.random.default_rng(0))
