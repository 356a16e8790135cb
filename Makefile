# Two commands for a new machine with Python 3.11+ and make: `make demo` and `make test`.
VENV ?= .venv
PYTHON ?= python3
PORT ?= 8000
HOST ?= 0.0.0.0
WORKERS ?= 3
BIN = $(VENV)/bin

.PHONY: demo test lint bench soak clean

demo: $(VENV)/.installed
	@$(BIN)/collector demo --host $(HOST) --port $(PORT)

# worksteal: the tests of a module stay together, so that what they share is made once and not by every worker
test: $(VENV)/.dev $(VENV)/.chromium
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -r R

lint: $(VENV)/.dev node_modules/.installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/node node_modules/typescript/bin/tsc -p static/tsconfig.json
	$(BIN)/python -m pytest tests/test_arrows.py

bench: $(VENV)/.dev
	$(BIN)/python -m bench

# hours: the simulator over 20,000 seeds, kill -9 of nodes, of phones and of PostgreSQL, noise at every address, cuts at more boundaries
soak: $(VENV)/.dev
	$(BIN)/python -m tests.simulation --seeds 20000
	$(BIN)/python -m tests.faults.kill --cycles 200
	$(BIN)/python -m tests.faults.kill_phone --kills 50
	$(BIN)/python -m tests.faults.kill_postgres --cycles 100
	$(BIN)/python -m tests.faults.fuzz --requests 100000
	$(BIN)/python -m tests.faults.cuts --every 7 --batches 3

# ---- what they need

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@ $(VENV)/.installed

# Chromium: Debian's as root, else Playwright's own
$(VENV)/.chromium: $(VENV)/.dev
	$(BIN)/python tools/install_chromium.py
	@touch $@

node_modules/.installed: package.json $(VENV)/.dev
	PATH="$(CURDIR)/$(BIN):$$PATH" npm install --no-audit --no-fund --no-package-lock --loglevel=error
	@touch $@

clean:
	rm -rf $(VENV) node_modules dist build .mypy_cache .ruff_cache .pytest_cache
