"""Fractures of the people of a Result: chances, event times with the same luck in each arm, and the summary."""

import json

import numpy as np
import pytest
import xarray as xr

from osteon import result as results
from osteon import tscores
from osteon.errors import InputError
from osteon.fractures import KINDS, cumulative_incidence, events, risk
from osteon.fractures.summary import incidence, interval
from osteon.study import Study
from osteon.summary import summarise

DAYS = np.array([0.0, 365.25, 3 * 365.25])
STUDY = Study.model_validate(
    {
        "id": "x",
        "people": {"species": "human", "sex": "female", "age": 74.0, "n_per_arm": 500},
        "arms": [{"name": "placebo", "regimen": "none"}, {"name": "drug", "regimen": "denosumab 60 mg SC every 6 months"}],
        "visits": [0, 12, 36],
        "endpoints": ["total_hip_bmd", "vertebral_fracture", "hip_fracture"],
    }
)  # fmt: skip


def made(people=1, draws=1, units="g/cm2", **coords):
    """A Result with two arms: one without change, one that gains 6 % and halves CTX."""
    rise = np.array([[1.0, 1.0, 1.0], [1.0, 1.03, 1.06]])[None, :, None, :]
    ctx = np.array([[1.0, 1.0, 1.0], [1.0, 0.5, 0.5]])[None, :, None, :]
    shape = (draws, 2, people, 3)
    values = {"ctx": np.broadcast_to(ctx, shape)}
    for site in ("lumbar_spine", "total_hip", "femoral_neck"):
        mean, unit = tscores.references()[site]
        values[f"{site}_bmd"] = np.broadcast_to((mean - 2.5 * unit) * rise, shape)
    facts = {"person": {"species": "human", "sex": "female", "age": 74.0}}
    found = results.build(values, time_days=DAYS, arms=["placebo", "drug"],
                          units=dict.fromkeys(values, units), provenance=facts)  # fmt: skip
    return found.assign_coords({name: ("person", np.asarray(x)) for name, x in coords.items()})


def test_risk_of_one_person():
    found = risk(made())
    assert found.sizes == {"draw": 1, "arm": 2, "person": 1, "time": 3}
    for kind in KINDS:
        placebo, drug = found[kind].to_numpy()[0, :, 0]
        assert placebo[0] == drug[0] == 0
        assert 0 < drug[2] < placebo[2] < 1
    assert np.ptp(found["death"].to_numpy()[..., 2]) == 0
    assert found["hip_fracture"].attrs["units"] == "1"


def test_relative_bone_has_no_fractures():
    with pytest.raises(InputError, match="g/cm2"):
        risk(made(units="1"))


def test_coordinates_of_people_count():
    found = risk(made(3, age=[60.0, 74.0, 74.0], sex=["female"] * 3, prior_vertebral_fracture=[False, False, True]))
    young, old, broken = found["vertebral_fracture"].to_numpy()[0, 0, :, 2]
    assert young < old < broken


def test_events_share_their_luck():
    table = events(made(2000), seed=3)
    assert list(table.columns) == ["draw", "arm", "person", "kind", "time_days", "event", "death"]
    assert len(table) == 2 * 2000 * 3
    assert not (table["event"] & table["death"]).any()
    assert table["time_days"].between(0, DAYS[-1]).all()
    wide = table[table["kind"] == "hip_fracture"].pivot(index="person", columns="arm", values=["event", "time_days"])
    gained = wide["event"]["drug"].astype(bool) & ~wide["event"]["placebo"].astype(bool)
    assert not gained.any()  # a lower hazard never brings a fracture that the twin was spared
    few = events(made(100), seed=3)
    both = few.merge(table, on=["draw", "arm", "person", "kind"], suffixes=("", "_many"))
    assert (both["time_days"] == both["time_days_many"]).all()
    assert not events(made(100), seed=4)["time_days"].equals(few["time_days"])


def test_events_agree_with_chances():
    table = events(made(20_000), seed=0, trial=False)
    chance = risk(made())
    for kind in KINDS:
        own = table[(table["kind"] == kind) & (table["arm"] == "placebo")]
        expected = float(chance[kind].to_numpy()[0, 0, 0, 2])
        error = np.sqrt(expected * (1 - expected) / 20_000)
        assert own["event"].mean() == pytest.approx(expected, abs=4 * error)


def test_aalen_johansen_is_the_share_when_nobody_is_censored_early():
    table = events(made(1000), seed=1)
    own = table[table["arm"] == "placebo"]
    found = cumulative_incidence(own, "vertebral_fracture")
    share = own[own["kind"] == "vertebral_fracture"]["event"].mean()
    last = found.iloc[-1]
    assert last["value"] == pytest.approx(share, abs=1e-6)
    assert last["lower"] < share < last["upper"]
    assert (np.diff(found["value"]) >= 0).all()


def test_summary_has_fractures():
    table = summarise(made(draws=1), STUDY)
    own = table[table["statistic"] == "cumulative_incidence"].set_index(["endpoint", "arm", "month"])
    assert set(own.index.get_level_values(0)) == {"vertebral_fracture", "hip_fracture"}
    assert own.loc[("hip_fracture", "placebo", 0.0), "value"] == 0
    assert own["lower"].isna().all()
    assert 0 < own.loc[("vertebral_fracture", "drug", 36.0), "value"] < own.loc[
        ("vertebral_fracture", "placebo", 36.0), "value"] < 100  # fmt: skip
    many = summarise(made(draws=20), STUDY)
    own = many[many["statistic"] == "cumulative_incidence"]
    later = own[own["month"] > 0]
    assert (later["lower"] < later["value"]).all()
    assert (later["value"] < later["upper"]).all()
    assert json.dumps(own["value"].tolist())


def test_many_people_and_a_mean_one_agree():
    rng = np.random.default_rng(0)
    alone = incidence(made(), STUDY, "placebo", "vertebral_fracture")[0, -1]
    people = made(3000)
    mean, unit = tscores.references()["total_hip"]
    t = -2.5 + 0.9 * rng.standard_normal(3000)
    scale = xr.DataArray((mean + unit * t) / (mean - 2.5 * unit), dims="person")
    people["total_hip_bmd"] = (people["total_hip_bmd"] * scale).assign_attrs(units="g/cm2")
    each = incidence(people, STUDY, "placebo", "vertebral_fracture")[0, -1]
    assert each == pytest.approx(alone, rel=0.05)


def test_interval_narrows_with_people():
    share = np.full((50, 1), 0.05)
    few, many = (np.subtract(*interval(share, n)[::-1])[0] for n in (100, 100_000))
    assert many < few
