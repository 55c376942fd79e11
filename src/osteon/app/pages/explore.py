"""The page "Explore": one person, one plan or two, live."""

from __future__ import annotations

from osteon.app import theme


def page() -> None:
    """What the page shows."""
    theme.heading("Explore one person", "Move a slider, add a treatment, and see bone change.")
