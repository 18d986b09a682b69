"""Files of colours, malformed and odd."""

from __future__ import annotations

from typing import Any

import numpy as np

from combopt.instances.coloring import Coloring
from combopt.instances.graph import Graph
from tests.malformed.case import Case


def _path() -> Coloring:
    return Coloring(graph=Graph(nodes=4, edges=np.array([[0, 1], [1, 2], [2, 3]])))


def _two(solution: Any) -> None:
    assert solution.groups.tolist() == [0, 1, 0, 1]


def _case(
    name: str,
    text: str | bytes,
    code: str | None = None,
    line: int = 0,
    check: Any = _two,
    filename: str = "colours.sol",
) -> Case:
    return Case(name, filename, text, code, line, check=check, instance=_path)


LABELS = "s col 2\nl 1 1\nl 2 2\nl 3 1\nl 4 2\n"
CASES = [
    _case("from-zero", "0 1 0 1\n"),
    _case("from-one", "1 2 1 2\n"),
    _case("a-line-each", "1\n2\n1\n2\n"),
    _case("any-layout", "1 2\n\n  1\n2"),
    _case("dimacs", LABELS),
    _case("dimacs-from-zero", "s col 2\nl 1 0\nl 2 1\nl 3 0\nl 4 1\n"),
    _case("labels-in-any-order", "l 4 2\nl 2 2\nl 1 1\nl 3 1\n"),
    _case("labels-without-a-value", LABELS.replace("s col 2\n", "")),
    _case("comments", "c a\n# b\n" + LABELS),
    _case("crlf", LABELS.replace("\n", "\r\n")),
    _case("by-extension", "1 2 1 2\n", filename="a.colors"),
    _case("colours-with-gaps", "7 9 7 9\n", check=lambda s: s.groups.tolist() == [6, 8, 6, 8] or 1 / 0),
    _case("infeasible", "1 1 1 1\n", check=lambda s: s.groups.tolist() == [0, 0, 0, 0] or 1 / 0),
    _case("letter", "1 2\n1 x\n", "E113", 2),
    _case("nan", "1 2 1 nan\n", "E113", 1),
    _case("fraction", "1 2 1.5 2\n", "E113", 1),
    _case("negative", "1 2\n-1 2\n", "E114", 2),
    _case("huge", "1 2 1 99999999999999999999\n", "E114", 1),
    _case("too-few", "1 2\n1\n", "E115", 2),
    _case("too-many", "1 2 1\n2 1\n2\n", "E115", 2),
    _case("only-a-value", "s col 2\n", "E111", 0),
    _case("vertex-zero", LABELS.replace("l 1 1", "l 0 1"), "E117", 2),
    _case("vertex-too-large", LABELS.replace("l 3 1", "l 5 1"), "E117", 4),
    _case("vertex-twice", LABELS.replace("l 3 1", "l 2 1"), "E116", 4),
    _case("vertex-missing", LABELS.replace("l 3 1\n", ""), "E118", 4),
    _case("label-without-a-colour", LABELS.replace("l 3 1", "l 3"), "E123", 4),
    _case("label-with-two-colours", LABELS.replace("l 3 1", "l 3 1 2"), "E123", 4),
    _case("label-is-no-number", LABELS.replace("l 3 1", "l 3 red"), "E113", 4),
    _case("negative-label", LABELS.replace("l 3 1", "l 3 -1"), "E114", 4),
    _case("mixed-styles", "1 2 1 2\nl 1 1\n", "E123", 2),
    _case("two-values", LABELS + "s col 2\n", "E116", 6),
    _case("value-is-no-number", LABELS.replace("s col 2", "s col two"), "E123", 1),
    _case("value-of-another-problem", LABELS.replace("s col 2", "s mis 2"), "E123", 1),
    _case("nul", b"1 2\n\0\n", "E105", 2),
]
