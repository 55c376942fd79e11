"""Draws: the same person in every draw, the same draws in every arm, and what a trial would see of their mean."""

import dataclasses

import numpy as np
import pytest

import osteon
from osteon import draws, parameters, skeleton, uncertainty
from osteon.engine import exact, kernel
from osteon.engine.exposure import Exposure
from osteon.errors import InputError
from osteon.regimen import parse_regimen
from osteon.summary import summarise

MODEL = skeleton.Osteon()
N = 6


def study(n=50, **people):
    return osteon.Study.model_validate(
        {
            "id": "s",
            "people": {"species": "human", "sex": "female", "age": 66, "n_per_arm": n, **people},
            "arms": [{"name": "none", "regimen": "none"}, {"name": "same", "regimen": "none"},
                     {"name": "drug", "regimen": "denosumab 60 mg SC every 6 months"}],
            "visits": [0.0, 12.0],
            "endpoints": ["lumbar_spine_bmd", "ctx", "formation"],
        }
    )  # fmt: skip


@pytest.fixture(scope="module")
def result():
    return osteon.run(study(), model=MODEL, draws=N)


def test_arms_share_their_draws(result):
    assert result.sizes == {"draw": N, "arm": 3, "person": 1, "time": 2}
    for x in result.data_vars.values():
        np.testing.assert_array_equal(x.sel(arm="none"), x.sel(arm="same"))
    assert len(np.unique(result["ctx"].sel(arm="drug").to_numpy()[..., -1])) == N


def test_the_draws_of_a_result(result):
    found = draws.of_result(MODEL, result)
    assert {len(values) for values in found.values()} == {N}
    assert draws.of_result(MODEL, result.isel(draw=slice(1, None))) == {}  # which one failed is not known
    assert "graft_calm" not in found  # priors were not in that run
    aged = result.assign_attrs(provenance=result.attrs["provenance"].replace('"priors": false', '"priors": true'))
    assert {"graft_calm", "ctx_exponent"} <= draws.of_result(MODEL, aged).keys()
    other = result.assign_attrs(
        provenance=result.attrs["provenance"].replace('"model": "osteon"', '"model": "other"')
    )
    assert draws.of_result(MODEL, other) == {}
    assert draws.of_result(MODEL, osteon.run(study(), model=MODEL, draws=0)) == {}


@pytest.mark.parametrize(
    ("regimen", "person", "model", "expected"),
    [
        ("denosumab 60 mg SC once", {}, MODEL, False),
        ("msc 1e8 cells IV once", {}, MODEL, True),
        ("none", {"senescent_burden": 2.0}, MODEL, True),
        ("none", {}, skeleton.Osteon(["senescence"]), True),
        ("none", {"species": "mouse", "age": 20.0}, skeleton.OsteonMouse(), True),
    ],
)
def test_when_priors_come_in(regimen, person, model, expected):
    courses = parse_regimen(regimen).courses(100.0, year_days=365.25)
    who = osteon.Person(**{"sex": "female", "age": 70.0, **person})
    assert draws.with_priors(model, who, [((), courses)]) is expected


def test_each_draw_is_what_the_reference_says():
    """A man after a prior treatment, in the first and the last draw."""
    person = osteon.Person(sex="male", age=70.0)
    days = np.array([0.0, 365.25])
    before = parse_regimen("alendronate 70 mg PO weekly for 12 months").courses(0.0, start=-365.25, year_days=365.25)
    after = parse_regimen("teriparatide 20 ug SC daily").courses(days[-1], year_days=365.25)
    found = draws.run(MODEL, person, [(before, after)], days, N)
    for at in (0, N - 1):
        p = MODEL.parameters(male=1.0, **{k: v[at] for k, v in draws.pick(MODEL, N, fitted=True).items()})
        now = 70 * MODEL.year_days
        courses = [dataclasses.replace(c, start=c.start + now, stop=c.stop + now) for c in (*before, *after)]
        states = exact.solve(MODEL, p, Exposure(courses, MODEL.kinetics(p), len(MODEL.channels)), days + now)
        for name, x in MODEL.read_out(states.T, p).items():
            np.testing.assert_allclose(found[name][at, 0, 0], x, rtol=1e-4 if name.endswith("bmd") else 3e-3)


def test_what_is_known_of_a_person_holds_in_every_draw():
    early, late = (
        osteon.run(study(age=51, years_since_menopause=y), model=MODEL, draws=N)["lumbar_spine_bmd"].sel(arm="none")
        for y in (8, 0)
    )
    assert (early.isel(time=0) < late.isel(time=0)).all()


def test_how_many():
    there = len(next(iter(parameters.draws("osteon").values())))
    assert draws.count(MODEL, None) == draws.DEFAULT
    for asked in (1, there + 1):
        with pytest.raises(InputError, match=f"2 to {there}"):
            draws.count(MODEL, asked)
    with pytest.raises(InputError, match="jorg2022 has no draws"):
        osteon.run(study(), model="jorg2022", draws=5)
    with pytest.raises(InputError, match="kept apart"):
        osteon.simulate("none", age=66, people=5, draws=5, until="1 year", model=MODEL)


def test_summary_has_the_interval_of_an_observed_mean(result):
    def rows(n):
        table = summarise(result, study(n)).set_index(["statistic", "arm", "endpoint", "month"]).sort_index()
        return table.loc["mean_pct_change", "drug"]

    many, one = rows(50), rows(1)
    for name in ("lumbar_spine_bmd", "ctx", "formation"):
        assert many.loc[name].loc[0.0, ["value", "lower", "upper"]].tolist() == [0, 0, 0]
        row = many.loc[name].loc[12.0]
        assert row["lower"] < row["value"] < row["upper"]
    spine, single = many.loc["lumbar_spine_bmd"].loc[12.0], one.loc["lumbar_spine_bmd"].loc[12.0]
    expected = [1.645 * uncertainty.error("lumbar_spine_bmd", n, spine["value"]) for n in (50, 1)]
    for row, half in zip((spine, single), expected, strict=True):
        assert (row["upper"] - row["lower"]) / 2 == pytest.approx(half, rel=0.1)
    low, high = np.log1p(many.loc["ctx"].loc[12.0, ["lower", "upper"]].to_numpy(float) / 100)
    assert (high - low) / 2 == pytest.approx(1.645 * uncertainty.error("ctx", 50, (low + high) / 2), rel=0.1)


def test_without_draws_the_interval_is_empty():
    table = summarise(osteon.run(study(), model=MODEL, draws=0), study())
    assert table["lower"].isna().all()
    assert table["value"].notna().all()


def test_mixture():
    means = np.array([[0.0, 1.0], [0.0, 3.0]])
    assert uncertainty.quantile(means, 2.0, 0.95)[0] == pytest.approx(2 * 1.6448536, abs=1e-6)
    assert uncertainty.quantile(means, 0.0, 0.5).tolist() == [0, 2]
    wide = np.random.default_rng(0).normal(size=20_000)[:, None]
    assert uncertainty.quantile(wide, 1.0, 0.05)[0] == pytest.approx(-1.645 * 2**0.5, abs=0.03)


def test_large_changes_are_less_sure():
    small, large = uncertainty.discrepancy("total_hip_bmd", np.array([0.0, -8.0]))
    assert small == uncertainty.misses()["total_hip_bmd"]
    assert large == pytest.approx(np.hypot(small, 8 * parameters.load("observation")["response_bmd"].value))
    means = np.array([[0.0, 10.0]] * 3)
    upper = uncertainty.quantile(means, uncertainty.error("total_hip_bmd", 10**6, means), 0.95)
    assert upper[1] - 10 > 1.5 * upper[0]


def test_every_measured_end_point_has_an_error():
    for name, endpoint in osteon.endpoints.ENDPOINTS.items():
        measured = endpoint.kind in ("bmd", "marker")
        assert (uncertainty.error(name, 1) > 0) == measured
        assert (name in uncertainty.misses()) == measured


def test_kernels_of_models_without_a_mechanism_are_their_own(monkeypatch):
    """Leaving out a mechanism without states of its own must not meet the whole model's kernel."""
    monkeypatch.setattr(kernel, "_loaded", {})
    monkeypatch.setattr(kernel, "_load", lambda model, use, dtype: model)
    lean = skeleton.Osteon(without=["estrogen"])
    assert kernel.load(MODEL) is MODEL
    assert kernel.load(lean) is lean
