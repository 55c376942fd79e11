"""A virtual trial from end to end: people, fractures, what is seen, its analysis, tables and report."""

from __future__ import annotations

import json
import tempfile
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from osteon import files, models
from osteon import result as results
from osteon.endpoints import ENDPOINTS
from osteon.errors import InputError, OsteonWarning
from osteon.rerun import TRIAL
from osteon.trial import adam, measure
from osteon.trial.analyse.plan import EVENT_COLUMNS, Findings, analyse
from osteon.trial.settings import Measurement
from osteon.trial.simulate import run_people
from osteon.units import number

if TYPE_CHECKING:
    import xarray as xr

    from osteon.models import Model
    from osteon.population.people import Population
    from osteon.study import Study

Progress = Callable[[float], None]


@dataclass(frozen=True)
class TrialResult:
    """`true`: the values as they are; `observed`: as the trial saw them, with `<kind>_day` and `death_day` where
    fractures were run; `events`: fractures (person, arm, kind, time_days), or None; `notes` for readers."""

    study: Study
    true: xr.Dataset
    observed: xr.Dataset
    events: pd.DataFrame | None
    findings: Findings
    notes: list[str]


def trial(
    study: Study, model: str | Model | None = None, seed: int = 0, *, draw: int | None = None,
    people: Population | None = None, threads: int | None = None, progress: Progress | None = None,
) -> TrialResult:  # fmt: skip
    """Run, observe and analyse a study. `draw` is the number of a draw of the model's posterior (default: its most
    probable parameters). `people` stand in for those of the study, the same in each arm. The same seed gives the same
    trial for any number of threads. Raises InputError (and its kinds)."""
    chosen = models.get(model) if model is None or isinstance(model, str) else model
    if people is not None:
        study = _with_own(study, len(people))
    settings, notes = study.measurement or Measurement(), []
    lacking = [n for n in study.endpoints if ENDPOINTS[n].kind != "fracture" and n not in chosen.endpoints]
    if lacking:
        warnings.warn(f"left out, the model has no such end point: {', '.join(lacking)}", OsteonWarning, stacklevel=2)
    true = _true(study, chosen, seed, settings, draw, people, threads, progress)
    events, death_day = _fractures(true, study, seed)
    if events is None and any(ENDPOINTS[n].kind == "fracture" for n in study.endpoints):
        warnings.warn("left out, fractures cannot be run here", OsteonWarning, stacklevel=2)
    observed = measure.observe(true, study, seed, death_day=death_day)
    observed = _with_events(observed, study, events, death_day)
    findings = analyse(observed, study, seed, events)
    if findings.table.empty:
        raise InputError("the trial has nothing to analyse: give a visit after month 0 and an end point of BMD")
    failed = int((observed["status"] == measure.NO_RUN).sum())
    if failed:
        notes.append(f"{failed} of {observed['status'].size} runs of people failed and are left out.")
    return TrialResult(study, true, observed, events, findings, notes)


def _with_own(study: Study, n: int) -> Study:
    """The study with n people in each arm, who are the same in all."""
    settings = (study.measurement or Measurement()).model_copy(update={"twins": True})
    enrolled = study.people.model_copy(update={"n_per_arm": n})
    return study.model_copy(update={"people": enrolled, "measurement": settings})


def _true(
    study: Study, model: Model, seed: int, settings: Measurement, draw: int | None, people: Population | None,
    threads: int | None, progress: Progress | None,
) -> xr.Dataset:  # fmt: skip
    """True values of all arms: of the same people, or of others in each arm (person coordinates are by arm then)."""
    import xarray as xr

    n, count = study.people.n_per_arm, len(study.arms)

    def tick(index: int) -> Progress | None:
        return None if progress is None else lambda share: progress((index + share) / count)

    def shares(name: str, own_seed: int) -> dict[str, np.ndarray] | None:
        taken = measure.adherence(settings, own_seed, n)
        return None if (taken == 1.0).all() else {name: taken}

    if settings.twins:
        same = shares("", seed)
        factor = None if same is None else {arm.name: same[""] for arm in study.arms}
        return run_people(study, model=model, seed=seed, draw=draw, people=people, threads=threads,
                          dose_factor=factor, progress=progress)  # fmt: skip
    parts = []
    for index, arm in enumerate(study.arms):
        # By its name, so that another arm changes nothing.
        own = measure.stream_seed(seed, arm.name, "people")
        alone = study.model_copy(update={"arms": [arm], "factors": None, "analysis": None})
        part = run_people(
            alone, model=model, seed=own, draw=draw, threads=threads, dose_factor=shares(arm.name, own),
            progress=tick(index),
        )  # fmt: skip
        by_person = [name for name in part.coords if part[name].dims == ("person",) and name != "person"]
        parts.append(part.assign_coords({name: part[name].expand_dims("arm") for name in by_person}))
    facts = [results.provenance(part) for part in parts]
    whole = xr.concat(parts, "arm", combine_attrs="override", coords="different", compat="equals", join="outer")
    if "flag" in whole.coords:  # a person number counts as failed when any arm's person of that number did
        whole = whole.assign_coords(flag=("person", whole["flag"].max("arm").to_numpy().astype(np.int8)))
    told = {**facts[0], "seed": seed, "study": study.model_dump(exclude_none=True),
            "regimens": {name: text for f in facts for name, text in f["regimens"].items()},
            "evidence": {name: grade for f in facts for name, grade in f["evidence"].items()}}  # fmt: skip
    whole.attrs["provenance"] = json.dumps(told)
    return whole


def _fractures(true: xr.Dataset, study: Study, seed: int) -> tuple[pd.DataFrame | None, np.ndarray | None]:
    """Fractures and days of death [arm, person] of the people, where the study asks for fractures."""
    from osteon import fractures
    from osteon.fractures.people import readable

    if not any(ENDPOINTS[name].kind == "fracture" for name in study.endpoints) or not readable(true):
        return None, None
    arms = [str(arm) for arm in true["arm"].to_numpy()]
    if (study.measurement or Measurement()).twins:
        table = fractures.events(true, seed)
    else:  # each arm's people have features and luck of their own
        parts = []
        for index, arm in enumerate(arms):
            part = true.isel(arm=[index])
            own = {name: ("person", part[name].to_numpy()[0]) for name in part.coords if part[name].ndim == 2}
            parts.append(fractures.events(part.assign_coords(own), measure.stream_seed(seed, arm, "fractures")))
        table = pd.concat(parts, ignore_index=True)
    place = table["arm"].map({name: i for i, name in enumerate(arms)}).to_numpy(int)
    died, death = table["death"].to_numpy(bool), np.full((len(arms), true.sizes["person"]), np.inf)
    who, day = table["person"].to_numpy(int), table["time_days"].to_numpy(float)
    np.minimum.at(death, (place[died], who[died]), day[died])
    return table.loc[table["event"].to_numpy(bool), list(EVENT_COLUMNS)].reset_index(drop=True), death


def _with_events(
    observed: xr.Dataset, study: Study, events: pd.DataFrame | None, death_day: np.ndarray | None
) -> xr.Dataset:
    """The day of the first fracture of each kind, and of death, beside what was measured (infinite: none)."""
    observed.attrs["osteon_kind"] = TRIAL
    if events is None or death_day is None:
        return observed
    by_person, arms = ("arm", "person"), [str(arm) for arm in observed["arm"].to_numpy()]
    for name in (n for n in study.endpoints if ENDPOINTS[n].kind == "fracture"):
        first = np.full(death_day.shape, np.inf)
        own = events[events["kind"] == name]
        place = own["arm"].map({arm: i for i, arm in enumerate(arms)}).to_numpy(int)
        np.minimum.at(first, (place, own["person"].to_numpy(int)), own["time_days"].to_numpy(float))
        observed[f"{name}_day"] = (by_person, first, {"units": "day", "long_name": f"first {ENDPOINTS[name].label}"})
    observed["death_day"] = (by_person, death_day, {"units": "day", "long_name": "death"})
    return observed


def summary_csv(table: pd.DataFrame) -> str:
    """trial_summary.csv of the table of `Findings`: `study,arm,endpoint,month,statistic,value,lower,upper,p,n`."""
    return table.assign(month=[number(m) for m in table["month"]]).to_csv(index=False, lineterminator="\n")


def events_of(observed: xr.Dataset, study: Study) -> pd.DataFrame | None:
    """The first fracture of each kind (person, arm, kind, time_days) from a trial.nc; None without fractures."""
    if "death_day" not in observed:
        return None
    parts = []
    for name in (n for n in study.endpoints if f"{n}_day" in observed):
        arm, person = np.nonzero(np.isfinite(observed[f"{name}_day"].to_numpy()))
        day = observed[f"{name}_day"].to_numpy()[arm, person]
        parts.append(pd.DataFrame({"person": person, "arm": observed["arm"].to_numpy()[arm], "kind": name,
                                   "time_days": day}))  # fmt: skip
    return pd.concat(parts, ignore_index=True)[list(EVENT_COLUMNS)]


def summary_of(observed: xr.Dataset, study: Study) -> str:
    """trial_summary.csv from a trial.nc, analysed anew."""
    seed = int(results.provenance(observed)["seed"])
    return summary_csv(analyse(observed, study, seed, events_of(observed, study)).table)


def report(found: TrialResult) -> str:
    """trial_report.html as text."""
    from osteon.report.trial import report_text

    facts: dict[str, Any] = results.provenance(found.observed)
    acceptance = float(facts.get("engine", {}).get("acceptance", 1.0))
    return report_text(found.observed, found.study, found.findings, acceptance=acceptance, notes=found.notes)


def write(found: TrialResult, folder: str | Path) -> list[Path]:
    """Write trial.nc, result_people.nc (true values), trial_summary.csv, trial_report.html and, in the folder adam,
    the ADaM tables; returns the paths. All is made before anything is put in place, the tables beside the rest."""
    folder = files.check_writable(folder)
    with tempfile.TemporaryDirectory(prefix=".osteon-", dir=folder) as made, ThreadPoolExecutor(1) as pool:
        tables = pool.submit(adam.write, found.observed, found.study, Path(made), found.events)
        page, table = report(found), summary_csv(found.findings.table)
        netcdf, true = results.netcdf_bytes(found.observed), results.netcdf_bytes(found.true)
        adams = [(path, folder / "adam" / path.name) for path in tables.result()]
        return [
            files.write_whole(folder / "trial.nc", netcdf),
            files.write_whole(folder / "result_people.nc", true),
            *(files.put(path, place) for path, place in adams),
            files.write_whole(folder / "trial_report.html", page),
            files.write_whole(folder / "trial_summary.csv", table),
        ]
