"""What is kept while steps are chosen changes no number."""

import pytest

from osteon import draws
from osteon.engine import batch, cohort, pilot
from osteon.regimen import parse_regimen
from osteon.skeleton import Osteon

DAYS = [0.0, 180.0, 365.0]
CHANNELS = Osteon().usual_channels


def chosen(regimen, age=66.0):
    """The step edges for some people under a regimen."""
    model = Osteon()
    people = cohort.make(model, 4, changes=draws.pick(model, 4), age=age)
    courses = parse_regimen(regimen).courses(DAYS[-1])
    setup = batch.prepare(model, lambda a, b: people.take(slice(a, b)), 4, courses, DAYS, channels=CHANNELS)
    return setup.grid


@pytest.fixture
def forgotten(monkeypatch):
    monkeypatch.setattr(pilot, "_lived", {})
    monkeypatch.setattr(pilot, "_chosen", {})


@pytest.mark.usefixtures("forgotten")
def test_arms_share_the_years_before():
    """A second arm takes them from the first, and has the steps that it would have had alone."""
    drug = "denosumab 60 mg SC every 6 months"
    alone = chosen(drug)
    pilot._lived.clear()
    pilot._chosen.clear()
    chosen("none")
    lived = dict(pilot._lived)
    assert lived
    second = chosen(drug)
    assert second.t.tobytes() == alone.t.tobytes()
    assert second.h.tobytes() == alone.h.tobytes()
    assert second.pilot_error == alone.pilot_error
    assert any(key in lived for key in pilot._lived)
    assert len(pilot._lived) < 2 * len(lived)


@pytest.mark.usefixtures("forgotten")
def test_other_people_do_not():
    chosen("none")
    count = len(pilot._lived)
    chosen("none", age=70.0)
    assert len(pilot._lived) > count


@pytest.mark.usefixtures("forgotten")
def test_few_are_remembered(monkeypatch):
    monkeypatch.setattr(pilot, "REMEMBERED", 3)
    chosen("none")
    assert len(pilot._lived) == 3
