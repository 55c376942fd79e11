"""Seconds from the start of the interpreter to the end of a first `osteon simulate` of 1,000 people: with an empty
cache (the kernel is compiled) and with a filled one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time

OWN = os.environ.get("BENCH_MODEL") == "osteon"
WHO = (
    ["--model", "osteon", "--vary", "turnover_trabecular=0.2"]
    if OWN
    else ["--model", "jorg2022", "--vary", "omega_pC=0.2"]
)
COMMAND = [
    sys.executable, "-m", "osteon", "simulate", "--people", "1000", *WHO, "--age", "65", "--regimen",
    "denosumab 60 mg SC every 6 months for 2 years", "--until", "3 years",
]  # fmt: skip


def main() -> None:
    """Print both as JSON."""
    found = {}  # the core does not matter here: the user has all of them
    with tempfile.TemporaryDirectory() as folder:
        for name in ("cold", "cached"):
            began = time.perf_counter()
            environment = {**os.environ, "OSTEON_CACHE": folder}
            subprocess.run(COMMAND, env=environment, check=True, capture_output=True)
            found[name] = round(time.perf_counter() - began, 2)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
