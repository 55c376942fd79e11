"""The shares of cytokines are what the trial that stopped estrogen gives."""

import pytest

from osteon import parameters
from osteon.fit import cytokines


def test_records_hold_what_the_fit_gives():
    """Within a quarter of the trial's error: another fit of osteoclasts or estrogen moves them a little."""
    usual = cytokines.rise("none for 21 days")
    for record, (drug, value, _) in cytokines.DRUGS.items():
        assert cytokines.rise(drug) / usual == pytest.approx(value / cytokines.CONTROL[0], abs=0.04), record
        assert parameters.load("osteon")[record].prior["sd"] > 0.5
