"""What went wrong, in the one shape of the API: what is wrong, where, and how to go on."""

from __future__ import annotations

import re
from typing import Any

from osteon.errors import OsteonError, RegimenError


def body(what: str, where: str = "", hint: str = "") -> dict[str, Any]:
    """The one shape of an error."""
    return {"error": {"what": what, "where": where, "hint": hint}}


def of(problem: OsteonError) -> dict[str, Any]:
    """An error of osteon, taken apart: "where, line 3: field: what; hint"."""
    what, hint = " ".join(str(problem).split()), ""
    if isinstance(problem, RegimenError):
        what, _, hint = problem.problem.partition("; ")
        return body(what, f"regimen, column {problem.column}", hint)
    where, found = "", re.match(r"((?:study|person|plan|body)\b[^:]*(?:: [\w.\[\]]+)?): (.+)", what)
    if found:
        where, what = found[1], found[2]
    head, mark, rest = what.partition("; ")
    if mark:
        what, hint = head, rest
    return body(what, where, hint)
