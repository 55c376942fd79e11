"""`osteon find-trials`: studies that may fit a person, from the records on this machine."""

from __future__ import annotations

import datetime

import click

from osteon.cli.common import NOTICE, json_option, print_json, print_table, say
from osteon.cli.registry import as_of_option

_ADVICE = (
    "These may fit; only the site can say. Ask it whether participants pay anything (the registry has no field "
    "for it),"
    " who oversees the study, and what is known of the treatment.",
    "Clinics that sell stem cells outside such studies offer treatments that no authority has approved; being listed"
    " in a registry is no approval either.",
)


@click.command("find-trials")
@click.option("--condition", required=True, metavar="TEXT", help="The condition, such as osteoporosis.")
@click.option("--age", type=click.FloatRange(0, 130), metavar="YEARS", help="Age in years.")
@click.option("--sex", type=click.Choice(["female", "male"]), help="Sex.")
@click.option("--near", metavar="PLACE", help="'Town, country', 'Town, state, US' or 'latitude,longitude'.")
@click.option("--within", metavar="DISTANCE", help="How far the site may be, such as 300km or 200mi.")
@click.option("--every", is_flag=True, help="Also those of the condition that do not fit, with the reason.")
@as_of_option
@json_option
def command(
    condition: str,
    age: float | None,
    sex: str | None,
    near: str | None,
    within: str | None,
    every: bool,
    as_of: str | None,
    as_json: bool,
) -> None:
    """Studies that may fit a person, by condition, age, sex and distance. What is unknown never excludes a study.

    Works from the records brought in with `osteon registry import` or `refresh`; asks no network.
    """
    from osteon.errors import InputError
    from osteon.registry import ATTRIBUTION, match, places
    from osteon.registry.store import Store, stale

    if within and not near:
        raise InputError("--within needs --near: from where is the distance counted?")
    person = match.Person(
        condition, age, sex, places.parse(near) if near else None, places.distance(within) if within else None
    )
    today = datetime.date.fromisoformat(as_of) if as_of else datetime.date.today()
    store = Store()
    found = match.find(store.records(as_of, drawn=False), person, today=today, every=every)
    old = stale(max((m.record.snapshot or "" for m in found), default=None) or store.newest(), today)
    if as_json:
        print_json({
            "trials": [one.as_dict() for one in found], "as_of": today.isoformat(),
            "warnings": [*([old] if old else []), *_ADVICE], "source": ATTRIBUTION,
        })  # fmt: skip
        return
    columns = [
        ("study", False),
        ("fit", False),
        ("km", True),
        ("nearest open site", False),
        ("status (as of)", False),
        ("title", False),
    ]
    rows = []
    for one in found:
        site = one.site or {}
        place = (
            ", ".join(str(site[k]) for k in ("facility", "city", "country") if site.get(k)) or "none listed as open"
        )
        status = f"{one.record.status.casefold().replace('_', ' ')} ({one.record.snapshot})"
        rows.append(
            [
                str(one.record.nct),
                one.fit,
                f"{one.km:.0f}" if one.km is not None else "–",
                place,
                status,
                one.record.title,
            ]
        )
    print_table(columns, rows, title=f"{condition}: studies that may fit, ask the site")
    for one in found[:10]:
        unknown = [f"{name}: {one.why[name]}" for name, value in one.criteria.items() if value == "unknown"]
        against = [f"{name}: {one.why[name]}" for name, value in one.criteria.items() if value == "no"]
        click.echo(f"\n{one.record.nct}  {one.record.link}")
        click.echo(
            f"  fits: "
            f"{', '.join(f'{k} ({one.why[k]})' for k, v in one.criteria.items() if v == 'yes') or 'nothing known'}"
        )
        for label, parts in (
            ("against", against),
            ("unknown", unknown),
            ("ask the site about", one.ask),
            ("careful", one.warnings),
        ):
            if parts:
                click.echo(f"  {label}: {'; '.join(parts)}")
        click.echo(
            f"  verified by the sponsor: {one.record.verified or 'not stated'}; registry as of {one.record.snapshot}"
        )
    if not found:
        say(
            f"none of your records of {condition} may fit; --every shows why, osteon registry refresh brings in "
            f"newer ones"
        )
    say("")
    for line in (*_ADVICE, ATTRIBUTION, *([f"warning: {old}"] if old else []), NOTICE):
        say(line)
