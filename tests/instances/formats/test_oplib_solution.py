"""Solutions with prizes: written, read back, and their claims checked."""

from __future__ import annotations

from pathlib import Path

import pytest

from combopt import api
from combopt.instances.solutions import Tour
from tests.malformed.oplib_solution import GOOD, TOUR, op, pctsp


def test_a_route_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "four.sol"
    api.write_solution(Tour([0, 2, 1]), op(), path)
    checked = api.check(op(), path)
    assert (checked.claimed, checked.ok) == (12, True)
    assert api.read_solution(path, op()) == Tour([0, 2, 1])
    assert "ROUTE_COST : 12\n" in path.read_text()


@pytest.mark.parametrize("make", [op, pctsp])
def test_a_tour_is_read_back(make: object, tmp_path: Path) -> None:
    instance = make()  # type: ignore[operator]
    path = tmp_path / "four.tour"
    api.write_solution(Tour([0, 2, 1]), instance, path)
    checked = api.check(instance, path)
    assert checked.ok
    assert checked.claimed == checked.evaluation.objective
    assert api.read_solution(path, instance) == Tour([0, 2, 1])


def test_the_extension_sol_means_a_tour_for_pctsp(tmp_path: Path) -> None:
    path = tmp_path / "four.sol"
    api.write_solution(Tour([0, 2, 1]), pctsp(), path)
    assert "TOUR_SECTION" in path.read_text()


@pytest.mark.parametrize(("text", "name"), [(GOOD, "four.sol"), (TOUR, "four.tour")])
def test_a_false_claim_is_found(text: str, name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(text.replace("ROUTE_SCORE : 12", "ROUTE_SCORE : 13").replace("= 12", "= 13"))
    checked = api.check(op(), path)
    assert checked.evaluation.feasible
    assert not checked.ok


def test_without_a_claim_there_is_none(tmp_path: Path) -> None:
    path = tmp_path / "four.sol"
    path.write_text(GOOD.replace("ROUTE_SCORE : 12\n", ""))
    assert api.check(op(), path).claimed is None
