# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

SHELL := bash
VENV := .venv
READY := $(VENV)/.ready
NOX := $(VENV)/bin/nox
DEV := tests/requirements/dev.txt
# Pass arguments to a check: make units ARGS="-k journal"
ARGS ?=

# uv does not read pip's settings.
ifdef PIP_INDEX_URL
export UV_DEFAULT_INDEX ?= $(PIP_INDEX_URL)
endif

.PHONY: help demo test test-all lint sanity docs docs-lint build importer units plays awx tools integration molecule storm bench mutants release pins clean

help:  ## Show this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-18s %s\n", $$1, $$2}'

demo: $(READY)  ## See the collection work, against emulated gateways
	@$(VENV)/bin/python tests/tools/demo.py $(ARGS)

test: $(READY)  ## Run every check that a change has to pass
	@rm -rf .cache/summary; $(NOX) --parallel auto; status=$$?; cat .cache/summary/* 2>/dev/null; exit $$status

test-all: $(READY)  ## Run every check on every supported ansible-core and Python
	@rm -rf .cache/summary; $(NOX) --parallel auto --tags all; status=$$?; cat .cache/summary/* 2>/dev/null; exit $$status

lint: $(READY)  ## Code style, types, YAML, ansible-lint, changelog fragments, licences
	@$(NOX) --session lint

sanity: $(READY)  ## ansible-test sanity
	@$(NOX) --tags sanity -- $(ARGS)

docs: $(READY)  ## Build the site of guides and reference, in .cache/site/html
	@$(NOX) --session site

docs-lint: $(READY)  ## Documentation of plugins and roles
	@$(NOX) --session docs

build: $(READY)  ## Build the tarball into .cache/dist and check what is in it
	@$(NOX) --session build

importer: $(READY)  ## Galaxy's checks of the tarball
	@$(NOX) --session importer

units: $(READY)  ## Unit tests that take no other programs, on each Python of this machine
	@$(NOX) --tags units -- $(ARGS)

plays: $(READY)  ## Unit tests that start Ansible
	@$(NOX) --tags plays -- $(ARGS)

awx: $(READY)  ## Unit tests of the AWX kit and of the journal in PostgreSQL
	@$(NOX) --session awx -- $(ARGS)

tools: $(READY)  ## Unit tests of the benchmark and of the storm
	@$(NOX) --session tools -- $(ARGS)

integration: $(READY)  ## Integration targets against the emulator
	@$(NOX) --tags integration -- $(ARGS)

molecule: $(READY)  ## Molecule scenarios against the emulator
	@$(NOX) --session molecule -- $(ARGS)

storm: $(READY)  ## Two thousand creations, each with a fault; ARGS="--help"
	@$(NOX) --session storm -- $(ARGS)

bench: $(READY)  ## Measure, and write docs/performance; ARGS="--help"
	@$(NOX) --session bench -- $(ARGS)

release: $(READY)  ## Check all that a release takes; ARGS=--publish releases it
	@$(VENV)/bin/python tests/tools/release.py $(ARGS)

mutants: $(READY)  ## Change the core a little, and see whether a test notices; ARGS="--help"
	@$(NOX) --session mutants -- $(ARGS)

pins: $(READY)  ## Pin the newest versions of the development requirements
	@$(NOX) --session pins

clean:  ## Remove everything that the checks made
	rm -rf .ansible .cache .nox $(VENV) tests/output

# The newest Python here, at least 3.11: python -m venv brings pip, pip brings uv, uv the rest.
$(READY): $(DEV) tests/emulator/pyproject.toml
	@rm -rf $(VENV)
	@python="$(PYTHON)"; \
	if [ -z "$$python" ]; then read -r _ python < <(tests/tools/pythons.sh | grep -v '^3\.10 '); fi; \
	if [ -z "$$python" ]; then echo "No Python >= 3.11 with venv here; set PYTHON=/path/to/python" >&2; exit 1; fi; \
	echo "Making $(VENV) with $$python"; \
	"$$python" -m venv $(VENV)
	@$(VENV)/bin/pip install -qq --disable-pip-version-check "$$(grep '^uv==' $(DEV))"
	@$(VENV)/bin/uv pip sync --quiet --compile-bytecode --python $(VENV)/bin/python $(DEV)
	@touch $@
