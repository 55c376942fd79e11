"""A pool of made-up people whose change is normal, so that closed formulas hold."""

from __future__ import annotations

import numpy as np

from osteon.power.pool import Pool
from osteon.trial.settings import EXACT, Measurement

NO_NOISE = Measurement.model_validate(EXACT)
ENDPOINT = "total_hip_bmd"


def people(rng, count, difference, sd, endpoint=ENDPOINT):
    """True values [arm, person, visit 0 6 12] of two arms, twins, whose changes differ by `difference`."""
    start = rng.normal(0.75, 0.09, count).clip(0.4, 1.2)
    own = rng.standard_normal(count) * sd
    change = np.stack([own, own + difference])  # arm, person
    if endpoint in ("ctx", "p1np"):
        end, middle = start * np.exp(change), start * np.exp(change / 2)
    else:
        end, middle = start * (1 + change / 100), start * (1 + change / 200)
    return np.stack([np.broadcast_to(start, end.shape), middle, end], axis=-1)


def pool(difference=2.0, sd=4.5, count=20_000, seed=1, endpoint=ENDPOINT):
    rng = np.random.default_rng(seed)
    true = people(rng, count, difference, sd, endpoint)
    t = (true[0, :, 0] - 0.942) / 0.122
    features = {"t_total_hip": t, "senescent_burden": np.exp(0.3 * rng.standard_normal(count))}
    return Pool(("placebo", "drug"), (0.0, 6.0, 12.0), {endpoint: true}, features, np.arange(count))
