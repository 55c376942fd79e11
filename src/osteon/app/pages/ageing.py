"""The page "ageing"."""

from __future__ import annotations

from osteon.app import theme


def page() -> None:
    """What the page shows."""
    theme.heading("Ageing")
    theme.empty("Nothing here yet.")
