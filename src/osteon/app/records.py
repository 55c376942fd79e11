"""Trial records as the app tells them: trials to join, and hosts of ancillary studies with their places.

These functions run in the helper process (`osteon.app.aside`), since thousands of records take seconds to judge. Each
works from the records on this machine; none asks a network.
"""

from __future__ import annotations

import datetime
import functools
from pathlib import Path
from typing import Any

from osteon.errors import InputError
from osteon.registry.store import Store, stale

NONE_YET = (
    "No trial records are on this machine yet. osteon asks no network by itself: bring records in with "
    '`osteon registry refresh --query "osteoporosis"`, or from a file with `osteon registry import FILE`.'
)
ADVICE = (
    "These may fit; only the site can say. Ask it whether participants pay anything, who oversees the study, and "
    "what is known of the treatment.",
    "Clinics that sell stem cells outside such studies offer treatments that no authority has approved; being listed "
    "in a registry is no approval either.",
)
_PRIOR = "what the therapies do to bone, and costs, are assumed values (grade D) until trials replace them"
_SITES = 12  # of a host that are put on the map


def state(folder: str | None = None) -> dict[str, Any]:
    """Whether there are records, and of which day."""
    store = Store(folder)
    if not store.file.exists():
        return {"there": False, "snapshot": None, "warning": NONE_YET}
    newest = store.newest()
    return {"there": newest is not None, "snapshot": newest, "warning": stale(newest) if newest else NONE_YET}


@functools.lru_cache(maxsize=2)
def _records(file: str, changed: int, as_of: str) -> list[Any]:
    return Store(Path(file).parent).records(as_of)


def _all(today: datetime.date, folder: str | None) -> list[Any]:
    store = Store(folder)
    if not store.file.exists():
        raise InputError(NONE_YET)
    return _records(str(store.file), store.file.stat().st_mtime_ns, today.isoformat())


def find_trials(
    condition: str,
    age: float | None = None,
    sex: str | None = None,
    near: str | None = None,
    within: str | None = None,
    every: bool = False,
    folder: str | None = None,
) -> dict[str, Any]:
    """What `osteon find-trials --json` prints. Raises InputError."""
    from osteon.registry import ATTRIBUTION, match, places

    if within and not near:
        raise InputError("within: from where is the distance counted? Give near as well")
    person = match.Person(
        condition, age, sex, places.parse(near) if near else None, places.distance(within) if within else None
    )
    today = datetime.date.today()
    found = match.find(_all(today, folder), person, today=today, every=every)
    old = stale(max((m.record.snapshot or "" for m in found), default=None) or Store(folder).newest(), today)
    rows = [{**one.as_dict(), "places": _places(one.record)} for one in found]
    return {"trials": rows, "as_of": today.isoformat(), "warnings": [*([old] if old else []), *ADVICE],
            "source": ATTRIBUTION}  # fmt: skip


def _places(record: Any) -> list[dict[str, Any]]:
    """Where the sites of a record are, as far as that is known."""
    from osteon.registry import places

    found = {}
    for row in record.items("contactsLocationsModule.locations"):
        place = places.site(row)
        if place is not None:
            found[round(place.lat, 2), round(place.lon, 2)] = place.name
        if len(found) == _SITES:
            break
    return [{"lat": lat, "lon": lon, "name": name} for (lat, lon), name in found.items()]


def hosts(limit: int = 50, draws: int = 500, seed: int = 0, folder: str | None = None) -> dict[str, Any]:
    """What `osteon ancillary rank --json` prints, for the first `limit` hosts, with title, disease and places."""
    from osteon.ancillary.rank import rank
    from osteon.ancillary.tables import load

    today = datetime.date.today()
    records, tables = _all(today, folder), load()
    found = rank(records, today, tables=tables, draws=draws, seed=seed)
    gates: dict[str, int] = {}
    for row in found.excluded:
        gates[row["gate"]] = gates.get(row["gate"], 0) + 1
    rows = []
    for i, one in enumerate(found.hosts[:limit]):
        record = one.host.record
        rows.append(
            {
                **one.as_dict(), "title": record.title, "disease": one.host.disease, "status": one.host.status,
                "therapy": one.host.therapy, "tau": round(one.host.tau, 2), "link": record.link,
                "participants": round(one.mode.treated + one.mode.control), "places": _places(record),
                "stability": found.stability[i] if found.stability else None,
            }
        )  # fmt: skip
    old = stale(max((r.snapshot or "" for r in records), default=None), today)
    return {
        "hosts": rows, "hosts_in_all": len(found.hosts), "excluded": found.excluded[:limit],
        "gates": dict(sorted(gates.items(), key=lambda g: -g[1])), "as_of": today.isoformat(),
        "currency": tables.currency, "year": tables.year, "assumed": _PRIOR, "warnings": [old] if old else [],
    }  # fmt: skip
