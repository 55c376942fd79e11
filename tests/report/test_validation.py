"""The page of scores: tables side by side, parts by hand, tables of the fit, a picture per trial; whole and small."""

import re

import pytest

from osteon.errors import InputError
from osteon.evidence import load_trials
from osteon.report import validation


@pytest.fixture
def docs(tmp_path, monkeypatch):
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / validation.INTRO).write_text("How it is scored. See [it](../models/x.md).\n")
    (tmp_path / "parts" / validation.WRONG).write_text("Nothing | much.\n")
    monkeypatch.setattr(validation, "MODELS", ("jorg2022", "jorg2022"))
    trials = {name: load_trials()[name] for name in ("FLEX", "MIYAUCHI2010", "MORE")}
    monkeypatch.setattr(validation, "load_trials", lambda: trials)
    tables = {
        "leave_one_out": [{"trial": "FLEX", "endpoint": "total_hip_bmd", "n": "15", "fitted": "0.5", "held_out": "1.0", "ratio": "2.0", "alone": "a drug"}],
        "ablation": [],
    }  # fmt: skip
    monkeypatch.setattr(validation, "shipped", tables.__getitem__)
    return tmp_path


def test_page(docs):
    (docs / validation.PICTURES).mkdir(parents=True)
    (docs / validation.PICTURES / "GONE.svg").write_text("old")
    text = validation.write(docs, "fit").read_text()
    assert "See [it](models/x.md)." in text
    assert "Nothing | much." in text
    assert "trials marked `fit` alone" in text
    assert "| FLEX | Total hip BMD | 15 | 0.50 | 1.00 | 2.00 | a drug |" in text
    assert "osteon fit --ablate" in text
    rows = [line for line in text.splitlines() if line.startswith("| FLEX | Total hip BMD | 15 | 2.18")]
    assert rows[0].count("2.18") == 2
    for line in text.splitlines():
        assert not re.search(r"\b(nan|None|inf)\b", line), line
    pictures = sorted(p.name for p in (docs / validation.PICTURES).glob("*"))
    assert pictures == ["FLEX.svg", "MIYAUCHI2010.svg"]
    assert all(f"({validation.PICTURES}/{name})" in text for name in pictures)
    assert max(p.stat().st_size for p in (docs / validation.PICTURES).glob("*")) < 200_000
    before = {p.name: p.read_bytes() for p in (docs / validation.PICTURES).glob("*")}
    assert validation.write(docs, "fit").read_text() == text
    assert before == {p.name: p.read_bytes() for p in (docs / validation.PICTURES).glob("*")}


def test_a_part_is_missing(docs):
    (docs / "parts" / validation.WRONG).unlink()
    with pytest.raises(InputError, match="written by hand"):
        validation.write(docs, "fit")
