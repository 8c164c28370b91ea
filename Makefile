# The commands of the README. Everything they need is installed below .venv, on the first call and when the lock changes.

PYTHON ?= python3
# Spark needs an environment with more in it.
VENV := .venv$(if $(filter spark,$(CONTACT_REPORTS_TARGET)),-spark)
LOCK := requirements$(if $(filter spark,$(CONTACT_REPORTS_TARGET)),-spark).lock
BIN := $(VENV)/bin

.PHONY: run status rebuild verify export digest forget page ui receiver docs bench model test test-superset test-spark faults unit test-programs lint format lock clean help

help: ## this list
	@awk -F ':.*## ' '/^##@ / { print "\n" substr($$0, 5) } /^[a-z-]+:.*## / { printf "  make %-15s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "Settings are environment variables, such as CONTACT_REPORTS_LANDING=/srv/files (docs/settings.md)."
	@echo "Another Python for a new environment: make PYTHON=python3.12 run"
	@echo "All commands and options, fetch among them: .venv/bin/python -m orchestration --help"

##@ Reports

run: $(VENV)/installed ## fetch, extract what is new, build, test, publish; fails unless all of it was done
	@$(BIN)/python -m orchestration run

status: $(VENV)/installed ## the last run, the newest event, rejects, publications; fails when something is stale or behind
	@$(BIN)/python -m orchestration status

page: $(VENV)/installed ## the report page and the reports API on http://127.0.0.1:8000
	@$(BIN)/python -m orchestration page $(if $(PORT),--port $(PORT))

digest: $(VENV)/installed ## send the digest to those who have not got it; make digest PRINT=text shows it and sends nothing
	@$(BIN)/python -m orchestration digest $(if $(PERIOD),--period $(PERIOD)) $(if $(PRINT),--print $(PRINT))

ui: $(VENV)/installed ## Dagster's web page on http://127.0.0.1:3000, with the schedule running
	@$(BIN)/python -m orchestration ui

receiver: $(VENV)/installed ## take webhooks on http://127.0.0.1:8080/webhooks/<workspace_id>, signed in X-Webhook-Signature
	@$(BIN)/python -m orchestration receiver

rebuild: $(VENV)/installed ## build everything from the raw zone, say which days changed: make rebuild FROM=2026-01-01 TO=2026-01-31
	@$(BIN)/python -m orchestration rebuild $(if $(FROM),--from $(FROM)) $(if $(TO),--to $(TO))

verify: $(VENV)/installed ## compare the publication with a rebuild in a scratch folder, writing nothing
	@$(BIN)/python -m orchestration verify

export: $(VENV)/installed ## a view as a file: make export VIEW=contacts_added_log FROM=2026-01-01 TO=2026-01-31 FORMAT=xlsx FILTERS="source=user"
	@$(BIN)/python -m orchestration export $(VIEW) $(if $(FROM),--from $(FROM)) $(if $(TO),--to $(TO)) \
		$(if $(FORMAT),--format $(FORMAT)) $(if $(OUT),--out '$(OUT)') $(foreach filter,$(FILTERS),--filter '$(filter)')

forget: $(VENV)/installed ## remove what identifies a contact, for good; counts stay: make forget WORKSPACE=acme CONTACT=123
	@$(BIN)/python -m orchestration forget --workspace "$(WORKSPACE)" --contact "$(CONTACT)"

##@ Documentation

docs: $(VENV)/installed ## dbt's documentation as one page in data/docs, and docs/dictionary.md
	@$(BIN)/python -m orchestration docs

##@ Development

bench: $(VENV)/installed $(VENV)-bench/installed ## measure, and write docs/performance.md, which says how to measure larger sizes
	@$(VENV)-bench/bin/python -m benchmarks compare
	@$(VENV)-bench/bin/python -m benchmarks tick
	@$(VENV)-bench/bin/python -m benchmarks queries
	@$(VENV)-bench/bin/python -m benchmarks page
	@$(VENV)-bench/bin/python -m benchmarks postgres
	@$(VENV)-bench/bin/python -m benchmarks small-files
	@$(VENV)-bench/bin/python -m benchmarks old-batches

test: test-programs $(VENV)/installed-dev $(VENV)-analysts/installed lint ## everything: lint, types, pytest with 25 killed runs, dbt's own tests
	@$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder --durations 40

test-spark: .venv-spark/installed ## the models on Spark: the same rows as on DuckDB (needs Java 17 or later)
	@command -v java > /dev/null || \
		{ echo "error: make test-spark needs Java. Install a JRE of version 17 or later, or let .ci/run install one (Debian)"; exit 1; }
	@.venv-spark/bin/python -m pytest tests/spark -m "not cluster"

faults: $(VENV)/installed-dev ## 300 killed runs, every other fault, a million fuzzed records: an hour
	@$(BIN)/python -m pytest tests/faults tests/integration/test_fuzzed_files.py --kills 300 --fuzzed-records 1000000

test-superset: $(VENV)/installed-dev $(VENV)-superset/installed ## import bi/superset into a Superset, compare each chart with the reports
	@$(BIN)/python -m pytest tests/superset

unit: $(VENV)/installed-dev ## the tests that take seconds
	@$(BIN)/python -m pytest tests/unit -n auto --dist worksteal

model: $(VENV)/installed ## build a model that you edited in a scratch copy, and show rows: make model MODEL=contacts_overview
	@$(BIN)/python -m orchestration model $(MODEL) $(if $(ROWS),--rows $(ROWS))

lint: $(VENV)/installed-dev ## format, style, types and imports of Python, style of SQL, secrets, packages
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/ruff check --quiet
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache --no-logo
	@$(BIN)/sqlfluff lint --disable-progress-bar models tests/dbt
	@git ls-files -z | xargs -0 $(BIN)/detect-secrets-hook --exclude-files '[.]lock$$'
	@$(BIN)/python -m pip --disable-pip-version-check check --quiet
	@$(BIN)/python -m tests.audit

format: $(VENV)/installed-dev ## bring Python and SQL into shape
	@$(BIN)/ruff format
	@$(BIN)/ruff check --fix
	@$(BIN)/sqlfluff fix models tests/dbt

lock: ## write the requirements*.lock files from pyproject.toml (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header \
		--quiet pyproject.toml --output-file requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header \
		--quiet pyproject.toml --group pyproject.toml:dev --constraints requirements.lock --output-file requirements-dev.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header \
		--quiet --group pyproject.toml:bench --constraints requirements.lock --output-file requirements-bench.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header \
		--quiet --group pyproject.toml:analysts --constraints requirements.lock --output-file requirements-analysts.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header \
		--quiet --group pyproject.toml:superset --output-file requirements-superset.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header \
		--quiet pyproject.toml --group pyproject.toml:spark --constraints requirements.lock --output-file requirements-spark.lock

clean: ## remove the environments and everything in data/, the raw zone and the publication too
	rm -rf .venv .venv-* data

test-programs:
	@for program in nginx systemd-analyze curl openssl; do \
		PATH="$$PATH:/usr/sbin" command -v $$program > /dev/null || \
		{ echo "error: make test needs $$program. Install it, or let .ci/run install all that is missing (Debian)"; exit 1; }; \
	done

$(VENV)/bin/python:
	@echo "Making the environment in $(VENV): about a minute, once."
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if (3, 11) <= v <= (3, 13) else \
		f"error: Python 3.11 to 3.13 is needed, this is {v[0]}.{v[1]}. Name another one: make PYTHON=python3.12 ...")'
	@$(PYTHON) -m venv $(VENV)

# --no-deps: the lock is complete, so pip has nothing to resolve.
$(VENV)/installed: $(LOCK) | $(VENV)/bin/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $<
	@touch $@

$(VENV)/installed-dev: requirements-dev.lock $(VENV)/installed
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $<
	@touch $@

# The environments of their own: bench, analysts, superset.
$(VENV)-%/installed: requirements-%.lock $(VENV)/bin/python
	@$(VENV)/bin/python -m venv $(@D)
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $<
	@touch $@
