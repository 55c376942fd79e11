"""A saved run again: the same bits, or what differs and why."""

import json

import numpy as np
import pytest
import xarray as xr

import osteon
from osteon import rerun
from osteon.cli.main import run as osteon_command
from osteon.errors import InputError
from osteon.result import load, save

STUDY = {
    "id": "again", "people": {"species": "human", "sex": "female", "age": 66, "n_per_arm": 20},
    "arms": [{"name": "none", "regimen": "none"}, {"name": "drug", "regimen": "denosumab 60 mg SC every 6 months"}],
    "visits": [0, 6, 12], "endpoints": ["total_hip_bmd", "ctx"],
}  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "result.nc"
    save(osteon.run(osteon.Study.model_validate(STUDY), draws=8, seed=3), path)
    return path


def test_the_same_bits(made, capsys, tmp_path):
    assert osteon_command(["rerun", str(made), "--out", str(tmp_path)]) == 0
    shown = capsys.readouterr()
    assert "the same, bit for bit" in shown.out
    assert "not medical advice" in shown.err
    assert load(tmp_path / "result.nc").equals(load(made))
    assert (tmp_path / "summary.csv").read_text().startswith("study,arm,endpoint")


def test_other_numbers_are_found(made, capsys, tmp_path):
    changed = load(made)
    changed["ctx"][0, 1, 0, 1] *= 1 + 1e-9
    facts = json.loads(changed.attrs["provenance"])
    changed.attrs["provenance"] = json.dumps({**facts, "osteon_version": "0.0.1"})
    path = tmp_path / "result.nc"
    save(changed, path)
    assert osteon_command(["rerun", str(path), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["differences"]["ctx"] == pytest.approx(1e-9, rel=1e-3)
    assert list(found["differences"]) == ["ctx"]
    assert not found["same"]
    assert any(line.startswith("osteon 0.0.1") for line in found["changed"])


def test_another_shape_is_infinitely_far():
    one = xr.Dataset({"a": ("x", np.ones(3)), "b": ("x", np.ones(3))})
    other = xr.Dataset({"a": ("y", np.ones(4))})
    assert rerun.differences(one, other) == {"a": float("inf"), "b": float("inf")}


def test_what_cannot_be_run_again(tmp_path, capsys):
    path = tmp_path / "one.nc"
    save(osteon.simulate("none", until="1 year", age=66, every="1 year"), path)
    with pytest.raises(InputError, match="not of a study"):
        rerun.again(load(path))
    assert osteon_command(["rerun", str(tmp_path / "none.nc")]) == 2
    assert "there is no such file" in capsys.readouterr().err
