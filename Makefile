# Every command of this repository. On a fresh machine Python 3.13, make and git are enough: whatever else a
# target needs, it sets up first, in this folder alone (.venv, .tools). `make help` lists them.

PYTHON ?= python3.13
# What `make deploy` deploys, and `make orders` and `make redrive` work on: an environment of samconfig.toml.
# PARAMETERS goes on top of its parameter_overrides; the parameters that neither names keep the values that the stack has.
ENV ?= prod
PARAMETERS ?=

BIN := .venv/bin
# `sam build` wants a `python3.13` on the PATH, and runs make itself, which must not talk to this one.
FOR_SAM = env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL PATH="$(CURDIR)/$(BIN):$$PATH" SAM_CLI_TELEMETRY=0 \
	__SAM_CLI_APP_DIR="$(CURDIR)/.tools/sam/home"
SAM = $(FOR_SAM) .tools/sam/bin/sam

# Each environment with the stamp of its last installation: older than its lock means once more. The SAM CLI
# and MiniStack have one each, because both pin old versions of much, and functions must not see ours.
STAMPS := .venv/.ready .tools/sam/.ready .tools/ministack/.ready

# 0.0.0.0 lets containers reach `make local`.
BIND ?=

.PHONY: help demo local events test soak simulate schedules mutants mutation check pages bench build deploy orders redrive lock fmt clean ready python
.DEFAULT_GOAL := help

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

demo: ready ## The whole system and one sale through it; every hop shown and checked
	@$(BIN)/python -m local demo

local: ready ## The whole system, until Ctrl-C; addresses in .local/endpoints.json
	@$(BIN)/python -m local up $(if $(BIND),--bind $(BIND))

events: ready ## Sign the sample events anew, into .local/events, for sam local invoke
	@$(BIN)/python -m local events

test: ready ## Every test
	@$(BIN)/python scripts/test.py

soak: ready ## 1,000 orders while everything fails, twenty minutes or more (ORDERS=1000 SEED=…)
	@$(BIN)/python -m local soak $(if $(ORDERS),--orders $(ORDERS)) $(if $(SEED),--seed $(SEED))

simulate: ready ## The whole shop on a simulated clock, seed after seed (HOURS=1, SEED=… for one run, BESIDE=… a version to upgrade from)
	@$(BIN)/python -m simulation $(if $(SEED),--seed $(SEED)) $(if $(HOURS),--hours $(HOURS)) $(if $(BESIDE),--beside $(BESIDE))

schedules: ready ## Every schedule of two workers at one order, within bounds, for twenty minutes (MINUTES=)
	@$(BIN)/python -m simulation.schedules $(if $(MINUTES),--minutes $(MINUTES))

mutants: ready ## The protocol with one thing taken out, many times over: the simulation notices each
	@$(BIN)/python -m simulation.kill

mutation: ready .tools/mutmut/.ready ## The pure modules changed line by line (mutmut): at least nine of ten are noticed
	@.tools/mutmut/bin/python scripts/mutation.py

check: ready ## What CI checks besides the tests: ruff, mypy, the rooms' imports, the template
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache --no-logo
	$(BIN)/python scripts/aws_calls.py
	$(SAM) validate --lint

pages: ready ## The pages of an order in headless Chromium: axe-core, the keyboard alone, photographs in .local/pages
	@$(BIN)/python -m scripts.pages

bench: ready .tools/plots/.ready ## Measure the numbers of docs/numbers.md, and write them there with their plots (BESIDE=…: Deliver beside that version)
	@$(BIN)/python $(if $(BESIDE),scripts/beside.py $(BESIDE),scripts/bench.py)

build: ready ## What Lambda gets, in .aws-sam/build
	$(BIN)/python scripts/aws_calls.py
	$(SAM) build

deploy: ready ## Deploy to AWS, with your shell's credentials and region (ENV=prod; PARAMETERS="Name=value …"; WATCH=minutes)
	@$(FOR_SAM) $(BIN)/python -m scripts.deploy --env $(ENV) $(if $(WATCH),--watch $(WATCH)) $(PARAMETERS)

orders: ready ## The orders that wait for a person, and why (ENV=prod)
	@$(BIN)/paidshare dead --env $(ENV)

redrive: ready ## Put dead letters back to work (ENV=prod; ORDER="cs_… …", or all)
	@$(BIN)/paidshare redrive --env $(ENV) $(or $(ORDER),--all)

lock: ready ## Lock what layers/dependencies and requirements/*.in ask for (UPGRADE=1: in the newest versions)
	@cd layers/dependencies && $(LOCK) requirements.in --output-file requirements.txt
	@cd requirements && for name in dev sam ministack mutmut plots; do $(LOCK) $$name.in --output-file $$name.txt || exit 1; done
	@# Written anew, though the same: what was installed from these locks is up to date still.
	@if git diff --quiet -- layers/dependencies requirements; then touch $(STAMPS); fi
LOCK = CUSTOM_COMPILE_COMMAND="make lock" $(CURDIR)/$(BIN)/python -m piptools compile --quiet $(if $(UPGRADE),--upgrade) \
	--generate-hashes --strip-extras --allow-unsafe --no-emit-index-url --no-emit-find-links --no-emit-options \
	--no-emit-trusted-host

fmt: ready ## Format the code
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

clean: python ## Remove what was built and what ran; the environments stay
	@$(PYTHON) scripts/clean.py .aws-sam .local .mypy_cache .pytest_cache .ruff_cache .hypothesis

# Beside each other: most of it is waiting for the package index.
ready: python
	@$(MAKE) --silent --no-print-directory --jobs=3 $(STAMPS)

# Before them all, so that it is said once.
python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null || { \
		echo "Python 3.13 is needed, and $(PYTHON) is not it. Install it, or say where it is: make PYTHON=/path/to/python3.13" >&2; \
		exit 1; }

.venv/.ready: requirements/dev.txt layers/dependencies/requirements.txt
.tools/sam/.ready: requirements/sam.txt
.tools/ministack/.ready: requirements/ministack.txt
.tools/mutmut/.ready: requirements/mutmut.txt
.tools/plots/.ready: requirements/plots.txt

# A peer to measure against; only where there is Node.
.tools/node/built/handler.mjs: scripts/measured/node/package-lock.json scripts/measured/node/handler.mjs
	@mkdir -p .tools/node && cp scripts/measured/node/*.json scripts/measured/node/handler.mjs .tools/node
	@cd .tools/node && npm ci --silent --no-audit --no-fund && npm run --silent build

# The first prerequisite is the lock.
$(STAMPS) .tools/mutmut/.ready .tools/plots/.ready:
	@echo "Setting up $(@D) (once, and again when $< changes)"
	@$(PYTHON) -m venv --clear $(@D)
	@$(@D)/bin/python -m pip install -qq --disable-pip-version-check --no-input --require-hashes --requirement $<
	@# Our own package, in place; the path is relative to where it is written down. And the console script.
	@test $(@D) != .venv || echo ../../../../layers/paidshare/python > .venv/lib/python3.13/site-packages/paidshare.pth
	@test $(@D) != .venv || cp scripts/paidshare $(BIN)/paidshare
	@touch $@
