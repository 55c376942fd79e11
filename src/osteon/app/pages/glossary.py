"""The page "glossary"."""

from __future__ import annotations

from osteon.app import theme


def page() -> None:
    """What the page shows."""
    theme.heading("Glossary")
    theme.empty("Nothing here yet.")
