"""Installs the benchmark's peers at their pinned versions; one that has no build for this platform is left out."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

HERE = Path(__file__).parent
LOCK = HERE / "requirements.lock"
PIP = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]


def peers() -> list[str]:
    """The `bench` extra."""
    project = tomllib.loads((HERE.parent / "pyproject.toml").read_text("utf-8"))
    return list(project["project"]["optional-dependencies"]["bench"])


def main() -> None:
    """All at once, or, where that fails, one by one at the same versions."""
    wanted = peers()
    if subprocess.run([*PIP, "--require-hashes", "-r", str(LOCK)], check=False).returncode == 0:
        return
    print("Not all peers can be installed here; trying them one by one …")
    pins = [line.rstrip("\\").strip() for line in LOCK.read_text("utf-8").splitlines() if re.match(r"\w", line)]
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder) / "constraints.txt"
        constraints.write_text("\n".join(pins) + "\n", "utf-8")
        for peer in wanted:
            done = subprocess.run([*PIP, "--only-binary", ":all:", "-c", str(constraints), peer], check=False)
            if done.returncode:
                print(f"{peer} cannot be installed here: it is left out of the benchmark.")


if __name__ == "__main__":
    main()
