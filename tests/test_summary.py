import numpy as np
import pytest
import xarray as xr

import osteon
from osteon.errors import OsteonWarning
from osteon.result import build
from osteon.summary import COLUMNS, csv_text, summarise
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
