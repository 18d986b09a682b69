"""OPLib files, malformed and odd."""

from __future__ import annotations

from combopt.instances.op import Op
from tests.malformed.case import Case

GOOD = """NAME : four
COMMENT : made up
TYPE : OP
DIMENSION : 4
COST_LIMIT : 13
EDGE_WEIGHT_TYPE : EUC_2D
NODE_COORD_SECTION
1 0 0
2 3 0
3 3 4
4 0 4
NODE_SCORE_SECTION
1 0
2 7
3 5
4 6
DEPOT_SECTION
1
-1
EOF
"""
MATRIX = """NAME : three
TYPE : OP
DIMENSION : 3
COST_LIMIT : 10
EDGE_WEIGHT_TYPE : EXPLICIT
EDGE_WEIGHT_FORMAT : FULL_MATRIX
EDGE_WEIGHT_SECTION
0 1 2
1 0 3
2 3 0
NODE_SCORE_SECTION
1 0
2 7
3 5
DEPOT_SECTION
1
-1
EOF
"""


def _four(instance: Op) -> None:
    assert instance.metric.full().tolist() == [[0, 3, 5, 4], [3, 0, 4, 5], [5, 4, 0, 3], [4, 5, 3, 0]]
    assert instance.prize.tolist() == [0, 7, 5, 6]
    assert (instance.limit, instance.depot, instance.end, instance.name) == (13, 0, None, "a")


def _three(instance: Op) -> None:
    assert instance.metric.full().tolist() == [[0, 1, 2], [1, 0, 3], [2, 3, 0]]


def _depot(number: int) -> object:
    def check(instance: Op) -> None:
        assert instance.depot == number - 1

    return check


def _limit(value: float) -> object:
    def check(instance: Op) -> None:
        assert instance.limit == value

    return check


def _bad(name: str, old: str, new: str, code: str | None, line: int = 0, **more: object) -> Case:
    assert GOOD.count(old) == 1, old
    return Case(name, "a.oplib", GOOD.replace(old, new), code, line, **more)  # type: ignore[arg-type]


CASES = [
    Case("good", "a.oplib", GOOD, None, check=_four),
    Case("oplib-by-content", "a.txt", GOOD, None, check=_four),
    Case("explicit-matrix", "a.oplib", MATRIX, None, check=_three),
    Case("crlf", "a.oplib", GOOD.replace("\n", "\r\n"), None, check=_four),
    Case("no-eof", "a.oplib", GOOD.replace("EOF\n", ""), None, check=_four),
    Case("no-space-before-colons", "a.oplib", GOOD.replace(" :", ":"), None, check=_four),
    Case("tabs", "a.oplib", GOOD.replace("3 3 4", "3\t3\t4"), None, check=_four),
    _bad("shuffled-scores", "1 0\n2 7\n", "2 7\n1 0\n", None, check=_four),
    _bad("other-depot", "DEPOT_SECTION\n1", "DEPOT_SECTION\n3", None, check=_depot(3)),
    _bad("fractional-limit", ": 13", ": 13.5", None, check=_limit(13.5)),
    _bad("limit-as-real", ": 13", ": 13.0", None, check=_limit(13)),
    _bad("limit-zero", ": 13", ": 0", None, check=_limit(0)),
    _bad("length-of-a-tour-noted", "EDGE_WEIGHT_TYPE", "TSP_SOLUTION : 14\nEDGE_WEIGHT_TYPE", None, check=_four),
    _bad("score-as-real", "2 7\n", "2 7.0\n", None, check=_four),
    _bad("no-limit", "COST_LIMIT : 13\n", "", "E118", 0),
    _bad("limit-without-value", "COST_LIMIT : 13", "COST_LIMIT :", "E118", 5),
    _bad("limit-in-letters", ": 13", ": long", "E113", 5),
    _bad("limit-nan", ": 13", ": nan", "E113", 5),
    _bad("limit-infinite", ": 13", ": 1e999", "E114", 5),
    _bad("limit-negative", ": 13", ": -1", "E114", 5),
    _bad("limit-twice", "COST_LIMIT : 13", "COST_LIMIT : 13\nCOST_LIMIT : 14", "E116", 6),
    _bad("no-type", "TYPE : OP\n", "", "E118", 0),
    _bad("no-dimension", "DIMENSION : 4\n", "", "E118", 0),
    _bad("dimension-zero", "DIMENSION : 4", "DIMENSION : 0", "E114", 4),
    _bad("dimension-huge", "DIMENSION : 4", "DIMENSION : 100000000", "E121", 4),
    _bad("dimension-too-small", "DIMENSION : 4", "DIMENSION : 3", "E115", 11),
    _bad("dimension-fractional", "DIMENSION : 4", "DIMENSION : 4.5", "E113", 4),
    _bad("no-scores", "NODE_SCORE_SECTION\n1 0\n2 7\n3 5\n4 6\n", "", "E118", 0),
    _bad("score-missing", "4 6\n", "", "E115", 12),
    _bad("score-too-many", "4 6\n", "4 6\n5 1\n", "E115", 17),
    _bad("score-twice", "4 6\n", "3 6\n", "E116", 16),
    _bad("score-of-no-node", "4 6\n", "9 6\n", "E117", 16),
    _bad("score-negative", "2 7\n", "2 -7\n", "E114", 14),
    _bad("score-fractional", "2 7\n", "2 7.5\n", "E113", 14),
    _bad("score-nan", "2 7\n", "2 nan\n", "E113", 14),
    _bad("score-beyond-floats", "2 7\n", "2 9007199254740993\n", "E114", 14),
    _bad("score-line-too-long", "2 7\n", "2 7 1\n", "E115", 14),
    _bad("coordinate-infinite", "3 3 4", "3 3 inf", "E113", 10),
    _bad("no-coordinates", "NODE_COORD_SECTION\n1 0 0\n2 3 0\n3 3 4\n4 0 4\n", "", "E118", 6),
    _bad("unknown-distance", "EUC_2D", "EUC_7D", "E119", 6),
    _bad("no-depot-section", "DEPOT_SECTION\n1\n-1\n", "", "E118", 0),
    _bad("no-depot", "DEPOT_SECTION\n1\n", "DEPOT_SECTION\n", "E119", 17),
    _bad("two-depots", "DEPOT_SECTION\n1\n", "DEPOT_SECTION\n1\n2\n", "E119", 19),
    _bad("depot-of-no-node", "DEPOT_SECTION\n1\n", "DEPOT_SECTION\n5\n", "E117", 18),
    _bad("depot-zero", "DEPOT_SECTION\n1\n", "DEPOT_SECTION\n0\n", "E117", 18),
    _bad("depot-not-ended", "-1\n", "", "E111", 18, lenient="E111", check=_four),
    _bad("unknown-keyword", "EDGE_WEIGHT_TYPE", "COST_LIMITS : 3\nEDGE_WEIGHT_TYPE", "E112", 6, lenient="E112"),
    _bad("unknown-section", "EOF", "PRIZE_SECTION\n1 2\nEOF", "E112", 20, lenient="E112", check=_four),
    Case("data-after-eof", "a.oplib", GOOD + "5 5 5\n", "E122", 21, lenient="E122", check=_four),
    Case("matrix-not-symmetric", "a.oplib", MATRIX.replace("2 3 0", "2 4 0"), "E120", 7),
    Case("matrix-negative", "a.oplib", MATRIX.replace("1 0 3", "1 0 -3").replace("2 3 0", "2 -3 0"), "E114", 7),
    Case("matrix-short", "a.oplib", MATRIX.replace("2 3 0\n", "2 3\n"), "E115", 7),
    Case("cut-in-the-middle", "a.oplib", GOOD.partition("3 5\n")[0], "E115", 12),
    Case("another-problem", "a.oplib", GOOD.replace("TYPE : OP", "TYPE : TOUR"), "E119", 3),
    Case("nul-byte", "a.oplib", GOOD.replace("3 3 4", "3 3 \0"), "E105", 10),
    Case("empty", "a.oplib", "\n", "E106", 0),
]
