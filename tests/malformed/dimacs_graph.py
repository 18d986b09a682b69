"""DIMACS graphs, malformed and odd."""

from __future__ import annotations

from typing import Any

from tests.malformed.case import Case

GOOD = """c a path and an isolated vertex
p edge 4 2
e 1 2
e 2 3
"""
WEIGHTED = """p edge 3 2
n 1 5
n 2 7
n 3 0
e 1 2
e 2 3
"""


def _path(instance: Any) -> None:
    assert instance.graph.nodes == 4
    assert instance.graph.edges.tolist() == [[0, 1], [1, 2]]
    assert instance.graph.weights is None


def _clique(instance: Any) -> None:
    assert instance.kind == "clique"
    _path(instance)


def _colouring(instance: Any) -> None:
    assert instance.kind == "coloring"
    _path(instance)


def _independent(instance: Any) -> None:
    assert instance.kind == "mis"
    _path(instance)


def _weighted(instance: Any) -> None:
    assert instance.graph.weights.tolist() == [5, 7, 0]


def _partly(instance: Any) -> None:
    assert instance.graph.weights.tolist() == [5, 1, 0]


def _empty(instance: Any) -> None:
    assert instance.size() == {"nodes": 4, "edges": 0}


CASES = [
    Case("good", "a.clq", GOOD, None, check=_clique),
    Case("colouring-by-extension", "a.col", GOOD, None, check=_colouring),
    Case("independent-set-by-extension", "a.mis", GOOD, None, check=_independent),
    Case("the-problem-asked-for-wins", "a.col", GOOD, None, check=_independent, options={"kind": "mis"}),
    Case("ascii-under-the-binary-extension", "a.col.b", GOOD, None, check=_colouring),
    Case("word-col", "a.clq", GOOD.replace("p edge", "p col"), None, check=_path),
    Case("word-edges", "a.clq", GOOD.replace("p edge", "p edges"), None, check=_path),
    Case(
        "blanks", "a.clq", GOOD.replace("p edge 4 2", "  p  edge\t4 2   ").replace("e 1", " e  1"), None, check=_path
    ),
    Case("crlf", "a.clq", GOOD.replace("\n", "\r\n"), None, check=_path),
    Case("blank-lines", "a.clq", "\n" + GOOD.replace("\n", "\n\n") + "  \n", None, check=_path),
    Case("comments-among-edges", "a.clq", GOOD + "c the end\ncolophon\n", None, check=_path),
    Case("both-directions", "a.col", GOOD.replace("4 2", "4 4") + "e 2 1\ne 3 2\n", None, check=_path),
    Case("header-of-twice-the-edges", "a.col", GOOD.replace("4 2", "4 4"), None, check=_path),
    Case("header-of-any-count", "a.col", GOOD.replace("4 2", "4 7"), None, check=_path),
    Case("loop", "a.clq", GOOD + "e 4 4\n", None, check=_path),
    Case("number-of-colours-in-the-header", "a.col", GOOD.replace("4 2", "4 2 2"), None, check=_path),
    Case("no-edges", "a.clq", "p edge 4 0\n", None, check=_empty),
    Case("lines-for-drawing", "a.clq", GOOD + "d 2\nv 1 0.5 0.5\nx 1 2\n", None, check=_path),
    Case("decimals", "a.clq", GOOD.replace("e 1 2", "e 1.0 2"), None, check=_path),
    Case("no-final-newline", "a.clq", GOOD.rstrip(), None, check=_path),
    Case("edges-first-upwards-then-down", "a.clq", GOOD.replace("e 2 3", "e 3 2"), None, check=_path),
    Case("weights", "a.clq", WEIGHTED, None, check=_weighted),
    Case("weights-after-the-edges", "a.clq", WEIGHTED.replace("n 1 5\n", "") + "n 1 5\n", None, check=_weighted),
    Case("a-weight-is-missing", "a.clq", WEIGHTED.replace("n 2 7\n", ""), None, check=_partly),
    Case("weights-to-colour", "a.col", WEIGHTED, None, check=lambda i: i.graph.weights is None or 1 / 0),
    Case("what-problem", "a.b", GOOD, "E118", 0),
    Case("binary", "a.col.b", b"3\np edge 2 1\n\0\0\xc0", "E119", 0),
    Case("binary-without-nul", "a.b", "4\np edge 2 1\n\x80\xc0", "E119", 1),
    Case("binary-under-another-name", "a.clq", b"3\np edge 2 1\n\0\0\xc0", "E105", 3),
    Case("no-header", "a.clq", "e 1 2\ne 2 3\n", "E118", 1),
    Case("header-after-the-edges", "a.clq", "c x\ne 1 2\np edge 4 2\n", "E118", 2),
    Case("nothing-but-comments", "a.clq", "c nothing\n", "E118", 0),
    Case("two-headers", "a.clq", GOOD + "p edge 4 2\n", "E116", 5),
    Case("short-header", "a.clq", GOOD.replace("p edge 4 2", "p edge 4"), "E123", 2),
    Case("long-header", "a.clq", GOOD.replace("4 2", "4 2 2 2"), "E123", 2),
    Case("another-problem", "a.clq", GOOD.replace("p edge", "p cnf"), "E119", 2),
    Case("letters-for-a-size", "a.clq", GOOD.replace("4 2", "x 2"), "E113", 2),
    Case("letters-for-a-count", "a.clq", GOOD.replace("4 2", "4 many"), "E113", 2),
    Case("no-vertices", "a.clq", "p edge 0 0\n", "E114", 1),
    Case("negative-size", "a.clq", GOOD.replace("4 2", "-4 2"), "E114", 2),
    Case("negative-count", "a.clq", GOOD.replace("4 2", "4 -2"), "E114", 2),
    Case("huge-size", "a.clq", GOOD.replace("4 2", "400000000 2"), "E121", 2),
    Case("more-than-32-bits", "a.clq", GOOD.replace("4 2", "4000000000 2"), "E114", 2),
    Case("vertex-zero", "a.clq", GOOD.replace("e 1 2", "e 0 2"), "E117", 3),
    Case("vertex-too-large", "a.clq", GOOD.replace("e 2 3", "e 2 5"), "E117", 4),
    Case("vertex-too-large-before-a-comment", "a.clq", GOOD.replace("e 2 3", "e 2 5\nc"), "E117", 4),
    Case("negative-vertex", "a.clq", GOOD.replace("e 2 3", "e -2 3"), "E117", 4),
    Case("letter-for-a-vertex", "a.clq", GOOD.replace("e 2 3", "e 2 x"), "E113", 4),
    Case("glued-to-the-letter", "a.clq", GOOD.replace("e 2 3", "e2 3"), "E112", 4),
    Case("nan", "a.clq", GOOD.replace("e 2 3", "e 2 nan"), "E113", 4),
    Case("half-a-vertex", "a.clq", GOOD.replace("e 2 3", "e 2 2.5"), "E113", 4),
    Case("power-of-ten", "a.clq", GOOD.replace("4 2", "20 2").replace("e 2 3", "e 2 1e 1"), "E123", 4),
    Case("underscore", "a.clq", GOOD.replace("4 2", "20 2").replace("e 2 3", "e 2 1_0"), "E113", 4),
    Case("other-digits", "a.clq", GOOD.replace("e 2 3", "e 2 ٣"), "E113", 4),
    Case("lone-sign", "a.clq", GOOD.replace("e 2 3", "e + 3"), "E113", 4),
    Case("one-end", "a.clq", GOOD.replace("e 2 3", "e 2"), "E123", 4),
    Case("no-ends", "a.clq", GOOD + "e ", "E123", 5),
    Case("no-ends-at-all", "a.clq", "p edge 4 2\ne ", "E123", 2),
    Case("three-ends", "a.clq", GOOD.replace("e 2 3", "e 2 3 4"), "E123", 4),
    Case("ends-over-two-lines", "a.clq", GOOD.replace("e 2 3", "e 2\ne 3 4 1"), "E123", 4),
    Case("unknown-line", "a.clq", GOOD + "q 1 2\n", "E112", 5, lenient="E112", check=_path),
    Case("numbers-without-a-letter", "a.clq", GOOD + "1 3\n", "E112", 5, lenient="E112", check=_path),
    Case("weight-twice", "a.clq", WEIGHTED + "n 2 7\n", "E116", 7),
    Case("weight-of-a-stranger", "a.clq", WEIGHTED + "n 4 7\n", "E117", 7),
    Case("weight-without-a-number", "a.clq", WEIGHTED.replace("n 2 7", "n 2"), "E123", 3),
    Case("negative-weight", "a.clq", WEIGHTED.replace("n 2 7", "n 2 -7"), "E114", 3),
    Case("fractional-weight", "a.clq", WEIGHTED.replace("n 2 7", "n 2 7.5"), "E113", 3),
    Case("huge-weight", "a.clq", WEIGHTED.replace("n 2 7", "n 2 99999999999999999999"), "E114", 3),
    Case("weight-before-the-header", "a.clq", "n 1 5\n" + WEIGHTED, "E118", 1),
]
