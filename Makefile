# The commands of everyday work: "make" alone lists them.

PYTHON ?= python3
# A Python that was named replaces the one that .venv was made with; the default takes what is there.
NAMED := $(if $(filter-out file,$(origin PYTHON)),named)
BIN := .venv/bin

.DEFAULT_GOAL := help
# They search for minutes, and search slower still while their lines are counted.
ATTACKS := tests/exploration tests/simulation/test_bugs_found.py
.PHONY: help demo bench test check format format-check lint types layers tests coverage attacks live browser screenshots clean runtime-venv test-venv

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' Makefile

demo: runtime-venv  ## install into .venv and show three servers agreeing, failing and recovering
	@$(BIN)/multipaxos demo

bench: runtime-venv  ## measure shortly how fast three servers are; ARGS="--failover" asks for more
	@$(BIN)/multipaxos bench --seconds 2 --warm-up 0.5 $(ARGS)

test: check  ## install into .venv and run everything that CI runs

check: format-check lint types layers  ## run all checks below, from the quickest to the slowest
	$(MAKE) --no-print-directory --jobs=2 --output-sync=target coverage attacks live browser

format: test-venv  ## format the code and mend what the linter can mend
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

format-check: test-venv  ## check the format of the code
	$(BIN)/ruff format --check .

lint: test-venv  ## check the code against the rules in pyproject.toml
	$(BIN)/ruff check .

types: test-venv  ## check the types
	$(BIN)/mypy

layers: test-venv  ## check who imports whom
	$(BIN)/lint-imports --no-cache --no-logo

tests: test-venv  ## run the tests only; ARGS="-k lease" chooses among them
	$(BIN)/pytest $(ARGS)

coverage: test-venv  ## run the tests without sockets; demand that they take every branch of the algorithm
	$(BIN)/coverage run -m pytest -m "not live and not browser" $(ATTACKS:%=--ignore=%)
	$(BIN)/coverage report

attacks: test-venv  ## explore exhaustively, and find every bug that can be switched on
	$(BIN)/pytest $(ATTACKS)

live: test-venv  ## run the tests with real processes and sockets
	$(BIN)/pytest -m live

browser: test-venv  ## look at the lab in a real browser, where there is one
	$(BIN)/pytest -m browser

screenshots: test-venv  ## take the pictures of the lab anew, where there is a browser
	$(BIN)/python -m tools.screenshots

clean:  ## remove .venv and all that the tools left behind
	rm -rf .venv build dist htmlcov .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

runtime-venv:
	@sh tools/make-venv.sh $(PYTHON) "" $(NAMED)

test-venv:
	@sh tools/make-venv.sh $(PYTHON) test $(NAMED)
