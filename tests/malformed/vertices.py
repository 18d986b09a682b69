"""Files of chosen vertices, malformed and odd."""

from __future__ import annotations

from typing import Any

import numpy as np

from combopt.instances.graph import Graph
from combopt.instances.mis import Mis
from tests.malformed.case import Case


def _star() -> Mis:
    return Mis(graph=Graph(nodes=5, edges=np.array([[0, 1], [0, 2], [0, 3], [0, 4]])))


def _leaves(solution: Any) -> None:
    assert solution.items.tolist() == [1, 2, 3]


def _case(
    name: str,
    text: str | bytes,
    code: str | None = None,
    line: int = 0,
    check: Any = _leaves,
    filename: str = "vertices.sol",
) -> Case:
    return Case(name, filename, text, code, line, check=check, instance=_star)


CASES = [
    _case("one-line", "2 3 4\n"),
    _case("a-line-each", "2\n3\n4\n"),
    _case("any-layout", "\n2 3\n\n   4"),
    _case("any-order", "4 2 3\n"),
    _case("dimacs", "c found\ns mis 3\nv 2\nv 3\nv 4\n"),
    _case("dimacs-one-line", "s mis 3\nv 2 3 4\n"),
    _case("value-alone", "s 3\nv 2 3 4\n"),
    _case("comments", "# a\nc b\n2 3 4\nc c\n"),
    _case("crlf", "2\r\n3\r\n4\r\n"),
    _case("decimals", "2.0 3 4\n"),
    _case("by-extension", "2 3 4\n", filename="a.vertices"),
    _case("nothing-chosen", "s mis 0\n", check=lambda s: not len(s.items) or 1 / 0),
    _case("repeated", "2 3 4 4\n", check=lambda s: s.items.tolist() == [1, 2, 3, 3] or 1 / 0),
    _case("infeasible", "1 2\n", check=lambda s: s.items.tolist() == [0, 1] or 1 / 0),
    _case("letter", "2\n3\nx\n", "E113", 3),
    _case("nan", "2 nan 4\n", "E113", 1),
    _case("fraction", "2\n3.5\n", "E113", 2),
    _case("zero", "0\n2\n", "E117", 1),
    _case("too-large", "2\n3\n6\n", "E117", 3),
    _case("negative", "2\n-3\n", "E117", 2),
    _case("huge", "2\n99999999999999999999999\n", "E117", 2),
    _case("mixed-styles", "s mis 3\nv 2\n3\nv 4\n", "E123", 3),
    _case("two-values", "s mis 3\nv 2\ns mis 3\n", "E116", 3),
    _case("value-without-a-number", "s mis\nv 2\n", "E123", 1),
    _case("value-is-no-number", "s mis three\nv 2\n", "E123", 1),
    _case("negative-value", "s mis -3\nv 2\n", "E123", 1),
    _case("only-comments", "c nothing\n", "E111", 0),
    _case("glued", "s mis 3\nv2\n", "E113", 2),
    _case("other-digits", "2\n٣\n", "E113", 2),
    _case("nul", b"2\n\0\n", "E105", 2),
    _case("empty", "\n", "E106", 0),
]
