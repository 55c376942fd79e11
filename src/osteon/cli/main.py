"""Entry point: finds the subcommand, and turns every error into one clear line and an exit status."""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import signal
import sys
import threading
import warnings
from collections.abc import Sequence
from typing import Any

import click

from osteon.errors import OsteonError, OsteonWarning, nearest

# Name, module and one line of help: enough for `osteon --help` without importing any of them.
COMMANDS = {
    "simulate": "one person under one regimen",
    "run": "all arms of a study file; writes summary.csv",
    "rerun": "a saved run again, and whether it gives the same numbers",
    "validate": "score a model against the published trials",
    "factorial": "all combinations of a study's factors, and what combining adds",
    "fit": "fit osteon's own model to the trials marked so",
    "power": "how likely a study's trial finds what is there, and how many people it takes",
    "population": "the people of a country, and how many have osteoporosis",
    "therapies": "the therapies that a regimen may name",
    "params": "the parameters of a model, each with its source",
    "app": "the web app: explore one person, run trials, see the evidence",
    "registry": "trial records on this machine: import, refresh, search, show",
    "ancillary": "which running trials could teach about bone, and at what cost",
    "find-trials": "trials that may fit a person; ask the site",
    "cite": "how to cite osteon, its models and its evidence",
}


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"osteon.cli.{name.replace('-', '_')}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            raise click.UsageError(f"unknown command {args[0]!r}{nearest(args[0], COMMANDS)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="osteon", prog_name="osteon")
def _osteon() -> None:
    """osteon: an in-silico laboratory for treatments of osteoporosis.

    A research tool, not medical advice. `osteon COMMAND --help` tells more.
    """


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 2 bad input, 130 after Ctrl-C."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without Greek letters is no reason to fail
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, _stop)
    status = run(args)
    with contextlib.suppress(ValueError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is done; only the interpreter is left to end
    sys.exit(status)


class _Stopped(BaseException):
    """Ctrl-C; not a KeyboardInterrupt, which click would greet with an empty line."""


def _stop(*_: Any) -> None:
    raise _Stopped


def run(args: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status."""
    with warnings.catch_warnings():
        _warn_on_stderr()
        try:
            status: Any = _osteon.main(args=args, prog_name="osteon", standalone_mode=False)
            if sys.stdout is not None:
                sys.stdout.flush()
            return status if isinstance(status, int) else 0
        except click.exceptions.NoArgsIsHelpError as error:
            click.echo(error.format_message(), err=True)
            return 2
        except click.UsageError as error:
            where = f" (see `{error.ctx.command_path} --help`)" if error.ctx else ""
            return _fail(" ".join(error.format_message().split()).rstrip(".") + where, 2)
        except click.ClickException as error:
            return _fail(error.format_message(), 2)
        except (click.Abort, KeyboardInterrupt, _Stopped):
            return _fail("stopped by Ctrl-C; nothing half-written was left", 130, word="osteon")
        except OsteonError as error:
            return _fail(str(error), error.exit_status)
        except BrokenPipeError:
            _silence()  # the reader has gone; say no more
            return 1
        except OSError as error:
            _silence()
            return _fail(f"cannot write the output: {error.strerror or error}", 1)


def _silence() -> None:
    """Nothing more is written to stdout, not even by the interpreter's end."""
    with contextlib.suppress(OSError, AttributeError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(message: str, status: int, word: str = "error") -> int:
    click.echo(f"{word}: {' '.join(message.split())}", err=True)
    return status


def _warn_on_stderr() -> None:
    """osteon's warnings once each, as one line; other libraries' are for developers and stay quiet."""
    warnings.simplefilter("ignore")
    warnings.filterwarnings("always", category=OsteonWarning)
    said: set[str] = set()

    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        if str(message) not in said:
            said.add(str(message))
            click.echo(f"warning: {' '.join(str(message).split())}", err=True)

    warnings.showwarning = show
