import warnings

import numpy as np
import pytest

import osteon
from osteon.errors import InputError, ModelError, OsteonWarning
from osteon.result import DIMS, provenance
from osteon.simulation import time_grid


def test_result_has_dims_units_and_provenance():
    result = osteon.simulate("denosumab 60 mg SC every 6 months", age=67, until="1 year", seed=7)
    assert all(result[name].dims == DIMS for name in result.data_vars)
    assert all(result[name].attrs["units"] for name in result.data_vars)
    assert result["time"].attrs["units"] == "day"
    facts = provenance(result)
    for key in ("osteon_version", "model", "parameters_hash", "regimens", "seed", "engine", "platform", "person"):
        assert key in facts
    assert facts["seed"] == 7
    assert facts["regimens"] == {"regimen": "denosumab 60 mg SC every 6 months"}


def test_last_time_is_exactly_until():
    assert time_grid("5475 days", None, 365.0)[-1] == 5475
    assert time_grid("15 years", "7 days", 365.0)[-1] == 5475
    assert time_grid("10 days", "3 days", 365.0).tolist() == [0, 3, 6, 9, 10]
    assert time_grid("10 days", "30 days", 365.0).tolist() == [0, 10]
    assert time_grid("12 months", "1 month", 365.0).tolist() == pytest.approx([30.4375 * i for i in range(13)])


@pytest.mark.parametrize(
    ("until", "every"),
    [
        ("-1 days", None),
        ("0 days", None),
        ("1 year", "0 days"),
        ("90 years", "0.001 days"),
        ("1 year", "1e-310 days"),
        ("x", None),
    ],
)
def test_bad_times(until, every):
    with pytest.raises(InputError):
        osteon.simulate("none", age=67, until=until, every=every)


@pytest.mark.parametrize("age", [19.9, 101, -5, float("inf")])
def test_age_outside_the_model(age):
    with pytest.raises(InputError, match="age"):
        osteon.simulate("none", age=age, until="1 year")


def test_run_beyond_the_model():
    with pytest.raises(InputError, match="end at age 160"):
        osteon.simulate("none", age=80, until="80 years")


def test_therapy_that_the_model_lacks():
    with pytest.raises(ModelError, match="jorg2022 has no zoledronate"):
        osteon.simulate("zoledronate 5 mg IV once", age=67, until="1 year", model="jorg2022")
    prior = "zoledronate 5 mg IV once; then none for 1 month"
    with pytest.raises(ModelError, match="zoledronate"):
        osteon.simulate("none", prior=prior, age=67, until="1 year", model="jorg2022")
    with pytest.raises(ModelError, match="osteon has no ovariectomy"):
        osteon.simulate("ovariectomy once", age=67, until="1 year")


def test_unknown_model():
    with pytest.raises(ModelError, match="jorg2022"):
        osteon.simulate("none", age=67, until="1 year", model="jorg2021")
    same = [
        osteon.simulate("none", age=67, until="1 year", model=name) for name in ("jorg2022", "joerg2022", "JORG2022")
    ]
    assert all(s.equals(same[0]) for s in same)


def test_mouse_is_not_in_the_published_model():
    with pytest.raises(ModelError, match="no mouse"):
        osteon.simulate("none", age=24, until="1 year", species="mouse", model="jorg2022")


def test_features_that_are_ignored_are_named():
    with pytest.warns(OsteonWarning, match="T-scores, weight"):
        osteon.simulate("none", age=67, until="1 year", t_score={"total_hip": -2.0}, weight_kg=60.0,
                        model="jorg2022")  # fmt: skip
    with pytest.warns(OsteonWarning, match="sex"):
        osteon.simulate("none", age=67, until="1 year", sex="male", model="jorg2022")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        osteon.simulate("none", age=67, until="1 year", sex="male", t_score={"total_hip": -2.0}, weight_kg=60.0,
                        prior_vertebral_fracture=True)  # fmt: skip


def test_prior_is_the_same_as_having_had_it():
    plan = "romosozumab 210 mg SC every 30 days x12"
    whole = osteon.simulate(
        f"alendronate 70 mg PO weekly for 365 days; then {plan}",
        age=66,
        until="3 years",
        every="1 year",
        model="jorg2022",
    )
    after = osteon.simulate(
        plan,
        prior="alendronate 70 mg PO weekly for 365 days",
        age=67,
        until="2 years",
        every="1 year",
        model="jorg2022",
    )
    for name in whole.data_vars:
        np.testing.assert_allclose(whole[name].values[..., 1:], after[name].values, rtol=1e-9)


def test_prior_that_ends_in_a_single_dose_counts():
    options = {"age": 67, "until": "6 months", "every": "6 months", "model": "jorg2022"}
    prior = osteon.simulate("none", prior="denosumab 60 mg SC once", **options)
    now = osteon.simulate("denosumab 60 mg SC once", **options)
    for name in now.data_vars:
        np.testing.assert_allclose(prior[name], now[name], rtol=1e-9)


def test_prior_before_birth():
    for model in ("jorg2022", "osteon"):
        with pytest.raises(InputError, match="before"):
            osteon.simulate(
                "none", prior="alendronate 70 mg PO weekly for 80 years", age=67, until="1 year", model=model
            )


def test_progress_goes_from_nothing_to_all():
    seen = []
    osteon.simulate("denosumab 60 mg SC every 6 months", age=67, until="5 years", progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    assert min(seen) >= 0


@pytest.mark.parametrize("suffix", [".nc", ".parquet"])
def test_save_and_load(tmp_path, suffix):
    study = osteon.Study.model_validate(
        {
            "id": "a",
            "people": {"species": "human", "sex": "female", "age": 66, "n_per_arm": 3},
            "arms": [{"name": "z – any text", "regimen": "none"}, {"name": "a", "regimen": "denosumab 60 mg SC q6m"}],
            "visits": [0.0, 6.0, 12.0],
            "endpoints": ["total_hip_bmd"],
        }
    )
    result = osteon.run(study)
    osteon.save(result, tmp_path / f"r{suffix}")
    again = osteon.load(tmp_path / f"r{suffix}")
    assert again.identical(result)
    assert [p.name for p in tmp_path.iterdir()] == [f"r{suffix}"]
    whole = (tmp_path / f"r{suffix}").read_bytes()
    (tmp_path / f"r{suffix}").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="not a whole"):
        osteon.load(tmp_path / f"r{suffix}")


def test_save_and_load_errors(tmp_path):
    result = osteon.simulate("none", age=67, until="1 year")
    with pytest.raises(InputError, match=".parquet"):
        osteon.save(result, tmp_path / "r.xls")
    with pytest.raises(InputError, match="no such file"):
        osteon.load(tmp_path / "r.nc")


def test_same_input_same_bits():
    first, second = (osteon.simulate("denosumab 60 mg SC q6m x4", age=67, until="5 years") for _ in range(2))
    assert first.identical(second)


def test_person_or_features_not_both():
    person = osteon.Person(age=67.0)
    with pytest.raises(InputError, match="not both"):
        osteon.simulate("none", person=person, sex="male", until="1 year")
