"""`osteon registry`: trial records on this machine: bring in, refresh, search, show."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from osteon.cli.common import NOTICE, json_option, print_json, print_table, progress_bar, say

if TYPE_CHECKING:
    from osteon.registry.store import Report


def iso_day(_: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """A day as yyyy-mm-dd, checked."""
    if value is None:
        return None
    try:
        return datetime.date.fromisoformat(value.strip()).isoformat()
    except ValueError:
        raise click.BadParameter(f"{value!r} is not a day; write it like 2022-10-10", param=option) from None


as_of_option = click.option(
    "--as-of",
    metavar="DAY",
    callback=iso_day,
    help="Judge at this day (yyyy-mm-dd): versions of records and what is open.",
)


@click.group("registry")
def command() -> None:
    """Trial records (ClinicalTrials.gov) on this machine: import, refresh, search, show."""


@command.command("import")
@click.argument("paths", metavar="FILE...", nargs=-1, required=True)
@click.option("--snapshot", metavar="DAY", callback=iso_day,
              help="The day on which the files were downloaded (default: as the records say).")  # fmt: skip
@click.option("--skip-bad", is_flag=True, help="Leave out what cannot be used and still end with status 0.")
@json_option
def import_command(paths: tuple[str, ...], snapshot: str | None, skip_bad: bool, as_json: bool) -> None:
    """Bring in files: one study, an API page, a bare array, JSON lines, a zip of NCT*.json, or any of them as gz."""
    from osteon.errors import InputError
    from osteon.registry.files import read
    from osteon.registry.store import Store

    reports: list[tuple[str, Report]] = []
    for path in paths:
        with progress_bar(f"reading {Path(path).name}") as progress:
            progress(0.05)
            reports.append((path, Store().add(read(path), Path(path).name, snapshot, progress)))
    bad = [problem for _, report in reports for problem in report.unusable]
    _told([(str(path), report) for path, report in reports], as_json)
    if bad:
        text = f"left out {len(bad)} of {len(bad) + sum(r.studies for _, r in reports)} (the first: {bad[0]})"
        if not skip_bad:
            raise InputError(f"{text}; the others are stored; --skip-bad makes this a remark")
        say(f"warning: {text}")


@command.command("refresh")
@click.option("--query", required=True, metavar="TEXT", help="What to fetch, in the registry's own search language.")
@click.option("--condition", metavar="TEXT", help="Only studies of this condition.")
@click.option("--status", metavar="LIST", help="Only these statuses, such as RECRUITING,NOT_YET_RECRUITING.")
@click.option("--base-url", metavar="URL", help="Another place that answers like the registry.")
@click.option(
    "--pause", type=click.FloatRange(min=0), default=1.0, show_default=True, help="Seconds between requests."
)
@json_option
def refresh_command(
    query: str, condition: str | None, status: str | None, base_url: str | None, pause: float, as_json: bool
) -> None:
    """Fetch studies from the registry over the network; a broken-off download goes on where it stopped."""
    import hashlib

    from osteon.registry.client import BASE, Client
    from osteon.registry.files import Item
    from osteon.registry.store import Store

    parameters = {"query.term": query}
    if condition:
        parameters["query.cond"] = condition
    if status:
        parameters["filter.overallStatus"] = status.replace(" ", "").upper().replace(",", "|")
    store = Store()
    key = hashlib.sha256(repr((base_url, sorted(parameters.items()))).encode()).hexdigest()[:16]
    with Client(base_url or BASE, pause=pause) as client, progress_bar("fetching") as progress:
        snapshot = client.version()
        found = client.studies(parameters, resume=store.folder / f"resume-{key}.json", progress=progress)
        items = [Item(f"study {index + 1}", study) for index, study in enumerate(found)]
        report = store.add(items, "ClinicalTrials.gov API", snapshot, progress)
    _told([("ClinicalTrials.gov", report)], as_json)


def _told(reports: list[tuple[str, Report]], as_json: bool) -> None:
    rows: list[dict[str, Any]] = [
        {"file": path, "studies": r.studies, "new": r.new, "changed": r.changed, "same": r.same,
         "left_out": len(r.unusable), "snapshots": r.snapshots, "snapshot_estimated": r.estimated}
        for path, r in reports
    ]  # fmt: skip
    if as_json:
        print_json({"imports": rows})
        return
    table = [
        [row["file"], *(str(row[k]) for k in ("studies", "new", "changed", "same", "left_out")),
         (row["snapshots"] or ["–"])[-1] + (" (latest update)" if row["snapshot_estimated"] else "")]
        for row in rows
    ]  # fmt: skip
    columns = [
        ("from", False),
        ("studies", True),
        ("new", True),
        ("changed", True),
        ("same", True),
        ("left out", True),
        ("registry as of", False),
    ]
    print_table(columns, table)


@command.command("search")
@click.argument("words", nargs=-1, required=True)
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="At most so many.")
@json_option
def search_command(words: tuple[str, ...], limit: int, as_json: bool) -> None:
    """Studies whose text has all the words, best first; quote a phrase."""
    from osteon.registry.store import Store, stale

    quoted = [f'"{word}"' if " " in word and not word.startswith('"') else word for word in words]
    found, took = Store().search(" ".join(quoted), limit)
    if not found and quoted != list(words):  # quoted for the shell's sake perhaps, not as a phrase
        found, took = Store().search(" ".join(words), limit)
        if found:
            say("no study has it as a phrase; these have all of its words")
    if as_json:
        print_json({"studies": found, "milliseconds": round(took, 2)})
        return
    columns = [("study", False), ("status", False), ("as of", False), ("title", False)]
    print_table(columns, [[f["nct"], f["status"].lower(), f["snapshot"], f["title"]] for f in found])
    say(f"{len(found)} studies in {took:.0f} ms")
    if found and (old := stale(max(f["snapshot"] for f in found))):
        say(f"warning: {old}")


@command.command("known")
@json_option
def known_command(as_json: bool) -> None:
    """A few well-known studies that osteon ships facts about: direct trials, hosts, and wrong populations."""
    import csv
    import io
    from importlib.resources import files

    text = files("osteon.registry").joinpath("data", "known.csv").read_text("utf-8")
    rows = list(csv.DictReader(io.StringIO(text)))
    if as_json:
        print_json({"studies": rows, "source": "ClinicalTrials.gov, the record of each study as of the day given"})
        return
    columns = [(name.replace("_", " "), name == "n") for name in rows[0]]
    print_table(
        columns, [list(row.values()) for row in rows], title="facts from ClinicalTrials.gov, as of the day given"
    )


@command.command("show")
@click.argument("nct", metavar="NCT")
@as_of_option
@json_option
def show_command(nct: str, as_of: str | None, as_json: bool) -> None:
    """One study and what osteon draws from it: each value with the words that decide it."""
    from osteon.registry import ATTRIBUTION, extract
    from osteon.registry.store import Store, stale

    record = Store().get(nct, as_of)
    drawn = extract(record)
    if as_json:
        print_json({
            "nct": record.nct, "title": record.title, "status": record.status, "verified": record.verified,
            "snapshot": record.snapshot, "link": record.link, "extracted": drawn.main(), "more": drawn.more(),
        })  # fmt: skip
        return
    say(f"{record.nct}: {record.title}")
    say(
        f"{record.status.lower()}, verified {record.verified or 'at an unknown time'}; registry as of "
        f"{record.snapshot}"
    )
    rows = [
        [name, _shown(v.value), f"{v.confidence:.2f}", v.rule, " ".join(v.span.split())[:70]]
        for name, v in drawn.values.items()
    ]
    print_table([("what", False), ("value", False), ("sure", True), ("rule", False), ("words", False)], rows)
    say(f"{record.link}\n{ATTRIBUTION}")
    if old := stale(record.snapshot):
        say(f"warning: {old}")
    say(NOTICE)


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and abs(value) >= 1e5:
        return f"{value:.3g}"
    if isinstance(value, list):
        return ", ".join(_shown(one) for one in value) or "–"
    return f"{value:g}" if isinstance(value, float) else str(value)
