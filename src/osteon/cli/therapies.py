"""`osteon therapies`: what a regimen may name."""

from __future__ import annotations

import dataclasses

import click

from osteon.cli.common import NOTICE, json_option, print_json, print_table, say


@click.group("therapies")
def command() -> None:
    """The therapies that a regimen may name."""


@command.command("list")
@json_option
def list_command(as_json: bool) -> None:
    """Name, class, routes, targets, hallmarks, grade of evidence, known harms of every therapy."""
    from osteon.therapies.catalogue import catalogue

    found = list(catalogue().values())
    if as_json:
        print_json({"therapies": [dataclasses.asdict(t) for t in found]})
        return
    headings = ("therapy", "class", "unit", "routes", "for", "acts on", "hallmarks and SENS", "grade", "also")
    rows = [
        [t.id, t.kind, t.unit or "–", " ".join(t.routes) or "–", " ".join(t.species), "; ".join(t.targets),
         "; ".join((*t.hallmarks, *t.sens)) or "–", t.evidence, ", ".join(t.synonyms)]
        for t in found
    ]  # fmt: skip
    print_table([(heading, False) for heading in headings], rows)
    told = [("harm", t, fact) for t in found for fact in t.harms]
    told += [("contraindicated", t, fact) for t in found for fact in t.contraindications]
    rows = [[t.id, kind, fact.what, "yes" if fact.modelled else "not modelled", fact.source]
            for kind, t, fact in sorted(told, key=lambda row: found.index(row[1]))]  # fmt: skip
    columns = [("therapy", False), ("", False), ("what", False), ("in the model", False), ("source", False)]
    print_table(columns, rows, title="Known harms (not a complete list)")
    say("grade: what the size of its effect on bone rests on, from A (trials) to D (assumed); --json says which")
    say(NOTICE)
