"""OPLib solutions and tours that leave nodes out, malformed and odd."""

from __future__ import annotations

import numpy as np

from combopt.instances.metric import Metric
from combopt.instances.op import Op
from combopt.instances.pctsp import Pctsp
from combopt.instances.solutions import Tour
from tests.malformed.case import Case

GOOD = """NAME : four
TYPE : OP
DIMENSION : 4
COST_LIMIT : 13
ROUTE_NODES : 3
ROUTE_SCORE : 12
ROUTE_COST : 12
NODE_SEQUENCE_SECTION
1
2
3
-1
DEPOT_SECTION
1
-1
EOF
"""
TOUR = """NAME : four
COMMENT : Objective = 12
TYPE : TOUR
DIMENSION : 3
TOUR_SECTION
1
2
3
-1
EOF
"""
SQUARE = np.array([[0.0, 0.0], [3.0, 0.0], [3.0, 4.0], [0.0, 4.0]])


def op() -> Op:
    metric = Metric(rule="EUC_2D", coordinates=SQUARE)
    return Op(metric=metric, prize=np.array([0, 7, 5, 6]), limit=13)


def pctsp() -> Pctsp:
    metric = Metric(rule="EUC_2D", coordinates=SQUARE)
    ones = np.ones(4, dtype=np.int64)
    return Pctsp(metric=metric, prize=ones, penalty=ones, min_prize=2)


def _order(*nodes: int) -> object:
    def check(tour: Tour) -> None:
        assert tour.order.tolist() == list(nodes)

    return check


def _case(name: str, old: str, new: str, code: str | None, line: int = 0, **more: object) -> Case:
    assert GOOD.count(old) == 1, old
    return Case(name, "four.sol", GOOD.replace(old, new), code, line, instance=op, **more)  # type: ignore[arg-type]


def _tour(name: str, text: str, code: str | None, line: int = 0, **more: object) -> Case:
    return Case(name, "four.tour", text, code, line, **{"instance": op, **more})  # type: ignore[arg-type]


CASES = [
    _case("good", "NAME", "NAME", None, check=_order(0, 1, 2)),
    _case("one-line", "1\n2\n3\n-1\n", "1 2 3 -1\n", None, check=_order(0, 1, 2)),
    _case("depot-alone", "1\n2\n3\n-1\n", "1\n-1\n", "E115", 5),
    _case("twice-visited", "3\n-1\n", "2\n-1\n", None, check=_order(0, 1, 1)),
    _case("no-counts", "ROUTE_NODES : 3\nROUTE_SCORE : 12\nROUTE_COST : 12\n", "", None, check=_order(0, 1, 2)),
    _case("no-depot", "DEPOT_SECTION\n1\n-1\nEOF", "EOF", None, check=_order(0, 1, 2)),
    _case("no-eof", "EOF\n", "", None, check=_order(0, 1, 2)),
    _case("other-dimension", "DIMENSION : 4", "DIMENSION : 5", "E302", 3),
    _case("dimension-in-letters", "DIMENSION : 4", "DIMENSION : four", "E113", 3),
    _case("other-type", "TYPE : OP", "TYPE : TSP", "E119", 2),
    _case("other-count", "ROUTE_NODES : 3", "ROUTE_NODES : 4", "E115", 5),
    _case("score-in-letters", "ROUTE_SCORE : 12", "ROUTE_SCORE : best", "E113", 6),
    _case("score-nan", "ROUTE_SCORE : 12", "ROUTE_SCORE : nan", "E113", 6),
    _case("cost-empty", "ROUTE_COST : 12", "ROUTE_COST :", "E118", 7),
    _case("node-beyond", "3\n-1\n", "5\n-1\n", "E117", 11),
    _case("node-zero", "3\n-1\n", "0\n-1\n", "E117", 11),
    _case("node-negative", "3\n-1\n", "-3\n-1\n", "E117", 11),
    _case("node-in-letters", "3\n-1\n", "three\n-1\n", "E112", 11),
    _case("node-fractional", "3\n-1\n", "3.5\n-1\n", "E113", 11),
    _case("node-huge", "3\n-1\n", f"{10**40}\n-1\n", "E117", 11),
    _case("not-ended", "3\n-1\nDEPOT", "3\nDEPOT", "E111", 11),
    _case("after-the-end", "3\n-1\nDEPOT", "3\n-1\n4\nDEPOT", "E122", 13),
    _case("empty-route", "1\n2\n3\n-1\nDEPOT", "-1\nDEPOT", "E118", 8),
    _case("other-depot", "DEPOT_SECTION\n1", "DEPOT_SECTION\n2", "E302", 14),
    _case("unknown-keyword", "ROUTE_COST", "ROUTE_PRICE", "E112", 7),
    _case("route-twice", "EOF", "NODE_SEQUENCE_SECTION\n1\n-1\nEOF", "E116", 16),
    Case("data-after-eof", "four.sol", GOOD + "1\n", "E122", 17, instance=op),
    Case(
        "not-utf-8", "four.sol", GOOD.encode().replace(b"four", b"f\xf6ur"), None, instance=op, check=_order(0, 1, 2)
    ),
    _tour("tour", TOUR, None, check=_order(0, 1, 2)),
    _tour("tour-for-pctsp", TOUR, None, check=_order(0, 1, 2), instance=pctsp),
    _tour("tour-closed", TOUR.replace("3\n-1\n", "3\n1\n-1\n"), None, check=_order(0, 1, 2)),
    _tour("tour-of-another-type", TOUR.replace(": TOUR", ": OP"), "E119", 3),
    _tour("tour-empty", TOUR.replace("1\n2\n3\n-1\n", "-1\n"), "E118", 5),
    _tour("tour-beyond", TOUR.replace("3\n-1\n", "7\n-1\n"), "E117", 8),
]
