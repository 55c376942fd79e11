"""The Result: an xarray Dataset with dims draw, arm, person, time, units and provenance in its attributes.

Draws are uncertainty of the parameters, persons are variability between people; the two are never mixed.
Time is in days from month 0; the first time is always 0, the baseline.
"""

from __future__ import annotations

import importlib.metadata
import io
import json
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from osteon import files
from osteon.endpoints import ENDPOINTS
from osteon.errors import OsteonWarning, ResultError

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

DIMS = ("draw", "arm", "person", "time")
FAILED = 3
FLAGS = f"0 ok, 1 run again on finer steps, 2 on still finer ones, {FAILED} failed (values missing)"


def build(
    values: Mapping[str, np.ndarray],
    *,
    time_days: Sequence[float] | np.ndarray,
    arms: Sequence[str],
    units: Mapping[str, str],
    provenance: Mapping[str, Any],
    flags: np.ndarray | None = None,
) -> xr.Dataset:
    """A Result from arrays of shape (draw, arm, person, time); `time_days` starts at 0. `flags` [person] says what
    became of each of many people."""
    import xarray as xr

    first = next(iter(values.values()))
    coords = {
        "draw": np.arange(first.shape[0]),
        "arm": np.array([str(a) for a in arms], dtype=object),
        "person": np.arange(first.shape[2]),
        "time": ("time", np.asarray(time_days, float), {"units": "day", "long_name": "time from month 0"}),
    }
    if flags is not None:
        coords["flag"] = ("person", np.asarray(flags, np.int8), {"long_name": FLAGS})
    data = {
        name: (DIMS, array, {"units": units[name], "long_name": ENDPOINTS[name].label})
        for name, array in values.items()
    }
    return xr.Dataset(data, coords, attrs={"osteon": "result", "provenance": json.dumps(dict(provenance))})


def provenance(result: xr.Dataset) -> dict[str, Any]:
    """Where a Result comes from: version, model, parameters' hash, regimens, seed, tolerances, platform."""
    found: dict[str, Any] = json.loads(result.attrs["provenance"])
    return found


def platform_facts() -> dict[str, Any]:
    """What the run stood on."""
    names = ("numpy", "scipy", "xarray")
    return {
        "osteon_version": importlib.metadata.version("osteon"),
        "platform": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "libraries": {name: importlib.metadata.version(name) for name in names},
    }


def percent_change(result: xr.Dataset) -> xr.Dataset:
    """Change from time 0 in % of the value there, per draw, arm and person."""
    import xarray as xr

    with xr.set_options(keep_attrs=True):  # type: ignore[no-untyped-call]
        change = 100.0 * (result / result.isel(time=0, drop=True) - 1.0)
    for name in change.data_vars:
        change[name].attrs["units"] = "%"
    return change


def save(result: xr.Dataset, path: str | Path) -> Path:
    """Write `.nc` (NetCDF) or `.parquet` (one row per draw, arm, person and time), whole or not at all."""
    path = Path(path)
    if path.suffix == ".nc":
        return files.write_whole(path, lambda p: _to_netcdf(result, p))
    if path.suffix == ".parquet":
        return files.write_whole(path, lambda p: _to_parquet(result, p))
    raise ResultError(f"{path}: a result is saved as .nc (NetCDF) or .parquet")


def load(path: str | Path) -> xr.Dataset:
    """Read a Result that `save` wrote; raises ResultError."""
    path = Path(path)
    if path.suffix not in (".nc", ".parquet"):
        raise ResultError(f"{path}: a result is a .nc (NetCDF) or .parquet file")
    if not path.is_file():
        raise ResultError(f"{path}: there is no such file")
    try:
        found = _from_netcdf(path) if path.suffix == ".nc" else _from_parquet(path)
    except Exception as problem:
        raise ResultError(
            f"{path}: this is not a whole {path.suffix[1:]} file: {str(problem).splitlines()[0]}"
        ) from None
    if found.attrs.get("osteon") != "result":
        raise ResultError(f"{path}: this file was not written by osteon")
    return found


def netcdf_bytes(result: xr.Dataset) -> bytes:
    """The Result as the content of a NetCDF file."""
    buffer = io.BytesIO()
    result.to_netcdf(buffer, engine="h5netcdf")
    return buffer.getvalue()


def _to_netcdf(result: xr.Dataset, path: Path) -> None:
    # By way of memory: the HDF5 library ends the process when a disk is full.
    path.write_bytes(netcdf_bytes(result))


def _from_netcdf(path: Path) -> xr.Dataset:
    import xarray as xr

    with xr.open_dataset(path, engine="h5netcdf", decode_times=False) as found:
        loaded = found.load()
    loaded.encoding = {}
    return loaded.assign_coords(arm=loaded["arm"].astype(object))


def _to_parquet(result: xr.Dataset, path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    frame = table_of(result)
    table = pa.Table.from_pandas(frame, preserve_index=False)
    attrs = {
        "": dict(result.attrs),
        **{str(name): dict(variable.attrs) for name, variable in result.variables.items()},
    }
    table = table.replace_schema_metadata({**(table.schema.metadata or {}), "osteon": json.dumps(attrs)})
    pq.write_table(table, path)


def table_of(result: xr.Dataset) -> pd.DataFrame:
    """One row per draw, arm, person and time; people whose run failed are left out, with a warning."""
    import warnings

    if "flag" in result.coords:
        failed = result["flag"].to_numpy() == FAILED
        if failed.any():
            warnings.warn(f"left out {failed.sum()} of {failed.size} people, whose runs failed", OsteonWarning, 2)
            result = result.isel(person=~failed)
    return result.to_dataframe(dim_order=list(DIMS)).reset_index()


def _from_parquet(path: Path) -> xr.Dataset:
    import pyarrow.parquet as pq
    import xarray as xr

    table = pq.read_table(path)
    attrs = json.loads((table.schema.metadata or {})[b"osteon"])
    frame = table.to_pandas()
    arms = list(dict.fromkeys(frame["arm"]))
    flags = frame.groupby("person")["flag"].first() if "flag" in frame else None
    frame = frame.drop(columns="flag", errors="ignore")
    found = xr.Dataset.from_dataframe(frame.set_index(list(DIMS))).reindex(arm=arms)
    if flags is not None:
        found = found.assign_coords(flag=("person", flags.to_numpy(np.int8)))
    found = found.assign_coords(arm=np.array(arms, dtype=object))
    found.attrs = attrs.pop("")
    for name, values in attrs.items():
        found[name].attrs = values
    return found
