"""Published fractures: people, relative risks and where their intervals come from. Values of trials marked fit alone."""

import pytest
from scipy.stats import norm

from osteon.evidence import load_trial
from osteon.fractures.trials import incidences, people, ratios


def one(trial, endpoint, arm, month):
    (found,) = [r for r in ratios(load_trial(trial)) if (r.endpoint, r.arm, r.month) == (endpoint, arm, month)]
    return found


def test_published_intervals_are_read():
    zol = one("HORIZON_PFT", "vertebral_fracture", "ZOL", 36)
    assert (zol.value, zol.low, zol.high, zol.beside, zol.interval) == (0.30, 0.24, 0.38, "PBO", "published")
    high = one("NEER2001", "vertebral_fracture", "TPTD40", 21)  # the second of two in one note
    assert (high.value, high.low, high.high) == (0.31, 0.19, 0.50)
    more = one("MORE", "vertebral_fracture", "RLX60", 48)
    assert (more.value, more.low, more.high) == (0.64, 0.53, 0.76)


def test_intervals_from_counts_say_so():
    abl = one("ACTIVE", "nonvertebral_fracture", "ABL", 18)
    assert abl.interval == "counts"
    assert abl.low < abl.value < abl.high


def test_a_stopped_arm_is_the_comparator_of_a_kept_one_from_its_year_on():
    kept = one("HORIZON_PFT", "vertebral_fracture", "Z6", 72)
    assert (kept.beside, kept.since) == ("Z3P3", 36.0)


def test_people_follow_entry_rules():
    horizon = people(load_trial("HORIZON_PFT"))
    assert horizon.age == 73
    assert horizon.prior == pytest.approx(0.63)
    assert -3.2 < horizon.t_score["femoral_neck"] < -2.5
    assert horizon.t_sd["femoral_neck"] < 0.9
    assert {i.endpoint for i in incidences(load_trial("HORIZON_PFT"))} == {"vertebral_fracture", "hip_fracture"}


def test_a_published_share_below_a_t_score_tells_what_is_not_known():
    freedom, arch = people(load_trial("FREEDOM")), people(load_trial("ARCH"))
    for who, site, below in ((freedom, "femoral_neck", 0.357), (arch, "total_hip", 0.67)):
        found = norm.cdf(-2.5, who.t_score[site], who.t_sd[site])
        assert found == pytest.approx(below, abs=1e-3)
    assert arch.t_score["total_hip"] == -2.8
