# Every target makes .venv when it is missing or older than the lock file; nothing is installed outside
# it, but for the interpreters and peers that bench and nightly compare with, in .tools.
PYTHON ?= python3
BIN := .venv/bin
SEED ?= 1
PLAN ?= scenarios/plans/truenas-rollout.yaml
ATTEST ?=
PYTEST_ARGS ?=
ARGS ?=

.DELETE_ON_ERROR:
.PHONY: verdict test test-dev lint bench nightly lock clean

# GO and GO_WITH_CONDITIONS (exit status 3) are success here, and only these. ATTEST names the file with human inputs.
verdict: .venv/ready
	@$(BIN)/pulse-sim verdict $(PLAN) --seed $(SEED) $(if $(ATTEST),--attest '$(ATTEST)') $(VERDICT_ARGS) || \
	  { test $$? -eq 3 && echo "make: GO_WITH_CONDITIONS counts as success here; the conditions above are owed."; }

test: .venv/ready
	$(BIN)/python -m pytest -n 2 $(PYTEST_ARGS)

# In development mode every unclosed resource and unawaited coroutine is an error. One process: workers do not inherit it.
test-dev: .venv/ready
	$(BIN)/python -X dev -W error -m pytest $(PYTEST_ARGS)

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: .venv/ready
	$(BIN)/python -m benchmarks.run $(ARGS)

nightly: .venv/ready
	$(BIN)/python -m tests.nightly $(ISSUE) $(ARGS)

.venv/ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# Needs pip-tools on the PATH; only a maintainer who changes requirements.in runs it.
lock:
	pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-header \
	  --no-emit-index-url --no-emit-trusted-host --no-emit-find-links -o requirements.lock requirements.in

clean:
	rm -rf .venv .tools .mypy_cache .ruff_cache .pytest_cache build *.egg-info
