"""Sample sizes by simulation: the published one, small ones, and none."""

import numpy as np
import pytest

from osteon.power import formula, replicates, size
from power_made_up import ENDPOINT, NO_NOISE, pool


def search(of, shift=0.0, target=0.9, count=1000):
    def draw(n):
        return replicates.draw(of, 1, ENDPOINT, 12.0, n, replicates=count, settings=NO_NOISE)

    return size.search(draw, shift, target)


def test_the_published_sample_size_by_simulation():
    """2 % of hip BMD, SD 4.5 %, power 0.90: 107 per group (PMC1471803, table 4B)."""
    found = search(pool(2.0, 4.5), count=2000)
    assert found.n == pytest.approx(107, rel=0.05)
    assert found.lower <= found.n <= found.upper
    assert found.upper - found.lower < 15
    assert found.curve(np.array([found.n])) == pytest.approx(0.9, abs=0.005)


@pytest.mark.parametrize(("difference", "target"), [(8.0, 0.9), (3.0, 0.8), (1.5, 0.95)])
def test_as_the_formula_has_it(difference, target):
    found = search(pool(difference), target=target)
    assert found.n == pytest.approx(formula.sample_size(difference, 4.5, target=target, method="t"), rel=0.06, abs=1)


def test_a_shift_moves_the_difference():
    assert search(pool(2.0), shift=1.0).n == pytest.approx(search(pool(3.0)).n, rel=0.06)
    assert search(pool(-2.0)).n == pytest.approx(107, rel=0.06)


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    truth = formula.sample_size(3.0, 4.5, method="t")
    inside = 0
    for seed in range(16):
        of = pool(3.0, count=30_000, seed=seed)
        found = size.search(
            lambda n, of=of, seed=seed: replicates.draw(
                of, 1, ENDPOINT, 12.0, n, replicates=500, seed=seed, settings=NO_NOISE
            ), 0.0, 0.9,
        )  # fmt: skip
        inside += found.lower - 1 <= truth <= found.upper
    assert inside >= 12


def test_what_no_number_of_people_finds():
    found = search(pool(0.0), count=100)
    assert found.n is None
    assert "small" in found.why


def test_what_everybody_finds():
    found = search(pool(200.0), count=100)
    assert found.n == 2
