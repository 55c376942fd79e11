"""Markdown as the written pages use it: tables, numbers, end points."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1) -> str:
    """A Markdown table; the first `left` columns are text, the rest numbers."""
    lines = [
        "| " + " | ".join(heads) + " |",
        "|" + "|".join("---" if i < left else "--:" for i in range(len(heads))) + "|",
    ]
    lines += ["| " + " | ".join(cell(c) for c in row) + " |" for row in rows]
    return "\n".join(lines)


def cell(text: str) -> str:
    """A text that does not end its cell."""
    return text.replace("|", "\\|")


def decimal(value: Any, places: int = 2) -> str:
    """Two decimals, or so many; nothing for what is not there."""
    if value is None or value == "" or pd.isna(float(value)):
        return ""
    return f"{float(value):.{places}f}".replace("-", "−")
