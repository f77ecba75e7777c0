# Two commands do everything on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

# Real clips and weights, see tests/support/material.py.
export STREETLOOP_TEST_DATA ?= ../shared/data

# What starts servers or a browser has the machine to itself; all else shares its cores.
SERVERS := ray or rtsp or label_studio or minio or browser
# Options and paths for pytest, such as ARGS=tests/drift.
ARGS ?=
# Test processes and the commands that tests start read modules as compiled once.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help install demo test test-fast check format bench baseline clean

help:
	@echo "make demo     the main job, on this machine"
	@echo "make test     all tests"
	@echo "make test-fast  tests without servers, Ray, real weights and long simulations"
	@echo "make check    style, types, imports between rooms, the examples in the docs"
	@echo "make baseline train the model that comes along (an hour on two cores; resumes)"
	@echo "make bench    what the flow costs and saves, as ratios measured in one run"

install: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) .ci/preflight.py
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: install
	$(BIN)/streetloop demo

test: install
	$(BIN)/python -m pytest -m "not ($(SERVERS))" --numprocesses=auto --maxprocesses=4 --durations=20
	$(BIN)/python -m pytest -m "$(SERVERS)" --durations=20

test-fast: install
	$(BIN)/python -m pytest -m "not ($(SERVERS) or model or slow)" --numprocesses=auto --maxprocesses=4 $(ARGS)

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest --doctest-modules --ignore-glob="*/migrations/*" --ignore=train/fine_tuning/worker_trainer.py streetloop train serve flows drift labeling
	$(BIN)/python -m pytest tests/docs

format: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

baseline: install
	$(BIN)/python -m train.baseline

bench: install
	$(BIN)/python -m benchmarks.city
	$(BIN)/python -m benchmarks.parity
	$(BIN)/python -m benchmarks.throughput
	$(BIN)/python -m benchmarks.gate
	$(BIN)/python -m benchmarks.predict

clean:
	rm -rf $(VENV) .streetloop
