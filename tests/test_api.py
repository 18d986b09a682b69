"""Reading, checking, writing and solving from Python."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import combopt
from combopt import api
from combopt.errors import InputError, UsageError
from combopt.instances.tsp import Tsp
from tests.solvers.fakes import GOOD, five_points, tour


def test_solve_takes_a_file(tmp_path: Path) -> None:
    combopt.write(five_points(), tmp_path / "five.tsp")
    result = combopt.solve(tmp_path / "five.tsp", "nearest_neighbour")
    assert result.instance.name == "five"
    assert result.objective == 40


def test_check_compares_with_the_claim(tmp_path: Path) -> None:
    path = tmp_path / "five.tour"
    combopt.write_solution(tour(GOOD), five_points(), path)
    assert api.check(five_points(), path).ok
    path.write_text(path.read_text().replace("Length = 40", "Length = 39"))
    checked = api.check(five_points(), path)
    assert (checked.ok, checked.claimed, checked.evaluation.objective) == (False, 39, 40)


def test_files_appear_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "a.tour"
    api.write_text(path, "one")
    api.write_text(path, "two")
    assert path.read_text() == "two"
    assert os.listdir(tmp_path) == ["a.tour"]
    with pytest.raises(UsageError) as caught:
        api.write_text(tmp_path / "missing" / "a", "x")
    assert caught.value.code == "E205"


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda: combopt.solve(five_points(), "nobody"), "E204"),
        (lambda: combopt.solve(five_points(), time_limt=3), "E201"),
        (lambda: combopt.solve(five_points(), "fast_tsp", options={"openning": 1}), "E201"),
        (lambda: combopt.solve(five_points(), "nearest_neighbour", options={"first": "x"}), "E201"),
        (lambda: combopt.write(five_points(), "five.xyz"), "E201"),
        (lambda: combopt.generate("tsp", size=3), "E201"),
        (lambda: combopt.generate("tps"), "E204"),
    ],
)
def test_misuse_is_told(call: object, code: str) -> None:
    with pytest.raises(UsageError) as caught:
        call()  # type: ignore[operator]
    assert caught.value.code == code


def test_a_solver_of_another_kind_is_refused_with_those_that_could() -> None:
    with pytest.raises(UsageError, match="fast_tsp") as caught:
        combopt.solve(five_points(), "scip")
    assert caught.value.code == "E202"


def test_selector() -> None:
    assert api.split_selector("a.txt#3") == ("a.txt", "3")
    assert api.split_selector("a.txt") == ("a.txt", None)


def test_unknown_content(tmp_path: Path) -> None:
    path = tmp_path / "poem"
    path.write_text("Roses are red\n")
    with pytest.raises(InputError) as caught:
        combopt.read(path)
    assert caught.value.code == "E102"


def test_overhead_of_an_in_process_solve_is_small() -> None:
    """Not a timing test: the solve must not start a process or load anything it does not need."""
    result = api.solve(five_points(), "nearest_neighbour", isolate=False)
    assert result.seconds < 5
    assert isinstance(combopt.generate("tsp", n=5), Tsp)
