# Two commands do everything on a fresh machine: `make app` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install
APP := .venv/.app
STAMP := .venv/.installed

.PHONY: install app test coverage hostile check format demo docs clean

# The program and all it can use. torch and torchvision must come together, from one index, in the versions of constraints.txt.
$(APP): requirements.txt constraints.txt pyproject.toml
	@echo "Installing the app into .venv: about 8 GB, some minutes."
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) --constraint constraints.txt --requirement requirements.txt hatchling
	$(PIP) --quiet --no-deps --no-build-isolation --editable .
	touch $@

# The same, and what tests, checks and docs need.
$(STAMP): $(APP) requirements-dev.txt tests/s3-server.txt
	@echo "Installing what tests need: about 1 GB, a minute with nothing to see."
	$(PIP) --quiet --constraint constraints.txt --requirement requirements-dev.txt
	$(PIP) --quiet --no-deps --requirement tests/s3-server.txt
	touch $@

install: $(STAMP)

app: $(APP)
	$(BIN)/csp demo

# Browser tests drive Debian's Chromium, review tests also a PostgreSQL of Debian's; where these are missing (and no
# root to fetch them) those tests are skipped and say so. A file's tests share a process, and with it servers and runs.
PYTEST ?= --numprocesses logical --maxprocesses 8 --dist loadfile
test: install
	scripts/fetch_chromium.sh
	scripts/fetch_postgres.sh
	$(BIN)/python -m pytest $(PYTEST)

# The same, and what it ran through, which may not fall below the floor in pyproject.toml; takes half as long again.
coverage:
	$(MAKE) test PYTEST="$(PYTEST) --cov --cov-report="

# Thousands of damaged files and odd arguments of each kind, and 240 spoilt runs; a small sample is part of `make test`.
hostile: install
	CSP_HOSTILE=2000 $(BIN)/python -m pytest -q tests/hostile --hostile 240

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/test_floors.py

format: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Makes every file under assets/ that is not written by hand; hours on two cores, resumes where it stopped.
demo: install
	scripts/demo/make_all.sh

# The documentation as a site in cache/site; needs no network.
docs: install
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis
