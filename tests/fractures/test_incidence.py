"""Incidence: exact cases, death in competition, people who differ, and what treatment does."""

import numpy as np
import pytest

from osteon.fractures.hazards import KINDS, hazard, usual_t
from osteon.fractures.incidence import accumulate, expected_incidence
from osteon.fractures.relative import relative, usual_change

YEARS = np.array([0.0, 1.0, 3.0, 5.0])


def test_constant_hazards_give_the_textbook_share():
    found = accumulate(np.full(4, 0.02), np.full(4, 0.05), YEARS)
    assert found == pytest.approx(0.02 / 0.07 * (1 - np.exp(-0.07 * YEARS)))
    assert accumulate(np.full(4, 0.02), np.zeros(4), YEARS) == pytest.approx(1 - np.exp(-0.02 * YEARS))
    assert not accumulate(np.zeros(4), np.zeros(4), YEARS).any()


def test_death_takes_from_fractures():
    alive = expected_incidence("hip_fracture", YEARS, 85.0, False, -2.5, death=False)
    assert np.all(np.diff(alive) > 0)
    assert np.all(expected_incidence("hip_fracture", YEARS, 85.0, False, -2.5)[1:] < alive[1:])


@pytest.mark.parametrize("kind", KINDS)
def test_people_who_differ_are_averaged(kind):
    """Nodes and weights against people drawn one by one."""
    rng = np.random.default_rng(0)
    t = -2.0 + 0.9 * rng.standard_normal(20_000)
    had = rng.random(t.size) < 0.3
    one_by_one = 1 - np.exp(-0.01 * hazard(kind, 72.0, False, t, had))
    found = expected_incidence(kind, np.array([0.0, 0.01]), 72.0, False, -2.0, t_sd=0.9, prior=0.3, death=False)
    assert found[-1] == pytest.approx(one_by_one.mean(), rel=0.03)


def test_halved_hazard_halves_few_fractures_and_draws_stay_apart():
    path = np.log([[1.0], [0.5]]) * np.ones(4)
    found = expected_incidence("hip_fracture", YEARS, 70.0, False, -1.0, path, death=False)
    assert found.shape == (2, 4)
    assert found[1, 1:] / found[0, 1:] == pytest.approx(0.5, abs=0.01)


def test_fractures_count_from_a_later_year_on():
    whole = expected_incidence("hip_fracture", YEARS, 70.0, False, -2.0, death=False)
    late = expected_incidence("hip_fracture", YEARS, 70.0, False, -2.0, death=False, since=3.0)
    assert late[2] < 0.001
    assert late[3] == pytest.approx(whole[3] - whole[2], rel=0.05)


def test_the_usual_course_changes_nothing():
    ratio = {f"{site}_bmd": np.exp(usual_change(site, 70.0, False, YEARS)) for site in ("lumbar_spine", "total_hip")}
    for kind in KINDS:
        assert relative(kind, 70.0, False, YEARS, ratio) == pytest.approx(0.0)


def test_gain_of_bone_and_less_resorption_protect_the_spine():
    usual = {f"{s}_bmd": np.exp(usual_change(s, 70.0, False, YEARS)) for s in ("lumbar_spine", "total_hip")}
    more = {name: x * 1.05 for name, x in usual.items()}
    assert np.all(relative("vertebral_fracture", 70.0, False, YEARS, more) < 0)
    less = relative("vertebral_fracture", 70.0, False, YEARS, {**more, "ctx": np.full(4, 0.5)})
    assert np.all(less < relative("vertebral_fracture", 70.0, False, YEARS, more))
    risen = relative("vertebral_fracture", 70.0, False, YEARS, {**more, "ctx": np.full(4, 1.5)})
    assert risen == pytest.approx(relative("vertebral_fracture", 70.0, False, YEARS, more))


def test_usual_t_scores_fall_with_age():
    assert np.all(np.diff(usual_t("total_hip", np.arange(50, 95), False)[0]) < 0)
