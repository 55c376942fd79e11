"""Draws of the priors of ageing, given one experiment in mice."""

import numpy as np

from osteon import parameters
from osteon.fit import mouse
from osteon.parameters import priors
from osteon.parameters.records import CANDIDATES


def test_the_shipped_draws_agree_with_the_experiment():
    every = parameters.draws("osteon_mouse")
    for draw in range(0, 400, 40):
        assert mouse.agrees({name: float(values[draw]) for name, values in every.items()}), draw


def test_each_draw_is_a_candidate_of_its_own():
    every, known = parameters.draws("osteon"), parameters.load("osteon")
    all_of = priors.sample(known, 400 * CANDIDATES)
    for name, values in all_of.items():
        for draw in (0, 7, 399):
            assert every[name][draw] in values[draw::400], name
    fitted = parameters.fitted_draws("osteon")
    assert set(every) == set(fitted) | set(all_of)
    assert all(len(values) == 400 for values in every.values())


def test_the_experiment_is_passed_over_where_clearing_takes_formation():
    p = mouse.MODEL.parameters()
    draw = {name: float(np.asarray(getattr(p, name))) for name in parameters.draws("osteon_mouse")}
    usual, cleared = mouse.changes("none", draw), mouse.changes(mouse.CLEARED, draw)
    assert cleared["osteoclasts_trabecular"] < usual["osteoclasts_trabecular"]
    assert not mouse.agrees(draw | {"senescence_formation": 0.0, "senescence_formation_cortical": 0.0})
