"""The `osteon` command. Each subcommand lives in a module of its own and is imported when it is called."""

from osteon.cli.main import main

__all__ = ["main"]
