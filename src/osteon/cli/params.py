"""`osteon params`: the numbers of a model and where they come from."""

from __future__ import annotations

import dataclasses

import click

from osteon.cli.common import chosen_model, json_option, model_option, print_json, print_table
from osteon.units import number


@click.group("params")
def command() -> None:
    """The parameters of a model, each with units, origin and source."""


@command.command("list")
@model_option
@json_option
def list_command(model: str | None, as_json: bool) -> None:
    """All parameters of a model."""
    from osteon import parameters

    records = list(parameters.shown(chosen_model(model).name).values())
    if as_json:
        print_json({"parameters": [dataclasses.asdict(record) for record in records]})
        return
    columns = [
        ("id", False),
        ("symbol", False),
        ("value", True),
        ("units", False),
        ("origin", False),
        ("what", False),
    ]
    print_table(columns, [[r.id, r.symbol, number(r.value), r.units, r.origin, r.name] for r in records])


@command.command("show")
@click.argument("ident", metavar="ID")
@model_option
@json_option
def show_command(ident: str, model: str | None, as_json: bool) -> None:
    """One parameter with its source."""
    from osteon import parameters
    from osteon.parameters.references import cite

    record = parameters.shown(chosen_model(model).name)[ident]
    if as_json:
        print_json(dataclasses.asdict(record))
        return
    facts = [[key, number(value) if isinstance(value, float) else str(value)]
             for key, value in dataclasses.asdict(record).items()]  # fmt: skip
    print_table([("", False), ("", False)], [*facts, ["reference", cite(record.source)]])
