"""Exposure: the running closed form against the plain sum over doses, and against quadrature for windows."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osteon.engine.exposure import Exposure, Kinetics
from osteon.regimen import parse_regimen

KINETICS = {
    "denosumab": Kinetics(0, 2.0, 10.0),
    "romosozumab": Kinetics(1, 0.5, 7.0),
    "blosozumab": Kinetics(1, 0.25, 5.0),
    "teriparatide": Kinetics(2, 0.3, 0.04),
    "alendronate": Kinetics(2, 0.1, 150.0),
}


def build(text, until=2000.0):
    courses = parse_regimen(text).courses(until)
    return courses, Exposure(courses, KINETICS, 3)


def plain(courses, t, n=3):
    """The definition: every dose and every window by itself."""
    levels = np.zeros(n)
    for c in courses:
        k = KINETICS[c.therapy]
        rate = math.log(2) / k.half_life
        if 0 < c.interval <= 1:
            inflow = k.gain * c.dose / c.interval
            on, off = min(t, c.stop) - c.start, max(t - c.stop, 0.0)
            if on > 0:
                levels[k.channel] += inflow / rate * (1 - math.exp(-rate * on)) * math.exp(-rate * off)
        else:
            levels[k.channel] += sum(k.gain * c.dose * math.exp(-rate * (t - d)) for d in c.times if d <= t)
    return levels


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "denosumab 60 mg SC every 180 days x4",
                "romosozumab 210 mg SC every 30 days x12 + blosozumab 180 mg SC every 2 weeks x26",
                "teriparatide 20 ug SC daily for 200 days",
                "alendronate 10 mg PO daily for 3 months + denosumab 60 mg SC once starting at day 5",
                "none for 45 days",
                "alendronate 70 mg PO weekly x53",
            ]
        ),
        min_size=1,
        max_size=4,
    ),
    st.lists(st.floats(0, 2000), min_size=1, max_size=20),
)
def test_running_form_equals_the_sum(blocks, times):
    courses, exposure = build("; then ".join(blocks))
    for t in times:
        np.testing.assert_allclose(exposure.at(t), plain(courses, t), rtol=1e-9, atol=1e-12)


def test_right_continuous_at_a_dose():
    _, exposure = build("denosumab 60 mg SC every 100 days x2")
    assert exposure.at(100.0)[0] == pytest.approx(120 + 120 * 2**-10)
    assert exposure.at(np.nextafter(100.0, 0))[0] == pytest.approx(120 * 2**-10)


def test_segments_hold_to_their_end():
    _, exposure = build("denosumab 60 mg SC every 100 days x2")
    segment = exposure.segment_at(50.0)
    assert segment.at(100.0)[0] == pytest.approx(120 * 2**-10)  # the next dose is not in it
    assert exposure.segment_at(-1.0).at(-1.0) == (0.0, 0.0, 0.0)


def test_a_closed_window_leaves_no_inflow():
    _, exposure = build("; then ".join(["teriparatide 20 ug SC daily for 0.1 months"] * 7))
    assert exposure.at(1000.0)[2] == 0.0


def test_daily_is_a_window_and_longer_is_pulses():
    courses = parse_regimen("alendronate 10 mg PO daily for 30 days").courses(100)
    assert Exposure(courses, KINETICS, 3).breaks.tolist() == [0, 30]
    longer = [dataclasses.replace(courses[0], interval=1.5)]
    assert len(Exposure(longer, KINETICS, 3).breaks) == 30


def test_no_drug():
    assert Exposure([], KINETICS, 3).at(5.0) == (0.0, 0.0, 0.0)
