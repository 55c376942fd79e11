"""A plan by the reference integrator: the very numbers of `osteon.simulate`. Runs in the helper process."""

from __future__ import annotations

import warnings
from typing import Any

from osteon.app.worker import plain
from osteon.errors import OsteonWarning

BAND = (0.05, 0.95)


def simulate(plan: dict[str, Any], model: str = "osteon", draws: int = 0, seed: int = 0) -> dict[str, Any]:
    """What `osteon simulate --json` prints for the plan, monthly, with `values` in their units beside the % change.
    With draws also `lower` and `upper`, 5 and 95 % of them. Raises InputError."""
    import osteon
    from osteon import result as results
    from osteon.app.plan import Plan
    from osteon.units import MONTH_DAYS

    given = Plan.model_validate(plan)
    options: dict[str, Any] = {"person": given.person, "until": given.years * 12 * MONTH_DAYS, "model": model}
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("ignore")
        warnings.filterwarnings("always", category=OsteonWarning)
        found = osteon.simulate(given.regimen, seed=seed, **options)
        band = osteon.simulate(given.regimen, seed=seed, draws=draws, **options) if draws else None
    change, days = results.percent_change(found), found["time"].to_numpy()
    told = {
        "time_days": days.tolist(),
        "months": [round(day / MONTH_DAYS, 6) for day in days],
        "series": {f"{name}_pct": x.to_numpy().ravel().tolist() for name, x in change.data_vars.items()},
        "values": {str(name): x.to_numpy().ravel().tolist() for name, x in found.data_vars.items()},
        "units": {str(name): x.attrs["units"] for name, x in found.data_vars.items()},
        "t_score": {str(n): x.to_numpy().ravel().tolist() for n, x in osteon.t_score(found).data_vars.items()},
        "regimen": given.regimen,
        "warnings": list(dict.fromkeys(str(one.message) for one in heard)),
        "provenance": results.provenance(found),
        "notice": "A research tool, not medical advice.",
    }
    if band is not None:
        spread = results.percent_change(band)
        for word, share in zip(("lower", "upper"), BAND, strict=True):
            told[word] = {
                f"{name}_pct": x.quantile(share, "draw").to_numpy().ravel().tolist()
                for name, x in spread.data_vars.items()
            }
    return dict(plain(told))


def compare(a: dict[str, Any], b: dict[str, Any], model: str = "osteon", draws: int = 0) -> dict[str, Any]:
    """Two plans, and by how many points of % the second is above the first at each time."""
    first, second = simulate(a, model, draws), simulate(b, model, draws)
    apart = {
        name: [None if x is None or y is None else y - x for x, y in zip(values, second["series"][name], strict=True)]
        for name, values in first["series"].items()
    }
    return {"a": first, "b": second, "difference": apart, "notice": first["notice"]}


def population(name: str, people: int, seed: int = 0) -> dict[str, Any]:
    """What `osteon population --json` prints: shares with osteoporosis and low bone mass by sex and age."""
    from osteon.population import survey

    found = survey.sample(name, people, seed)
    return {
        "population": name, "people": round(found.each * len(found)), "sampled": len(found), "year": 2010,
        "groups": plain(survey.shares(found)), "facts": plain(dict(found.facts)),
        "note": "The people's bone is fitted to this very survey, so that this is no test of the model.",
        "notice": "A research tool, not medical advice.",
    }  # fmt: skip
