# Two commands do everything on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

# Real clips and weights, see tests/support/material.py.
export STREETLOOP_TEST_DATA ?= ../shared/data

# What starts servers or a browser runs one test at a time; beside it all else, on several processes.
SERVERS := ray or rtsp or label_studio or minio or postgres or browser or prometheus or broker or nginx
# Each writes benchmarks/results/NAME.json. benchmarks.app is not among them: it looks at a running app.
BENCHMARKS_SHORT := backends backlog capacity exports city drift_speed gate predict rollout parity tracks street_counts speeds street_anomalies similar_incidents observability control_plane plumbing
BENCHMARKS_LONG := throughput cluster training beside_training rollout_live footage two_streets night drift_detection drift_causes drift anomalies
UNITS = $(BIN)/python -m pytest -m "not ($(SERVERS))" --numprocesses=auto --maxprocesses=4 --timeout=900 --durations=20
# Options and paths for pytest, such as ARGS=tests/drift.
ARGS ?=
# Test processes and the commands that tests start read modules as compiled once.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help install demo test test-units test-servers test-fast check format bench bench-short chaos baseline notebooks docs clean

help:
	@echo "make demo     the main job, on this machine"
	@echo "make test     all tests: test-servers, and beside them test-units"
	@echo "make test-fast  tests without servers, Ray, real weights and long simulations"
	@echo "make check    style, types, imports between packages, the examples in docstrings"
	@echo "make baseline train the model that comes along (an hour on two cores; resumes)"
	@echo "make docs     the documentation as a site, in build/site"
	@echo "make notebooks run the notebooks and keep their outputs"
	@echo "make chaos    faults at random for an hour, and what is lost; MINUTES=5 for less"
	@echo "make bench    every benchmark, some hours; make bench-short those of minutes"

install: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) .ci/preflight.py
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --no-compile --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: install
	$(BIN)/streetloop demo

test: install
	+$(BIN)/python .ci/side_by_side.py $(MAKE) test-units test-servers

test-units: install
	$(UNITS)

test-servers: install
	$(BIN)/python -m pytest -m "$(SERVERS)" --durations=20

test-fast: install
	$(BIN)/python -m pytest -m "not ($(SERVERS) or model or slow)" --numprocesses=auto --maxprocesses=4 $(ARGS)

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest --doctest-modules --ignore-glob="*/migrations/*" --ignore=train/fine_tuning/worker_trainer.py streetloop train serve flows drift labeling

format: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

baseline: install
	$(BIN)/python -m train.baseline

docs: install
	$(BIN)/python docs/site/make_pages.py build/docs
	$(BIN)/zensical build --strict --config-file mkdocs.yml
	@echo "build/site/index.html; with its search: python3 -m http.server --directory build/site --bind 127.0.0.1"

notebooks: install
	$(BIN)/jupytext --quiet --update --to ipynb notebooks/*.py
	$(BIN)/jupyter execute --inplace notebooks/*.ipynb

bench: install
	set -e; for name in $(BENCHMARKS_SHORT) $(BENCHMARKS_LONG); do $(BIN)/python -m benchmarks.$$name --json; done
	$(BIN)/python -m benchmarks.memory cameras --json
	$(BIN)/python -m benchmarks.memory soak --json
	$(BIN)/python -m benchmarks.selection --folder build/selection --json

bench-short: install
	set -e; for name in $(BENCHMARKS_SHORT); do $(BIN)/python -m benchmarks.$$name --json; done

MINUTES ?= 60
chaos: install
	$(BIN)/python -m benchmarks.chaos --minutes $(MINUTES) --json

clean:
	rm -rf $(VENV) .streetloop
