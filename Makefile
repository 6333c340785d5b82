# One set of commands for a laptop and for the build. Needs make and Python 3.11 or newer.
#
#   make run      the product with demo reports at http://localhost:8501
#   make test     every check and every test
#   make check    the checks alone: style, types, architecture
#   make bench    every benchmark, one after the other (SMALL=1: on little data)
#   make pictures the pictures in docs/images, taken anew from the demo
#   make coverage the tests that need no browser, with the lines that none of them ran
#   make clean    away with .venv and all caches; the store under data/run stays

PYTHON ?= python3
PORT ?= 8501
WORKERS ?= 3
SMALL ?=

VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --disable-pip-version-check --no-input
BENCHMARKS := $(filter-out __init__ harness,$(basename $(notdir $(wildcard benchmarks/*.py))))

.PHONY: run test tests check style types bench pictures coverage clean chromium
.DEFAULT_GOAL := run

run: $(VENV)/installed
	$(BIN)/python -m triage_core serve --demo --port $(PORT)

# What Python compiles is kept for the next process, also where the surroundings forbid it: a run starts some hundred.
test check: export PYTHONDONTWRITEBYTECODE :=
# Workers share the cores already; threads of each that wait for one another only take them away.
test: export OMP_NUM_THREADS := 1
test: export OPENBLAS_NUM_THREADS := 1

test: $(VENV)/installed-dev
	$(MAKE) style chromium
	$(MAKE) --jobs=2 --keep-going types tests

# One worker more than a small machine has cores, since a browser test waits for half of its time, and every store for
# its disk. In the order that tests/conftest.py gives them, the files that take longest do not come last, when one of
# them would keep a single worker busy.
tests: $(VENV)/installed-dev
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile --no-loadscope-reorder

check: style types
	$(BIN)/python -m pytest -q tests/architecture

style: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/installed-dev
	$(BIN)/mypy

pictures: $(VENV)/installed-dev chromium
	$(BIN)/python -m tests.pictures

coverage: $(VENV)/installed-dev
	$(BIN)/python -m pytest -q -m "not browser" -n $(WORKERS) --dist loadfile --cov --cov-report=term

bench: $(VENV)/installed-dev
	@for name in $(BENCHMARKS); do $(BIN)/python -m benchmarks.$$name $(if $(SMALL),--small) || exit 1; done

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp newer than its requirements means that nothing is to be installed.
$(VENV)/installed: requirements.txt | $(BIN)/python
	@echo "Installing the packages into $(VENV); the first time this takes some minutes."
	@if [ -t 1 ]; then $(INSTALL) -r $<; else $(INSTALL) --quiet -r $<; fi
	@touch $@

$(VENV)/installed-dev: requirements-dev.txt $(VENV)/installed
	@echo "Installing the packages for tests and checks into $(VENV)."
	@if [ -t 1 ]; then $(INSTALL) -r $<; else $(INSTALL) --quiet -r $<; fi
	@touch $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Flawdesk needs Python 3.11 or newer, and '$(PYTHON)' is $$($(PYTHON) --version 2>/dev/null || echo not there)." \
	    "Name another: make run PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "'$(PYTHON) -m venv' failed; on Debian and Ubuntu the package python3-venv brings it." >&2; exit 1; }

# The browser tests drive the system's Chromium. Without it they do not run, and the end of `make test` says so.
chromium:
	@for name in chromium chromium-browser google-chrome; do command -v $$name >/dev/null && exit 0; done; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "Installing the system's Chromium for the browser tests."; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null && exit 0; \
	fi; \
	echo "No Chromium, and it could not be installed: the browser tests will NOT run." >&2
