# osteon: `make demo` sets up and runs the main job, `make test` sets up and tests. Needs Python ≥ 3.11 and pip.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3 python; do \
  command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.osteon-installed

BENCH := $(VENV)/.osteon-bench-installed

.PHONY: help demo test verify scores registry-scores bench bench-osteon bench-quick bench-trial baseline lint format lock clean

help:
	@echo "make demo     set up, simulate the FRAME trial, write demo/frame.html and demo/frame.png"
	@echo "make test     set up, lint, check types, run the tests"
	@echo "make verify   the long checks as well"
	@echo "make scores   score the models on all trials, write docs/validation.md"
	@echo "make registry-scores  precision and recall of what is drawn from trial records, against hand labels"
	@echo "make bench    the kernel beside other ODE engines (ten minutes); bench-quick takes under three"
	@echo "make bench-osteon  the same on osteon's own model"
	@echo "make bench-trial   seconds of CPU of a virtual trial and of replicates, step by step"
	@echo "make lint | format | baseline | lock | clean"

$(STAMP): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "osteon needs Python 3.11 or newer; none was found. Try: make PYTHON=/path/to/python3.11"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || \
	  { $(PYTHON) -m pip install --user virtualenv && $(PYTHON) -m virtualenv $(VENV); }
	@echo "Setting up osteon in $(VENV) (once; it takes a minute or two) …"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@

demo: $(STAMP)
	$(BIN)/python examples/frame.py --out demo

test: $(STAMP) lint
	$(BIN)/python -m pytest -m "not slow"

verify: $(STAMP) lint
	$(BIN)/python -m pytest

$(BENCH): $(STAMP) benchmarks/requirements.lock benchmarks/install.py
	$(BIN)/python benchmarks/install.py
	@touch $@

# docs/validation.md and its pictures; USE=fit leaves out the trials that were not fitted.
scores: $(STAMP)
	$(BIN)/python -m osteon.report.validation $(if $(USE),--use $(USE))

# Needs the development records: OSTEON_SHARED, or `shared` beside the checkout. V=1 lists what is wrong.
SHARED ?= $(or $(OSTEON_SHARED),../shared)
registry-scores: $(STAMP)
	@ls $(SHARED)/registry/*.jsonl.gz >/dev/null 2>&1 || { echo "no records in $(SHARED)/registry; set OSTEON_SHARED"; exit 1; }
	$(BIN)/python -m osteon.registry.scores tests/registry/gold.csv \
	  $(SHARED)/registry/msc_studies_2022.jsonl.gz $(SHARED)/registry/bone_studies_2023_xml.jsonl.gz \
	  $(SHARED)/registry/native_v2_studies.jsonl.gz $(if $(V),-v)

bench: $(BENCH)
	$(BIN)/python benchmarks/run.py
	$(BIN)/python benchmarks/page.py

bench-osteon: $(BENCH)
	$(BIN)/python benchmarks/run.py --model osteon
	$(BIN)/python benchmarks/page.py

bench-quick: $(BENCH)
	$(BIN)/python benchmarks/run.py --quick

bench-trial: $(STAMP)
	$(BIN)/python benchmarks/trial.py

# Renews the frozen whole-run numbers; say why in CHANGELOG.md under "Numbers changed".
baseline: $(STAMP)
	$(BIN)/python tests/baseline.py

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Pins every dependency with hashes for all platforms and Python versions; needs `pip install uv`.
lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --extra all --extra dev pyproject.toml -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  -c requirements.lock --extra bench pyproject.toml -o benchmarks/requirements.lock

clean:
	rm -rf $(VENV) build dist demo .pytest_cache .mypy_cache .ruff_cache
