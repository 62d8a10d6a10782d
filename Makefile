# l7lb: `make help` lists what can be done.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest
# Most of the suite waits for sockets and tasks, so more workers than cores are no waste.
WORKERS ?= 6
# Where an environment forbids bytecode (containers like to), each of the hundreds of processes that the suite starts would
# compile the product anew, and each worker all of the tests.
unexport PYTHONDONTWRITEBYTECODE

help: ## this list
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  %-14s %s\n", $$1, $$2}'

$(VENV)/.installed: setup.cfg pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "make: Python 3.11 or newer is needed; name one with PYTHON=..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev,otel,docs]'
	@touch $@

install: $(VENV)/.installed ## make .venv with everything that the other targets need

demo: install ## the main job on embedded emulators (KEEP=1 leaves it up)
	$(BIN)/python -m tests.demo $(if $(KEEP),--keep)

test: install ## the whole suite
	$(PYTEST) -n $(WORKERS) --dist loadfile tests

unit: install ## the pure part of the suite: no socket, no thread
	$(PYTEST) tests/unit

SEED ?= 1
COUNT ?= 300
STEPS ?= 20
JOBS ?= $(shell nproc 2>/dev/null || echo 1)

PROFILE ?= wide

simulate: install ## random walks of the whole product: SEED=1 COUNT=300 STEPS=20 PROFILE=wide|storm|classic JOBS=<cores>
	$(BIN)/python -m tests.simulation --seed $(SEED) --count $(COUNT) --steps $(STEPS) --profile $(PROFILE) --jobs $(JOBS)

crash-points: install ## die at every call of every golden case, on JOBS=<cores>; CASE=name AT=serve:7:after for one
	$(BIN)/python -m tests.simulation.crash_points --jobs $(JOBS) $(if $(AT),--at $(AT)) $(CASE)

fuzz: install ## new examples for the parsers of what comes from outside (COUNT=2000 a test)
	L7LB_EXAMPLES=random L7LB_EXAMPLES_MAX=$(or $(COUNT),2000) $(PYTEST) -q -n 2 --timeout 1800 tests/fuzz

MINUTES ?= 10

soak: install ## mixed churn on the shipped command: does what it takes stay flat? MINUTES=10 SEED=1
	$(BIN)/python -m tests.soak --minutes $(MINUTES) --seed $(SEED)

ONLY ?=

$(VENV)/.bench: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[bench]'
	@touch $@

bench: $(VENV)/.bench ## what l7lb costs, against its budgets and against others: ten minutes; WRITE=1 for the page; ONLY='...' for some
	$(BIN)/python -m tests.bench $(if $(WRITE),--write-docs) $(if $(ONLY),--only $(ONLY))

bench-quick: $(VENV)/.bench ## the same with small sizes, in a minute: to see that all of it works
	$(BIN)/python -m tests.bench --quick $(if $(ONLY),--only $(ONLY))

check: format-check lint types imports house ## what a reviewer would ask a machine

format: install ## rewrite the layout of the code
	$(BIN)/ruff format l7lb tests
	$(BIN)/ruff check --fix-only --quiet l7lb tests

format-check: install
	$(BIN)/ruff format --check --quiet l7lb tests

lint: install
	$(BIN)/ruff check --quiet l7lb tests docs/site

types: install
	$(BIN)/mypy

imports: install
	$(BIN)/lint-imports --no-cache

tools: ## get the programs of other projects that tests ask for, into build/tools/bin
	@.ci/tools

bytecode: install ## compile product and tests once, which the workers of a first `make test` would all do at the same time
	@$(PYTEST) -q --collect-only tests >/dev/null

house: install ## tests about the code itself
	$(PYTEST) -q tests/house

docs: install ## write the pages that are made from the code
	$(BIN)/python -m tests.house.generate

site: install ## the pages of docs/ as a site, in build/site
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict
	@echo 'build/site is built; look at it with: $(BIN)/python -m http.server --directory build/site --bind 127.0.0.1 8000'

lock: ## renew requirements.lock: what the image installs, each file by its hash
	$(PYTHON) -m venv build/lock && build/lock/bin/python -m pip install --quiet --disable-pip-version-check 'uv>=0.13.9,<0.14'
	build/lock/bin/uv pip compile - --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet --upgrade \
		-o requirements-build.lock <<< "$$(sed -n 's/^requires = \["\(.*\)"\]$$/\1/p' pyproject.toml)"
	build/lock/bin/uv pip compile setup.cfg --extra otel --universal --python-version 3.11 --generate-hashes --no-header --quiet --upgrade -o requirements.lock

IMAGE ?= l7lb:dev
BUILDER ?= $(firstword $(foreach one,docker podman buildah,$(if $(shell command -v $(one) 2>/dev/null),$(one))))

image: ## the container image, with docker, podman or buildah: IMAGE=name:tag
	@test -n '$(BUILDER)' || { echo "make: no docker, podman or buildah here; \`make image-steps\` runs the steps without"; exit 1; }
	$(BUILDER) build --build-arg REVISION=$$(git rev-parse HEAD 2>/dev/null || echo unknown) -t $(IMAGE) .

image-steps: install ## the steps of the Dockerfile in a scratch folder, where nothing builds images; prints size and start time
	$(BIN)/python -m tests.image

e2e-cloud: install ## a small suite against a real account (docs/real-account.md); skipped with a word without one
	$(PYTEST) -s -rs tests/cloud/test_real_account.py

e2e-cloud-clean: install ## what a run of it has left: RUN=<its name>, or RUN=all
	$(BIN)/python -m tests.cloud clean $(RUN)

mutants: install ## put faults into copies of the product: a test must notice each
	$(BIN)/python -m tests.mutants

clean: ## remove what can be made again
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .hypothesis
	find l7lb tests -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: help install demo test image image-steps e2e-cloud e2e-cloud-clean unit simulate crash-points soak fuzz check format format-check lint types imports tools bytecode house docs site lock mutants clean
