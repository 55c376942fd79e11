"""A study's people have the means, SDs and limits that it gives, and are the same whatever else is asked."""

import numpy as np
import pytest

from osteon import models
from osteon.errors import InputError
from osteon.person import Distribution
from osteon.study import study_from
from osteon.trial import people
from osteon.trial.spread import Spread

MODEL = models.get()


def study(n=3000, arms=("none",), **features):
    who = {"species": "human", "sex": "female", "age": {"mean": 68, "sd": 6, "min": 55, "max": 85}, "n_per_arm": n}
    return study_from(
        {"id": "s", "people": who | features,
         "arms": [{"name": str(i), "regimen": text} for i, text in enumerate(arms)],
         "visits": [0, 12], "endpoints": ["total_hip_bmd"]}
    )  # fmt: skip


@pytest.mark.parametrize(
    ("quantity", "sd"),
    [
        ({"mean": -2.8, "sd": 0.2, "min": -3.5, "max": -2.5}, 0.2),  # far from symmetric
        ({"mean": 68, "sd": 6}, 6.0),
        ({"mean": 68, "sd": 6, "min": 65}, None),  # a spread that the limit leaves no room for: the nearest
        ({"mean": 3.0, "min": 0.0, "max": 4.0}, None),
        ({"mean": 5.0}, 0.0),
    ],
)
def test_spreads_have_mean_and_sd_after_their_limits(quantity, sd):
    given = Distribution(**quantity)
    x = Spread(given, 1.0, -100.0, 100.0).at(np.random.default_rng(0).standard_normal(200_000))
    assert x.mean() == pytest.approx(given.mean, abs=0.03)
    if sd is not None:
        assert x.std() == pytest.approx(sd, rel=0.01, abs=1e-12)
    assert x.min() >= (given.min if given.min is not None else -100)
    assert x.max() <= (given.max if given.max is not None else 100)


def test_as_the_study_describes_them():
    found = people.sample(
        study(
            years_since_menopause={"mean": 18, "sd": 7}, weight_kg={"mean": 62, "sd": 9},
            t_score={"lumbar_spine": {"mean": -2.8, "sd": 0.2, "min": -3.5, "max": -2.5},
                     "total_hip": {"mean": -2.0, "sd": 0.8}},
            prior_vertebral_fracture=0.3,
        ), 1, MODEL,
    )  # fmt: skip
    t = found.table
    for name, mean, sd in (
        ("age", 68, 6), ("years_since_menopause", 18, 7), ("weight_kg", 62, 9), ("lumbar_spine_t", -2.8, 0.2),
        ("total_hip_t", -2.0, 0.8),
    ):  # fmt: skip
        assert t[name].mean() == pytest.approx(mean, abs=0.08 * sd), name
        assert t[name].std() == pytest.approx(sd, rel=0.06), name
    assert t["lumbar_spine_t"].between(-3.5, -2.5).all()
    assert t["prior_vertebral_fracture"].mean() == pytest.approx(0.3, abs=0.03)
    np.testing.assert_allclose(t["age"] - t["menopause_age"], t["years_since_menopause"])
    assert t["menopause_age"].between(20, 70).all()
    assert t["menopause_age"].std() == pytest.approx(4, abs=0.8)
    together = t[["lumbar_spine_t", "total_hip_t", "femoral_neck_t"]].corr()
    assert 0.15 < together.loc["lumbar_spine_t", "total_hip_t"] < 0.5  # from a narrow range
    assert together.loc["femoral_neck_t", "total_hip_t"] > 0.8
    assert -2.8 < t["femoral_neck_t"].mean() < -1.5  # goes along with the hip
    assert t[["age", "total_hip_t"]].corr().iloc[0, 1] < -0.05
    assert 0.9 < found.acceptance <= 1.0


def test_otherwise_as_the_population():
    from osteon.population import survey

    us = survey.sample(n=60_000, seed=1).table
    us = us[(us["sex"] == "female") & us["age"].between(65, 75)]
    t = people.sample(study(age={"mean": 70, "min": 65, "max": 75}), 2, MODEL).table
    for site in ("lumbar_spine", "femoral_neck", "total_hip"):
        assert t[f"{site}_t"].mean() == pytest.approx(us[f"{site}_t"].mean(), abs=0.12), site
        assert t[f"{site}_t"].std() == pytest.approx(us[f"{site}_t"].std(), rel=0.08), site
    corr = us[["lumbar_spine_t", "femoral_neck_t"]].corr().iloc[0, 1]
    assert t[["lumbar_spine_t", "femoral_neck_t"]].corr().iloc[0, 1] == pytest.approx(corr, abs=0.05)
    assert t["menopause_age"].std() == pytest.approx(4.0, abs=0.3)
    assert np.log(t["p1np"]).std() == pytest.approx(0.44, abs=0.03)
    assert t[["weight_kg", "femoral_neck_t"]].corr().iloc[0, 1] == pytest.approx(0.32, abs=0.08)
    assert not t["prior_vertebral_fracture"].any()
    assert "senescent_burden" not in t


def test_the_same_person_whatever_is_asked_beside():
    small, large = people.sample(study(300), 7, MODEL).table, people.sample(study(2500), 7, MODEL).table
    assert small.equals(large[:300])
    armed = people.sample(study(300, arms=("none", "denosumab 60 mg SC every 6 months")), 7, MODEL).table
    assert armed.equals(small)
    assert not people.sample(study(300), 8, MODEL).table["age"].equals(small["age"])
    men = people.sample(study(300, sex="male"), 7, MODEL).table
    assert "menopause_age" not in men
    assert men["age"].equals(small["age"])


def test_burden_differs_where_ageing_is_treated():
    t = people.sample(study(2000, arms=("none", "dasatinib+quercetin every 28 days x5")), 1, MODEL).table
    assert t["senescent_burden"].mean() == pytest.approx(1.0, abs=0.03)
    assert t["senescent_burden"].std() == pytest.approx(0.3, abs=0.03)
    given = people.sample(study(500, senescent_burden={"mean": 2, "sd": 0.5, "min": 1}), 1, MODEL).table
    assert given["senescent_burden"].mean() == pytest.approx(2.0, abs=0.1)


def test_bare_numbers():
    t = people.sample(study(200, age=66, years_since_menopause=16, t_score={"total_hip": -2.5}), 1, MODEL).table
    assert set(t["age"]) == {66.0}
    assert set(t["years_since_menopause"]) == {16.0}
    assert set(t["total_hip_t"].round(9)) == {-2.5}
    spread = people.sample(study(2000, years_since_menopause=18), 1, MODEL).table
    assert spread["years_since_menopause"].mean() == pytest.approx(18, abs=0.5)
    assert spread["menopause_age"].std() == pytest.approx(4, abs=0.4)


def test_mice():
    mouse = study_from(
        {"id": "m", "people": {"species": "mouse", "sex": "male", "age": {"mean": 4, "sd": 0.3}, "n_per_arm": 50},
         "arms": [{"name": "a", "regimen": "none"}], "visits": [0, 1], "endpoints": ["total_hip_bmd"]}
    )  # fmt: skip
    found = people.sample(mouse, 1, models.get("mouse"))
    assert found.table["age"].mean() == pytest.approx(4, abs=0.15)
    assert found.table["weight_kg"].mean() == pytest.approx(0.03, abs=0.001)


def test_who_cannot_be(monkeypatch):
    with pytest.raises(InputError, match="n_per_arm"):
        people.sample(study(10**9), 1, MODEL)
    monkeypatch.setattr(people, "ATTEMPTS", 2)
    with pytest.raises(InputError, match="hardly go together"):
        people.sample(study(50, age={"mean": 60, "sd": 4}, years_since_menopause={"mean": 39, "sd": 2}), 1, MODEL)
