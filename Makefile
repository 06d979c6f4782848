# Two commands do everything: `make play` serves a game, `make test` proves that it works.
# Each sets up what it needs: a virtual environment, the install with the web build, and
# for the tests the system's packages (by apt where that may be done).

SHELL := /bin/sh
VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
HOST ?= 0.0.0.0
PORT ?=
DECK ?=
DATA ?= data
PYTEST ?=
FRAMES ?= 1000000
SEED ?= 7
export TWOGAPS_SEED ?= $(SEED)
WORKERS ?=
ALL ?= 0
TEST_OPTIONS := $(if $(WORKERS),--workers $(WORKERS)) $(if $(filter-out 0,$(ALL)),--all)
TWOGAPS_REQUIRE_ALL ?= $(ALL)
export TWOGAPS_REQUIRE_ALL
SOURCES := pyproject.toml hatch_build.py
WEB := $(shell find client/web -type f -not -path '*/node_modules/*' -not -path '*/dist/*' 2>/dev/null)

.DEFAULT_GOAL := help
.PHONY: help play demo test check bench bench-relay bench-profile bench-million screenshots gallery recovery docs clean audit try-container

help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

play: $(VENV)/.played ## Install if need be, then serve a class and open its console
	@$(BIN)/twogaps play --host $(HOST) --data $(DATA) $(if $(PORT),--port $(PORT)) \
	  $(if $(DECK),--deck $(DECK))

demo: $(VENV)/.played ## Watch a whole game in this terminal
	@$(BIN)/twogaps demo

test: $(VENV)/.tested system ## All checks and tests (ALL=1: the long ones too; PYTEST="-k name")
	@$(BIN)/python -m tests.run test $(TEST_OPTIONS) -- $(PYTEST)

check: $(VENV)/.tested ## Format, lint, types, imports, cases, and the browser client
	@$(BIN)/python -m tests.run check

.PHONY: campaign simulate fuzz soak
campaign: $(VENV)/.tested system ## Hours of kills, faults and broken frames; continues where it was stopped (ONLY="kill fuzz")
	@$(BIN)/python -m tests.campaign $(ONLY)

simulate: $(VENV)/.tested ## Simulated faults, seed after seed; adds to docs/simulation.md (SEEDS=2000)
	@$(BIN)/python -m tests.simulation $(if $(SEEDS),--seeds $(SEEDS))

fuzz: $(VENV)/.tested ## A million broken frames (FRAMES=…, SEED=…)
	TWOGAPS_FUZZ_FRAMES=$(FRAMES) $(BIN)/python -m pytest tests/fuzz -s $(PYTEST)

soak: $(VENV)/.tested ## Ten minutes of games: memory and files stay flat
	$(BIN)/python -m tests.bench.soak

bench-million: $(VENV)/.tested system ## A room of a million, through simulated sites and a real broker
	@$(BIN)/python -m tests.bench.million

bench-profile: $(VENV)/.tested ## Where the server's time goes, by py-spy
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	@$(BIN)/python -m tests.bench.speed.profile

bench-relay: $(VENV)/.tested system ## A vote's way through a site and a broker, beside one server
	@$(BIN)/python -m tests.bench.relay

bench: $(VENV)/.tested ## How fast, beside what it could be: writes docs/performance.md (STEER=1: receivers apart, as root)
	@$(BIN)/python -m tests.bench.speed $(if $(STEER),--steer)

screenshots: $(VENV)/.tested system ## Play a game in a browser and write docs/pictures
	$(BIN)/python -m tests.browser.screenshots
	$(BIN)/python -m tests.browser.report_pictures

gallery: $(VENV)/.tested system ## Play a whole lesson in a browser and picture every page of it at every size
	$(BIN)/python -m tests.browser.gallery

recovery: $(VENV)/.tested ## What the report's intervals contain: writes docs/report.md (10 minutes)
	$(BIN)/python -m tests.bench.recovery --keep .recovery

audit: $(VENV)/.tested ## Known vulnerabilities and withdrawn releases (asks registries)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check 'pip-audit>=2.9,<3'
	@$(BIN)/python -m tests.support.audit

try-container: ## Do what deploy/Containerfile does, without an engine
	@sh deploy/try-container.sh

docs: $(VENV)/.documented ## Write the generated documents again, and build the site in build/docs
	$(BIN)/python -m tools.docs
	@$(BIN)/python -m tools.docs.site

.PHONY: system
system:
	@sh tests/support/system-packages.sh

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Two Gaps needs Python 3.11 or later as '$(PYTHON)'. Install it, or say which:"; \
	  echo "  make PYTHON=python3.12 play"; exit 1; }
	@echo "Making a virtual environment in $(VENV) ..."
	@$(PYTHON) -m venv $(VENV) || { \
	  echo "Python's venv is missing. On Debian or Ubuntu: sudo apt-get install python3-venv"; \
	  rm -rf $(VENV); exit 1; }

$(VENV)/.played: $(VENV)/bin/python $(SOURCES) $(WEB)
	@echo "Installing Two Gaps, with its pages (a minute the first time) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.documented: $(VENV)/.played
	@echo "Installing what the documentation needs ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[docs]'
	@touch $@

$(VENV)/.tested: $(VENV)/.played tools/prose/package-lock.json
	@echo "Installing what the tests need ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@$(BIN)/python -m tools.prose --install
	@touch $@

clean: ## Remove everything that was installed or built here (not your data)
	rm -rf $(VENV) client/web/node_modules client/web/dist tools/prose/node_modules build dist *.egg-info
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
