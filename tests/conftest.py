"""Fixtures that all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# A busy machine is no failure: what is slow is for the benchmark to tell.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of development data: OSTEON_SHARED, else `shared` beside the checkout."""
    folder = Path(os.environ.get("OSTEON_SHARED", ROOT.parent / "shared"))
    if not (folder / "evidence").is_dir():
        pytest.skip(f"no development data at {folder}; set OSTEON_SHARED to their folder to run this test")
    return folder
