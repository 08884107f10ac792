# Dibs. `make help` lists what there is; all of it needs Python 3.11, 3.12 or 3.13 and nothing else.

.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# The first Python that fits: yours (`make run PYTHON=python3.13`), python3, or one beside it.
PYTHON := $(shell for p in $(PYTHON) python3 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null \
	&& command -v "$$p" && break; done)
export PYTHON
READY = $(PYTHON) tools/local/bootstrap.py
BIN = .local/env/bin
BOOT = $(abspath .local/boot/bin)
BUILT_WITH = PYTHON=$(BOOT)/python UV=$(BOOT)/uv UV_PYTHON_INSTALL_DIR=$(abspath .local/python)
# Tests that keep every processor busy by themselves; the others run side by side. They are named by
# folder as well: to find them among all others takes a minute.
ALONE = race or stack or browser
ALONE_IN = tests/race tests/stack tests/browser
# Many images tell Python to keep nothing compiled. Then each process compiles all it imports: every
# test run all tests, every run of the local AWS's functions their libraries.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run up down reset test bench scale lint format deploy contract requirements python

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1|\2/' | column -t -s '|' 2>/dev/null || grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST)
	@echo "  DIBS_PORT=4600 make run moves the local stack to another port (4566 otherwise)."

run: python ## start everything here, post leads, let reps race for them; Ctrl-C ends it
	@$(READY) run
	@$(BIN)/python -m tools.local run

up: python ## start the local stack in the background, with a demo team but without races
	@$(READY) up
	@$(BIN)/python -m tools.local up

down: python ## stop the local stack; its state is kept
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m tools.local down; else echo "Nothing is running."; fi

reset: python ## empty the local stack's state
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m tools.local reset; else echo "There is no state."; fi

test: python ## run every test
	@$(READY) dev
	@$(BIN)/python -m pytest -m "not ($(ALONE))" --numprocesses auto --dist loadfile; fast=$$?; \
		$(BIN)/python -m pytest -m "$(ALONE)" $(ALONE_IN) && exit $$fast

bench: python ## measure what docs/costs.md and the README promise
	@$(READY) dev
	@$(READY) bench || echo "Without these a claim is not compared with FastAPI and PostgreSQL." >&2
	@$(BIN)/python tests/benchmarks/bench.py

scale: python ## reckon what breaks first at many leads a second; writes docs/scale.md
	@$(READY) dev
	@$(BIN)/python tests/benchmarks/scale.py

lint: python ## check style, types, imports and the template
	@$(READY) lint
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/cfn-lint template.yaml
	@$(BIN)/python -m tools.scan .local/checkov/bin/checkov

format: python ## put the code in the one style
	@$(READY) dev
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

deploy: python ## build, and deploy to your AWS account
	@$(READY) deploy
	@# What is compiled for the runtime starts faster; uv may fetch the Python that compiles.
	@$(BUILT_WITH) $(MAKE) -C shared functions FETCH=yes
	$(BUILT_WITH) .local/sam/bin/sam build
	.local/sam/bin/sam deploy --guided
	@echo
	@echo 'Deployed. For the commands of the README, with the name of your stack:'
	@echo '  export PATH="$(abspath $(BIN)):$$PATH" DIBS_STACK=dibs'

contract: python ## write functions/boards/openapi.json, the API's description, from the route tables
	@$(READY) dev
	@PYTHONPATH=shared:functions $(BIN)/python -m tools.openapi

requirements: python ## write shared/requirements.txt, what the layer ships, from uv.lock
	@$(READY) env
	@.local/boot/bin/uv export --quiet --frozen --no-dev --no-emit-project --no-hashes --no-annotate \
		--no-header --prune boto3 --prune botocore --prune s3transfer > shared/requirements.txt

python:
	@test -n "$(PYTHON)" || { echo "Dibs needs Python 3.11, 3.12 or 3.13; this machine's python3 is $$(python3 -c 'import platform; print(platform.python_version())' 2>/dev/null || echo not there)." >&2; exit 1; }
