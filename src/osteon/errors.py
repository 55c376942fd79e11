"""Errors that a user can act on.

Every message is one line that says what is wrong, where, the nearest valid word and how to go on.
The command line prints it and exits with `OsteonError.exit_status`; no traceback is shown.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class OsteonError(Exception):
    """Base of all errors that osteon raises on purpose."""

    exit_status = 2


class InputError(OsteonError):
    """Something that was asked for is not valid: a value, an option, a name."""


class RegimenError(InputError):
    """A regimen text that cannot be read; `column` counts from 1."""

    def __init__(self, message: str, text: str, column: int) -> None:
        self.text, self.column, self.problem = text, column, message
        super().__init__(f"regimen, column {column}: {message} (in {shorten(text)!r})")


class StudyError(InputError):
    """A study file that cannot be used."""


class EvidenceError(InputError):
    """An evidence file that cannot be read."""


class ModelError(InputError):
    """A model that does not exist, or that cannot do what was asked."""


class ResultError(InputError):
    """A result file that cannot be read or written."""


class IntegrationError(OsteonError):
    """The integrator could not finish, most often for a dose beyond all reason; the run has no result."""


class OsteonWarning(UserWarning):
    """Something was left out or ignored; the rest of the answer stands."""


def shorten(text: str, limit: int = 90) -> str:
    """`text` on one line, cut to `limit` characters."""
    flat = " ".join(str(text).split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"


def nearest(word: str, options: Iterable[str], cutoff: float = 0.5) -> str:
    """The hint " (did you mean 'x'?)", or "" when nothing is near."""
    by_key = {option.casefold(): option for option in options}
    found = difflib.get_close_matches(word.casefold(), list(by_key), n=1, cutoff=cutoff)
    return f"; did you mean {by_key[found[0]]!r}?" if found else ""
