"""Draws of the priors of ageing that agree with one experiment in mice (SEN-A01): `python -m osteon.fit.mouse FILE`.

Senescent cells are cleared everywhere from 20 to 24 months. Osteoclasts become fewer, there is more trabecular bone,
made at about the old pace, and more is made at the endocortical surface. A draw of the priors that says otherwise is
put back and another one taken, so that the draws are those of the priors given the experiment, with each draw of the
fit. The file holds which candidate each draw takes (`osteon.parameters.draws`); make it anew after a fit. The
experiment counts as fitted from then on.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from osteon import files, parameters
from osteon.engine import exact
from osteon.engine.exposure import Exposure
from osteon.mechanisms import COMPARTMENTS, remodelling
from osteon.parameters import priors
from osteon.regimen import parse_regimen
from osteon.skeleton import OsteonMouse
from osteon.units import MONTH_DAYS

AGE, MONTHS = 20.0, 4.0
CLEARED = "clearance systemic every 14 days x8"
KEPT = 10.0  # % by which trabecular formation may change and count as kept
MODEL = OsteonMouse()


def changes(regimen: str, draw: Mapping[str, float]) -> dict[str, float]:
    """% change of cells, formation and bone over the experiment, in a mouse with these parameters."""
    p, now = MODEL.parameters(**draw), AGE * MONTH_DAYS
    courses = MODEL.given(parse_regimen(regimen).courses(MONTHS * MONTH_DAYS, weight_kg=0.03), p, AGE)
    own = [dataclasses.replace(c, start=c.start + now, stop=c.stop + now) for c in courses]
    exposure = Exposure(own, MODEL.kinetics(p), len(MODEL.channels))
    x = exact.solve(MODEL, p, exposure, [now, now + MONTHS * MONTH_DAYS], rtol=1e-6, atol=1e-8).T
    states = dict(zip(MODEL.states, x, strict=True))
    seen = {name: states[name] for name in ("osteoclasts_trabecular", "volume_trabecular")}
    seen |= {f"formation_{k}": remodelling.formation(states, p, k) for k in COMPARTMENTS}
    return {name: float(100 * (v[1] / v[0] - 1)) for name, v in seen.items()}


def agrees(draw: Mapping[str, float]) -> bool:
    """Whether a mouse with these parameters does what those of the experiment did."""
    usual, cleared = changes("none", draw), changes(CLEARED, draw)
    by = {name: cleared[name] - usual[name] for name in usual}
    trabecular, cortical = by["formation_trabecular"], by["formation_cortical"]
    return (by["osteoclasts_trabecular"] < 0 < by["volume_trabecular"]
            and abs(trabecular) < min(KEPT, abs(cortical)) and cortical > 0)  # fmt: skip


def chosen() -> tuple[np.ndarray, int]:
    """The candidate of each draw [draw], and how many were tried in all."""
    fitted, known = parameters.fitted_draws(MODEL.name), parameters.load(MODEL.name)
    n = len(next(iter(fitted.values())))
    every = priors.sample(known, n * parameters.CANDIDATES)
    found, tried = np.empty(n, int), 0
    for draw in range(n):
        own = {name: float(values[draw]) for name, values in fitted.items()}
        for candidate in range(draw, n * parameters.CANDIDATES, n):
            tried += 1
            found[draw] = candidate
            if agrees(own | {name: float(values[candidate]) for name, values in every.items()}):
                break
        else:
            raise RuntimeError(f"draw {draw}: no candidate agrees")
    return found, tried


def main() -> None:
    """Write the file."""
    found, tried = chosen()
    files.write_whole(Path(sys.argv[1]), "candidate\n" + "".join(f"{i}\n" for i in found))
    print(f"{len(found)} draws of {tried} tried")


if __name__ == "__main__":
    main()
