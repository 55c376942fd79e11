"""Many people one by one: who is run by which engine, that both agree, and what becomes of those who fail."""

import numpy as np
import pytest

import osteon
from osteon.errors import InputError, OsteonWarning
from osteon.population import individuals
from osteon.result import FAILED, table_of

OPTIONS = {
    "age": 67, "vary": {"omega_pC": 0.2, "eta_C": 0.2}, "until": "2 years", "every": "1 year", "seed": 4,
    "model": "jorg2022",
}  # fmt: skip
REGIMEN = "denosumab 60 mg SC every 6 months for 12 months"


@pytest.fixture(scope="module")
def kernel():
    return osteon.simulate(REGIMEN, people=40, **OPTIONS)


def engine(result):
    from osteon.result import provenance

    return provenance(result)["engine"]


def test_size_picks_the_engine(kernel):
    few = osteon.simulate(REGIMEN, people=3, **OPTIONS)
    assert engine(few)["name"] == "exact"
    assert engine(kernel)["name"] == "kernel"
    assert engine(kernel)["certificate"]["sample"] == 40
    assert dict(kernel.sizes) == {"draw": 1, "arm": 1, "person": 40, "time": 3}
    assert (kernel["flag"] <= 2).all()


def test_both_engines_agree_person_by_person(kernel):
    exact = osteon.simulate(REGIMEN, people=40, exact=True, **OPTIONS)
    assert engine(exact)["name"] == "exact"
    for name in exact.data_vars:
        close = 1.5e-4 if name.endswith("bmd") else 3e-3
        np.testing.assert_allclose(kernel[name], exact[name], rtol=close)


def test_the_mean_is_that_of_simulate_people(kernel):
    many = osteon.simulate_people(REGIMEN, people=40, **OPTIONS)
    change = osteon.percent_change(kernel)["total_hip_bmd"].mean("person").to_numpy().ravel()
    np.testing.assert_allclose(many.moments.mean_pct("total_hip_bmd"), change, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("suffix", [".nc", ".parquet"])
def test_save_and_load(kernel, tmp_path, suffix):
    path = osteon.save(kernel, tmp_path / f"all{suffix}")
    again = osteon.load(path)
    np.testing.assert_array_equal(again["flag"], kernel["flag"])
    np.testing.assert_array_equal(again["total_hip_bmd"], kernel["total_hip_bmd"])


def test_who_failed_is_marked_and_in_no_table(kernel):
    broken = kernel.copy(deep=True)
    broken["flag"][7] = FAILED
    for name in broken.data_vars:
        broken[name][:, :, 7] = np.nan
    with pytest.warns(OsteonWarning, match="left out 1 of 40"):
        frame = table_of(broken)
    assert len(frame) == 39 * 3
    assert not frame.isna().any().any()
    assert 7 not in set(frame["person"])


def test_a_failing_run_is_flagged(monkeypatch):
    """With the reference too: someone whose run gives up does not end the others'."""
    from osteon.engine import exact
    from osteon.errors import IntegrationError

    whole, calls = exact.solve, []

    def fragile(*args, **options):
        calls.append(1)
        if len(calls) == 2:
            raise IntegrationError("gave up")
        return whole(*args, **options)

    monkeypatch.setattr(exact, "solve", fragile)
    result = osteon.simulate(REGIMEN, people=3, **OPTIONS)
    assert result["flag"].to_numpy().tolist() == [0, FAILED, 0]
    assert np.isnan(result["total_hip_bmd"][0, 0, 1]).all()
    assert np.isfinite(result["total_hip_bmd"][0, 0, [0, 2]]).all()


def test_bad_input():
    with pytest.raises(InputError, match="GB"):
        osteon.simulate("none", age=67, people=10_000_000, until="10 years")
    with pytest.raises(InputError, match="age alone"):
        osteon.simulate("none", age=67, people=3, until="1 year", sex="male")
    with pytest.raises(InputError, match="at most"):
        osteon.simulate_people("none", age=67, people=2000, until="30 years", every="1 day")
    assert individuals.EXACT_UP_TO == 16
