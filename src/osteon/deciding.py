"""Which parameters decide an answer: those with whose draws it goes up and down.

The measure is Spearman's rank correlation over the draws between the answer and each parameter that acts in the run.
Parameters that the fit ties together share what they decide, so that it names where to look, and is no sum of shares.
Draws of priors that no fit has touched count like those of the fit; `basis` says which of the two a number is.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float

    from osteon.models import Model
    from osteon.parameters.records import Record
    from osteon.study import Study

PROBES = 4  # states at which it is looked whether a parameter acts
ONE = 0.999  # a correlation above which two parameters are one
LEAST, ERRORS = 0.25, 3.5  # of a correlation that is told; and how many standard errors of none it must be
FEWEST = 30  # draws; fewer say nothing


def deciding(
    answer: Float[np.ndarray, " draw"], draws: Mapping[str, Float[np.ndarray, " draw"]], most: int = 3
) -> list[tuple[str, float]]:
    """Up to `most` parameters by id with their rank correlation, the strongest first; none where draws are few or the
    answer is the same in all. Of those that go up and down as one (records of one set), the first stands for all."""
    if len(answer) < FEWEST or np.ptp(answer) == 0:
        return []
    ids = [ident for ident, values in draws.items() if np.ptp(values) > 0]
    if not ids:
        return []
    ranks = _ranks(np.stack([answer, *(draws[ident] for ident in ids)]))
    between = np.corrcoef(ranks)
    least, kept = max(LEAST, ERRORS / len(answer) ** 0.5), list[int]()
    for i in sorted(range(1, len(ranks)), key=lambda i: -abs(round(between[0, i], 9))):
        if abs(between[0, i]) < least or len(kept) == most:
            break
        if not any(abs(between[i, j]) > ONE for j in kept):
            kept.append(i)
    return [(ids[i - 1], float(between[0, i])) for i in kept]


FITTED, ASSUMED = "fitted to trials", "assumed"


def basis(record: Record) -> str:
    """What a number rests on: trials that it was fitted to, people, animals, or nothing but judgement."""
    from osteon.evidence import load_tables
    from osteon.parameters.references import references

    if record.origin == "fitted here":
        return FITTED
    table, _, row = record.source.partition(":")
    if table == "ageing_biology":
        rows = load_tables()[table].set_index("id")
        animal = re.search(r"\b(mouse|mice|rats?|rodents?)\b", str(rows.loc[row, "species_strain_age_sex"]))
        of = "animals" if animal else "people"
    else:
        known = references().get(record.source)
        of = known.fields.get("keywords", "") if known else ""
    if not of:
        return ASSUMED if record.origin == "assumed" else record.origin
    return f"{ASSUMED} after work in {of}" if record.origin == "assumed" else f"{record.origin} from {of}"


def told(ids: Iterable[str], records: Mapping[str, Record]) -> list[dict[str, str]]:
    """What parameters are in words, what they rest on and, where no trial was fitted, the grade of it."""
    found = []
    for ident in dict.fromkeys(ids):
        record = records[ident]
        rests = basis(record)
        grade = "" if rests == FITTED else record.evidence
        found.append({"id": ident, "name": record.name, "rests_on": rests, "grade": grade})
    return found


def acting(
    model: Model, p: Any, ids: Iterable[str], therapies: Collection[str], endpoints: Collection[str] | None = None
) -> set[str]:
    """Those of the parameters that change anything when only these therapies are given: rates, end points (these, or
    all), kinetics, start or kinks, looked at in some states. Those of other drugs may go with the answer too, since
    the fit ties them to these, but decide nothing."""
    given = [name for name in model.kinetics(p) if any(f"{name} ".startswith(f"{one} ") for one in therapies)]
    heard = sorted({model.kinetics(p)[name].channel for name in given})
    rng = np.random.default_rng(0)
    ages = rng.uniform(*model.age_range, PROBES) * model.age_days
    states = rng.uniform(0.5, 1.5, (PROBES, len(model.states)))
    levels = np.zeros((PROBES, len(model.channels)))
    levels[:, heard] = rng.uniform(0.1, 2.0, (PROBES, len(heard)))
    still = np.array(model.start(p)[1]) == 0  # what begins at 0 and is not made from anything given stays there
    while still.any():
        some = zip((states * ~still).tolist(), levels.tolist(), ages.tolist(), strict=True)
        made = [model.rates(x, u, t, p)[0] for x, u, t in some]
        stays = still & (np.array(made, float) == 0).all(axis=0)
        if (stays == still).all():
            break
        still = stays
    states *= ~still

    def seen(q: Any) -> list[float]:
        found: list[float] = [*model.start(q)[1], *model.kinks(q)]
        kinetics = model.kinetics(q)
        found += [x for name in given for x in (kinetics[name].gain, kinetics[name].half_life)]
        for x, u, t in zip(states.tolist(), levels.tolist(), ages.tolist(), strict=True):
            production, loss = model.rates(x, u, t, q)
            found += [a - b * c for a, b, c in zip(production, loss, x, strict=True)]
            found += (v for name, v in model.read_out(x, q).items() if endpoints is None or name in endpoints)
        return found

    usual = seen(p)
    return {i for i in ids if seen(p._replace(**{i: getattr(p, i) * 1.01 + 1e-6})) != usual}


def _ranks(rows: np.ndarray) -> np.ndarray:
    from scipy.stats import rankdata

    return np.asarray(rankdata(rows, axis=1))


def acting_in(
    model: Model, study: Study, draws: Mapping[str, Float[np.ndarray, " draw"]], endpoint: str
) -> dict[str, np.ndarray]:
    """Draws of the parameters that act on an end point of the people of a study under its therapies."""
    if not draws:
        return {}
    therapies = {*study.therapies(), *study.prior_regimen.therapies()}
    acts = acting(model, model.of_person(study.people.mean_person()), draws, therapies, {endpoint})
    return {ident: values for ident, values in draws.items() if ident in acts}
