# One definition of every check: CI, the commit hooks and a developer all call these targets.
# ARGS reaches the tool behind a target: make demo ARGS="--model vit", make test ARGS="-k patches".

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help demo test test-fast check format bench build clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' Makefile | sed -E 's/^([a-z-]+):.*## */  make \1|/' | awk -F'|' '{ printf "%-18s %s\n", $$1, $$2 }'

demo: $(STAMP)  ## train on handwritten digits, no network after installing, and say where the report is
	@$(BIN)/saccade demo $(ARGS)

test: $(STAMP)  ## every test; no GPU needed
	@$(BIN)/python -m pytest $(ARGS)

test-fast: $(STAMP)  ## the tests that take less than 5 seconds each
	@$(BIN)/python -m pytest -m "not slow" $(ARGS)

check: $(STAMP)  ## formatting, lint, import contracts, types
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/pyrefly check --python-interpreter-path $(BIN)/python

format: $(STAMP)  ## rewrite the files the way check wants them
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(STAMP)  ## measure this machine; benchmarks/README.md says how to read the result
	@$(BIN)/python -m benchmarks $(ARGS)

build: $(STAMP)  ## the sdist and the wheel, in dist/
	@$(BIN)/python -m build --no-isolation --outdir dist .

clean:  ## remove everything these targets made, but no run folder
	@rm -rf $(VENV) build dist .pytest_cache .ruff_cache .import_linter_cache
	@find saccade tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

# The stamp is written last, so that an interrupted install is done again.
$(STAMP): pyproject.toml constraints.txt
	@test -x $(BIN)/python || { echo "making $(VENV) (the first time takes some minutes)" >&2; "$(PYTHON)" -m venv $(VENV); }
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt -e '.[dev,parity]'
	@touch $(STAMP)
