"""What a trial sees of its people."""

import numpy as np
import pytest

from osteon import parameters, uncertainty
from osteon.errors import InputError, StudyError
from osteon.trial import measure
from osteon.trial.settings import EXACT, Measurement
from osteon.units import MONTH_DAYS
from trial_made_up import study, true_values

OFF = Measurement.model_validate(EXACT)
DAYS = np.array([0.0, 6.0, 12.0, 24.0]) * MONTH_DAYS


def settings(**changes):
    return Measurement.model_validate({**EXACT, **changes})


@pytest.mark.parametrize("name", ["lumbar_spine_bmd", "total_hip_bmd", "femoral_neck_bmd"])
def test_bmd_errs_by_the_precision_of_a_scan(name):
    seen = measure.observe_array(np.full((200, 500), 0.7), name, settings(bmd_error=True), np.random.default_rng(1))
    sd = parameters.load("observation")[f"precision_{name}"].value
    assert 100 * seen.std() / 0.7 == pytest.approx(sd, rel=0.02)
    own = settings(bmd_error=True, precision={name: 3.0})
    seen = measure.observe_array(np.full((200, 500), 0.7), name, own, np.random.default_rng(1))
    assert 100 * seen.std() / 0.7 == pytest.approx(3.0, rel=0.02)


def test_markers_err_on_the_log_scale():
    seen = measure.observe_array(np.ones((200, 500)), "ctx", settings(marker_error=True), np.random.default_rng(1))
    assert np.log(seen).std() == pytest.approx(parameters.load("observation")["precision_ctx"].value, rel=0.02)
    assert (seen > 0).all()


def test_all_off_shows_the_truth():
    of = study(measurement=EXACT)
    true = true_values(of)
    seen = measure.observe(true, of, 3)
    for name in true.data_vars:
        assert np.array_equal(seen[name], true[name])
    assert (seen["status"] == measure.COMPLETED).all()
    assert (seen["last_visit_month"] == 24).all()


def test_sd_of_the_change_of_untreated_people_is_that_of_trials():
    of = study(n=20_000, arms=("placebo",), endpoints=("lumbar_spine_bmd", "total_hip_bmd"))
    seen = measure.observe(true_values(of, between=2.88), of, 3)
    hip = seen["total_hip_bmd"].isel(draw=0, arm=0).to_numpy()
    change = 100 * (hip[:, 2] / hip[:, 0] - 1)
    assert 3.0 < np.nanstd(change) < 4.5


def test_people_come_within_the_window_in_order():
    days = measure.visit_days(
        np.array([0.0, 10.0, 100.0]), settings(visit_window_days=14), np.random.default_rng(0), (5000,)
    )
    assert (days[:, 0] == 0).all()
    assert (np.diff(days) >= 0).all()
    assert days[:, 1].min() >= 5  # half-way to day 0
    assert days[:, 1].max() <= 24  # 14 days late
    assert days[:, 2].min() >= 86
    assert days[:, 2].max() <= 100


def test_values_between_visits_lie_on_straight_lines():
    planned = np.array([0.0, 10.0, 20.0])
    true = np.array([[1.0, 2.0, 4.0]])
    assert measure.on_days(true, planned, np.array([[0.0, 8.0, 19.0]])) == pytest.approx(np.array([[1.0, 1.8, 3.8]]))
    assert measure.on_days(true, planned, np.array([[0.0, 12.0, 20.0]])) == pytest.approx(np.array([[1.0, 2.4, 4.0]]))


def test_dropout_and_missed_visits_at_their_rates():
    wanted = settings(dropout=0.2, missed_visits=0.1)
    who = measure.attend(DAYS, wanted, np.random.default_rng(0), shape=(50_000,))
    assert (who.left_day < 365.25).mean() == pytest.approx(0.2, abs=0.006)
    assert (who.left_day < 2 * 365.25).mean() == pytest.approx(1 - 0.8**2, abs=0.006)
    stayed = np.isinf(who.left_day)
    assert 1 - who.present[stayed, 2].mean() == pytest.approx(0.1, abs=0.006)
    assert not who.present[who.left_day < DAYS[1]][:, 1:].any()
    assert set(np.unique(who.status)) == {measure.COMPLETED, measure.LEFT}


@pytest.mark.parametrize("hidden", [False, True])
def test_those_who_lose_more_leave_more(hidden):
    wanted = settings(dropout={"per_year": 0.1, "per_pct_lost": 0.3, "hidden": hidden})
    lost = np.broadcast_to(np.linspace(-5, 5, 20_000)[:, None] * [0, 1, 1, 1], (20_000, 4))
    who = measure.attend(DAYS, wanted, np.random.default_rng(0), shape=(20_000,), lost_seen=lost, lost_true=lost)
    left = np.isfinite(who.left_day)
    assert left[15_000:].mean() > 2 * left[:5_000].mean()


def test_rescue_ends_the_values_after_the_visit_that_showed_the_loss():
    lost = np.zeros((3, 4))
    lost[1, 1:] = 8.0
    lost[2, 3] = 8.0  # at the last visit nothing is left to be rescued from
    who = measure.attend(DAYS, settings(rescue=7), np.random.default_rng(0), shape=(3,), rescue_seen=lost)
    assert who.status.tolist() == [measure.COMPLETED, measure.RESCUED, measure.COMPLETED]
    assert who.present[1].tolist() == [True, True, False, False]
    assert who.left_day[1] == DAYS[1]


def test_death_ends_visits():
    who = measure.attend(DAYS, OFF, np.random.default_rng(0), shape=(2,), death_day=np.array([400.0, np.inf]))
    assert who.status.tolist() == [measure.DIED, measure.COMPLETED]
    assert who.present[0].tolist() == [True, True, True, False]


def test_an_arm_more_changes_no_other_and_nor_do_more_people():
    few, more = study(n=50), study(n=80, arms=("placebo", "new", "drug"))
    one, other = (measure.observe(true_values(of, between=0.0), of, 7) for of in (few, more))
    for arm in ("placebo", "drug"):
        a, b = one.sel(arm=arm), other.sel(arm=arm).isel(person=slice(50))
        ratio = (b["total_hip_bmd"] / a["total_hip_bmd"]).to_numpy()
        assert np.array_equal(np.isnan(a["total_hip_bmd"]), np.isnan(b["total_hip_bmd"])), arm
        assert np.nanmax(np.abs(ratio / ratio[:, :, :1] - 1)) < 0.2  # other people, the same visits
        assert np.array_equal(a["visit_day"], b["visit_day"], equal_nan=True)


def test_same_seed_same_values():
    of = study()
    true = true_values(of)
    assert measure.observe(true, of, 5).identical(measure.observe(true, of, 5))
    assert not measure.observe(true, of, 5).equals(measure.observe(true, of, 6))


def test_adherence():
    share = measure.adherence(settings(adherence={"mean": 0.8, "sd": 0.15}), 1, 20_000)
    assert share.mean() == pytest.approx(0.8, abs=0.005)
    assert share.std() == pytest.approx(0.15, abs=0.005)
    assert np.array_equal(measure.adherence(settings(adherence=0.7), 1, 3), [0.7] * 3)


def test_people_whose_run_failed_have_no_values():
    of = study(n=3)
    true = true_values(of).assign_coords(flag=("person", np.array([0, 3, 0], np.int8)))
    seen = measure.observe(true, of)
    assert np.isnan(seen["total_hip_bmd"].isel(person=1)).all()
    assert (seen["status"].isel(person=1) == measure.NO_RUN).all()


def test_a_site_that_was_not_run_is_an_error():
    of = study(measurement={"rescue": {"site": "ultradistal_radius"}})
    with pytest.raises(InputError, match=r"measurement\.rescue: the run has no ultradistal_radius_bmd"):
        measure.observe(true_values(of), of)


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ({"dropuot": 0.1}, "did you mean 'dropout'"),
        ({"dropout": {"per_yaer": 0.1}}, "did you mean 'per_year'"),
        ({"dropout": float("nan")}, "dropout.per_year"),
        ({"missed_visits": 3}, "missed_visits"),
        ({"rescue": {"site": "hip"}}, "did you mean 'total_hip'"),
        ({"precision": {"total_hip": 1.0}}, "did you mean 'total_hip_bmd'"),
        ({"adherence": {"mean": 0.9, "sd": 0.4}}, "too large for a share"),
    ],
)
def test_wrong_settings_get_one_clear_line(section, words):
    with pytest.raises(StudyError, match=words) as caught:
        study(measurement=section)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("name", "published"), [("ctx", 0.56), ("p1np", 0.38), ("bsap", 0.24)])
def test_least_significant_change_of_markers_as_published(name, published):
    """2.77 times the SD of one measurement, of observed people who do not change."""
    seen = measure.observe_array(np.ones((20_000, 2)), name, settings(marker_error=True), np.random.default_rng(2))
    change = np.diff(np.log(seen), axis=1)
    assert 1.96 * change.std() == pytest.approx(published, rel=0.02)
    assert 2.77 * parameters.load("observation")[f"precision_{name}"].value == pytest.approx(published, rel=0.01)


@pytest.mark.parametrize(("name", "whole"), [("ctx", 0.3274), ("p1np", 0.2653), ("bsap", 0.2744)])
def test_sd_of_the_change_of_markers_between_people(name, whole):
    """From the bars of placebo arms of fitted trials, 0.33 for CTX and 0.27 for P1NP: people and two measurements."""
    assert uncertainty.spread(name) == pytest.approx(whole, rel=1e-3)
