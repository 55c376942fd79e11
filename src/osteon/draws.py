"""A person under regimens in every draw of the posterior: draws take the place of people in the kernel's lanes."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from osteon import parameters
from osteon.engine import batch
from osteon.engine import cohort as cohorts
from osteon.engine.exposure import agent
from osteon.errors import InputError, IntegrationError, OsteonWarning
from osteon.parameters.priors import is_sampled
from osteon.regimen import Course

if TYPE_CHECKING:
    import xarray as xr

    from osteon.models import Model
    from osteon.person import Person

TARGET = 2e-5  # relative error of BMD in steps; markers, for which steps are not chosen, then keep to 0.3 %
DEFAULT = 200  # enough for 5 and 95 %: their sampling error is a tenth of the spread


def count(model: Model, asked: int | None) -> int:
    """How many draws are run: as asked, or 200 of a model that has draws (0 of one that has none)."""
    there = len(next(iter(parameters.draws(model.name).values()), ()))
    if asked is None:
        return min(DEFAULT, there)
    if asked and not there:
        raise InputError(f"{model.name} has no draws; leave --draws away")
    if asked == 1 or not 0 <= asked <= there:
        raise InputError(f"{asked} draws: {model.name} has {there}; ask for 2 to {there}, or 0 for none")
    return asked


def pick(model: Model, n: int, *, fitted: bool = False) -> dict[str, np.ndarray]:
    """n of the model's draws [draw] by parameter, evenly from the whole sample; with `fitted`, of those parameters
    alone that a fit has touched."""
    every, known = parameters.draws(model.name), parameters.load(model.name)
    if fitted:
        every = {name: values for name, values in every.items() if not is_sampled(known[name])}
    there = len(next(iter(every.values())))
    at = np.linspace(0, there - 1, n).round().astype(int)
    return {name: values[at] for name, values in every.items()}


def of_result(model: Model, result: xr.Dataset) -> dict[str, np.ndarray]:
    """The draws that a Result was run in [draw] by parameter, those of priors too where they came into the run; empty
    where it has none, where some failed, or where it is another model's."""
    n, facts = result.sizes["draw"], json.loads(result.attrs["provenance"])
    there = len(next(iter(parameters.draws(model.name).values()), ()))
    engine = facts.get("engine", {})
    known = facts.get("model") == model.name and engine.get("draws") == n
    return pick(model, n, fitted=not engine.get("priors", False)) if known and 1 < n <= there else {}


Arms = Sequence[tuple[Sequence[Course], Sequence[Course]]]


def with_priors(model: Model, person: Person, arms: Arms) -> bool:
    """Whether priors of ageing come into a run: where something of ageing is in it (its therapies, a mechanism left
    out, a burden other than usual, or the mouse). Elsewhere they would change nothing but the end points of ageing,
    and take time."""
    if person.species != "human" or person.senescent_burden not in (None, 1.0):
        return True
    if set(getattr(model, "without", ())) & {"senescence", "inflammation", "progenitors"}:
        return True
    return not heard(model, arms) <= set(getattr(model, "usual_channels", range(len(model.channels))))


def heard(model: Model, arms: Arms) -> set[int]:
    """The channels on which something is given."""
    kinetics = model.kinetics(model.parameters())
    return {kinetics[agent(c, kinetics)].channel for before, after in arms for c in (*before, *after)}


def run(
    model: Model,
    person: Person,
    arms: Arms,
    days: np.ndarray,
    n: int,
    *,
    target: float = TARGET,
    best: bool = False,
    progress: Callable[[float], None] | None = None,
) -> dict[str, np.ndarray]:
    """The end points [draw, arm, person, time] of one person in n draws; what is known of the person holds in each.

    An arm is its courses before and from month 0, in days from it. Draws whose run fails in any arm are left out of
    all, with a warning. With `best`, the most probable parameters come first, before the n draws.
    """
    used, usual = heard(model, arms), set(getattr(model, "usual_channels", range(len(model.channels))))
    channels = sorted(used if not used <= usual else usual)  # one kernel for all studies of today's drugs
    changes: dict[str, Any] = pick(model, n, fitted=not with_priors(model, person, arms))
    if best:
        probable = model.parameters()
        changes = {name: np.append(getattr(probable, name), values) for name, values in changes.items()}
        n += 1
    people = cohorts.make(model, n, changes={**changes, **model.traits(person)}, age=person.age)
    found: list[Mapping[str, np.ndarray]] = []
    failed = np.zeros(n, bool)
    for index, (before, after) in enumerate(arms):
        setup = batch.prepare(
            model, lambda a, b: people.take(slice(a, b)), n, [*before, *after], days, target=target,
            second=min((c.start for c in before), default=0.0), channels=channels,
        )  # fmt: skip
        observed, flags = setup.chunk(people)
        failed |= flags == batch.FAILED
        with np.errstate(all="ignore"):
            found.append(setup.endpoints(people, observed))
        if progress is not None:
            progress((index + 1) / len(arms))
    if failed.all() or (best and failed[0]):
        raise IntegrationError(f"{model.name}: the run failed {'at the fitted values' if best else 'in every draw'}")
    if failed.any():
        warnings.warn(f"left out {failed.sum()} of {n} draws, whose runs failed", OsteonWarning, stacklevel=2)
    values: dict[str, Any] = {name: [arm[name][:, ~failed].T for arm in found] for name in model.endpoints}
    return {name: np.stack(rows, axis=1)[:, :, None, :] for name, rows in values.items()}
