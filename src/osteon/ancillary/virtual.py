"""Osteon's own virtual trials of cells and senolytics, tabulated once: what the planner's prior is made of.

`python -m osteon.ancillary.virtual` runs the model's draws, priors of ageing among them, over a grid of age, sex,
dose and donor, with and without each therapy, and writes `virtual.csv` beside this file: the difference that the
therapy makes to BMD (points of % change) and markers (% of the untreated) as mean, SD and quantiles over draws.
Between the nodes it is interpolated (dose on the log scale); beyond them the nearest node counts. The head of the
file names the numbers of the model that it was made with (`fingerprint`), so that a test can tell a stale table.
"""

from __future__ import annotations

import csv
import functools
import io
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from osteon.models import Model
    from osteon.regimen import Course

FILE = "virtual.csv"
DRAWS = 200
AGES = (35.0, 50.0, 60.0, 70.0, 80.0)
SEXES = ("female", "male")
DOSES = (1e6, 1e7, 3e7, 1e8, 3e8, 1e9)  # cells in all
DONORS = ("young", "old")
MONTHS = (3.0, 6.0, 12.0, 24.0, 36.0)
ENDPOINTS = ("lumbar_spine_bmd", "total_hip_bmd", "ctx", "p1np")
CELLS = {"msc IV": "msc {dose:g} cells IV once", "msc local": "msc {dose:g} cells local once"}
SENOLYTICS = {
    "dasatinib+quercetin": "dasatinib+quercetin every 28 days x5",
    "fisetin": "fisetin {usual:g} mg every 28 days x5",
}
"""Senolytics in the schedule of the one trial with bone as its end point (NCT04313634); a host's own schedule is not
drawn from its record. That fisetin is given like it is assumed."""
STATISTICS = ("mean", "sd", "low", "middle", "high")  # low, high: 5 and 95 %
COLUMNS = tuple(f"{name}_{what}" for name in ENDPOINTS for what in STATISTICS)
_KEYS = ("therapy", "donor", "sex", "age", "dose", "months")


@dataclass(frozen=True)
class Effect:
    """What a therapy does against no treatment, over draws: for each end point mean, SD, 5 %, median and 95 %.

    BMD in points of % change from baseline, markers in % of the untreated. `notes` say what was out of the table.
    """

    values: Mapping[str, Mapping[str, float]]
    notes: tuple[str, ...] = ()

    def __getitem__(self, endpoint: str) -> Mapping[str, float]:
        return self.values[endpoint]


def fingerprint(model: Model | None = None) -> str:
    """Hash of all values and draws of the model; what records say in words does not count."""
    from osteon import models, parameters

    chosen = model or models.get()
    sample = parameters.draws(chosen.name)
    values = {ident: record.value for ident, record in parameters.load(chosen.name).items()}
    drawn = {ident: [float(f"{v:.9g}") for v in row] for ident, row in sample.items()}
    return parameters.digest({"values": values, "draws": drawn})


def grid(therapy: str, donors: Sequence[str] = DONORS, doses: Sequence[float] = DOSES) -> list[tuple[str, float]]:
    """(donor, dose) of a therapy's nodes; senolytics have one, without donor and dose."""
    return [(donor, dose) for donor in donors for dose in doses] if therapy in CELLS else [("", 0.0)]


def tabulate(
    therapies: Sequence[str] = (*CELLS, *SENOLYTICS),
    ages: Sequence[float] = AGES,
    sexes: Sequence[str] = SEXES,
    doses: Sequence[float] = DOSES,
    *,
    draws: int = DRAWS,
    progress: Callable[[str], None] = lambda said: None,
) -> list[dict[str, str | float]]:
    """The rows of the table, computed: one per therapy, donor, sex, age, dose and month.

    All draws of all people of a therapy run side by side in one kernel, which all therapies share.
    """
    from osteon import draws as posterior
    from osteon import models
    from osteon.engine.exposure import agent

    model = models.get()
    sample = posterior.pick(model, draws)
    given = {name: _courses(model, name, doses) for name in (*CELLS, *SENOLYTICS)}
    kinetics = model.kinetics(model.parameters())
    used = {kinetics[agent(course, kinetics)].channel for courses in given.values() for course in courses}
    channels = tuple(sorted(used | set(getattr(model, "usual_channels", ()))))
    people = [(sex, age) for sex in sexes for age in ages]
    progress("no treatment")
    none = _run(model, sample, people, [("", 0.0)], (), channels, doses)[:, 0]
    rows: list[dict[str, str | float]] = []
    for name in therapies:
        progress(name)
        nodes = grid(name, doses=doses)
        treated = _run(model, sample, people, nodes, given[name], channels, doses)
        for p, (sex, age) in enumerate(people):
            for i, (donor, dose) in enumerate(nodes):
                effects = _effects(treated[p, i], none[p])
                for m, months in enumerate(MONTHS):
                    row: dict[str, str | float] = dict(zip(_KEYS, (name, donor, sex, age, dose, months), strict=True))
                    rows.append({**row, **{k: float(effects[k][m]) for k in COLUMNS}})
    return rows


def _courses(model: Model, therapy: str, doses: Sequence[float]) -> tuple[Course, ...]:
    """The courses at the largest dose; whose cells they are comes in with the dose factor."""
    from osteon.regimen import parse_regimen
    from osteon.units import MONTH_DAYS

    usual = model.parameters().fisetin_dose
    text = {**CELLS, **SENOLYTICS}[therapy].format(dose=max(doses), usual=usual)
    return parse_regimen(text).courses(MONTHS[-1] * MONTH_DAYS, year_days=model.year_days, weight_kg=None)


def _run(
    model: Model,
    sample: Mapping[str, np.ndarray],
    people: Sequence[tuple[str, float]],
    nodes: Sequence[tuple[str, float]],
    courses: Sequence[Course],
    channels: Sequence[int],
    doses: Sequence[float],
) -> np.ndarray:
    """End points [person, node, end point, time, draw] at month 0 and MONTHS."""
    from osteon.engine import batch
    from osteon.engine import cohort as cohorts
    from osteon.errors import IntegrationError
    from osteon.units import MONTH_DAYS

    draws = len(next(iter(sample.values())))
    lanes = [(sex, age, donor, dose) for sex, age in people for donor, dose in nodes]
    changes = {name: np.tile(values, len(lanes)) for name, values in sample.items()}
    changes["male"] = np.repeat([float(sex == "male") for sex, *_ in lanes], draws)
    factor = None
    if nodes[0][1] > 0:
        old = np.asarray(sample.get("graft_aged", np.full(draws, model.parameters().graft_aged)))
        shares = [dose / max(doses) * (old if donor == "old" else np.ones(draws)) for *_, donor, dose in lanes]
        factor = np.tile(np.concatenate(shares), (len(courses), 1))
    age = np.repeat([lane[1] for lane in lanes], draws)
    # Steps are judged on the first few thousand lanes: where there are more, those had better be of all ages.
    many = len(age) > batch.POOL
    order = np.random.default_rng(0).permutation(len(age)) if many else np.arange(len(age))
    changes = {name: values[order] for name, values in changes.items()}
    shuffled = factor[:, order] if factor is not None else None
    cohort = cohorts.make(model, len(age), changes=changes, age=age[order], dose_factor=shuffled)
    days = np.array([0.0, *MONTHS]) * MONTH_DAYS
    setup = batch.prepare(
        model, lambda a, b: cohort.take(slice(a, b)), cohort.n, courses, days, target=2e-5, channels=channels
    )
    whole = np.empty((len(ENDPOINTS), len(days), len(age)))
    for first, last, observed, flags in batch.chunks(setup, lambda a, b: cohort.take(slice(a, b)), cohort.n):
        if (flags == batch.FAILED).any():
            raise IntegrationError(f"{model.name}: a run of the virtual trials failed")
        with np.errstate(all="ignore"):  # said below, once
            ends = setup.endpoints(cohort.take(slice(first, last)), observed)
        whole[:, :, order[first:last]] = np.stack([ends[name] for name in ENDPOINTS])
    if not np.isfinite(whole).all():
        raise IntegrationError(f"{model.name}: the virtual trials gave numbers that are not finite")
    return np.moveaxis(whole.reshape(len(ENDPOINTS), len(days), len(people), len(nodes), draws), (2, 3), (0, 1))


def _effects(treated: np.ndarray, none: np.ndarray) -> dict[str, np.ndarray]:
    """Statistics [month] by column, from end points [end point, time, draw]."""
    found: dict[str, np.ndarray] = {}
    for i, name in enumerate(ENDPOINTS):
        ratio, other = treated[i] / treated[i][0], none[i] / none[i][0]
        change = 100.0 * ((ratio - other) if name.endswith("_bmd") else (ratio / other - 1.0))[1:]
        low, middle, high = np.percentile(change, [5, 50, 95], axis=-1)
        of = (change.mean(axis=-1), change.std(axis=-1), low, middle, high)
        found |= {f"{name}_{what}": value for what, value in zip(STATISTICS, of, strict=True)}
    return found


def text(rows: Sequence[Mapping[str, str | float]], made_with: str) -> str:
    """The table as it is shipped: a line that names the numbers it was made with, then CSV."""
    out = io.StringIO()
    out.write(f"# osteon {made_with}, {DRAWS} draws; made by python -m osteon.ancillary.virtual\n")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*_KEYS, *COLUMNS])
    for row in rows:
        writer.writerow([*(f"{v:g}" if isinstance(v := row[k], float) else v for k in _KEYS),
                         *(f"{float(row[k]) + 0.0:.4g}" for k in COLUMNS)])  # fmt: skip
    return out.getvalue()


@dataclass(frozen=True)
class Shipped:
    """The shipped table: `made_with`, and arrays [donor, sex, age, dose, month, column] by therapy."""

    made_with: str
    of: Mapping[str, np.ndarray]

    def effect(
        self, therapy: str, *, age: float, sex: str, months: float, dose: float = 1e8, young: float = 1.0
    ) -> Effect:
        """The effect in people of a mean age (years) and sex (`all`: half each), at a follow-up in months.

        dose: cells in all; young: share of the cells that count as of a young donor.
        """
        array = self.of[therapy]
        notes = []
        place: list[tuple[float, Sequence[float], str]] = [(age, AGES, "age {:g}"), (months, MONTHS, "{:g} months")]
        if therapy in CELLS:
            array = young * array[0] + (1.0 - young) * array[1]
            place.insert(1, (math.log10(dose), [math.log10(d) for d in DOSES], "dose"))
        else:
            array = array[0][:, :, 0]
        rows = [SEXES.index(sex)] if sex in SEXES else range(len(SEXES))
        array = np.mean([array[i] for i in rows], axis=0)
        early = min(1.0, months / MONTHS[0])
        for value, nodes, said in place:
            array, outside = _along(array, value, nodes)
            if outside and not (nodes is MONTHS and months < MONTHS[0]):
                told = f"{dose:.2g} cells" if said == "dose" else said.format(value)
                notes.append(f"{told}: beyond osteon's table of virtual trials, its nearest value is taken")
        values = early * array
        per = len(STATISTICS)
        return Effect(
            {name: {what: float(values[per * i + j]) for j, what in enumerate(STATISTICS)}
             for i, name in enumerate(ENDPOINTS)},
            tuple(notes),
        )  # fmt: skip


def _along(array: np.ndarray, value: float, nodes: Sequence[float]) -> tuple[np.ndarray, bool]:
    """Linear between the nodes of the first axis, the nearest beyond them; whether it lay beyond."""
    inside = min(max(value, nodes[0]), nodes[-1])
    at = min(int(np.searchsorted(nodes, inside, side="right")) - 1, len(nodes) - 2)
    share = (inside - nodes[at]) / (nodes[at + 1] - nodes[at])
    return (1.0 - share) * array[at] + share * array[at + 1], abs(inside - value) > 1e-9


@functools.cache
def shipped() -> Shipped:
    """The shipped table, read once."""
    head, *lines = files("osteon.ancillary").joinpath(FILE).read_text("utf-8").splitlines()
    of: dict[str, np.ndarray] = {}
    for row in csv.DictReader(lines):
        name, dose = row["therapy"], float(row["dose"])
        cells = name in CELLS
        shape = (len(DONORS), len(SEXES), len(AGES), len(DOSES), len(MONTHS), len(COLUMNS))
        array = of.setdefault(name, np.full(shape if cells else (1, *shape[1:3], 1, *shape[4:]), np.nan))
        place = (DONORS.index(row["donor"]) if cells else 0, SEXES.index(row["sex"]), AGES.index(float(row["age"])),
                 DOSES.index(dose) if cells else 0, MONTHS.index(float(row["months"])))  # fmt: skip
        array[place] = [float(row[k]) for k in COLUMNS]
    return Shipped(head.split()[2].rstrip(","), of)


def main(path: str | None = None) -> None:
    """Make the table and write it, to the shipped place or another."""
    from osteon.files import write_whole

    target = Path(path) if path else Path(__file__).with_name(FILE)
    rows = tabulate(progress=lambda said: print(said, file=sys.stderr, flush=True))
    write_whole(target, text(rows, fingerprint()))
    print(f"{len(rows)} rows to {target}")


if __name__ == "__main__":
    main(*sys.argv[1:2])
