"""`osteon cite`: references of osteon, its models and its evidence."""

from __future__ import annotations

import click

from osteon.cli.common import json_option, print_json


@click.command("cite")
@click.argument("what", required=False, metavar="[MODEL|TRIAL|KEY]")
@click.option("--bibtex", is_flag=True, help="Print BibTeX.")
@json_option
def command(what: str | None, bibtex: bool, as_json: bool) -> None:
    """How to cite osteon; with a name, that model, trial or reference.

    Without a name: osteon itself and the models in this version.
    """
    from osteon.parameters.references import lookup

    entries = lookup(what)
    if as_json:
        print_json({"references": [{"key": e.key, "text": e.text, **e.fields} for e in entries]})
    else:
        click.echo("\n\n".join(e.bibtex if bibtex else e.text for e in entries))
