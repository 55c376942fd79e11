"""Fixtures that all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of development data: OSTEON_SHARED, else `shared` beside the checkout."""
    folder = Path(os.environ.get("OSTEON_SHARED", ROOT.parent / "shared"))
    if not (folder / "evidence").is_dir():
        pytest.skip(f"no development data at {folder}; set OSTEON_SHARED to their folder to run this test")
    return folder
