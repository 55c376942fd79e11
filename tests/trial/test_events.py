"""Times to an event."""

import numpy as np
import pandas as pd
import pytest

from osteon.errors import InputError
from osteon.trial.analyse.events import cox, kaplan_meier, log_rank, risk_ratio


def made(ratio=0.5, n=4000, seed=0):
    rng = np.random.default_rng(seed)
    arm = np.arange(n) % 2
    time = rng.exponential(10 / np.where(arm, ratio, 1.0))
    end = rng.uniform(1, 3, n)
    return np.minimum(time, end), time <= end, arm


def test_kaplan_meier_by_hand():
    found = kaplan_meier(np.array([1.0, 2.0, 2.0, 3.0]), np.array([1, 1, 0, 1]), np.zeros(4, int))
    assert found["time"].tolist() == [0, 1, 2, 3]
    assert found["risk"].tolist() == pytest.approx([0, 1 / 4, 1 / 2, 1.0])
    assert found["at_risk"].tolist() == [4, 4, 3, 1]
    assert ((found["lower"] <= found["risk"]) & (found["risk"] <= found["upper"])).all()
    assert not found.isna().any().any()


def test_cox_finds_the_ratio_of_hazards():
    (one,) = cox(*made())
    assert one.lower < 0.5 < one.upper
    assert one.value == pytest.approx(0.5, rel=0.15)
    assert one.p < 1e-6
    covariate = pd.DataFrame({"age": np.random.default_rng(1).normal(size=4000)})
    assert cox(*made(), covariate)[0].value == pytest.approx(one.value, rel=0.02)


@pytest.mark.parametrize("digits", [9, 1])  # 1: many ties
def test_counting_those_who_are_alike_does_not_change_cox(digits):
    from lifelines import CoxPHFitter

    time, event, arm = made(n=900)
    time = np.round(time, digits) + 0.1
    age = np.random.default_rng(1).integers(60, 70, 900).astype(float)
    table = pd.DataFrame({"time": time, "event": event, "arm": arm.astype(float), "age": age})
    for covariates, columns in ((None, ["arm"]), (table[["age"]], ["arm", "age"])):
        whole = CoxPHFitter().fit(table[["time", "event", *columns]], "time", "event")
        (one,) = cox(time, event, arm, covariates)
        limits = np.exp(whole.confidence_intervals_.loc["arm"])
        assert [one.value, *(one.lower, one.upper)] == pytest.approx(
            [np.exp(whole.params_["arm"]), *limits], rel=1e-7
        )
        assert one.p == pytest.approx(whole.summary["p"]["arm"], rel=1e-6)


def test_log_rank_and_its_type_one_error():
    assert log_rank(*made())[1] < 1e-6
    wrong = sum(log_rank(*made(ratio=1.0, n=200, seed=seed))[1] < 0.05 for seed in range(100))
    assert wrong / 100 == pytest.approx(0.05, abs=3.5 * (0.05 * 0.95 / 100) ** 0.5)


def test_cox_and_log_rank_tell_the_same():
    for seed in range(5):
        data = made(ratio=1.0, n=300, seed=seed)
        assert cox(*data)[0].p == pytest.approx(log_rank(*data)[1], abs=0.005)


def test_cox_type_one_error():
    wrong = sum(cox(*made(ratio=1.0, n=300, seed=seed))[0].p < 0.05 for seed in range(50))
    assert wrong / 50 == pytest.approx(0.05, abs=3.5 * (0.05 * 0.95 / 50) ** 0.5)


def test_risk_ratio_by_hand():
    (one,) = risk_ratio(np.array([200, 80]), np.array([3000, 3100]))
    assert one.value == pytest.approx(80 / 3100 / (200 / 3000))
    spread = (1 / 80 - 1 / 3100 + 1 / 200 - 1 / 3000) ** 0.5
    assert one.upper == pytest.approx(one.value * np.exp(1.959964 * spread))
    assert one.p < 1e-10


def test_arms_without_events():
    none, few = risk_ratio(np.array([3, 0, 4]), np.array([100, 100, 100]))
    assert none.value == 0.0
    assert 0 < none.lower < 1 < none.upper
    assert few.value == pytest.approx(4 / 3)
    (nothing,) = risk_ratio(np.array([0, 0]), np.array([50, 50]))
    assert (nothing.value, nothing.p) == (1.0, 1.0)
    time, _, arm = made(n=20)
    assert cox(time, np.zeros(20, bool), arm) == []
    assert log_rank(time, np.zeros(20, bool), arm)[1] == 1.0


def test_wrong_numbers_are_errors():
    with pytest.raises(InputError, match="no more events than people"):
        risk_ratio(np.array([3, 5]), np.array([4, 4]))
    with pytest.raises(InputError, match="finite"):
        cox(np.array([1.0, np.nan]), np.array([1, 1]), np.array([0, 1]))
