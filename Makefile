# `make demo` needs Python 3.11 or newer with venv and pip, make and git; everything else is set up in .venv.
PYTHON ?= $(firstword $(foreach python,python3 python3.13 python3.12 python3.11,$(shell $(python) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(python))) no-python)
VENV := .venv
BENCH := .bench
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-strip-extras \
  --no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command "make lock" $(if $(UPGRADE),--upgrade)
EDITABLE := $(PIP) install --no-deps --no-build-isolation --editable .
# more than there are cores: many tests wait, for a process or for a pause
WORKERS ?= 4

# the browser that the bank journey is tested in
CHROMIUM ?= $(shell for name in chromium chromium-browser google-chrome google-chrome-stable; do command -v $$name && break; done)

.DEFAULT_GOAL := help
.PHONY: help demo journey test test-browser screenshots test-matrix check format generate unasync contract counts faults fuzz soak record spec-diff bench docs simulator coverage audit lock clean

help:  ## lists the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BIN)/python:
	@test "$(PYTHON)" != no-python || { echo "Python 3.11 or newer is needed; name it with 'make PYTHON=/path/to/python3.11 ...'" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements.txt pyproject.toml | $(BIN)/python
	@echo "Setting up $(VENV) to run the SDK ..."
	@$(PIP) install --require-hashes --requirement requirements.txt
	@$(EDITABLE)
	@touch $@

$(VENV)/.dev: requirements-dev.txt pyproject.toml | $(BIN)/python
	@echo "Setting up $(VENV) for development ..."
	@$(PIP) install --require-hashes --requirement requirements-dev.txt
	@$(EDITABLE)
	@touch $@ $(VENV)/.runtime

demo: $(VENV)/.runtime  ## sets everything up and runs the main job on the embedded simulator: no account, no network
	@$(BIN)/python examples/demo.py

journey: $(VENV)/.runtime  ## sets everything up and runs the example web application on the embedded simulator (ARGS="--port 0")
	@$(BIN)/python -m examples.bank_journey $(ARGS)

test: $(VENV)/.dev  ## sets everything up and runs all tests (ARGS="-k token" for some)
	@# hundreds of commands and programs start, also where Python is told to keep no bytecode
	@$(BIN)/python -m compileall -q openpayments_facade generated
	@$(BIN)/python -m pytest -n $(WORKERS) $(ARGS)

test-browser: $(VENV)/.dev | chromium  ## the bank journey and the documentation site in a real Chromium (ARGS="-k keyboard" for some)
	@CHROMIUM="$(CHROMIUM)" $(BIN)/python -m pytest tests/browser -n 2 --dist worksteal --timeout 180 $(ARGS)

screenshots: $(VENV)/.dev | chromium  ## takes the pictures of docs/bank-journey.md anew
	@CHROMIUM="$(CHROMIUM)" $(BIN)/python -m tests.browser.screenshots

.PHONY: chromium
chromium:
	@test -x "$(CHROMIUM)" || { echo "Chromium is needed, and was not found: install it (on Debian 'apt-get install chromium'), or name it with 'make CHROMIUM=/path/to/chromium ...'" >&2; exit 1; }

faults: $(VENV)/.dev  ## meets every class of operation with every fault of the wire, and writes docs/fault-matrix.md
	@$(BIN)/python -m tests.faults $(ARGS)

FUZZED := $(wildcard tests/fuzz/test_*.py) tests/facade/test_mutations.py tests/simulator/test_schemathesis.py
# as in the table at the end
PARTS := $(patsubst schemathesis,simulator,$(patsubst test_%,%,$(basename $(notdir $(FUZZED)))))
fuzz: $(VENV)/.dev  ## a million random cases (PART=inputs for some of them, see tests/fuzz; FUZZ=0.1 for a tenth)
	$(if $(filter-out $(PARTS) schemathesis,$(PART)),$(error PART=$(PART): the parts are $(PARTS)))
	@FUZZ=$(or $(FUZZ),1) $(BIN)/python -m pytest -q -p tests.fuzz.report -n $(WORKERS) --timeout 0 --tb short \
	  $(if $(PART),$(foreach part,$(PART:simulator=schemathesis),$(filter %/test_$(part).py,$(FUZZED))),$(FUZZED)) $(ARGS)

soak: $(VENV)/.dev  ## tasks and threads call for minutes while faults come and go: what grows, what fails (SECONDS=300)
	@$(BIN)/python -m tests.soak --seconds $(or $(SECONDS),300) $(ARGS)

test-matrix: $(VENV)/.dev  ## runs all tests on every Python that is found, and with the oldest dependencies that are allowed
	@$(BIN)/python scripts/matrix.py -n $(WORKERS) -q $(ARGS)

coverage: $(VENV)/.dev  ## runs all tests and fails below 98 % of the branches of the facade
	@$(BIN)/python -m pytest -n $(WORKERS) --cov --cov-report=term --cov-fail-under=98

check: $(VENV)/.dev  ## format, lint, layers, unasync and generated-code drift, types, the cassettes' contract, the counts, the docs
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/lint-imports --no-cache --no-logo
	@$(BIN)/python scripts/unasync.py --check
	@$(BIN)/python -m scripts.exports --check
	@$(BIN)/python -m scripts.generate --check
	@$(BIN)/python -m scripts.operations_page --check
	@$(BIN)/python -m scripts.commands_pages --check
	@$(BIN)/python -m scripts.http_reference --check
	@$(BIN)/mypy
	@# it would ask a registry for a newer version of itself
	@PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(BIN)/pyright --pythonpath $(BIN)/python
	@$(BIN)/python -m scripts.contract
	@$(BIN)/python -m scripts.counts --check
	@$(MAKE) --no-print-directory docs

format: $(VENV)/.dev  ## formats, and mends what can be mended
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

generate: $(VENV)/.dev  ## description -> low-level client; the pages of operations, HTTP and commands in the docs
	@$(BIN)/python -m scripts.generate
	@$(BIN)/python -m scripts.operations_page
	@$(BIN)/python -m scripts.http_reference
	@$(BIN)/python -m scripts.commands_pages

unasync: $(VENV)/.dev  ## async half -> sync half
	@$(BIN)/python scripts/unasync.py
	@$(BIN)/python -m scripts.exports

contract: $(VENV)/.dev  ## every interaction of every cassette against the description
	@$(BIN)/python -m scripts.contract

counts: $(VENV)/.dev  ## counts anew the modules, function calls, bytes and requests that make check compares
	@$(BIN)/python -m scripts.counts

record: $(VENV)/.dev  ## records the cassettes again from the simulator (FROM=sandbox: from the provider's sandbox)
	@$(BIN)/python scripts/record.py $(FROM)

spec-diff: $(VENV)/.dev  ## what changed in the description since BASE=<git rev>, and what of it breaks users
	@$(BIN)/python -m scripts.spec_diff $(BASE)

# without extras: httpx imports more where those of the command line are
$(BENCH)/.peers: benchmarks/requirements.txt | $(BIN)/python
	@echo "Setting up $(BENCH) to measure in ..."
	@$(BIN)/python -m venv --clear $(BENCH)
	@$(BENCH)/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes --requirement benchmarks/requirements.txt
	@touch $@

bench: $(VENV)/.dev $(BENCH)/.peers  ## what the SDK costs, compared with other libraries; writes benchmarks/RESULTS.md (ROWS=import,calls or BASE=<git rev>: prints instead; ROUNDS=5)
	@exec $(BIN)/python -m benchmarks $(if $(ROWS),--rows="$(ROWS)") $(if $(ROUNDS),--rounds="$(ROUNDS)") $(if $(SEED),--seed="$(SEED)") \
	  $(if $(BASE),--base="$(BASE)") $(ARGS)

docs: $(VENV)/.dev  ## builds the documentation site; warnings, dead links and what is loaded from elsewhere are errors
	@# not --quiet: it silences the warnings before --strict counts them
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict $(ARGS)
	@$(BIN)/python -m scripts.site_check site

simulator: $(VENV)/.runtime  ## the simulator in the foreground
	@$(BIN)/openpayments simulator

audit: $(VENV)/.dev  ## looks the locked dependencies up among the known flaws of osv.dev: needs the network
	@# uv audits projects and scripts, and no requirements: these become a script's
	@{ echo '# /// script'; echo '# requires-python = ">=3.11"'; echo '# dependencies = ['; \
	  sed -n 's/^\([a-z].*==.*[^ ]\) *\\$$/#   "\1",/p' requirements-dev.txt; echo '# ]'; echo '# ///'; } > $(VENV)/audit.py
	@$(BIN)/uv audit --preview-features audit-command --script $(VENV)/audit.py $(ARGS)

clean:  ## removes everything that make made
	rm -rf $(VENV) $(BENCH) .matrix dist site .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage

lock: $(VENV)/.dev  ## writes the requirements files anew (UPGRADE=1 for newer versions)
	# development first: the generator caps typer, and the runtime follows it
	$(LOCK) --all-extras --group build --group dev --output-file requirements-dev.txt pyproject.toml
	$(LOCK) --all-extras --group build --group examples --constraint requirements-dev.txt --output-file requirements.txt pyproject.toml
	$(LOCK) --group bench --constraint requirements-dev.txt --output-file benchmarks/requirements.txt pyproject.toml
