"""Files of routes: round trips and claims."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from combopt import api
from combopt.instances.cvrp import Cvrp
from combopt.instances.formats.routes import ROUTES, claim, write
from combopt.instances.metric import Metric
from combopt.instances.solutions import Routes
from combopt.instances.text import Source

SQUARE = Cvrp(
    metric=Metric(rule="EUC_2D", coordinates=np.array([[0, 0], [3, 0], [3, 4], [0, 4.0]])),
    demand=np.array([0, 4, 5, 6]), capacity=10,
)  # fmt: skip


def test_round_trip() -> None:
    routes = Routes(((2, 1), (3,)))
    assert ROUTES.read(Source("x.sol", write(routes, SQUARE)), SQUARE) == routes


def test_what_is_written_claims_its_value() -> None:
    assert claim(Source("x.sol", write(Routes(((2, 1), (3,))), SQUARE))) == 20


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("Cost 784", 784.0),
        ("Cost: 784", 784.0),
        ("cost 784.5", 784.5),
        ("  Cost = 784 ", 784.0),
        ("Cost 1.00294e+06", 1002940.0),
        ("Cost unknown", None),
        ("Cost .e+.", None),
        ("Time 3", None),
    ],
)
def test_claims(line: str, value: float | None) -> None:
    assert claim(Source("x.sol", f"Route #1: 1\n{line}\n")) == value


@pytest.mark.parametrize(("claimed", "holds"), [("20", True), ("21", False), ("20.0000001", False)])
def test_the_claim_on_whole_distances_must_be_exact(tmp_path: Path, claimed: str, holds: bool) -> None:
    path = tmp_path / "a.sol"
    path.write_text(f"Route #1: 1 2\nRoute #2: 3\nCost {claimed}\n")
    assert api.check(SQUARE, path).claim_holds is holds


def test_a_claim_in_few_digits_holds_for_real_distances(tmp_path: Path) -> None:
    points = np.array([[0.0, 0], [1, 1]])
    instance = Cvrp(metric=Metric(rule="EXACT_2D", coordinates=points), demand=np.array([0, 1]), capacity=1)
    path = tmp_path / "a.sol"
    path.write_text("Route #1: 1\nCost 2.83\n")
    assert api.check(instance, path).ok  # 2.828...
    path.write_text("Route #1: 1\nCost 2.84\n")
    assert not api.check(instance, path).ok


def test_a_wrong_file_is_reported_wrong(tmp_path: Path) -> None:
    path = tmp_path / "a.sol"
    path.write_text("Route #1: 1 2\nRoute #2: 2\nCost 22\n")
    checked = api.check(SQUARE, path)
    assert not checked.ok
    assert sorted(v.constraint for v in checked.evaluation.violations) == ["customer 2", "customer 3"]
