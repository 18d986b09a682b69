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
	$(BIN)/combopt doctor --warm-up
	touch $(STAMP)

solve: $(STAMP)
	mkdir -p out
	$(BIN)/combopt solve examples/ft06.txt -t 30 -o out/ft06.sol --plot out/ft06.png
	$(BIN)/combopt check examples/ft06.txt out/ft06.sol
	$(BIN)/combopt generate cvrp -n 200 --set family=x --seed 1 -o out > out/cvrp.name
	$(BIN)/combopt solve `cat out/cvrp.name` -t 15 -o out/cvrp.sol --plot out/cvrp.png
	$(BIN)/combopt check `cat out/cvrp.name` out/cvrp.sol

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
