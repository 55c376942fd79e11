"""The closed formulas: a published sample size, textbook numbers, and inputs that make no sense."""

import math

import pytest

from osteon.errors import InputError
from osteon.power import formula

# The nitrate and bone trial's protocol (PMC1471803), table 4B: alpha 0.05 two-sided, power 0.90.
HIP, PQCT = (2.0, 4.5, 107), (10.0, 7.5)


def test_published_sample_size():
    difference, sd, n = HIP
    assert formula.sample_size(difference, sd, target=0.9) == n
    assert formula.sample_size(difference, sd, target=0.9, method="t") == n + 1
    by_hand = 2 * (1.959964 + 1.281552) ** 2 * (sd / difference) ** 2
    assert math.ceil(by_hand) == n


def test_the_number_is_the_smallest_that_is_enough():
    for method in formula.METHODS:
        n = formula.sample_size(*PQCT, method=method)
        assert formula.power(*PQCT, n, method=method) >= 0.9 > formula.power(*PQCT, n - 1, method=method)


@pytest.mark.parametrize("method", formula.METHODS)
def test_detectable_difference_is_the_inverse_of_power(method):
    found = formula.detectable(4.5, 40, target=0.8, method=method)
    assert formula.power(found, 4.5, 40, method=method) == pytest.approx(0.8, abs=1e-6)


def test_without_a_difference_power_is_alpha():
    assert formula.power(0.0, 4.5, 100, alpha=0.05) == 0.05
    assert formula.power(1e-9, 4.5, 100, alpha=0.05) == pytest.approx(0.05, abs=1e-6)


def test_events():
    """Schoenfeld's number by hand: (1.96 + 1.2816)² · 4 / ln(0.5)²."""
    assert formula.events_needed(0.5) == pytest.approx(4 * 10.507 / 0.480453, rel=1e-4)
    assert formula.events_needed(2.0) == pytest.approx(formula.events_needed(0.5))
    n = formula.logrank_sample_size(0.6, 0.1)
    assert formula.logrank_power(0.6, 0.1, n) == pytest.approx(0.9, abs=0.001)


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda: formula.sample_size(0.0, 4.5), "other than 0"),
        (lambda: formula.sample_size(2.0, 0.0), "above 0"),
        (lambda: formula.sample_size(2.0, float("nan")), "above 0"),
        (lambda: formula.sample_size(1e-6, 4.5), "over 1,000,000"),
        (lambda: formula.sample_size(2.0, 4.5, target=0.04), "target"),
        (lambda: formula.sample_size(2.0, 4.5, alpha=1.2), "alpha"),
        (lambda: formula.logrank_sample_size(1.0, 0.1), "other than 1"),
        (lambda: formula.logrank_sample_size(0.9999999, 0.1), "would take over"),
        (lambda: formula.logrank_sample_size(0.5, 1.5), "risk"),
        (lambda: formula.check_n(1e9), "1,000,000"),
        (lambda: formula.check_n(2.5), "whole"),
        (lambda: formula.check_n(float("nan")), "whole"),
    ],
)
def test_nonsense_is_told_in_a_line(call, word):
    with pytest.raises(InputError, match=word) as problem:
        call()
    assert "\n" not in str(problem.value)
