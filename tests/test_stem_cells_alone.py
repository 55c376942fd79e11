"""The worked example examples/stem_cells_alone.py: it runs, its page keeps up, and its claims hold in direction."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from osteon import parameters
from osteon.factorial import ADDITIVE, BETTER, EFFECT

ROOT = Path(__file__).parents[1]
DRAWS = 60


@pytest.fixture(scope="module")
def example():
    spec = importlib.util.spec_from_file_location("stem_cells_alone", ROOT / "examples" / "stem_cells_alone.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def woman(example):
    return example.answer("woman", DRAWS)


@pytest.fixture(scope="module")
def mouse(example):
    return example.answer("mouse", DRAWS)


def test_each_helps_a_little_and_zoledronate_more(woman, mouse):
    for found in (woman, mouse):
        graft, senolytic, drug = (found.of(EFFECT, name) for name in ("graft", "senolytic", "zoledronate"))
        assert (graft > 0).mean() > 0.9
        assert (senolytic > 0).mean() > 0.9
        assert drug.mean() > 5 * max(graft.mean(), senolytic.mean())


def test_a_graft_alone_is_not_enough(example, woman, mouse):
    """A page that says No must stand on the numbers."""
    least = example.told_by_scans("lumbar_spine_bmd")
    assert 2 < least < 5
    assert (woman.of(EFFECT, "graft") > least).mean() < 0.05
    assert mouse.of(EFFECT, "graft").mean() > 5 * woman.of(EFFECT, "graft").mean()


def test_no_synergy_to_speak_of(woman, mouse):
    for found in (woman, mouse):
        both = "graft + senolytic"
        assert np.abs(found.of(ADDITIVE, both)).mean() < 0.1 * found.of(EFFECT, "graft").mean()
        assert (found.of(BETTER, both) > 0).mean() > 0.9
    over = woman.of(ADDITIVE, "graft + senolytic + zoledronate")
    assert (over < 0).mean() > 0.9


def test_every_unknown_is_a_parameter(example, woman):
    known = parameters.load("osteon")
    idents = [ident for names, _ in example.UNKNOWNS.values() for ident in names]
    assert len(idents) == len(set(idents))
    assert all(ident in known for ident in idents)


def test_shares_of_uncertainty(example):
    """On a sum whose parts are known: 4 of 5 and 1 of 5, and nothing for what is not in it."""
    rng = np.random.default_rng(1)
    a, b, c = rng.normal(size=(3, 4000))
    value = 2 * a + b
    assert example.share(value, a) == pytest.approx(0.8, abs=0.05)
    assert example.share(value, b) == pytest.approx(0.2, abs=0.05)
    assert abs(example.share(value, c)) < example.told_apart(4000)
    assert example.share(value, np.sign(a)) > 0.4  # two kinds of draws


def test_tables_and_picture(example, woman, mouse, tmp_path):
    text = example.markdown(woman, mouse)
    assert "nan" not in text
    assert "not been" not in text.splitlines()[0]
    assert "never been tested in bone" in text
    picture = example.figures.save(example.picture(woman, mouse), tmp_path / "picture.png")
    assert picture.stat().st_size > 10_000


def test_the_page_keeps_up(example, woman, mouse):
    """It has every plan in its tables, and writing into it again changes nothing else."""
    page = example.PAGE.read_text("utf-8")
    before, rest = page.split(example.BEGIN)
    written, after = rest.split(example.END)
    assert "not medical advice" in before
    assert "No, as far as this model can tell" in written
    again = example.updated(page, "new")
    assert again.startswith(before)
    assert again.endswith(after)
    assert example.updated(again, "new") == again
    plans = [f"| {plan} |" for plan in (*woman.plans(example.PLANS), *mouse.plans(example.PLANS))]
    assert all(plan in written for plan in plans)
    rows = [line.split("|")[1] for line in written.splitlines() if line.startswith("|")]
    fresh = [line.split("|")[1] for line in example.markdown(woman, mouse).splitlines() if line.startswith("|")]
    assert set(rows) - set(fresh) <= {f" {name} " for name in (*example.UNKNOWNS, example.FIT)}
