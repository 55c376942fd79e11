"""Options and output that several commands share."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import click

model_option = click.option(
    "--model", metavar="NAME", help="Model to run: osteon (the default) or jorg2022 (alias joerg2022)."
)
without_option = click.option(
    "--without", multiple=True, metavar="MECHANISM", help="Leave a mechanism out; repeatable."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object on one line.")
seed_option = click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Random seed.")


def draws_option(text: str) -> Callable[..., Any]:
    """`--draws N` with a help of its own."""
    return click.option("--draws", type=click.IntRange(min=0), metavar="N", help=text)


PIPE_WIDTH = 160
NOTICE = "osteon is a research tool, not medical advice."


def print_json(content: Any) -> None:
    """Exactly one object on one line; a number that is not finite has no place in it."""
    click.echo(json.dumps(content, allow_nan=False, separators=(",", ":")))


def say(text: str) -> None:
    """A remark for the person at the screen, on stderr."""
    click.echo(text, err=True)


def chosen_model(name: str | None, without: tuple[str, ...] = ()) -> Any:
    """The model asked for, or the default one, without some of its mechanisms."""
    from osteon import models

    return models.get(name, without)


def close(model: Any, asked: str | None) -> None:
    """The last words after a table: which model ran when none was asked for, and the notice."""
    if asked is None:
        say(f"model: {model.name} ({model.title})")
    say(NOTICE)


def say_evidence(therapies: Iterable[str]) -> None:
    """Say of each therapy whose effect rests on animals or on assumed numbers that it does, and on which."""
    from osteon.therapies import catalogue

    for name in dict.fromkeys(therapies):
        therapy = catalogue.get(name)
        if therapy.evidence in ("C", "D"):
            say(f"{name}: its size rests on evidence of grade {therapy.evidence}: {therapy.evidence_why}")


@contextlib.contextmanager
def progress_bar(label: str) -> Iterator[Callable[..., None]]:
    """A bar with the time left on stderr, shown when that is a terminal; call it with the share done."""
    steps = 1000
    if not sys.stderr.isatty():
        yield lambda share, what="": None
        return
    with click.progressbar(length=steps, label=label, file=sys.stderr, width=30) as bar:

        def update(share: float, what: str = "") -> None:
            if what:
                bar.label = f"{label} {what}"[:40]
            bar.update(max(0, round(share * steps) - bar.pos))

        yield update
        update(1.0)


@contextlib.contextmanager
def told() -> Iterator[None]:
    """What osteon logs meanwhile (that it compiles, say) is told to the person at the screen."""
    import logging

    class Said(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            say(record.getMessage())

    log, handler = logging.getLogger("osteon"), Said()
    before = log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(before)


def print_table(columns: list[tuple[str, bool]], rows: list[list[str]], title: str = "") -> None:
    """A table on stdout; a column is its heading and whether its cells are numbers."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(
        title=Text(title) if title else None, title_justify="left", box=None, pad_edge=False, header_style="bold"
    )
    for heading, is_number in columns:
        table.add_column(Text(heading), justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    if sys.stdout.isatty():
        Console(highlight=False).print(table)
        return
    # Rich pads each line to the width of the console; in a file or a pipe that is only noise.
    buffer = io.StringIO()
    Console(file=buffer, width=PIPE_WIDTH, highlight=False).print(table)
    click.echo("\n".join(line.rstrip() for line in buffer.getvalue().splitlines()))


def decimals(value: float | None, digits: int = 2) -> str:
    """A number for a table; a dash when there is none."""
    return "–" if value is None or value != value else f"{value:.{digits}f}".replace("-", "−")
