# Tandem: `make demo` shows it, `make test` proves it. Only Python 3.11, make, git and gcc are needed.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
INSTALLED := .venv/.installed
# Processes that share the tests: docs/decisions/0011-tests-in-two-processes.md.
PROCESSES ?= 2
# Modules of tests/bench that are benchmarks, in the order of running: docs/benchmarks.md.
BENCHMARKS := live interface outbox templates search sync sync_memory team

.PHONY: setup demo test test-long bench lint clean interface system-packages

# Everything that the demo, the tests and the benchmarks need. Quick when nothing changed.
setup: interface system-packages

# The product with a living demo, on TANDEM_PORT (8000).
demo: interface
	@exec $(BIN)/tandem demo

# Lint, types, import rules and all tests; ends with pytest's summary line.
test:
	@$(MAKE) --no-print-directory --jobs=3 --output-sync=target setup lint
	$(BIN)/python -m pytest -n $(PROCESSES)

# The campaigns at full size, one after another: several measure memory and time.
test-long: setup
	$(BIN)/python -m pytest -m long -o timeout=7200

# Every benchmark; each prints one JSON object.
bench: setup
	@for name in $(BENCHMARKS); do \
		echo "tests.bench.$$name" >&2; $(BIN)/python -m tests.bench.$$name --json || exit 1; \
	done

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/basedpyright
	$(BIN)/lint-imports

# Removes what `make setup` made here. Data folders stay.
clean:
	rm -rf .venv .web .states .pytest_cache .ruff_cache .hypothesis .import_linter_cache *.egg-info build

$(INSTALLED): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Tandem needs Python 3.11 or later; $(PYTHON) is older. Set PYTHON=/path/to/python3.11"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || \
		{ echo "No virtual environment could be made. On Debian: apt-get install python3-venv"; exit 1; }
	@echo "Installing the Python packages (once, until requirements.lock changes)..."
	$(BIN)/pip install --disable-pip-version-check --quiet --no-deps -r requirements.lock
	$(BIN)/pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation \
		--config-settings editable_mode=compat --editable .
	@touch $@

interface: $(INSTALLED)
	@$(BIN)/python -m frontend.build

system-packages:
	@scripts/system-packages
