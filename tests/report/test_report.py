"""Pictures and pages: whole, without the network, the same for the same input."""

import re

import pytest

import osteon
from osteon.evidence import load_trial
from osteon.report import figures, pages

pytestmark = pytest.mark.filterwarnings("ignore::osteon.errors.OsteonWarning")


@pytest.fixture(scope="module")
def scores():
    return osteon.validate("jorg2022", [load_trial("FRAME"), load_trial("DECIDE")])


@pytest.fixture(scope="module")
def result():
    return osteon.simulate("denosumab 60 mg SC q6m x4", age=67, until="5 years", model="jorg2022")


def check_page(path):
    text = path.read_text("utf-8")
    assert "not medical advice" in text.casefold() or "medical advice" in text
    assert not re.search(r'(src|href)="(?!#|https://doi\.org/)', text), "a page loads nothing from elsewhere"
    assert "<script" not in text
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids)), "ids of different pictures clash"
    assert not re.search(r">\s*(nan|None|inf)\s*<", text)
    assert '<html lang="en">' in text
    return text


def test_score_page(scores, tmp_path):
    text = check_page(pages.score_page(scores, tmp_path / "s.html"))
    assert text.count('role="img"') == len(scores.lines)
    for trial in scores.trials.values():
        assert f'id="{trial.id}"' in text


def test_trial_page(scores, tmp_path):
    text = check_page(pages.trial_page(scores, "FRAME", tmp_path / "t.html"))
    assert text.count("<tr><td>Romosozumab then denosumab") == sum(scores.points["arm"] == "ROMO_DMAB")


def test_course_page(result, tmp_path):
    check_page(pages.course_page(result, tmp_path / "c.html"))


def test_pages_escape_what_they_show(tmp_path):
    study = osteon.Study.model_validate(
        {
            "id": "a",
            "title": "<script>alert(1)</script>",
            "people": {"species": "human", "sex": "female", "age": 66, "n_per_arm": 3},
            "arms": [{"name": "<b>x</b>", "regimen": "none"}, {"name": "y", "regimen": "none"}],
            "visits": [0.0, 6.0],
            "endpoints": ["total_hip_bmd"],
        }
    )
    text = check_page(pages.course_page(osteon.run(study), tmp_path / "c.html", title=study.title))
    assert "<b>x</b>" not in text


def test_same_picture_for_the_same_input(scores, result):
    assert figures.svg(figures.trial(scores, "FRAME")) == figures.svg(figures.trial(scores, "FRAME"))
    assert figures.svg(figures.course(result)) == figures.svg(figures.course(result))


def test_picture_shows_every_point(scores):
    figure = figures.trial(scores, "FRAME")
    drawn = sum(len(c.lines[0].get_xdata()) for ax in figure.axes for c in ax.containers)
    assert drawn == sum(scores.points["trial"] == "FRAME")
    for ax in figure.axes:
        for line in ax.lines:
            low, high = ax.get_ylim()
            y = line.get_ydata()
            assert min(y) >= low - 1e-9
            assert max(y) <= high + 1e-9
