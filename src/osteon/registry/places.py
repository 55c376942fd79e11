"""Places without a network: a small gazetteer of towns, from GeoNames (geonames.org, CC BY 4.0), and distances.

`data/places.csv.gz` holds towns of at least 15,000 people (9,000 in countries with many trials), cut down from the
GeoNames dump; names are folded to plain lower-case letters.
"""

from __future__ import annotations

import csv
import functools
import gzip
import io
import math
import re
import unicodedata
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from osteon.errors import InputError, nearest

EARTH_KM = 6371.0088  # mean radius, IUGG


@dataclass(frozen=True)
class Place:
    """A point: degrees north and east, with a name for the reader."""

    name: str
    lat: float
    lon: float


def fold(text: str) -> str:
    """A name in plain lower-case letters and digits."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)).casefold()
    return re.sub(r"[^a-z0-9]+", " ", plain.replace("ł", "l").replace("ø", "o").replace("ß", "ss")).strip()


def kilometres(a: Place, b: Place) -> float:
    """Great-circle distance."""
    p, q = math.radians(a.lat), math.radians(b.lat)
    h = math.sin((q - p) / 2) ** 2 + math.cos(p) * math.cos(q) * math.sin(math.radians(b.lon - a.lon) / 2) ** 2
    return 2 * EARTH_KM * math.asin(math.sqrt(min(1.0, h)))


@functools.cache
def countries() -> dict[str, str]:
    """Country codes by folded name, in the spellings of the registry and others."""
    text = files("osteon.registry").joinpath("data", "countries.csv").read_text("utf-8")
    found = {fold(row["name"]): row["code"] for row in csv.DictReader(io.StringIO(text))}
    return found | {code.casefold(): code for code in found.values()}


@functools.cache
def _towns() -> dict[tuple[str, str], list[tuple[int, str, float, float]]]:
    packed = files("osteon.registry").joinpath("data", "places.csv.gz").read_bytes()
    found: dict[tuple[str, str], list[tuple[int, str, float, float]]] = {}
    for row in csv.reader(io.StringIO(gzip.decompress(packed).decode("utf-8"))):
        if row[0] == "name":
            continue
        town = (int(row[5]), row[2], float(row[3]), float(row[4]))
        for name in (row[0], *row[6].split("|")):
            if name:
                found.setdefault((name, row[1]), []).append(town)
    return found


_STATES = {
    "alabama": "AL",
    "alaska": "AK",
    "arizona": "AZ",
    "arkansas": "AR",
    "california": "CA",
    "colorado": "CO",
    "connecticut": "CT",
    "delaware": "DE",
    "district of columbia": "DC",
    "florida": "FL",
    "georgia": "GA",
    "hawaii": "HI",
    "idaho": "ID",
    "illinois": "IL",
    "indiana": "IN",
    "iowa": "IA",
    "kansas": "KS",
    "kentucky": "KY",
    "louisiana": "LA",
    "maine": "ME",
    "maryland": "MD",
    "massachusetts": "MA",
    "michigan": "MI",
    "minnesota": "MN",
    "mississippi": "MS",
    "missouri": "MO",
    "montana": "MT",
    "nebraska": "NE",
    "nevada": "NV",
    "new hampshire": "NH",
    "new jersey": "NJ",
    "new mexico": "NM",
    "new york": "NY",
    "north carolina": "NC",
    "north dakota": "ND",
    "ohio": "OH",
    "oklahoma": "OK",
    "oregon": "OR",
    "pennsylvania": "PA",
    "rhode island": "RI",
    "south carolina": "SC",
    "south dakota": "SD",
    "tennessee": "TN",
    "texas": "TX",
    "utah": "UT",
    "vermont": "VT",
    "virginia": "VA",
    "washington": "WA",
    "west virginia": "WV",
    "wisconsin": "WI",
    "wyoming": "WY",
}


def find(city: str, country: str, state: str = "") -> Place | None:
    """The town of that name in the country; in the United States of that state, else the largest."""
    code = countries().get(fold(country))
    name = fold(city)
    if not code or not name:
        return None
    tries = (name, name.replace("st ", "saint "), re.sub(r"\b(?:city|d c|cedex|\d+)\b", "", name).strip())
    for one in tries:
        towns = _towns().get((one, code))
        if towns:
            wanted = _STATES.get(fold(state), state.strip().upper()) if code == "US" and state else ""
            of_state = [town for town in towns if town[1] == wanted] if wanted else []
            if wanted and not of_state:
                continue
            town = max(of_state or towns)
            return Place(f"{city}, {country}", town[2], town[3])
    return None


def parse(text: str) -> Place:
    """Where someone is: "Seattle, US", "Portland, Oregon, US" or "47.6,-122.3"; raises InputError."""
    point = re.fullmatch(r"\s*([+-]?\d+(?:\.\d+)?)\s*,\s*([+-]?\d+(?:\.\d+)?)\s*", text)
    if point:
        lat, lon = float(point[1]), float(point[2])
        if abs(lat) > 90 or abs(lon) > 180:
            raise InputError(f"--near {text!r}: latitude is within 90 and longitude within 180 degrees")
        return Place(text.strip(), lat, lon)
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if len(parts) < 2:
        raise InputError(f"--near {text!r}: write town and country, such as 'Seattle, US', or 'latitude,longitude'")
    if fold(parts[-1]) not in countries():
        raise InputError(f"--near {text!r}: no country {parts[-1]!r}{nearest(fold(parts[-1]), countries())}")
    place = find(parts[0], parts[-1], parts[1] if len(parts) > 2 else "")
    if place is None:
        code = countries()[fold(parts[-1])]
        near = nearest(fold(parts[0]), (name for name, where in _towns() if where == code), 0.75)
        raise InputError(
            f"--near {text!r}: no such town in the gazetteer{near}; a larger town nearby or 'lat,lon' will do"
        )
    return Place(text.strip(), place.lat, place.lon)


def site(row: Any) -> Place | None:
    """Where a site of a record is: its own point, else its town."""
    point = row.get("geoPoint")
    city, country, state = (
        row.get(key) if isinstance(row.get(key), str) else "" for key in ("city", "country", "state")
    )
    label = ", ".join(part for part in (city, state, country) if part)
    if isinstance(point, dict):
        lat, lon = point.get("lat"), point.get("lon")
        if isinstance(lat, int | float) and isinstance(lon, int | float) and abs(lat) <= 90 and abs(lon) <= 180:
            return Place(label, float(lat), float(lon))
    found = find(city, country, state)
    return Place(label, found.lat, found.lon) if found else None


def to_country(place: Place, country: str) -> float | None:
    """Kilometres to the nearest town of a country, a lower bound for a site in it; None if unknown."""
    code = countries().get(fold(country))
    gaps = [
        kilometres(place, Place("", lat, lon))
        for (_, where), towns in _towns().items()
        if where == code
        for _, _, lat, lon in towns
    ]
    return min(gaps) if code and gaps else None


def distance(text: str) -> float:
    """A distance such as 300km or 50 miles, in km; raises InputError."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(km|kilometres?|kilometers?|mi|miles?)?\s*", text, re.IGNORECASE)
    if not found:
        raise InputError(f"--within {text!r}: write it like 300km or 50mi")
    return float(found[1]) * (1.609344 if (found[2] or "").casefold().startswith("mi") else 1.0)


def town_points() -> list[tuple[float, float]]:
    """Degrees north and east of all towns of the gazetteer."""
    return [(lat, lon) for towns in _towns().values() for _, _, lat, lon in towns]
