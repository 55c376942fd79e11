"""T-scores set the scale of BMD at month 0 and leave changes alone."""

import numpy as np
import pytest

import osteon
from osteon import skeleton, tscores
from osteon.errors import InputError, OsteonWarning

MODEL = skeleton.Osteon()


def simulate(**features):
    return osteon.simulate(
        "denosumab 60 mg SC every 6 months", age=66, until="1 year", every="1 year", model=MODEL, **features
    )


def test_as_given_at_month_0():
    usual, small = simulate(), simulate(t_score={"lumbar_spine": -2.5, "total_hip": -1.9})
    found = osteon.t_score(small).isel(time=0, draw=0, arm=0, person=0)
    assert float(found["lumbar_spine"]) == pytest.approx(-2.5)
    assert float(found["total_hip"]) == pytest.approx(-1.9)
    for name, change in osteon.percent_change(small).data_vars.items():
        np.testing.assert_allclose(change, osteon.percent_change(usual)[name], atol=1e-9)
    factors = {name: float((small[name] / usual[name]).mean()) for name in MODEL.endpoints}
    assert factors["femoral_neck_bmd"] == pytest.approx((factors["lumbar_spine_bmd"] + factors["total_hip_bmd"]) / 2)
    assert factors["ctx"] == factors["trabecular_bone_volume"] == 1


def test_in_every_draw_and_for_men():
    found = osteon.t_score(simulate(t_score={"femoral_neck": -3.0}, sex="male", draws=3))
    np.testing.assert_allclose(found["femoral_neck"].isel(time=0), -3.0)


def test_references():
    assert tscores.references()["femoral_neck"] == (0.858, 0.12)
    assert set(tscores.references()) == {"lumbar_spine", "total_hip", "femoral_neck"}


def test_what_has_no_reference():
    with pytest.warns(OsteonWarning, match="distal_third_radius"):
        simulate(t_score={"distal_third_radius": -2.0})
    with pytest.raises(InputError, match="T-scores lie between"):
        simulate(t_score={"femoral_neck": -9.0})
    assert not osteon.t_score(osteon.simulate("none", age=66, until="1 year", model="jorg2022")).data_vars


def test_every_number_of_how_bone_is_seen_has_a_source():
    from osteon import parameters
    from osteon.parameters.references import cite

    for record in parameters.load("observation").values():
        assert cite(record.source)
        assert record.locator
        assert (record.source == "assumed") == (record.origin == "assumed")
