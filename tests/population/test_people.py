"""People as a table: chosen by criteria, written and read, and refused when something is wrong with them."""

import numpy as np
import pandas as pd
import pytest

from osteon.errors import InputError
from osteon.population import people
from osteon.population.people import Population

TABLE = pd.DataFrame(
    {
        "id": [1, 2, 3, 4], "sex": ["female", "female", "male", "female"], "age": [66.0, 71.0, 80.0, 55.0],
        "menopause_age": [50.0, 47.0, np.nan, 52.0], "lumbar_spine_t": [-2.7, -3.6, -1.0, -2.5],
    }
)  # fmt: skip


def test_criteria_choose_and_say_how_many_met_them():
    found = Population("four", TABLE).enrol({"lumbar_spine_t": (-3.5, -2.5), "sex": "female"})
    assert found.table["id"].tolist() == [1, 4]
    assert found.acceptance == 0.5
    older = found.enrol({"age": (60, None)})
    assert older.table["id"].tolist() == [1]
    assert older.acceptance == 0.25
    assert Population("four", TABLE).enrol({"menopause_age": (None, None)}).table["id"].tolist() == [1, 2, 4]


@pytest.mark.parametrize(
    ("criteria", "words"),
    [({"lumbar_spine_T": (-3, -2)}, "lumbar_spine_t"), ({"age": (90, 60)}, "between 90 and 60"),
     ({"age": (90, None)}, "none of 4 people")],
)  # fmt: skip
def test_criteria_that_cannot_be(criteria, words):
    with pytest.raises(InputError, match=words):
        Population("four", TABLE).enrol(criteria)


def test_describe():
    table = Population("four", TABLE).describe().set_index(["sex", "feature"])
    assert table.loc[("female", "age"), "mean"] == 64
    assert table.loc[("female", "age"), "n"] == 3
    assert ("male", "menopause_age") not in table.index


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_files_come_back_as_they_went(tmp_path, ending):
    path = tmp_path / f"mine.{ending}"
    Population("four", TABLE).write(path)
    pd.testing.assert_frame_equal(people.read(path).table, TABLE)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"age": [66.0, np.nan, 80.0, 55.0]}, "age of row 2 is 'nan'"),
        ({"age": [66.0, 71.0, 8e9, 55.0]}, "age of row 3"),
        ({"age": ["old", "71", "80", "55"]}, "must hold numbers"),
        ({"id": [1, 2, 2, 4]}, "id of row 3 is '2'"),
        ({"sex": ["female", "F", "male", "female"]}, "sex of row 2 is 'F'"),
        ({"lumbar_spine_t": [-2.7, -36.0, 0.0, 0.0]}, "lumbar_spine_t of row 2"),
        ({"lumbar_spin_t": [0.0, 0.0, 0.0, 0.0]}, "did you mean 'lumbar_spine_t'"),
    ],
)
def test_people_who_cannot_be(tmp_path, change, words):
    path = tmp_path / "mine.csv"
    TABLE.assign(**change).to_csv(path, index=False)
    with pytest.raises(InputError) as error:
        people.read(path)
    assert words in str(error.value)
    assert str(path) in str(error.value)


def test_files_that_cannot_be_read(tmp_path):
    broken = tmp_path / "mine.parquet"
    broken.write_bytes(b"no parquet")
    for path, words in (
        (broken, "cannot be read as parquet"), (tmp_path / "none.csv", "no such file"), (tmp_path / "x.txt", "ends in"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=words):
            people.read(path)
    with pytest.raises(InputError, match="no column 'age'"):
        people.check(TABLE.drop(columns="age"), "mine")
    with pytest.raises(InputError, match="holds 0 people"):
        people.check(TABLE.iloc[:0], "mine")
    with pytest.raises(InputError, match="ends in"):
        Population("four", TABLE).write(tmp_path / "mine.xlsx")
