"""Start-up, help, Ctrl-C and what all commands have in common."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from osteon.cli.main import COMMANDS

HEAVY = ("numpy", "scipy", "pandas", "xarray", "pydantic", "matplotlib", "rich", "yaml", "jinja2", "pyarrow", "pint",
         "h5netcdf", "numba", "tomllib")  # fmt: skip


@pytest.mark.parametrize("args", [["--help"], ["--version"]])
def test_help_imports_nothing_heavy(args):
    code = (
        "import sys, json\nfrom osteon.cli.main import run\n"
        f"status = run({args!r})\nprint(json.dumps([status, sorted(sys.modules)]), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    status, modules = json.loads(done.stderr)
    assert status == 0
    assert done.stdout
    assert [name for name in HEAVY if name in modules] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_each_command(osteon, command):
    got = osteon(command, "--help")
    assert got.status == 0
    assert "Usage: osteon" in got.out


@pytest.mark.parametrize(
    ("args", "hint"),
    [
        (["simulat"], "simulate"),
        (["simulate", "--agee", "67"], "--age"),
        (["simulate", "--regimen", "none", "--until", "1 year"], "--age"),
        (["run"], "STUDY"),
        (["validate", "--use", "both"], "validate"),
    ],
)
def test_usage_errors_are_one_line(osteon, args, hint):
    got = osteon(*args)
    assert got.status == 2
    assert hint in got.problem
    assert got.out == ""


def test_no_arguments_shows_help(osteon):
    got = osteon()
    assert got.status == 2
    assert "Commands" in got.err


@pytest.mark.skipif(os.name == "nt", reason="signals differ on Windows")
def test_ctrl_c_leaves_nothing_half_written(tmp_path):
    out = tmp_path / "scores"
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "from osteon.cli import main; main()",
            "validate",
            "--model",
            "jorg2022",
            "--out",
            str(out),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not out.exists() and time.monotonic() < deadline:  # made when the input was found good
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert stdout == ""
    assert stderr.strip().splitlines() == ["osteon: stopped by Ctrl-C; nothing half-written was left"]
    assert not out.exists()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
@pytest.mark.parametrize("args", [["therapies", "list"], ["--help"]])
def test_output_that_cannot_be_written(args):
    with open("/dev/full", "w") as full:
        code = "from osteon.cli import main; main()"
        done = subprocess.run(
            [sys.executable, "-c", code, *args], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode != 0
    assert done.stderr.startswith("error: cannot write the output")
    assert done.stderr.count("\n") == 1


def test_a_terminal_without_greek_letters():
    code = "from osteon.cli import main; main()"
    args = ["simulate", "--model", "jorg2022", "--age", "67", "--until", "1 year", "--regimen", "none"]
    env = {**os.environ, "PYTHONIOENCODING": "cp1252"}
    done = subprocess.run([sys.executable, "-c", code, *args], env=env, capture_output=True, check=False)
    assert done.returncode == 0
