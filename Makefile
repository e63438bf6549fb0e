# The commands of the house. `make demo` and `make test` are all that a fresh machine needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO := demo/support-desk

.PHONY: demo stop test coverage soak check fix bench docs clean

$(VENV)/ready: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

$(VENV)/demo-ready: pyproject.toml      # half of what the tests need, and compiled only where it is imported: a minute less
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --no-compile --editable '.[train,starter]'
	touch $@

demo: $(VENV)/demo-ready ## train, compare, release and ask a served product
	@BIN=$(BIN) sh tools/demo.sh $(DEMO)

stop:                   ## stop the service that `make demo` left running
	@sh tools/demo.sh stop $(DEMO)

test: check             ## everything that CI runs, on two cores
	$(BIN)/python -m pytest -n 2 --dist loadfile --max-worker-restart 0

coverage: $(VENV)/ready ## print which lines the tests run; `TESTS=tests/kinds`: of these alone
	$(BIN)/python -m pytest -n 2 --dist loadfile --cov=windlass --cov-report=term-missing:skip-covered $(TESTS)

soak: $(VENV)/ready     ## what CI has no time for: hundreds of kills, minutes of load
	$(BIN)/python -m pytest -m soak -o faulthandler_timeout=0

check: $(VENV)/ready    ## lint, form and types
	$(BIN)/ruff check src tests tools benchmarks
	$(BIN)/ruff format --check --quiet src tests tools benchmarks
	$(BIN)/mypy

fix: $(VENV)/ready      ## mend what can be mended by a machine
	$(BIN)/ruff check --fix src tests tools benchmarks
	$(BIN)/ruff format --quiet src tests tools benchmarks

bench: $(VENV)/ready    ## quality on the real data sets beside the project, and speed against peers
	$(BIN)/python benchmarks/quality.py
	$(BIN)/python benchmarks/speed.py

docs: $(VENV)/ready     ## write docs/reference.md from the code
	$(BIN)/python tools/make_reference.py

clean:
	rm -rf $(VENV) demo
