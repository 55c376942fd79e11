"""A study of the registry behind getters that never fail: any field may be absent or of another type."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

LONGEST = 40_000  # characters of one text that are looked at; the longest real ones have about 30,000
NCT = re.compile(r"^nct0*([1-9]\d{0,7})$", re.IGNORECASE)
OPEN = ("RECRUITING", "NOT_YET_RECRUITING", "ENROLLING_BY_INVITATION")
RUNNING = (*OPEN, "ACTIVE_NOT_RECRUITING")


@dataclass(frozen=True)
class Passage:
    """One text of a record, with the field that it stands in."""

    field: str
    text: str


def nct_id(value: Any) -> str | None:
    """The id in its usual form, NCT and eight digits, or None."""
    found = NCT.match(value.strip()) if isinstance(value, str) else None
    return f"NCT{int(found[1]):08d}" if found else None


def day(value: Any, *, end: bool = False) -> datetime.date | None:
    """A registry date `yyyy[-MM[-dd]]` as a day: the first of its month or year, or with `end` the last."""
    found = re.match(r"^(\d{4})(?:-(\d{1,2}))?(?:-(\d{1,2}))?", value.strip()) if isinstance(value, str) else None
    if not found:
        return None
    year, month, date = (int(part) if part else None for part in found.groups())
    try:
        if date is not None:
            return datetime.date(year or 0, month or 0, date)
        if not end:
            return datetime.date(year or 0, month or 1, 1)
        following = (
            datetime.date((year or 0) + 1, 1, 1) if month in (None, 12) else datetime.date(year or 0, month + 1, 1)
        )
        return following - datetime.timedelta(days=1)
    except (ValueError, OverflowError):
        return None


def years(value: Any) -> float | None:
    """An age such as "60 Years" or "18 Months" in years, or None."""
    found = re.match(r"^\s*(\d+(?:\.\d+)?)\s*(year|month|week|day|hour|minute)s?\b", value, re.IGNORECASE) \
        if isinstance(value, str) else None  # fmt: skip
    if not found or len(found[1]) > 9:
        return None
    per_year = {"year": 1.0, "month": 12.0, "week": 52.18, "day": 365.25, "hour": 8766.0, "minute": 525960.0}
    return round(float(found[1]) / per_year[found[2].casefold()], 4)


class Record:
    """One version of a study; `snapshot` is the day (ISO) on which the registry said so, `kept` what was drawn from
    it before (`Extraction.kept`)."""

    def __init__(self, raw: Mapping[str, Any], snapshot: str | None = None, kept: str | None = None) -> None:
        self.raw, self.snapshot, self.kept = raw, snapshot, kept

    def get(self, path: str) -> Any:
        """The value at `module.field`, under protocolSection unless the path names another section."""
        at: Any = self.raw
        parts = path.split(".")
        if not parts[0].endswith("Section"):
            parts = ["protocolSection", *parts]
        for part in parts:
            if not isinstance(at, Mapping):
                return None
            at = at.get(part)
        return at

    def text(self, path: str) -> str:
        """A text field, or ""."""
        value = self.get(path)
        return value[:LONGEST] if isinstance(value, str) else ""

    def texts(self, path: str) -> list[str]:
        """A list of texts; a lone text counts as a list of one."""
        value = self.get(path)
        if isinstance(value, str):
            return [value[:LONGEST]]
        return [one[:LONGEST] for one in value if isinstance(one, str)] if isinstance(value, list) else []

    def items(self, path: str) -> list[Mapping[str, Any]]:
        """A list of objects; anything else in it is left out."""
        value = self.get(path)
        return [one for one in value if isinstance(one, Mapping)][:500] if isinstance(value, list) else []

    @cached_property
    def nct(self) -> str | None:
        return nct_id(self.get("identificationModule.nctId"))

    @property
    def title(self) -> str:
        return self.text("identificationModule.briefTitle") or self.text("identificationModule.officialTitle")

    @property
    def status(self) -> str:
        return self.text("statusModule.overallStatus").strip().upper() or "UNKNOWN"

    @property
    def verified(self) -> str:
        return self.text("statusModule.statusVerifiedDate")

    @property
    def updated(self) -> datetime.date | None:
        return day(self.get("statusModule.lastUpdatePostDateStruct.date")) or day(
            self.get("statusModule.lastUpdateSubmitDate")
        )

    @property
    def start(self) -> datetime.date | None:
        return day(self.get("statusModule.startDateStruct.date"))

    @property
    def registered(self) -> datetime.date | None:
        """The day on which the study was first submitted."""
        return day(self.get("statusModule.studyFirstSubmitDate")) or day(
            self.get("statusModule.studyFirstPostDateStruct.date")
        )

    @property
    def completion(self) -> datetime.date | None:
        """The last day of the study, else of its primary outcome."""
        return day(self.get("statusModule.completionDateStruct.date"), end=True) or day(
            self.get("statusModule.primaryCompletionDateStruct.date"), end=True
        )

    @property
    def study_type(self) -> str:
        return self.text("designModule.studyType").strip().upper()

    @property
    def conditions(self) -> list[str]:
        return self.texts("conditionsModule.conditions")

    @property
    def meshes(self) -> list[str]:
        """MeSH terms of the conditions, with their ancestors."""
        path = "derivedSection.conditionBrowseModule"
        rows = [*self.items(f"{path}.meshes"), *self.items(f"{path}.ancestors")]
        return [row["term"] for row in rows if isinstance(row.get("term"), str)]

    @property
    def arms(self) -> list[Mapping[str, Any]]:
        return self.items("armsInterventionsModule.armGroups")

    @property
    def interventions(self) -> list[Mapping[str, Any]]:
        return self.items("armsInterventionsModule.interventions")

    @property
    def link(self) -> str:
        return f"https://clinicaltrials.gov/study/{self.nct}"

    @cached_property
    def passages(self) -> dict[str, list[Passage]]:
        """The texts by tier: title, intervention, arm, summary, description, keyword, outcome, eligibility."""
        found: dict[str, list[Passage]] = {
            "title": [
                Passage(f"identificationModule.{key}", self.text(f"identificationModule.{key}"))
                for key in ("briefTitle", "officialTitle")
            ],
            "intervention": list(_parts(self.interventions, "interventions", ("name", "otherNames", "description"))),
            "arm": list(_parts(self.arms, "armGroups", ("label", "description", "interventionNames"))),
            "summary": [Passage("briefSummary", self.text("descriptionModule.briefSummary"))],
            "description": [
                Passage("detailedDescription", self.text("descriptionModule.detailedDescription")),
                Passage(
                    "interventionModelDescription", self.text("designModule.designInfo.interventionModelDescription")
                ),
            ],
            "keyword": [
                *(Passage("keywords", one) for one in self.texts("conditionsModule.keywords")),
                *(Passage("conditions", one) for one in self.conditions),
            ],
            "outcome": [
                passage
                for kind in ("primaryOutcomes", "secondaryOutcomes", "otherOutcomes")
                for passage in _parts(
                    self.items(f"outcomesModule.{kind}"), kind, ("measure", "timeFrame", "description")
                )
            ],
            "eligibility": [Passage("eligibilityCriteria", self.text("eligibilityModule.eligibilityCriteria"))],
        }
        return {tier: [p for p in passages if p.text] for tier, passages in found.items()}

    def tiers(self, *names: str) -> Iterator[Passage]:
        """The passages of these tiers, in order."""
        for name in names:
            yield from self.passages[name]


def _parts(rows: list[Mapping[str, Any]], name: str, keys: tuple[str, ...]) -> Iterator[Passage]:
    for index, row in enumerate(rows):
        for key in keys:
            value = row.get(key)
            for one in value if isinstance(value, list) else [value]:
                if isinstance(one, str):
                    yield Passage(f"{name}[{index}].{key}", one[:LONGEST])
