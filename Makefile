# Two commands: `make demo` shows the whole path, `make test` proves it. Both set up all they need in .venv.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install
WORKERS ?= 2
CORE := adapter/documents/*,adapter/tables/*,adapter/targeting/*,adapter/resources/*,adapter/reporting/*,adapter/reconciliation/*,adapter/measures/*,adapter/problems/*,adapter/services/*

.PHONY: setup demo demo-clean test check bench lock clean

setup: $(VENV)/installed

$(VENV)/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "mtm-adapter needs Python 3.11 or later; install it and say PYTHON=...")'
	$(PYTHON) -m venv $(VENV)
	$(PIP) -r requirements.lock
	$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed requirements-dev.lock
	$(PIP) -r requirements-dev.lock
	@touch $@

# make demo FHIR=https://hapi.fhir.org/baseR4 uses that server instead of the embedded one.
demo: setup
	@$(BIN)/mtm-adapter demo $(if $(FHIR),--fhir $(FHIR))

demo-clean: setup
	@test -n "$(FHIR)" || { echo "Say which server: make demo-clean FHIR=<base URL>"; exit 2; }
	@$(BIN)/mtm-adapter demo --clean --fhir $(FHIR)

check: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check adapter
	$(BIN)/mypy
	$(BIN)/mtm-adapter check-mappings

test: check
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup --cov=adapter --cov-branch --cov-report=
	$(BIN)/coverage report --include='$(CORE)' --fail-under=95

bench: $(VENV)/installed-dev
	$(BIN)/python bench/run.py
	$(BIN)/python bench/reporting.py --lineage
	$(BIN)/python bench/documents.py
	$(BIN)/python bench/plan_year.py

lock:
	rm -rf $(VENV)-lock
	$(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/bin/pip -q install '.[demo]' hatchling editables
	(head -1 requirements.lock; $(VENV)-lock/bin/pip freeze --exclude mtm-adapter) > requirements.lock.new
	$(VENV)-lock/bin/pip -q install '.[spark]' pytest pytest-xdist pytest-randomly pytest-cov hypothesis jsonschema fonttools pikepdf pypdfium2 ruff mypy types-requests lxml-stubs
	(head -1 requirements-dev.lock; $(VENV)-lock/bin/pip freeze --exclude mtm-adapter | grep -vxFf requirements.lock.new) > requirements-dev.lock.new
	mv requirements.lock.new requirements.lock
	mv requirements-dev.lock.new requirements-dev.lock
	rm -rf $(VENV)-lock

clean:
	rm -rf $(VENV) out .mypy_cache .ruff_cache .pytest_cache .hypothesis tests/servers/hapi/target
