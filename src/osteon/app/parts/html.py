"""Small pieces of HTML: every text that comes from outside is escaped here, once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from nicegui import ui


def show(text: str, classes: str = "") -> ui.html:
    """HTML that was made here of escaped texts."""
    found = ui.html(text, sanitize=False)
    return found.classes(classes) if classes else found


def table(heads: Sequence[str], rows: Iterable[Sequence[Any]], *, left: int = 1, caption: str = "") -> str:
    """A table: the first `left` columns are text, the rest numbers. A cell that is `Raw` is HTML already."""
    align = ["" if i < left else ' class="num"' for i in range(len(heads))]
    head = "".join(f"<th scope=col{a}>{escape(h)}</th>" for h, a in zip(heads, align, strict=True))
    body = "".join(
        "<tr>" + "".join(f"<td{a}>{cell(c)}</td>" for c, a in zip(row, align, strict=True)) + "</tr>" for row in rows
    )
    label = f"<caption class=sr>{escape(caption)}</caption>" if caption else ""
    region = f'role=region tabindex=0 aria-label="{escape(caption or "table", quote=True)}"'
    return f'<div class="scroll" {region}><table class="plain">{label}<thead><tr>{head}</tr></thead>' \
           f"<tbody>{body}</tbody></table></div>"  # fmt: skip


class Raw(str):
    """HTML that is safe as it stands."""


def cell(value: Any) -> str:
    """A value as the content of a cell: a dash for nothing, two decimals for a number."""
    if isinstance(value, Raw):
        return value
    if value is None or value != value:
        return "–"
    return escape(number(value) if isinstance(value, float) else str(value))


def number(value: float | None, digits: int = 2) -> str:
    """A number with a true minus sign; a dash when there is none."""
    return "–" if value is None or value != value else f"{value:.{digits}f}".replace("-", "−")


def signed(value: float, digits: int = 1) -> str:
    """A number that always has its sign."""
    return f"{value:+.{digits}f}".replace("-", "−")


def bullets(items: Iterable[str]) -> str:
    """A list of sentences."""
    return "<ul class=bullets>" + "".join(f"<li>{escape(one)}</li>" for one in items) + "</ul>"


def link(address: str, text: str) -> Raw:
    """A link out of the app, for the reader to follow or not; only web addresses become links."""
    if not address.startswith(("https://", "http://")):
        return Raw(escape(text))
    return Raw(
        f'<a href="{escape(address, quote=True)}" target="_blank" rel="noopener noreferrer">{escape(text)}</a>'
    )


def downloads(job: str, names: Iterable[str]) -> str:
    """Links to the files of a job."""
    links = "".join(
        f'<a class="btn" href="/api/jobs/{escape(job, quote=True)}/files/{escape(name, quote=True)}" download>'
        f"<span aria-hidden=true>↓</span> {escape(name)}</a>"
        for name in names
    )
    return f'<div class="row">{links}</div>'
