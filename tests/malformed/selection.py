"""Solution files of chosen items and of bins, malformed and odd."""

from __future__ import annotations

import numpy as np

from combopt.instances.binpacking import BinPacking
from combopt.instances.knapsack import Knapsack
from combopt.instances.setcover import SetCover, from_pairs
from combopt.instances.solutions import Assignment, Selection
from tests.malformed.case import Case


def _knapsack() -> Knapsack:
    return Knapsack(profit=np.array([6, 10, 12, 13]), weight=np.array([2, 4, 6, 7]), capacity=11)


def _cover() -> SetCover:
    pairs = np.array([(0, 0), (1, 1)])
    return from_pairs("two", 2, np.array([1, 1]), pairs[:, 0], pairs[:, 1])


def _bins() -> BinPacking:
    return BinPacking(item_size=np.array([7, 5, 3, 3]), capacity=10)


def _second_and_fourth(solution: Selection) -> None:
    assert solution.items.tolist() == [1, 3]


def _none(solution: Selection) -> None:
    assert solution.items.tolist() == []


def _twice(solution: Selection) -> None:
    assert solution.items.tolist() == [1, 1, 3]


def _packed(solution: Assignment) -> None:
    assert solution.groups.tolist() == [0, 1, 0, 1]


def _partly(solution: Assignment) -> None:
    assert solution.groups.tolist() == [0, -1, 0, -1]


def _case(name: str, text: str, code: str | None, line: int = 0, **more: object) -> Case:
    return Case(name, "items.sol", text, code, line, instance=_knapsack, **more)  # type: ignore[arg-type]


def _bin(name: str, text: str, code: str | None, line: int = 0, **more: object) -> Case:
    return Case(name, "bins.sol", text, code, line, instance=_bins, **more)  # type: ignore[arg-type]


CASES = [
    _case("list", "2 4\n", None, check=_second_and_fourth),
    _case("list-with-objective", "objective 23\n4\n2\n", None, check=_second_and_fourth),
    _case("objective-with-colon", "Objective: 23\n2 4\n", None, check=_second_and_fourth),
    _case("objective-with-equals", "objective = 23.0\n2 4\n", None, check=_second_and_fourth),
    _case("comments", "# by hand\n2 4 # both fit\n", None, check=_second_and_fourth),
    _case("vector", "0 1 0 1\n", None, check=_second_and_fourth),
    _case("vector-by-line", "0\n1\n0\n1\n", None, check=_second_and_fourth),
    _case("nothing-chosen", "objective 0\n", None, check=_none),
    _case("vector-of-zeros", "0 0 0 0\n", None, check=_none),
    _case("item-twice-is-for-the-check", "2 2 4\n", None, check=_twice),
    _case("item-zero", "0 2\n", "E117", 1),
    _case("item-too-large", "2\n5\n", "E117", 2),
    _case("item-negative", "2 -4\n", "E117", 1),
    _case("vector-too-short", "0 1 0\n", "E115", 1),
    _case("vector-too-long", "0 1 0 1 0\n", "E115", 1),
    _case("fraction", "2 3.5\n", "E113", 1),
    _case("word", "2 four\n", "E113", 1),
    _case("only-comments", "# nothing\n", "E118", 0),
    _case("objective-without-value", "objective\n2 4\n", "E113", 1),
    _case("objective-twice", "objective 23\nobjective 23\n2 4\n", "E116", 2),
    _case("objective-at-the-end", "2 4\nobjective 23\n", "E116", 2),
    _case("objective-nan", "objective nan\n2 4\n", "E113", 1),
    Case("list-of-all-columns", "cover.sol", "1 2\n", None, instance=_cover),
    Case("one-is-a-list", "cover.sol", "1\n", None, instance=_cover),
    Case("column-three", "cover.sol", "1 3\n", "E117", 1, instance=_cover),
    _bin("lines-of-items", "1 3\n2 4\n", None, check=_packed),
    _bin("lines-of-items-and-objective", "objective 2\n1 3\n\n2 4\n", None, check=_packed),
    _bin("bin-of-each-item", "0\n1\n0\n1\n", None, check=_packed),
    _bin("items-missing-is-for-the-check", "1 3\n", None, check=_partly),
    _bin("item-in-two-bins", "1 3\n2 3 4\n", "E116", 2),
    _bin("item-twice-in-a-bin", "1 3 3\n2 4\n", "E116", 1),
    _bin("item-zero", "0 1\n2 3\n", "E117", 1),
    _bin("item-too-large", "1 3\n2 5\n", "E117", 2),
    _bin("negative-bin", "0\n-1\n0\n1\n", "E114", 2),
    _bin("word", "1 three\n2 4\n", "E113", 1),
    _bin("no-bins", "objective 0\n", "E118", 0),
]
