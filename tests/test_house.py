"""The house itself: layout, docs that keep up, examples and README that run, frozen numbers."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest

import osteon
from osteon.cli.main import COMMANDS, run

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "src").rglob("*.py"))


def test_no_file_over_400_lines():
    assert [p.name for p in SOURCES if len(p.read_text("utf-8").splitlines()) > 400] == []


def test_public_names():
    assert len(osteon.__all__) <= 25
    page = (ROOT / "docs" / "python.md").read_text("utf-8")
    for name in osteon.__all__:
        assert getattr(osteon, name) is not None
        assert re.search(rf"`{name}\b", page), f"{name} is public and not in docs/python.md"


def test_every_module_and_public_function_says_what_it_is():
    missing = []
    for path in SOURCES:
        tree = ast.parse(path.read_text("utf-8"))
        nodes = [
            tree,
            *(n for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef) and not n.name.startswith("_")),
        ]
        missing += [f"{path.name}: {getattr(n, 'name', 'module')}" for n in nodes if not ast.get_docstring(n)]
    assert missing == []


@pytest.mark.parametrize("name", COMMANDS)
def test_docs_describe_every_option(name):
    import importlib

    command = importlib.import_module(f"osteon.cli.{name.replace('-', '_')}").command
    page = (ROOT / "docs" / "cli.md").read_text("utf-8")
    assert f"osteon {name}" in page
    section = page.split(f"## osteon {name}", 1)[1].split("\n## ", 1)[0]
    todo = list(command.commands.values()) if isinstance(command, click.Group) else [command]
    for one in todo:
        for option in (o for o in one.params if isinstance(o, click.Option) and o.name != "help"):
            assert option.opts[0] in section, f"osteon {name} {option.opts[0]} is not in docs/cli.md"


def test_order_of_the_pipeline():
    """No module imports from its right: evidence, parameters, models and engine know nothing of results' users."""
    right = ("osteon.cli", "osteon.report", "osteon.evidence", "osteon.simulation", "osteon.summary", "osteon.result")
    for folder in ("engine", "published", "therapies", "parameters"):
        for path in (ROOT / "src" / "osteon" / folder).glob("*.py"):
            if path.name == "references.py":  # looks trials up for `osteon cite`, when asked
                continue
            imports = re.findall(r"^\s*(?:from|import) (osteon[\w.]*)", path.read_text("utf-8"), re.MULTILINE)
            assert [i for i in imports if i.startswith(right)] == [], path.name


def test_versions_agree():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert f"version: {version}" in (ROOT / "CITATION.cff").read_text("utf-8")


def test_lock_has_every_dependency_with_hashes():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    for requirement in wanted:
        name = re.split(r"[<>=\[ ]", requirement)[0].casefold()
        assert re.search(rf"^{re.escape(name)}==\S+.*\n    --hash=sha256:", lock, re.MULTILINE), name
    assert "://" not in lock


# Those whose parts are tested in files of their own are run whole by `make verify` alone.
LONG = ("early_menopause.py", "stem_cells_alone.py")
EXAMPLES = [
    pytest.param(path, id=path.name, marks=[pytest.mark.slow] * (path.name in LONG))
    for path in sorted((ROOT / "examples").glob("*.py"))
]


@pytest.mark.parametrize("path", EXAMPLES)
def test_python_examples_run(path, tmp_path):
    done = subprocess.run([sys.executable, str(path)], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.yaml")), ids=lambda p: p.name)
def test_study_examples_run(path, tmp_path):
    assert run(["run", str(path), "--draws", "0", "--out", str(tmp_path)]) == 0


def readme_blocks(kind):
    pieces = re.split(r"^```(\w*)\n", (ROOT / "README.md").read_text("utf-8"), flags=re.MULTILINE)
    return [body for opener, body in zip(pieces[1::4], pieces[2::4], strict=True) if opener == kind]


def test_readme_python(tmp_path):
    (code,) = readme_blocks("python")
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(code.strip().splitlines()) <= 5


def test_readme_commands(tmp_path, monkeypatch):
    import shlex
    import shutil

    lines = [line.split("#")[0] for block in readme_blocks("") for line in block.splitlines()]
    commands = [shlex.split(line) for line in lines if line.startswith("osteon ")]
    assert len(commands) >= 4
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    for command in commands:
        assert run(command[1:]) == 0, command
    targets = (ROOT / "Makefile").read_text("utf-8")
    for line in lines:
        if line.startswith("make "):
            assert f"\n{line.split()[1]}:" in targets


def test_docs_examples_parse():
    page = (ROOT / "docs" / "regimen.md").read_text("utf-8")
    block = page.split("Examples that all parse:")[1].split("```")[1]
    for line in block.strip().splitlines():
        osteon.parse_regimen(line)
    study = (ROOT / "docs" / "study.md").read_text("utf-8").split("```yaml\n")[1].split("```")[0]
    from osteon.files import parse_yaml
    from osteon.study import study_from

    study_from(parse_yaml(study, "docs/study.md"))


def test_links_in_docs_lead_somewhere():
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_frozen_numbers():
    """Whole-run numbers; `make baseline` renews them when a change is meant (then see CHANGELOG.md)."""
    from baseline import FILE, numbers

    frozen, now = json.loads(FILE.read_text("utf-8")), numbers()
    assert now.keys() == frozen.keys()
    for key, value in frozen.items():
        assert now[key] == pytest.approx(value, rel=1e-7, abs=1e-9), key
