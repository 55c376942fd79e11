"""A study and true values of the agreed shape, made without a model."""

from __future__ import annotations

import numpy as np

from osteon import result
from osteon.files import Document
from osteon.study import Study, study_from
from osteon.units import MONTH_DAYS

UNITS = {"lumbar_spine_bmd": "g/cm2", "total_hip_bmd": "g/cm2", "femoral_neck_bmd": "g/cm2", "ctx": "1", "p1np": "1"}


def study(
    n=100, arms=("placebo", "drug"), visits=(0, 6, 12, 24), endpoints=("total_hip_bmd", "ctx"), **sections
) -> Study:
    return study_from(
        Document(
            {
                "id": "made-up",
                "people": {"species": "human", "sex": "female", "age": 68, "n_per_arm": n},
                "arms": [{"name": name, "regimen": "none"} for name in arms],
                "visits": [float(v) for v in visits],
                "endpoints": list(endpoints),
                **sections,
            }
        )
    )


def true_values(of: Study, effect=0.0, seed=0, between=3.0, twins=True):
    """True values (draw, arm, person, time): BMD falls 0.5 % a year; `effect` % more for each later arm by month 12."""
    months = np.unique([0.0, *of.visits])
    n, arms, rng = of.people.n_per_arm, len(of.arms), np.random.default_rng(seed)
    shape = (1, arms, n, len(months))
    own = rng.standard_normal((1 if twins else arms, n))
    start = rng.standard_normal((1 if twins else arms, n))
    grown = np.minimum(months / 12, 1.0) ** 0.5
    values = {}
    for name, units in UNITS.items():
        share = np.arange(arms)[:, None, None] * effect * np.minimum(months / 12, 1.0)
        if units == "1":
            log = 0.3 * start[:, :, None] + 0.25 * own[:, :, None] * grown - share / 10
            values[name] = np.broadcast_to(np.exp(log), shape[1:])[None].copy()
        else:
            pct = -0.5 * months / 12 + between * own[:, :, None] * grown + share
            values[name] = np.broadcast_to((0.8 + 0.1 * start[:, :, None]) * (1 + pct / 100), shape[1:])[None].copy()
    facts = {**result.platform_facts(), "model": "made up", "seed": seed, "study": of.model_dump(exclude_none=True),
             "regimens": {a.name: a.regimen for a in of.arms}, "parameters_hash": "", "evidence": {}}  # fmt: skip
    found = result.build(
        values, time_days=months * MONTH_DAYS, arms=[a.name for a in of.arms], units=UNITS, provenance=facts
    )
    people = {"age": rng.normal(68, 6, n), "weight_kg": rng.normal(65, 10, n), "sex": np.repeat("female", n),
              "prior_vertebral_fracture": rng.random(n) < 0.2, "t_total_hip": -2 + start[0]}  # fmt: skip
    return found.assign_coords({name: ("person", x) for name, x in people.items()})
