# Everything a newcomer needs is `make demo` and `make test`. Both work on a fresh Debian or Ubuntu
# with Python 3.11+ and make, from any path, and do only what is not done yet.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo ready test lint test-ready bench frozen vsix clean

PYTHON ?= python3
PORT ?= 8765

# Every recipe runs in the checkout's root with relative paths, so that spaces in it do no harm.
workbench := cd vscode-ext && $(PYTHON) -m workbench
step := @$(workbench) step
# The moment when make was called: progress lines count from here, also in the make below this one.
export STARCITE_CLOCK := $(or $(STARCITE_CLOCK),$(shell date +%s))
export STARCITE_HOME := $(CURDIR)/.starcite
export PYTHONUTF8 := 1

python := .venv/bin/python
starcite := .venv/bin/starcite
# Which packages are needed: `base` runs and builds Starcite, `dev` also checks it. Installing the
# second takes the first away for a moment, so steps that use it wait for the one that is wanted.
environment := base
heldout := .starcite/corpus/heldout
results := tests/bench/results
npm := .tools/bin/npm --prefix vscode-ext

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1	\2/p' Makefile | expand -t 16

# --- what a person calls -------------------------------------------------------------------------

setup: ## Install everything that the demo and the tests need, into this folder
	@$(MAKE) --no-print-directory -j4 environment=dev .venv/dev.stamp .tools/code-server.stamp vscode-ext/dist/starcite.vsix

demo: ## Open a VS Code in the browser with Starcite in it (Ctrl-C stops it)
	@$(MAKE) --no-print-directory -j4 ready
	@cd vscode-ext && exec "$(CURDIR)/$(python)" -m workbench demo --port $(PORT)

test: ## Check everything: linters, unit tests, the built package, a real editor
	@$(MAKE) --no-print-directory -j4 environment=dev test-ready
	@$(MAKE) --no-print-directory lint
	$(npm) run --silent test
	$(python) -m pytest

lint: .venv/dev.stamp vscode-ext/node_modules/dev.stamp ## Check style, types and the arrows between packages
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	$(npm) run --silent typecheck

bench: .venv/dev.stamp .starcite/index.stamp .starcite/model.stamp .starcite/heldout.stamp ## Measure speed and quality on packages outside the index
	$(python) tests/bench/bench_index.py --json $(results)/index.json
	$(python) tests/bench/bench_curate.py --json $(results)/curate.json
	$(python) tests/bench/bench_memory.py --json $(results)/memory.json
	$(python) tests/bench/bench_decontaminate.py --heldout $(heldout) --json $(results)/decontaminate.json
	$(python) tests/bench/bench_attribution.py --heldout $(heldout) --json $(results)/attribution.json
	$(starcite) eval attribution --heldout $(heldout) --json > $(results)/attribution_classes.json
	$(python) tests/bench/bench_growth.py --heldout $(heldout) --json $(results)/growth.json
	$(python) tests/bench/bench_retrieval.py --heldout $(heldout) --json $(results)/retrieval.json
	$(python) tests/bench/bench_embed.py --heldout $(heldout) --json $(results)/embed.json
	$(python) tests/bench/bench_completion.py --heldout $(heldout) --positions 200 --json $(results)/completion.json
	$(python) tests/bench/bench_engine.py --json $(results)/engine.json
	$(python) tests/bench/bench_eval.py --heldout $(heldout) --json $(results)/eval.json
	$(python) tests/bench/bench_lanes.py --heldout $(heldout) --json $(results)/lanes.json
	$(python) tests/bench/bench_train.py --json $(results)/train.json
	$(python) tests/bench/bench_server.py --json $(results)/server.json
	$(python) tests/bench/bench_service.py --heldout $(heldout) --json $(results)/service.json

frozen: .venv/dev.stamp .starcite/corpus.stamp ## Curate the packages of the lock anew and compare every byte with the frozen corpus
	$(starcite) corpus freeze --check

vsix: vscode-ext/dist/starcite.vsix ## Build the VS Code extension

clean: ## Remove everything that make has built, fetched or installed in this folder
	rm -rf .venv .tools .starcite .artifacts dist build vscode-ext/node_modules vscode-ext/dist vscode-ext/server
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

# --- Python --------------------------------------------------------------------------------------

# An environment holds its own path: in a checkout that was moved it is made again.
ifneq ($(file <.venv/made.stamp),$(CURDIR))
.PHONY: .venv/made.stamp
endif

.venv/made.stamp:
	@$(workbench) venv .venv
	@echo "$(CURDIR)" > $@

.venv/base.stamp: pyproject.toml .venv/made.stamp
	$(step) "install starcite" -- $(python) -m pip install --quiet --editable .
	@$(workbench) openmp
	@touch $@

.venv/dev.stamp: .venv/base.stamp
	@$(workbench) torch
	$(step) "install the development tools" -- $(python) -m pip install --quiet --editable ".[dev,train]"
	@touch $@

# --- Node, code-server and the extension ---------------------------------------------------------

# After the first environment: two installations of python3-venv at once get in each other's way.
.tools/node.stamp: vscode-ext/workbench/tools.py | .venv/made.stamp
	@$(workbench) node
	@touch $@

.tools/code-server.stamp: .tools/node.stamp
	@$(workbench) code-server
	@touch $@

vscode-ext/node_modules/base.stamp: vscode-ext/package-lock.json | .tools/node.stamp
	$(step) "install what builds the extension" -- $(npm) ci --omit=dev
	@touch $@

vscode-ext/node_modules/dev.stamp: vscode-ext/package-lock.json | .tools/node.stamp
	$(step) "install what checks the extension" -- $(npm) ci
	@touch $(@D)/base.stamp $@

extension_sources := $(shell find vscode-ext -maxdepth 1 -type f; find vscode-ext/src -type f)
python_sources := starcite.py pyproject.toml $(shell find lsp_server attribution indexer stareencoder training -name '*.py' -o -name '*.lock' -o -path '*/shipped/*/*')

# The extension carries the wheel, so that it can offer to install the server where there is none.
vscode-ext/server/wheel.stamp: $(python_sources) | .venv/$(environment).stamp
	@rm -rf $(@D) && mkdir -p $(@D)
	$(step) "build the wheel" -- $(python) -m pip wheel --quiet --no-deps --wheel-dir $(@D) .
	@touch $@

vscode-ext/dist/starcite.vsix: $(extension_sources) vscode-ext/server/wheel.stamp | vscode-ext/node_modules/$(environment).stamp
	$(step) "package the extension" -- $(npm) run package
	@touch $@

# --- the corpus, the index and the model ---------------------------------------------------------


.starcite/corpus.stamp: indexer/corpus/default.lock | .venv/$(environment).stamp
	$(step) "fetch the corpus" -- $(starcite) corpus fetch
	@touch $@

# The code that decides what an index holds; a change to it makes the index a stale one.
index_writers := $(wildcard indexer/build.py indexer/manifest.py indexer/text/*.py indexer/store/*.py)
index_writers += $(wildcard indexer/corpus/default.digest indexer/curate/default.py)

.starcite/index.stamp: .starcite/corpus.stamp $(index_writers)
	$(step) "curate the corpus and build the index" -- $(starcite) index build
	@touch $@

.starcite/model.stamp: | .venv/$(environment).stamp
	$(step) "fetch the model" -- $(starcite) model fetch
	@touch $@

.starcite/heldout.stamp: tests/bench/heldout.lock | .venv/$(environment).stamp
	$(step) "fetch the packages outside the index" -- $(starcite) corpus fetch --lock $< --to $(heldout)
	@touch $@

ready: .venv/base.stamp .tools/code-server.stamp vscode-ext/dist/starcite.vsix .starcite/index.stamp
	@:

test-ready: ready .starcite/model.stamp .venv/dev.stamp vscode-ext/node_modules/dev.stamp
	@$(workbench) browser
