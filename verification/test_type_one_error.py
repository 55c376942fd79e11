"""Type I error of the analyses of a trial over many trials without an effect: 5 % within Monte Carlo error."""

import numpy as np
import pytest

from osteon.trial.analyse.ancova import ancova, ancova_many
from osteon.trial.analyse.events import cox, log_rank
from osteon.trial.analyse.mmrm import mmrm

pytestmark = pytest.mark.slow


def close(wrong: int, n: int) -> bool:
    return abs(wrong / n - 0.05) < 3 * (0.05 * 0.95 / n) ** 0.5


def test_ancova():
    rng = np.random.default_rng(1)
    arm = np.arange(60) % 2
    p = ancova_many(rng.standard_normal((100_000, 60)), rng.standard_normal((100_000, 60)), arm).p
    assert close(int((p < 0.05).sum()), p.size)


def test_robust_ancova():
    rng, n = np.random.default_rng(2), 2000
    arm = np.arange(120) % 2
    made = (ancova(rng.normal(0, 1 + 2 * arm), rng.normal(0, 1, 120), arm, robust=True) for _ in range(n))
    assert close(sum(int(apart["p"][0] < 0.05) for _, apart in made), n)


def test_mmrm_with_people_who_leave():
    rng, n, wrong = np.random.default_rng(3), 3000, 0
    for _ in range(n):
        arm, baseline = np.arange(100) % 2, rng.normal(0, 1, 100)
        y = rng.normal(0, 1, (100, 4)).cumsum(axis=1) + 0.5 * baseline[:, None]
        for k in (1, 2, 3):
            y[y[:, k - 1] > 1.5, k:] = np.nan
        wrong += mmrm(y, arm, baseline).differences["p"].iloc[-1] < 0.05
    assert close(wrong, n)


@pytest.mark.parametrize("test", [log_rank, lambda *x: [None, cox(*x)[0].p]], ids=["log-rank", "cox"])
def test_times_to_an_event(test):
    rng, n, wrong = np.random.default_rng(4), 2000, 0
    for _ in range(n):
        time, end = rng.exponential(5, 300), rng.uniform(1, 3, 300)
        wrong += test(np.minimum(time, end), time <= end, np.arange(300) % 2)[1] < 0.05
    assert close(wrong, n)
