"""The reference integrator: convergence, restarts, and failing aloud."""

import numpy as np
import pytest

from osteon.engine import exact
from osteon.engine.exposure import Exposure
from osteon.errors import IntegrationError
from osteon.published.jorg2022 import Jorg2022
from osteon.regimen import parse_regimen

MODEL = Jorg2022()
P = MODEL.parameters()
KINETICS = MODEL.kinetics(P)


def exposure(text, start=24455.0):
    import dataclasses

    courses = [
        dataclasses.replace(c, start=c.start + start, stop=c.stop + start) for c in parse_regimen(text).courses(1e4)
    ]
    return Exposure(courses, KINETICS, 4)


def bmd(text, times, **options):
    return MODEL.read_out(exact.solve(MODEL, P, exposure(text), times, **options).T, P)["total_hip_bmd"]


def test_converges():
    """A hundred times the tolerance changes BMD by less than 1e-9."""
    text = "romosozumab 210 mg SC every 30 days x12; then denosumab 60 mg SC every 180 days x4"
    times = np.linspace(24455, 24455 + 2000, 50)
    tight = bmd(text, times)
    loose = bmd(text, times, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(loose, tight, rtol=1e-9)


def test_output_times_do_not_change_the_answer():
    text = "denosumab 60 mg SC every 180 days x4"
    few, many = np.array([24455.0, 25000.0]), np.linspace(24455, 25000, 300)
    assert bmd(text, few)[-1] == pytest.approx(bmd(text, many)[-1], rel=1e-10)


def test_states_before_a_dose_at_a_dosing_time():
    text = "denosumab 60 mg SC every 180 days x2"
    day = 24455.0 + 180
    at = exact.solve(MODEL, P, exposure(text), [day])
    before = exact.solve(MODEL, P, exposure(text), [day - 1e-9])
    np.testing.assert_allclose(at, before, rtol=1e-9)


def test_positive_under_heavy_treatment():
    text = "denosumab 210 mg SC every 180 days for 20 years; then romosozumab 420 mg SC every 30 days for 10 years"
    states = exact.solve(MODEL, P, exposure(text), np.linspace(24455, 24455 + 12000, 200))
    assert np.all(states[:, :6] > 0)
    assert np.all(np.isfinite(states))


def test_time_before_the_start():
    with pytest.raises(IntegrationError, match="before"):
        exact.solve(MODEL, P, exposure("none"), [-1.0, 10.0])


def test_nonsense_is_an_error_and_never_nan():
    class Broken(Jorg2022):
        def rates(self, x, exposure, t, p):
            production, loss = super().rates(x, exposure, t, p)
            production[0] = float("nan") if t > 1000 else production[0]
            return production, loss

    with pytest.raises(IntegrationError, match="stopped at day"):
        exact.solve(Broken(), P, exposure("none"), [0.0, 30000.0])


def test_compiled_derivative_is_that_of_the_rates():
    """Traced and compiled, a model of many parts has the same derivative."""
    from osteon.engine.derivative import derivative
    from osteon.skeleton import Osteon

    model = Osteon()
    p = model.parameters()
    x = [0.8 + 0.02 * i for i in range(len(model.states))]
    u = [0.1 * (i + 1) for i in range(len(model.channels))]
    production, loss = model.rates(x, u, 24000.0, p)
    expected = [a - b * c for a, b, c in zip(production, loss, x, strict=True)]
    assert derivative(model, p)(np.array(x), u, 24000.0) == pytest.approx(expected, rel=1e-12, abs=1e-15)
