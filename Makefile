# Every target sets the environment up first; nothing has to be done by hand.

PYTHON ?= python3
MCOS_SHARED ?= ../shared
export MCOS_SHARED

CONVERSATION := $(wildcard $(MCOS_SHARED)/traces/mooncake/conversation_trace.jsonl)
HINTS := none exact swapped noise missing lying serving

VENV := .venv
BIN := $(VENV)/bin
JOBS ?= 2

.DEFAULT_GOAL := help
.PHONY: help setup demo test soak bench formal mutants timing check lint regress verilog build docs picture diagrams clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.stamp ## Make .venv, again only when pyproject.toml changed

$(VENV)/.stamp: pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "mcos needs Python 3.11 or later: install python3, or name one: make PYTHON=python3.12"; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "mcos needs Python 3.11 or later, not $$($(PYTHON) --version): name another one: make PYTHON=python3.12"; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "mcos needs Python's venv module: install it (Debian and Ubuntu: apt install python3-venv)"; exit 2; }
	@command -v g++ >/dev/null || { echo "mcos needs g++ to build simulators: install it (Debian and Ubuntu: apt install g++)"; exit 2; }
	@command -v perl >/dev/null || { echo "mcos needs perl to run Verilator: install it (Debian and Ubuntu: apt install perl)"; exit 2; }
	@echo "Setting up $(VENV): a minute or two, once"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

demo: setup ## Run the prefill burst and the decoders on the RTL under four arbiters (FULL=1: sweeps too)
	@$(BIN)/mcos demo $(if $(FULL),--full)

test: setup ## Run all tests (TESTS="..." are more options of pytest)
	@$(BIN)/pytest -n $(JOBS) --dist worksteal $(TESTS)

soak: setup ## Run the tests that take minutes, and lockstep and bounds for 100 million clocks
	@$(BIN)/pytest -n $(JOBS) --dist worksteal -m soak
	@$(BIN)/mcos soak

bench: setup ## Measure the engines, page colours, row conflicts and what a KV cache keeps, to build/bench
	@$(BIN)/mcos bench
	@$(BIN)/mcos memory colours
	@$(BIN)/mcos memory conflicts
	@$(BIN)/mcos residency --trace sessions --trace agents $(CONVERSATION:%=--trace %) --blocks 1000 --blocks 5000 --blocks 20000 $(HINTS:%=--hints %) --json build/bench/residency.json

formal: setup ## Prove every property of the hardware, to build/formal
	@$(BIN)/python -m tests.formal.prove

mutants: setup ## Plant bugs in the hardware one by one and say which check saw which, to build/mutants
	@$(BIN)/python -m tests.mutants.run --jobs $(JOBS)

timing: setup $(VENV)/.stamp-timing ## Measure speed and size (SIZES="4 8 16" LATENESSES="0" TARGETS="asap7" SEEDS=3)
	@$(BIN)/mcos timing --record sim/mcos_sim/synthesis/figures.json $(SIZES:%=--tenants %) $(LATENESSES:%=--lateness %) $(TARGETS:%=--target %) $(SEEDS:%=--seeds %)

$(VENV)/.stamp-timing: $(VENV)/.stamp
	@echo "Adding the tools of timing to $(VENV), once"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[timing]'
	@touch $@

check: lint ## Format, lint, types and the fast tests
	@$(BIN)/pytest -q -n $(JOBS) -m 'not cocotb and not slow and not soak'

lint: setup ## Format, lint and types
	@$(BIN)/ruff format --check
	@$(BIN)/ruff check
	@$(BIN)/tclint --extensions "tcl, sdc, xdc" constraints sim
	@$(BIN)/ty check

regress: setup ## Run all cocotb tests on the RTL
	@$(BIN)/pytest -n $(JOBS) -m cocotb

verilog: setup ## Write the generic Verilog and its register header to build/verilog
	@$(BIN)/mcos verilog --target generic -o build/verilog

build: setup $(VENV)/.stamp-timing ## Build the bitstream of a board (TARGET=ulx3s ARBITER=mcos SEEDS=1)
	@$(BIN)/mcos build --target $(or $(TARGET),ulx3s) $(ARBITER:%=--arbiter %) $(SEEDS:%=--seeds %)

docs: setup ## Refresh the generated pages of docs/
	@$(BIN)/python -m mcos_hw.registers.export docs/registers.md

picture: demo ## Run the demo and refresh README's pictures from its result
	@$(BIN)/python -m mcos_sim.report.readme build/demo/result.json docs/demo.svg

diagrams: setup ## Draw the block diagrams of docs/diagrams again, from their text (needs Graphviz)
	@$(BIN)/python -m mcos_sim.report.diagrams docs/diagrams

clean: ## Remove everything that was made, .venv excepted
	@rm -rf build .pytest_cache .ruff_cache .hypothesis
