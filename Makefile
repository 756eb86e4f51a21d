# The two commands a newcomer needs: make quickstart, make test.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
EXTRAS := dev,docs,train,neural,recbole,onnx,server
# a worker and a thread for each of two cores: threads that wait for a core take many times as long

.PHONY: help install quickstart ui server test test-all lint docs format lock clean

help:
	@echo "make quickstart   set up .venv, train and compare recommenders on The Complete Journey"
	@echo "make ui           MLflow's pages on the runs made so far"
	@echo "make server       start an MLflow server on this machine, behind a password (docs/server.md)"
	@echo "make test         the default tests (ten minutes on two cores; no network, no data root)"
	@echo "make test-all     also slow ones and those that need the data root (OMNIRETAIL_DATA)"
	@echo "make lint         ruff, pyright, import-linter, the documentation site"
	@echo "make docs         the documentation site, in site/"
	@echo "make format       let ruff mend what it can"

install: $(INSTALLED)

$(INSTALLED): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "omniretail needs Python 3.11 or later, and $(PYTHON) is older: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing omniretail into $(VENV) (a few minutes the first time) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c requirements.lock -e '.[$(EXTRAS)]'
	@touch $@

quickstart: $(INSTALLED)
	@$(BIN)/python scripts/train.py -m --config-dir experiments/001_complete_journey_baselines --config-name config

ui: $(INSTALLED)
	@$(BIN)/python scripts/ui.py

server: $(INSTALLED)
	@$(BIN)/python -c 'import boto3, flask_wtf, psycopg' 2>/dev/null \
	  || $(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[server]'
	@$(BIN)/python scripts/server.py

test: $(INSTALLED)
	@OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist loadfile

test-all: $(INSTALLED)
	@OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist loadfile -m "not gpu and not spark"

lint: $(INSTALLED)
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/pyright
	@$(BIN)/lint-imports
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

docs: $(INSTALLED)
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict && echo "open site/index.html"

lock: # the versions of this environment, for everybody
	@$(BIN)/python -m pip freeze --exclude-editable --exclude omniretail | sed 's,+cpu,,' > requirements.lock

format: $(INSTALLED)
	@$(BIN)/ruff format
	@$(BIN)/ruff check --fix

clean:
	rm -rf $(VENV) cache outputs reports .pytest_cache .ruff_cache
