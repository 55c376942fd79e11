"""The analysis tables of a virtual trial, named as CDISC's ADaM Implementation Guide names them.

ADSL has a row per person of an arm, ADBMD a row per person, parameter (BMD and markers) and visit that took place,
ADTTE a row per person and event (leaving the trial, death, each kind of fracture that was simulated). The people are
simulated: sites, race and dates are placeholders, and day 1 is 2000-01-01.
"""

from __future__ import annotations

import datetime
import functools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from osteon import files
from osteon.endpoints import ENDPOINTS
from osteon.trial import dataset_json
from osteon.trial.analyse.plan import times
from osteon.trial.dataset_json import Column
from osteon.trial.measure import COMPLETED, DIED, LEFT, NO_RUN, RESCUED
from osteon.units import MONTH_DAYS, number

if TYPE_CHECKING:
    import xarray as xr

    from osteon.study import Study

DAY_ONE = datetime.date(2000, 1, 1)
PARAMETERS = {"lumbar_spine_bmd": "BMDLS", "total_hip_bmd": "BMDTH", "femoral_neck_bmd": "BMDFN",
              "distal_third_radius_bmd": "BMDR33", "ultradistal_radius_bmd": "BMDUDR", "ctx": "CTX", "p1np": "P1NP",
              "bsap": "BSAP"}  # fmt: skip
EVENTS = {"vertebral_fracture": "VFX", "hip_fracture": "HIPFX", "nonvertebral_fracture": "NVFX"}
LABELS = {"ADSL": "Subject-Level Analysis Dataset", "ADBMD": "BMD and Turnover Markers Analysis Dataset",
          "ADTTE": "Time-to-Event Analysis Dataset"}  # fmt: skip
_REASONS = {LEFT: "WITHDRAWAL BY SUBJECT", RESCUED: "LACK OF EFFICACY", DIED: "DEATH", NO_RUN: "OTHER"}
_ENDED = ("COMPLETED THE STUDY", "WITHDREW", "WENT OVER TO RESCUE", "DIED", "NO RUN")  # as measure.STATUS
_ID = (Column("STUDYID", "Study Identifier", key=1), Column("USUBJID", "Unique Subject Identifier", key=2))
_BASELINE = {
    "weight_kg": Column("WEIGHTBL", "Baseline Weight (kg)", "double"),
    "t_lumbar_spine": Column("TSCLSBL", "Baseline T-Score, Lumbar Spine", "double"),
    "t_total_hip": Column("TSCTHBL", "Baseline T-Score, Total Hip", "double"),
    "t_femoral_neck": Column("TSCFNBL", "Baseline T-Score, Femoral Neck", "double"),
    "senescent_burden": Column("SENESBL", "Baseline Senescent Burden (Relative)", "double"),
}
ADSL = (
    *_ID, Column("SUBJID", "Subject Identifier for the Study"), Column("SITEID", "Study Site Identifier"),
    Column("TWINID", "Virtual Person, the Same in Every Arm", "integer"),
    Column("AGE", "Age", "double"), Column("AGEU", "Age Units"), Column("SEX", "Sex"), Column("RACE", "Race"),
    Column("ARM", "Description of Planned Arm"), Column("TRT01P", "Planned Treatment for Period 01"),
    Column("TRT01PN", "Planned Treatment for Period 01 (N)", "integer"),
    Column("RANDFL", "Randomized Population Flag"), Column("ITTFL", "Intent-To-Treat Population Flag"),
    Column("TRTSDT", "Date of First Exposure to Treatment", "date"), Column("EOSDT", "End of Study Date", "date"),
    Column("EOSSTT", "End of Study Status"), Column("DCSREAS", "Reason for Discontinuation from Study"),
)  # fmt: skip
ADBMD = (
    *_ID, Column("TRTP", "Planned Treatment"), Column("TRT01P", "Planned Treatment for Period 01"),
    Column("TRT01PN", "Planned Treatment for Period 01 (N)", "integer"), Column("PARCAT1", "Parameter Category 1"),
    Column("PARAM", "Parameter"), Column("PARAMCD", "Parameter Code", key=3), Column("AVISIT", "Analysis Visit"),
    Column("AVISITN", "Analysis Visit (N)", "double", key=4), Column("ADT", "Analysis Date", "date"),
    Column("ADY", "Analysis Relative Day", "integer"), Column("AVAL", "Analysis Value", "double"),
    Column("BASE", "Baseline Value", "double"), Column("CHG", "Change from Baseline", "double"),
    Column("PCHG", "Percent Change from Baseline", "double"), Column("ABLFL", "Baseline Record Flag"),
    Column("ANL01FL", "Analysis Flag 01"),
)  # fmt: skip
ADTTE = (
    *_ID, Column("TRTP", "Planned Treatment"), Column("TRT01P", "Planned Treatment for Period 01"),
    Column("TRT01PN", "Planned Treatment for Period 01 (N)", "integer"), Column("PARAM", "Parameter"),
    Column("PARAMCD", "Parameter Code", key=3), Column("STARTDT", "Time-to-Event Origin Date for Subject", "date"),
    Column("ADT", "Analysis Date", "date"), Column("ADY", "Analysis Relative Day", "integer"),
    Column("AVAL", "Analysis Value", "double"), Column("CNSR", "Censor", "integer"),
    Column("EVNTDESC", "Event or Censoring Description"), Column("CNSDTDSC", "Censor Date Description"),
)  # fmt: skip


def tables(
    observed: xr.Dataset, study: Study, events: pd.DataFrame | None = None
) -> dict[str, tuple[pd.DataFrame, tuple[Column, ...]]]:
    """ADSL, ADBMD and ADTTE, each with its columns; dates are ISO text, what is missing is None or NaN."""
    more = {name: column for name, column in _BASELINE.items() if name in observed.coords}
    subjects, columns = _subjects(observed, study, more)
    return {
        "ADSL": (subjects, columns),
        "ADBMD": (_visits(observed, study, subjects), ADBMD),
        "ADTTE": (_events(observed, study, subjects, events), ADTTE),
    }


def write(
    observed: xr.Dataset, study: Study, folder: str | Path, events: pd.DataFrame | None = None,
    created: str | None = None, version: str | None = None,
) -> list[Path]:  # fmt: skip
    """Write each table as `NAME.json` (Dataset-JSON 1.1) and `NAME.parquet` into the folder; returns the paths."""
    import importlib.metadata

    now = created or datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    written = []
    for name, (table, columns) in tables(observed, study, events).items():
        pieces = dataset_json.encoded(
            table, columns, name=name, label=LABELS[name], study=study.id, created=now,
            version=version or importlib.metadata.version("osteon"),
        )  # fmt: skip
        written.append(files.write_whole(Path(folder) / f"{name}.json", functools.partial(_json, pieces)))
        save = functools.partial(_parquet, table[[c.name for c in columns]])
        written.append(files.write_whole(Path(folder) / f"{name}.parquet", save))
    return written


def _json(pieces: Iterator[bytes], path: Path) -> None:
    with path.open("wb") as file:
        file.writelines(pieces)


def _parquet(table: pd.DataFrame, path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    # Without the schemas of pandas and Arrow, categories are plain text to whoever reads the file.
    made = pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata(None)
    pq.write_table(made, path, store_schema=False)


def _dates(days: np.ndarray) -> pd.Categorical:
    """ISO dates of whole days from 0 after day 1 (missing where a day is not finite)."""
    known = np.isfinite(days)
    whole = np.floor(np.where(known, days, 0)).astype(int)
    every = np.datetime64(DAY_ONE) + np.arange(whole.max(initial=0) + 1).astype("timedelta64[D]")
    return _coded(np.where(known, whole, -1), np.datetime_as_string(every))


def _coded(codes: np.ndarray, texts: Sequence[str] | np.ndarray) -> pd.Categorical:
    """A column of few different texts, by their places; missing where that is -1."""
    made: pd.Categorical = pd.Categorical.from_codes(codes, categories=pd.Index(np.asarray(texts, object)))
    return made


def _subjects(observed: xr.Dataset, study: Study, more: dict[str, Column]) -> tuple[pd.DataFrame, tuple[Column, ...]]:
    people, arms = observed.sizes["person"], [arm.name for arm in study.arms]
    n = people * len(arms)
    person = np.tile(observed["person"].to_numpy(), len(arms)) + 1
    arm = np.repeat(np.arange(len(arms)), people)

    def coordinate(name: str, other: object) -> np.ndarray:
        if name not in observed.coords:
            return np.full(n, other, object)
        known = observed.coords[name]  # of each person, or of each arm's own people
        return known.sel(arm=arms).to_numpy().ravel() if "arm" in known.dims else np.tile(known.to_numpy(), len(arms))

    status = observed["status"].sel(arm=arms).to_numpy().ravel()
    end = np.minimum(observed["left_day"].sel(arm=arms).to_numpy().ravel(), study.visits[-1] * MONTH_DAYS)
    digits = max(4, len(str(people)))
    subject = [f"{a + 1:02d}-{p:0{digits}d}" for a, p in zip(arm, person, strict=True)]
    female = coordinate("sex", study.people.sex) == "female"
    labels = np.array(arms, object)[arm]
    columns = {
        "STUDYID": np.full(n, study.id), "USUBJID": [f"{study.id}-{s}" for s in subject], "SUBJID": subject,
        "SITEID": np.full(n, "VIRTUAL"), "TWINID": person, "AGE": coordinate("age", study.people.age.mean),
        "AGEU": np.full(n, "YEARS" if study.people.species == "human" else "MONTHS"),
        "SEX": np.where(female, "F", "M"), "RACE": np.full(n, "UNKNOWN"), "ARM": labels, "TRT01P": labels,
        "TRT01PN": arm + 1, "RANDFL": np.full(n, "Y"), "ITTFL": np.full(n, "Y"),
        "TRTSDT": np.full(n, DAY_ONE.isoformat()), "EOSDT": _dates(end),
        "EOSSTT": np.where(status == COMPLETED, "COMPLETED", "DISCONTINUED"),
        "DCSREAS": np.array([_REASONS.get(int(s)) for s in status], object),
    }  # fmt: skip
    extra: dict[str, np.ndarray] = {
        column.name: coordinate(name, np.nan).astype(float) for name, column in more.items()
    }
    flags: tuple[Column, ...] = ()
    if "prior_vertebral_fracture" in observed.coords:
        flags = (Column("PRVFXFL", "Prior Vertebral Fracture Flag"),)
        extra["PRVFXFL"] = np.where(coordinate("prior_vertebral_fracture", False).astype(bool), "Y", "N")
    return pd.DataFrame(columns | extra), (*ADSL, *more.values(), *flags)


def _visits(observed: xr.Dataset, study: Study, subjects: pd.DataFrame) -> pd.DataFrame:
    arms = [arm.name for arm in study.arms]
    names = [n for n in study.endpoints if n in PARAMETERS and n in observed]
    days = observed["time"].to_numpy().astype(float)
    at = sorted({0, *(int(np.argmin(np.abs(days - month * MONTH_DAYS))) for month in study.visits)})
    months = [days[k] / MONTH_DAYS for k in at]
    came = observed["visit_day"].sel(arm=arms).to_numpy().reshape(len(subjects), -1)[:, at]
    if not names:
        return pd.DataFrame({column.name: [] for column in ADBMD})
    found = np.stack([
        observed[name].isel(draw=0).sel(arm=arms).to_numpy().reshape(len(subjects), -1)[:, at] for name in names
    ])  # fmt: skip
    place, row, visit = np.nonzero(np.isfinite(found))
    value, base, day = found[place, row, visit], found[place, row, 0], came[row, visit]
    later = visit > 0
    labels = ["Baseline" if not m else f"Month {number(round(m, 4))}" for m in months]
    own = {key: subjects[key].astype("category").to_numpy() for key in ("STUDYID", "USUBJID", "TRT01P")}
    kinds = [int(ENDPOINTS[name].kind != "bmd") for name in names]
    return pd.DataFrame(
        {
            **{key: x.take(row) for key, x in own.items()}, "TRT01PN": subjects["TRT01PN"].to_numpy()[row],
            "TRTP": own["TRT01P"].take(row),
            "PARCAT1": _coded(np.array(kinds)[place], ["BMD", "TURNOVER MARKER"]),
            "PARAM": _coded(place, [_named(observed, name) for name in names]),
            "PARAMCD": _coded(place, [PARAMETERS[name] for name in names]), "AVISIT": _coded(visit, labels),
            "AVISITN": np.round(np.array(months)[visit], 4), "ADT": _dates(day), "ADY": np.floor(day) + 1,
            "AVAL": value, "BASE": base, "CHG": np.where(later, value - base, np.nan),
            "PCHG": np.where(later, 100 * (value / base - 1), np.nan),
            "ABLFL": _coded(np.where(later, -1, 0), ["Y"]), "ANL01FL": _coded(np.where(later, 0, -1), ["Y"]),
        }
    )  # fmt: skip


def _named(observed: xr.Dataset, name: str) -> str:
    """An end point with its units."""
    units = str(observed[name].attrs.get("units", ""))
    return f"{ENDPOINTS[name].label} ({'relative to the usual' if units == '1' else units})"


def _events(observed: xr.Dataset, study: Study, subjects: pd.DataFrame, events: pd.DataFrame | None) -> pd.DataFrame:
    arms, n = [arm.name for arm in study.arms], len(subjects)
    end = study.visits[-1] * MONTH_DAYS
    status = observed["status"].sel(arm=arms).to_numpy().ravel()
    left = np.minimum(observed["left_day"].sel(arm=arms).to_numpy().ravel(), end)
    ran = status != NO_RUN
    kinds = [("LEFT", "Time to Leaving the Trial (days)", np.isin(status, [LEFT, RESCUED]), left, "LEFT THE TRIAL"),
             ("DEATH", "Time to Death (days)", status == DIED, left, "DEATH")]  # fmt: skip
    if events is not None:
        for name in (k for k in study.endpoints if k in EVENTS):
            time, event, _ = times(observed, study, events, name, arms)
            full_time, full_event = np.zeros(n), np.zeros(n, bool)
            full_time[ran], full_event[ran] = time, event
            label = ENDPOINTS[name].label
            kinds.append((EVENTS[name], f"Time to First {label} (days)", full_event, full_time, label.upper()))
    own = {key: subjects[key].astype("category") for key in ("STUDYID", "USUBJID", "TRT01P")}
    own |= {"TRT01PN": subjects["TRT01PN"], "TRTP": own["TRT01P"]}
    whole = pd.concat([pd.DataFrame(own)] * len(kinds), ignore_index=True)
    place, time = np.repeat(np.arange(len(kinds)), n), np.concatenate([kind[3] for kind in kinds])
    event = np.concatenate([kind[2] for kind in kinds])
    at_end = np.tile(status == COMPLETED, len(kinds))
    whole = whole.assign(
        PARAM=_coded(place, [kind[1] for kind in kinds]), PARAMCD=_coded(place, [kind[0] for kind in kinds]),
        STARTDT=DAY_ONE.isoformat(), ADT=_dates(time), ADY=np.floor(time) + 1, AVAL=time, CNSR=np.where(event, 0, 1),
        EVNTDESC=_coded(np.where(event, place, len(kinds) + np.tile(status, len(kinds))),
                        [*(kind[4] for kind in kinds), *_ENDED]),
        CNSDTDSC=_coded(np.where(event, -1, at_end.astype(int)), ["END OF STUDY DATE", "LAST PLANNED VISIT"]),
    )  # fmt: skip
    return whole[np.tile(ran, len(kinds))].reset_index(drop=True)
