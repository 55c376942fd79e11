"""Value of information: check values, properties, and the closed form against simulation."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from osteon.ancillary.value import detectable, evpi, evsi, per_arm, pooled, variance, variance_without_control

PRIOR = (0.5, 1.5, 2.0)  # mean, SD, threshold


def of(n_t, n_c, tau):
    return evsi(*PRIOR, variance(n_t, n_c, 4.0, bias=tau))


@pytest.mark.parametrize(
    ("n_t", "n_c", "tau", "value"),
    [
        (20, 10, 0, 0.035),
        (30, 30, 0, 0.067),
        (30, 30, 1, 0.041),
        (100, 100, 0, 0.102),
        (100, 100, 1, 0.059),
        (283, 283, 2, 0.017),
    ],
)
def test_check_values(n_t, n_c, tau, value):
    assert of(n_t, n_c, tau) == pytest.approx(value, abs=6e-4)


def test_perfect_information():
    assert evpi(*PRIOR) == pytest.approx(0.125, abs=6e-4)
    assert evsi(*PRIOR, 1e-12) == pytest.approx(evpi(*PRIOR))


def test_a_large_local_trial_teaches_less_than_a_small_one_in_frailty():
    assert of(283, 283, 2) < of(30, 30, 1)


def test_closed_form_against_simulation():
    rng = np.random.default_rng(1)
    mean, sd, threshold = PRIOR
    v = variance(30, 30, 4.0, bias=1.0)
    theta = rng.normal(mean, sd, 2_000_000)
    y = theta + rng.normal(0, math.sqrt(v), theta.size)
    posterior = (mean / sd**2 + y / v) / (1 / sd**2 + 1 / v)
    simulated = np.maximum(posterior - threshold, 0).mean() - max(0.0, mean - threshold)
    assert evsi(*PRIOR, v) == pytest.approx(simulated, abs=6e-4)


sizes = st.floats(1, 1e4)
biases = st.floats(0, 5)
priors = st.tuples(st.floats(-3, 5), st.floats(0.05, 4), st.floats(-3, 5))


@given(priors, sizes, sizes, biases)
def test_properties(prior, n_t, n_c, tau):
    value = evsi(*prior, variance(n_t, n_c, 4.0, bias=tau))
    assert 0 <= value <= evpi(*prior) + 1e-9
    assert value <= evsi(*prior, variance(n_t * 1.5, n_c, 4.0, bias=tau)) + 1e-9  # more people
    assert value >= evsi(*prior, variance(n_t, n_c, 4.0, bias=tau + 0.5)) - 1e-9  # more bias
    assert value == pytest.approx(evsi(*prior, variance(n_c, n_t, 4.0, bias=tau)), abs=1e-12)  # arms swapped


def test_nobody_teaches_nothing():
    assert evsi(*PRIOR, variance(0, 30, 4.0)) == 0
    assert evsi(*PRIOR, variance(30, 0, 4.0)) == 0
    assert evsi(*PRIOR, variance_without_control(0, 4.0, 2.0)) == 0


def test_without_control_never_the_randomised_formula():
    assert variance_without_control(1e9, 4.0, 2.0) == pytest.approx(4.0)  # the trend stays
    assert variance_without_control(60, 4.0, 2.0) > variance(30, 30, 4.0)


def test_pooled():
    assert pooled([1.0, 1.0]) == pytest.approx(0.5)
    assert pooled([1.0, 1.0], {"a": 1.0}, ["a", "a"]) == pytest.approx(1.5)  # a shared bias does not average out
    assert pooled([1.0, 1.0], {"a": 1.0, "b": 1.0}, ["a", "b"]) == pytest.approx(1.0)
    assert pooled([]) == math.inf


@pytest.mark.parametrize(
    ("sd", "difference", "n80", "n90"),
    [(4, 1, 252, 337), (4, 2, 63, 85), (4, 3, 28, 38), (4, 4, 16, 22), (3, 2, 36, 48)],
)
def test_power(sd, difference, n80, n90):
    assert per_arm(difference, sd) == n80
    assert per_arm(difference, sd, power=0.9) in (n90, n90 - 1)


@pytest.mark.parametrize(("n", "gap"), [(10, 5.0), (15, 4.1), (20, 3.5), (30, 2.9), (60, 2.0), (100, 1.6)])
def test_detectable(n, gap):
    assert detectable(n, 4.0) == pytest.approx(gap, abs=0.06)
