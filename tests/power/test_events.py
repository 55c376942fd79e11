"""Power of trials that count fractures, against Schoenfeld's formula and lifelines' log-rank test."""

import numpy as np
import pytest

from osteon.power import formula, replicates, size
from osteon.power.events import seen
from osteon.power.pool import Pool
from osteon.trial.settings import Measurement
from power_made_up import NO_NOISE

KIND = "vertebral_fracture"


def pool(risk=0.05, ratio=0.6, count=5000):
    """Chances that differ between people, in arms whose hazards are in proportion."""
    each = np.random.default_rng(0).gamma(4.0, 1 / 4.0, count)
    hazard = each / each.mean() * -np.log1p(-risk)
    years = np.array([0.0, 1.0, 2.0, 3.0]) / 3.0
    arms = [-np.expm1(-hazard[:, None] * years * r) for r in (1.0, ratio)]
    return Pool(("placebo", "drug"), (0.0, 12.0, 24.0, 36.0), {KIND: np.stack(arms)}, {}, np.arange(count))


def drawn(of, n, count=4000, settings=NO_NOISE, **more):
    return replicates.draw(of, 1, KIND, 36.0, n, replicates=count, settings=settings, **more)


@pytest.mark.parametrize(("risk", "ratio", "n"), [(0.05, 0.6, 1500), (0.02, 0.5, 2000), (0.15, 0.7, 800)])
def test_power_is_near_schoenfelds(risk, ratio, n):
    trials = drawn(pool(risk, ratio), n)
    assert np.exp(trials.effect) == pytest.approx(ratio, abs=0.01)
    # The formula is one for ratios near 1, and promises a little too much at 0.5.
    assert trials.power().value == pytest.approx(formula.logrank_power(ratio, trials.chances[0], n), abs=0.045)


def test_error_of_the_first_kind():
    assert drawn(pool(ratio=1.0), 1000).power().value == pytest.approx(0.05, abs=0.013)
    rare = drawn(pool(0.002, 1.0), 500).power().value
    assert rare < 0.05  # with one fracture an arm the test is careful


def test_as_lifelines_has_it():
    """The same people followed to their own days, by the log-rank test."""
    from lifelines.statistics import logrank_test

    of, n, rng, found = pool(0.08, 0.6), 800, np.random.default_rng(2), 0
    hazard = -np.log1p(-of.true[KIND][..., -1])
    for _ in range(150):
        who = rng.integers(len(of.who), size=(2, n))
        days = [rng.exponential(1 / hazard[k][who[k]]) for k in (0, 1)]
        test = logrank_test(*(np.minimum(d, 1.0) for d in days), *(d < 1.0 for d in days))
        found += test.p_value < 0.05
    assert found / 150 == pytest.approx(drawn(of, n).power().value, abs=4 * (0.25 / 150) ** 0.5)


def test_detectable_ratio_and_assurance():
    trials = drawn(pool(0.05, 0.6), 1500, count=2000)
    least = trials.detectable(0.9)
    assert least.lower < least.value < least.upper < 0
    assert trials.power(least.value - trials.effect).value == pytest.approx(0.9, abs=0.01)
    assert formula.logrank_power(np.exp(least.value), trials.chances[0], 1500) == pytest.approx(0.9, abs=0.03)
    shifts = np.linspace(-0.3, 0.3, 21)
    each = np.mean([trials.power(s).value for s in shifts])
    assert trials.assurance(shifts).value == pytest.approx(each, abs=0.01)
    assert not np.isfinite(drawn(pool(0.001), 20, count=200).detectable(0.9).value)


def test_sample_size():
    of = pool(0.05, 0.6)
    found = size.search(lambda n: drawn(of, n, count=2000), 0.0, 0.9)
    ratio, risk = np.exp(drawn(of, 10).effect), drawn(of, 10).chances[0]
    assert found.n == pytest.approx(formula.logrank_sample_size(ratio, risk), rel=0.08)


def test_fractures_after_leaving_are_not_seen():
    of = pool()
    gone = seen(of, 0, KIND, 36.0, Measurement.model_validate({"dropout": 0.1}))
    whole = seen(of, 0, KIND, 36.0, NO_NOISE)
    assert gone.mean() / whole.mean() == pytest.approx(np.mean(0.9 ** np.array([0.5, 1.5, 2.5])), abs=0.005)
