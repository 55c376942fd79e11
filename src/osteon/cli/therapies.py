"""`osteon therapies`: what a regimen may name."""

from __future__ import annotations

import dataclasses

import click

from osteon.cli.common import json_option, print_json, print_table


@click.group("therapies")
def command() -> None:
    """The therapies that a regimen may name."""


@command.command("list")
@json_option
def list_command(as_json: bool) -> None:
    """Name, class, unit, routes and synonyms of every therapy."""
    from osteon.therapies.catalogue import catalogue

    found = list(catalogue().values())
    if as_json:
        print_json({"therapies": [dataclasses.asdict(t) for t in found]})
        return
    columns = [
        ("therapy", False),
        ("class", False),
        ("unit", False),
        ("routes", False),
        ("for", False),
        ("also", False),
    ]
    rows = [[t.id, t.kind, t.unit or "–", " ".join(t.routes) or "–", " ".join(t.species), ", ".join(t.synonyms)]
            for t in found]  # fmt: skip
    print_table(columns, rows)
