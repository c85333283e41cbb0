# One entry for everything. Each target makes what it needs on a clean checkout and reuses it afterwards.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint requirements.lock

.PHONY: demo dev test quick coverage chaos week lint bench screenshots phone-patterns wheel-test fields

# Shorter with DAYS=1.
demo: .venv/.installed
	@$(BIN)/snap-pipeline demo $(if $(DAYS),--days $(DAYS))

dev: .venv/.installed
	@$(BIN)/snap-pipeline dev

test: .venv/.installed-dev
	@$(BIN)/python -m pytest --quiet --numprocesses auto --dist loadfile --max-worker-restart 0

# The rules of events, values, requests and commands, without Postgres and Dagster runs: to run at each save.
QUICK := capi/test_client.py cli/test_help.py conformance delivery/test_batches.py deploy/test_compose.py \
	destinations/test_token_cipher.py lake/test_macros_*.py sandbox/test_event_rules_*.py test_packaging.py \
	test_workspaces.py
quick: .venv/.installed-dev
	@$(BIN)/python -m pytest --quiet --numprocesses auto $(wildcard $(addprefix snap_pipeline_tests/,$(QUICK)))

# The tests, and how much of the package they reach; it ends with an error below the floor in pyproject.toml.
coverage: .venv/.installed-dev
	@$(BIN)/python -m pytest --quiet --numprocesses auto --dist loadfile --max-worker-restart 0 --cov

chaos: .venv/.installed-dev
	@SNAP_CHAOS_SEED=$(or $(SEED),17) SNAP_CHAOS_SCALE=$(or $(SCALE),20) \
		$(BIN)/python -m pytest --quiet --timeout 3600 --override-ini faulthandler_timeout=0 snap_pipeline_tests/chaos

week: .venv/.installed-dev
	@$(BIN)/python -m pytest --quiet -rP -m week --override-ini faulthandler_timeout=0

# Lists of match fields, written into SQL and documentation from snap_pipeline/lake/match_fields.py.
COG := $(BIN)/cog -p "from snap_pipeline.lake import match_field_blocks as blocks"
WITH_FIELDS := $(shell grep -rl '\[\[\[cog' snap_pipeline docs --include=*.sql --include=*.md)
fields: .venv/.installed-dev
	@$(COG) -r --verbosity=1 $(WITH_FIELDS)

lint: .venv/.installed-dev
	@$(COG) --check --check-fail-msg "Run: make fields" --verbosity=1 $(WITH_FIELDS)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/sqlfluff lint --disable-progress-bar snap_pipeline benchmarks
	@cd dbt_project && ../$(BIN)/sqlfluff lint --disable-progress-bar models

wheel-test: .venv/.installed
	@.ci/wheel $(BIN)/python

bench: .venv/.installed-dev
	@$(BIN)/python -m benchmarks $(BENCH)

screenshots: .venv/.installed-dev
	@$(BIN)/python -m snap_pipeline_tests.screenshots

phone-patterns: .venv/.installed-dev
	@$(BIN)/python -m snap_pipeline_tests.phone_patterns

.venv/.installed: pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "Installing into .venv (once)" >&2
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(PIP) --editable .
	@touch $@

.venv/.installed-dev: .venv/.installed
	@$(PIP) --editable '.[dev]'
	@touch $@
