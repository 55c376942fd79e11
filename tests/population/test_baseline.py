"""People are placed on life courses that lead to their T-scores and markers; who has little bone lost it faster."""

import numpy as np
import pandas as pd
import pytest

from osteon import models, parameters, tscores
from osteon.engine import exact
from osteon.engine.exposure import Exposure
from osteon.errors import InputError
from osteon.population import baseline, survey
from osteon.population.usual import usual_lives
from osteon.regimen import parse_regimen, prior_courses

MODEL = models.get()
N = 12
TABLE = pd.DataFrame(
    {
        "id": np.arange(N), "sex": ["female", "male"] * (N // 2), "age": np.linspace(50, 90, N),
        "menopause_age": np.where(np.arange(N) % 2, np.nan, np.linspace(42, 56, N)),
        "lumbar_spine_t": np.linspace(-4, 2, N), "total_hip_t": np.linspace(1, -3.5, N),
        "femoral_neck_t": np.where(np.arange(N) < 3, np.nan, np.linspace(-1, -3, N)),
        "ctx": np.exp(np.linspace(-1, 1, N)),
    }
)  # fmt: skip


@pytest.fixture(scope="module")
def placed():
    return baseline.place(baseline.lives(MODEL, TABLE, seed=1))


def test_t_scores_at_month_0_are_those_given(placed):
    for site, (mean, unit) in tscores.references().items():
        given, bmd = TABLE[f"{site}_t"].to_numpy(), placed.start[f"{site}_bmd"]
        known = np.isfinite(given)
        np.testing.assert_allclose(((bmd - mean) / unit)[known], given[known], atol=1e-9)
        assert np.isfinite(bmd).all()
    neck = placed.factor["femoral_neck_bmd"][:3]
    others = (placed.factor["lumbar_spine_bmd"] + placed.factor["total_hip_bmd"])[:3] / 2
    np.testing.assert_allclose(neck, others)  # a site without a T-score


def test_the_parameters_lead_there_by_the_reference_integrator(placed):
    """Peaks and rates are parameters of the person, not a shift of what is read: a run from birth comes to the same
    T-scores, but for what even steps err by."""
    base, found = MODEL.parameters(), placed.parameters
    for i in range(N):
        p = base._replace(**{name: float(x[i]) for name, x in found.items()})
        now = np.array([placed.lives.age[i] * MODEL.age_days])
        read = MODEL.read_out(exact.solve(MODEL, p, Exposure([], MODEL.kinetics(p), len(MODEL.channels)), now).T, p)
        for site, (mean, unit) in tscores.references().items():
            t = TABLE[f"{site}_t"][i]
            if np.isfinite(t):
                assert (read[f"{site}_bmd"][0] - mean) / unit == pytest.approx(t, abs=5e-4)
        assert read["ctx"][0] * placed.factor["ctx"][i] == pytest.approx(placed.start["ctx"][i], rel=1e-3)


def test_markers_are_as_far_from_the_usual_as_given(placed):
    who = placed.lives
    usual = usual_lives(MODEL).at("ctx", who.male, who.age, who.changes["menopause_age"])[0]
    np.testing.assert_allclose(placed.start["ctx"] / usual, TABLE["ctx"])
    turnover = who.changes["turnover_trabecular"] / MODEL.parameters().turnover_trabecular
    np.testing.assert_allclose(np.log(turnover), 0.5 * np.log(TABLE["ctx"]))


def people(n=400, sex="female", **columns):
    table = pd.DataFrame({"id": np.arange(n), "sex": sex, "age": 75.0})
    if sex == "female":
        table["menopause_age"] = 50.0
    return table.assign(**columns)


@pytest.mark.parametrize("sex", ["female", "male"])
def test_who_has_little_bone_lost_it_faster(sex):
    """With and without chance, by the share of the spread that differing rates make."""
    t = np.linspace(-4, 1, 400)
    table = people(sex=sex, femoral_neck_t=t)
    sure = baseline.lives(MODEL, table).loss
    assert (np.diff(sure) <= 0).all()
    assert sure[0] > sure[-1] + 0.3
    by_chance = baseline.lives(MODEL, table, seed=4).loss
    assert -0.95 < np.corrcoef(t, by_chance)[0, 1] < -0.1
    lives = baseline.lives(MODEL, table)
    placed = baseline.place(lives)
    peak, bmd = np.log(placed.factor["femoral_neck_bmd"]), np.log(placed.start["femoral_neck_bmd"])
    assert np.ptp(peak) < np.ptp(bmd) - 0.03  # peaks differ less


def test_rates_make_the_spread_grow_with_age_as_in_the_survey():
    """Of women at 50 and 80 whose BMD is spread as the survey's, peak bone mass is spread alike."""
    n, z = 3000, np.random.default_rng(0).standard_normal(3000)
    p, spreads = parameters.load("us_50plus"), []
    for age in (50.0, 80.0):
        ages, male, menopause = np.full(n, age), np.zeros(n, bool), np.full(n, 50.0)
        bmd = baseline.bmd(MODEL, "femoral_neck", z, ages, male, menopause)
        table = people(n, age=ages, femoral_neck_bmd=bmd)
        lives = baseline.lives(MODEL, table, seed=2)
        spreads.append(np.std(np.log(baseline.place(lives).factor["femoral_neck_bmd"])))
    sd = [float(survey.spread(p, "femoral_neck", np.array([False]), np.array([age]))[0]) for age in (50.0, 80.0)]
    assert sd[1] / sd[0] > 1.3
    assert spreads[1] / spreads[0] == pytest.approx(1.0, abs=0.1)


def test_the_mean_person_of_a_trial_is_on_the_usual_course():
    from osteon.person import Person

    person = Person(age=72, years_since_menopause=22, t_score={"lumbar_spine": -3.0, "total_hip": -2.4})
    table = pd.DataFrame(
        [{"id": 0, "sex": "female", "age": 72.0, "years_since_menopause": 22.0, "lumbar_spine_t": -3.0,
          "total_hip_t": -2.4}]
    )  # fmt: skip
    assert baseline.lives(MODEL, table, centre=baseline.centre(MODEL, person)).loss == pytest.approx([1.0])
    assert baseline.lives(MODEL, table).loss[0] > 1.1


def test_the_same_people_for_any_threads_and_any_number():
    table = people(1500, femoral_neck_t=np.linspace(-4, 1, 1500))
    lives = baseline.lives(MODEL, table, seed=3)
    one, two = baseline.place(lives, threads=1), baseline.place(lives, threads=3)
    assert np.array_equal(one.cohort.x0, two.cohort.x0)
    assert np.array_equal(baseline.lives(MODEL, table[:700], seed=3).loss, lives.loss[:700])


def test_a_prior_treatment_ends_at_the_t_scores_given():
    before = prior_courses(parse_regimen("alendronate 70 mg PO weekly for 24 months"), year_days=MODEL.year_days)
    table = people(40, femoral_neck_t=np.linspace(-4, 1, 40))
    placed = baseline.place(baseline.lives(MODEL, table, seed=1), before)
    mean, unit = tscores.references()["femoral_neck"]
    np.testing.assert_allclose((placed.start["femoral_neck_bmd"] - mean) / unit, table["femoral_neck_t"], atol=1e-9)
    untreated = baseline.place(baseline.lives(MODEL, table, seed=1))
    assert (placed.factor["femoral_neck_bmd"] < untreated.factor["femoral_neck_bmd"]).all()


def test_who_cannot_be():
    with pytest.raises(InputError, match="age 104 of row 1"):
        baseline.lives(MODEL, people(3, age=104.0))
