# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

SHELL := bash
VENV := .venv
READY := $(VENV)/.ready
NOX := $(VENV)/bin/nox
DEV := tests/requirements/dev.txt
# Arguments for a check: make units ARGS="-k journal"
ARGS ?=

# The tiers and the sessions of noxfile.py and antsibull-nox.toml that have a command of their own here.
TIERS := static test test-all test-matrix
SESSIONS := ansible-lint antsibull-nox-config awx bench build changelog codeqa docs docs-check extra-checks importer \
	integration license-check lint molecule mutants pins plays ruff-format sanity storm tools typing units yamllint

# uv does not read pip's settings.
ifdef PIP_INDEX_URL
export UV_DEFAULT_INDEX ?= $(PIP_INDEX_URL)
endif

.PHONY: help demo release clean $(TIERS) $(SESSIONS)

help: $(READY)  ## Show this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-20s %s\n", $$1, $$2}'
	@$(NOX) --list --session $(TIERS) $(SESSIONS) | sed -nE 's/^\* ([a-z-]+)( \[.*\])? -> (.*)/make \1|\3/p' \
	| awk -F'|' '{printf "%-20s %s\n", $$1, $$2}'

demo: $(READY)  ## See the collection work, against emulated gateways
	@$(VENV)/bin/python tests/tools/demo.py $(ARGS)

release: $(READY)  ## Run every step of a release except publishing; ARGS=--publish publishes it
	@$(VENV)/bin/python tests/tools/release.py $(ARGS)

clean:  ## Remove all files that the checks made
	rm -rf .ansible .cache .nox $(VENV) tests/output

$(TIERS): $(READY)
	@$(VENV)/bin/python tests/tools/tier.py $@

$(SESSIONS): $(READY)
	@$(NOX) --session $@ -- $(ARGS)

integration-% plays-% sanity-% units-%: $(READY)  # a row, such as units-3.12-2.18
	@$(NOX) --session $@ -- $(ARGS)

# Made with the newest Python here, at least 3.11: venv installs pip, pip installs uv, uv installs the rest.
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
