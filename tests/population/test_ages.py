"""Another country's people from a table of ages, and tables that cannot be."""

import json

import numpy as np
import pytest

from osteon.cli.main import run
from osteon.errors import InputError
from osteon.population import ages, survey

HEAD = "sex,age_lo,age_hi,count\n"


def table(tmp_path, text, head=HEAD):
    path = tmp_path / "land.csv"
    path.write_text(head + text)
    return path


def test_people_are_as_old_as_the_table_has_them(tmp_path):
    bands = ages.read(table(tmp_path, "female,50,64,3000000\nmale,50,64,1000000\nfemale,65,,4000000\n"))
    found = survey.sample("land", 20_000, 1, bands=bands)
    t = found.table
    assert found.each == 400
    women = t[t["sex"] == "female"]
    assert len(women) == 17_500
    assert (women["age"] >= 65).sum() == 10_000
    assert t.loc[t["sex"] == "male", "age"].between(50, 65).all()
    assert t.loc[t["sex"] == "male", "age"].mean() == pytest.approx(57.5, abs=0.2)
    assert women["age"].max() <= 100
    assert all(np.isfinite(row["osteoporosis_pct"]) for row in survey.shares(found))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("female,50,59,nan\n", "row 1: count"), ("female,50,59,1e12\n", "row 1: count"), ("f,50,59,10\n", "row 1: sex"),
        ("female,59,50,10\n", "row 1: ages"), ("female,20,59,10\n", "row 1: ages"), ("female,50,59,-1\n", "row 1"),
        ("female,50,59,10\nfemale,55,69,10\n", "overlap"), ("female,50,59,10\nfemale,50,59,10\n", "stand twice"),
        ("female,50,59,many\n", "must hold numbers"), ("", "nobody"), ("female,50,59,0\n", "nobody"),
    ],
)  # fmt: skip
def test_tables_that_cannot_be(tmp_path, text, words):
    with pytest.raises(InputError, match=words):
        ages.read(table(tmp_path, text))


@pytest.mark.parametrize(
    ("head", "words"),
    [("sex,age_lo,age_hi\n", "no column 'count'"), ("sex,age_lo,age_hi,cuont\n", "did you mean 'count'"),
     ("", "cannot be read")],
)  # fmt: skip
def test_files_that_cannot_be(tmp_path, head, words):
    with pytest.raises(InputError, match=words):
        ages.read(table(tmp_path, "", head))
    with pytest.raises(InputError, match="no such file"):
        ages.read(tmp_path / "none.csv")


def test_command(tmp_path, capsys):
    path = table(tmp_path, "female,50,64,3000\nfemale,65,,4000\n")
    assert run(["population", str(path), "--people", "500", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["population"], found["people"]) == ("land", 7000)
    assert run(["population", "--describe", "--people", "500"]) == 0
    assert "lumbar_spine_t" in capsys.readouterr().out
    assert run(["population", "--describe", "--people", "500", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["features"][0]["feature"] == "age"
    assert run(["population", str(tmp_path / "none.csv")]) == 2
    assert run(["population", "--people", "1000000000"]) == 2
