"""What the page asks while a slider moves, and the cards that it offers."""

import json

import pytest

from osteon import parameters
from osteon.app import theme
from osteon.app.parts import cards
from osteon.app.plan import Plan, fits
from osteon.evidence import load_trials
from osteon.files import parse_yaml
from osteon.study import study_from
from osteon.therapies.catalogue import catalogue

LINK = "v=1&sex=female&age=66&ysm=16&y=4&t=denosumab,60,mg,SC,every+6+months,0,24"


@pytest.fixture(scope="module")
def page():
    pytest.importorskip("nicegui")
    from fastapi import FastAPI
    from starlette.testclient import TestClient

    from osteon.app import live

    app = FastAPI()
    app.include_router(live.router)
    return TestClient(app)


def test_a_link_gives_plan_and_curves(page):
    found = page.post("/live", json={"text": LINK}).json()
    assert found["text"] == Plan.from_text(LINK).to_text()
    assert found["b"] is None
    assert found["state"]["plan"]["treatments"][0]["therapy"] == "denosumab"
    again = page.post("/live", json={"plan": found["state"]["plan"], "other": []}).json()
    assert again["a"]["summary"] == found["a"]["summary"]
    assert again["b"]["regimen"] == "none"
    assert again["text"].endswith("&u=none")


def test_a_moving_slider_gets_what_is_drawn_and_the_same_numbers(page):
    whole = page.post("/live", json={"text": LINK}).json()
    lean = page.post("/live", json={"text": LINK, "moving": True}).json()
    assert lean["a"]["summary"] == whole["a"]["summary"]
    assert lean["a"]["plan"]["pct"]["ctx"] == whole["a"]["plan"]["pct"]["ctx"]
    for kind in ("series", "t_score"):
        for name, curve in lean["a"]["untreated"][kind].items():
            assert curve == whole["a"]["untreated"][kind][name]
    assert len(str(lean)) < 0.8 * len(str(whole))


def test_what_is_usual_comes_from_the_records(page):
    usual = page.post("/live", json={"text": LINK}).json()["typical"]
    records = parameters.load("osteon")
    assert usual["weight_kg"] == records["reference_weight"].value
    assert usual["menopause_age"] == records["menopause_age"].value


@pytest.mark.parametrize(
    "content",
    [
        {"plan": {"age": 1e99}},
        {"plan": {"treatments": [{"therapy": "<script>alert(1)</script>"}]}},
        {"plan": {"treatments": [{"therapy": "denosumab", "dose": 60, "unit": "mg", "interval": "daily"}] * 2}},
        {"plan": {}, "other": [{"therapy": "alendronate", "dose": 1, "unit": "mg"}] * 2},
        {"plan": {"years": 400}},
        {"what": 1},
        {"text": "x" * 9000},
    ],
)
def test_what_cannot_be_is_said_in_one_line(page, content):
    answer = page.post("/live", json=content)
    assert set(answer.json()) == {"error"}
    assert page.post("/live/study", json=content).status_code == 422
    told = answer.json()["error"]
    assert told
    assert "\n" not in told
    assert "Traceback" not in told


def test_junk_in_a_link_opens_the_usual_person(page):
    assert page.post("/live", json={"text": "%%%&t=;;&u"}).json()["state"]["plan"]["age"] == 66


def test_study_file(page):
    text = page.post("/live/study", json={"text": LINK}).text
    assert len(study_from(parse_yaml(text, "plan")).arms) == 2


def test_cards_hold_together():
    trials = set(load_trials())
    names = [card.treatment.therapy for card in cards.cards()]
    assert len(set(names)) == len(names)
    for card in cards.cards():
        assert card.group in cards.groups()
        assert fits([], card.treatment)
        text = cards.html(card)
        assert "<script" not in text
        for fact in (*card.therapy.harms, *card.therapy.contraindications):
            assert fact.what.split("&")[0].split("'")[0] in text
        if card.source.isupper():
            assert card.source in trials, card.source
    assert {t.evidence for t in catalogue().values() if t.id in names} <= set(theme.GRADES)
    json.dumps([card.treatment.model_dump() for card in cards.cards()])
