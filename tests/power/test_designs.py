"""A study's power from its own people: rows, sizes, assurance, and what a study says of its analysis."""

import warnings

import numpy as np
import pytest

from osteon import models
from osteon.errors import InputError, OsteonWarning
from osteon.power import figure
from osteon.power.designs import Options, power_of
from osteon.power.options import plan
from osteon.report.figures import png
from osteon.study import study_from

STUDY = {
    "id": "small",
    "people": {"species": "human", "sex": "female", "age": {"mean": 68, "sd": 4, "min": 60, "max": 78},
               "t_score": {"lumbar_spine": {"mean": -2.5, "sd": 0.5}, "total_hip": -2.0},
               "senescent_burden": {"mean": 1, "sd": 0.3}, "n_per_arm": 20},
    "arms": [{"name": "placebo", "regimen": "none"},
             {"name": "denosumab", "regimen": "denosumab 60 mg SC every 6 months for 12 months"}],
    "visits": [0, 6, 12],
    "endpoints": ["lumbar_spine_bmd", "ctx"],
}  # fmt: skip


def changed(**parts):
    return study_from({**STUDY, **parts})


@pytest.fixture(scope="module")
def answer():
    shares = []
    options = Options(
        endpoints=["lumbar_spine_bmd", "ctx"], months=[6, 12], n=[10, 40], people=600, replicates=300, draws=5,
        t_score_max={"lumbar_spine": -2.5},
    )  # fmt: skip
    found = power_of(study_from(STUDY), options, model=models.get(), seed=3, progress=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    return found


def test_a_row_for_each_combination(answer):
    assert len(answer.power) == 2 * 2 * 2 * 2
    assert len(answer.sizes) == len(answer.curves) == 2 * 2 * 2
    for row in answer.power:
        assert 0 <= row["lower"] <= row["power"] <= row["upper"] <= 1
        assert 0 <= row["assurance_lower"] <= row["assurance"] <= row["assurance_upper"] <= 1
        assert row["screened_per_arm"] >= row["n_per_arm"]
        assert row["power"] == pytest.approx(row["formula"], abs=0.1)
        assert all(v is None or isinstance(v, str) or np.isfinite(v) for v in row.values())
    assert answer.draws == 5


def test_more_people_and_more_time_find_more(answer):
    of = {(r["endpoint"], r["month"], r["design"], r["n_per_arm"]): r for r in answer.power}
    for (endpoint, month, design, n), row in of.items():
        if n == 10:
            assert row["power"] <= of[endpoint, month, design, 40]["power"]
            assert abs(row["mde"]) > abs(of[endpoint, month, design, 40]["mde"])
    spine = [of["lumbar_spine_bmd", month, "everyone", 10] for month in (6, 12)]
    assert spine[0]["effect"] < spine[1]["effect"]
    assert of["ctx", 12, "everyone", 10]["effect"] < -20


def test_sizes_agree_with_power(answer):
    for row, curve in zip(answer.sizes, answer.curves, strict=True):
        assert row["n_per_arm"] is not None
        if row["n_per_arm"] > 2:
            before, at = curve.size.curve(np.array([row["n_per_arm"] - 1, row["n_per_arm"]]))
            assert before < 0.9 <= at + 1e-9
            assert row["lower"] <= row["n_per_arm"] <= row["upper"]


def test_picture(answer):
    assert png(figure.figure(answer.curves, 0.9, "a study"))[:4] == b"\x89PNG"


def test_the_studys_own_analysis():
    study = changed(analysis={"reference": "denosumab", "primary": "ctx", "month": 6, "alpha": 0.01})
    found = plan(study, Options())
    assert [arm.name for arm in found.study.arms] == ["denosumab", "placebo"]
    assert (found.endpoints, found.months, found.alpha, found.arms) == (["ctx"], [6.0], 0.01, [1])
    assert found.study.visits == [0.0, 6.0]  # the trial ends there
    assert plan(study, Options(months=[9])).study.visits == [0.0, 6.0, 9.0]


def test_an_analysis_that_power_does_not_do_is_told():
    with pytest.warns(OsteonWarning, match="ANCOVA"):
        plan(changed(analysis={"method": "mmrm"}), Options())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plan(study_from(STUDY), Options())


def test_too_many_combinations():
    with pytest.raises(InputError, match="combinations"):
        plan(study_from(STUDY), Options(n=list(range(2, 500))))
