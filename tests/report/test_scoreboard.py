"""The scores that ship with osteon are there, and belong to the shipped parameters."""

import numpy as np
import pytest

from osteon import models
from osteon.evidence import load_trials
from osteon.report import scoreboard


def test_they_are_there_for_every_trial_and_these_parameters():
    told = scoreboard.shipped()
    assert told["parameters_hash"] == models.get().parameter_hash, "make them anew: make scores"
    assert set(told["trials"]) == set(load_trials())
    assert {row["endpoint"] for row in told["pooled"]} >= {"lumbar_spine_bmd", "total_hip_bmd", "ctx", "p1np"}
    assert told["parts"]


def test_each_scored_value_lies_where_the_line_of_its_arm_is():
    for ident, trial in scoreboard.shipped()["trials"].items():
        for arm in trial["arms"].values():
            for point in arm["points"]:
                there = np.interp(point["month"], arm["months"], arm["course"][point["endpoint"]])
                assert point["predicted"] == pytest.approx(there, abs=0.3, rel=0.05), (ident, point)
