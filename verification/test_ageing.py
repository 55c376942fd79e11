"""A trial of a senolytic that the model was never fitted to (NCT04313634; rows SEN-H01 and SEN-H02)."""

from __future__ import annotations

import numpy as np
import pytest

from osteon import draws, uncertainty
from osteon.person import Person
from osteon.regimen import parse_regimen
from osteon.skeleton import Osteon

MODEL = Osteon()
N, ARM = 100, 30
WEEKS = (0.0, 2.0, 4.0, 20.0)
AGE = 71.0  # assumed, of women from 62 to 88
SEEN = {
    ("ctx", 20.0): np.log((1 - 0.041) / (1 - 0.077)),
    ("p1np", 2.0): np.log(1.16),
    ("p1np", 4.0): np.log(1.16),
    ("p1np", 20.0): np.log(0.91),
}
MISSED = (("p1np", 2.0), ("p1np", 4.0))


@pytest.fixture(scope="module")
def differences():
    """Treated less control, logarithm, by end point [draw, time]."""
    days = 7.0 * np.array(WEEKS)
    arms = [((), parse_regimen(text).courses(days[-1])) for text in ("none", "dasatinib+quercetin every 28 days x5")]
    read = draws.run(MODEL, Person(age=AGE), arms, days, N)
    change = {name: np.log(read[name][:, :, 0, :] / read[name][:, :, 0, :1]) for name in ("ctx", "p1np")}
    return {name: x[:, 1] - x[:, 0] for name, x in change.items()}


def interval(found, endpoint):
    """5 and 95 % of the difference that 30 people an arm would show; the arms share the model's discrepancy."""
    sd = uncertainty.spread(endpoint) * (2 / ARM) ** 0.5
    return [uncertainty.quantile(found, sd, share) for share in (0.05, 0.95)]


EARLY = pytest.mark.xfail(strict=True, reason="P1NP rose by 16 %; the interval ends at 14 %")


@pytest.mark.slow
@pytest.mark.parametrize("key", [pytest.param(k, marks=EARLY) if k in MISSED else k for k in SEEN])
def test_what_was_seen_lies_inside(differences, key):
    endpoint, week = key
    low, high = interval(differences[endpoint][:, WEEKS.index(week)], endpoint)
    assert low < SEEN[key] < high


@pytest.mark.slow
def test_the_interval_says_something(differences):
    low, high = interval(differences["ctx"][:, -1], "ctx")
    assert 100 * (np.expm1(high) - np.expm1(low)) / 2 <= 15


@pytest.mark.slow
def test_little_happens(differences):
    """By the draws alone: a monthly course does little to the turnover of women of usual burden."""
    assert np.abs(np.median(differences["ctx"][:, -1])) < 0.03
