# The toolbox. `make` alone prints this help; S=acceptance narrows test, logs and migration to one service.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help environment run stop demo seed logs clean check fmt test test-long bench lock migration openapi

# Who forbids bytecode, as images do, would compile every module again in each process: 2 s of 3.5 s at each start of a service.
unexport PYTHONDONTWRITEBYTECODE

python := .venv/bin/python
code := libs gateway services deploy tests bench scripts
scope := $(if $(S),$(wildcard libs/$(S) $(S) services/$(S) deploy/$(S)),)

help:
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n\033[1m%s\033[0m\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  \033[36m%-10s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

environment:
	@scripts/bootstrap.sh

##@ Run
run: environment ## start the whole platform and stay with it; Ctrl-C stops it
	@exec $(python) -m lianban_local run
stop: environment ## stop the platform from another terminal
	@$(python) -m lianban_local stop
demo: environment ## open a convenience store on the running platform, step by step
	@$(python) -m lianban_local demo
seed: environment ## load the demo catalogue and people again; harmless when they are there
	@$(python) -m lianban_local seed
logs: environment ## follow the logs (S=acceptance: of one process)
	@exec $(python) -m lianban_local logs $(S)
clean: environment ## stop, and forget every port, password and row
	@$(python) -m lianban_local clean

##@ Check
check: environment ## format, lint, types, import rules
	@.venv/bin/ruff format --check . && .venv/bin/ruff check . && .venv/bin/mypy $(wildcard $(code)) && .venv/bin/lint-imports
fmt: environment ## put the code into its format
	@.venv/bin/ruff format . && .venv/bin/ruff check --fix .
test: environment ## everything but the long runs
	@.venv/bin/pytest -n 2 --dist loadgroup -m "not long" $(scope)
test-long: environment ## the long runs: minutes
	@.venv/bin/pytest -m long $(scope)
bench: environment ## the figures, as ratios against peers in the same run
	@$(python) -m bench

##@ Change
lock: environment ## recompile the hash-pinned locks
	@scripts/lock.sh
migration: environment ## S=acceptance m="add cards": a new migration from the models
	@$(python) -m lianban_local migration "$(S)" "$(m)"
openapi: environment ## write every service's OpenAPI document to docs/openapi
	@$(python) -m lianban_local openapi
