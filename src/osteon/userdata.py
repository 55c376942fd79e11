"""Where osteon keeps a user's data: one folder, found without importing anything heavy."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def folder(*parts: str) -> Path:
    """The folder of osteon's data for this user, or a path below it; not made here.

    `XDG_DATA_HOME` comes first on every platform; else the platform's own place.
    """
    base = os.environ.get("XDG_DATA_HOME", "").strip()
    if base:
        top = Path(base)
    elif sys.platform == "win32":
        top = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        top = Path.home() / "Library" / "Application Support"
    else:
        top = Path.home() / ".local" / "share"
    return top.joinpath("osteon", *parts)
