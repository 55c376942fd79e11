"""The command line, called in this process."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from osteon.cli.main import run


@dataclass
class Outcome:
    status: int
    out: str
    err: str

    @property
    def problem(self) -> str:
        """The one line of a failed command."""
        (line,) = self.err.strip().splitlines()
        return line


@pytest.fixture
def osteon(capsys):
    def call(*args: str) -> Outcome:
        status = run([str(a) for a in args])
        captured = capsys.readouterr()
        return Outcome(status, captured.out, captured.err)

    return call
