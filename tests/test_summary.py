import numpy as np
import pytest
import xarray as xr

import osteon
from osteon import parameters, uncertainty
from osteon.errors import OsteonWarning
from osteon.result import build
from osteon.summary import COLUMNS, csv_text, summarise
from osteon.tscores import references
from osteon.units import MONTH_DAYS


def study(endpoints, visits=(0.0, 6.5, 12.0)):
    return osteon.Study.model_validate(
        {
            "id": "s",
            "people": {"species": "human", "sex": "female", "age": 66, "n_per_arm": 40},
            "arms": [{"name": "one", "regimen": "none"}],
            "visits": list(visits),
            "endpoints": list(endpoints),
        }
    )


def made(values: np.ndarray, name: str) -> xr.Dataset:
    return build(
        {name: values},
        time_days=[0, 6.5 * MONTH_DAYS, 12 * MONTH_DAYS],
        arms=["one"],
        units={name: "1"},
        provenance={},
    )


def test_columns_and_months_as_given():
    s = study(["total_hip_bmd", "ctx"])
    table = summarise(osteon.run(s, model="jorg2022"), s)
    assert tuple(table.columns) == COLUMNS
    assert table["month"].unique().tolist() == [0, 6.5, 12]
    assert csv_text(table).splitlines()[2].startswith("s,one,total_hip_bmd,6.5,")
    assert (table["n"] == 40).all()
    assert table["lower"].isna().all()
    assert (table.loc[table["month"] == 0, "value"] == 0).all()


def test_bmd_is_the_mean_markers_the_geometric_mean():
    people = np.array([[1.0, 1.1, 1.2], [2.0, 1.8, 2.2]])[None, None]  # draw, arm, person, time
    bmd = summarise(made(people, "total_hip_bmd"), study(["total_hip_bmd"]))
    assert bmd["value"].tolist() == pytest.approx([0, 0, 15])
    ctx = summarise(made(people, "ctx"), study(["ctx"]))
    assert ctx["value"].tolist() == pytest.approx([0, 100 * (np.sqrt(1.1 * 0.9) - 1), 100 * (np.sqrt(1.2 * 1.1) - 1)])


def test_missing_end_points_give_one_warning():
    s = study(["lumbar_spine_bmd", "hip_fracture", "ctx"])
    with pytest.warns(OsteonWarning, match="lumbar_spine_bmd, hip_fracture") as caught:
        table = summarise(osteon.run(s, model="jorg2022"), s)
    assert len(caught) == 1
    assert table["endpoint"].unique().tolist() == ["ctx"]


def test_differences_are_paired_by_draw():
    """Draws that differ much, and arms that differ by the same in each."""
    base = np.array([0.9, 1.0, 1.2])
    ratio = np.stack([base, base + 0.05], axis=1)[:, :, None]  # draw, arm, person
    result = build(
        {"total_hip_bmd": np.stack([np.ones_like(ratio), ratio], axis=-1)}, time_days=[0, 12 * MONTH_DAYS],
        arms=["one", "two"], units={"total_hip_bmd": "1"}, provenance={},
    )  # fmt: skip
    s = study(["total_hip_bmd"], visits=(0.0, 12.0))
    arms = [{"name": "one", "regimen": "none"}, {"name": "two", "regimen": "exercise weekly"}]
    s = osteon.Study.model_validate({**s.model_dump(exclude_none=True), "arms": arms})
    table = summarise(result, s)
    assert table["statistic"].tolist() == ["mean_pct_change"] * 4 + ["difference_vs_one"] * 2
    rows = table[table["statistic"] == "difference_vs_one"]
    assert rows["arm"].tolist() == ["two", "two"]
    assert rows["value"].tolist() == pytest.approx([0, 5])
    n = s.people.n_per_arm
    share = parameters.load("observation")["response_bmd"].value
    half = 1.645 * np.hypot(5 * share, uncertainty.spread("total_hip_bmd") * (2 / n) ** 0.5)
    assert rows["lower"].tolist() == pytest.approx([0, 5 - half], rel=1e-3)
    assert rows["upper"].tolist() == pytest.approx([0, 5 + half], rel=1e-3)


def test_t_scores_go_with_the_change():
    mean, sd = references()["total_hip"]
    bmd = np.array([[mean - 2 * sd, 1.1 * (mean - 2 * sd)]] * 3)[:, None, None, :]
    result = build(
        {"total_hip_bmd": bmd}, time_days=[0, 12 * MONTH_DAYS], arms=["one"], units={"total_hip_bmd": "g/cm2"},
        provenance={},
    )  # fmt: skip
    table = summarise(result, study(["total_hip_bmd"], visits=(0.0, 12.0))).set_index(["statistic", "month"])
    t = table.loc["mean_t_score"]
    assert t.loc[0.0, ["value", "lower", "upper"]].tolist() == pytest.approx([-2] * 3)
    end = (1.1 * (mean - 2 * sd) - mean) / sd
    assert t.loc[12.0, "value"] == pytest.approx(end)
    change = table.loc[("mean_pct_change", 12.0)]
    for bound in ("lower", "upper"):
        as_t = (change[bound] - change["value"]) / 100 * (mean - 2 * sd) / sd
        assert t.loc[12.0, bound] == pytest.approx(end + as_t)
