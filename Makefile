# Two commands do everything: `make solve` shows the main job, `make test` runs the tests.  Both create the environment.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: solve test lint types docs environment clean

environment: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $(STAMP)

solve: $(STAMP)
	mkdir -p out
	$(BIN)/combopt generate jobshop -n 10 --set family=ft10 -o out
	$(BIN)/combopt solve out/ft10.txt -t 60 -o out/ft10.sol --plot out/ft10.png
	$(BIN)/combopt check out/ft10.txt out/ft10.sol

test: $(STAMP)
	$(BIN)/python -m pytest -n 2 --dist worksteal

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

docs: $(STAMP)
	$(BIN)/mkdocs build --strict

clean:
	rm -rf $(VENV) out site build *.egg-info
