"""Tours in their formats, malformed and odd."""

from __future__ import annotations

from functools import partial

import numpy as np

from combopt.instances.metric import Metric
from combopt.instances.solutions import Tour
from combopt.instances.tsp import Tsp
from tests.malformed.case import Case

GOOD = """NAME : four.opt
COMMENT : Length = 14
TYPE : TOUR
DIMENSION : 4
TOUR_SECTION
1
2
4
3
-1
EOF
"""
ROUTE = "Route #1: 1 3 2\nCost: 14\n"


def _four() -> Tsp:
    return Tsp(name="four", metric=Metric(rule="EUC_2D", coordinates=np.array([[0, 0], [3, 0], [0, 4], [3, 4.0]])))


def _case(name: str, filename: str, text: str | bytes, code: str | None, line: int = 0, order: str = "0132") -> Case:
    check = partial(_is, order) if code is None else None
    return Case(name, filename, text, code, line, instance=_four, check=check)


def _is(order: str, tour: Tour) -> None:
    assert "".join(map(str, tour.order.tolist())) == order


CASES = [
    _case("good", "t.tour", GOOD, None),
    _case("on-one-line", "t.tour", GOOD.replace("1\n2\n4\n3\n-1", "1 2 4 3 -1"), None),
    _case("no-minus-1", "t.tour", GOOD.replace("-1\n", ""), None),
    _case("no-minus-1-and-no-eof", "t.tour", GOOD.replace("-1\nEOF\n", ""), None),
    _case("minus-1-twice", "t.tour", GOOD.replace("-1\n", "-1\n-1\n"), None),
    _case("start-repeated", "t.tour", GOOD.replace("3\n-1", "3\n1\n-1"), None),
    _case("two-tours", "t.tour", GOOD.replace("-1\n", "-1\n4 3 2 1 -1\n"), None),
    _case("no-dimension", "t.tour", GOOD.replace("DIMENSION : 4\n", ""), None),
    _case("no-type", "t.tour", GOOD.replace("TYPE : TOUR\n", ""), None),
    _case("crlf", "a.opt.tour", GOOD.replace("\n", "\r\n"), None),
    _case("under-another-extension", "tour.sol", GOOD, None),
    _case(
        "a-node-missing-without-dimension",
        "t.tour",
        GOOD.replace("DIMENSION : 4\n", "").replace("4\n3\n", "4\n"),
        None,
        order="013",
    ),
    _case("a-node-twice", "t.tour", GOOD.replace("4\n3\n", "4\n2\n"), None, order="0131"),
    _case("route", "tour.sol", ROUTE, None),
    _case("route-as-lkh-writes-it", "tour.sol", ROUTE.replace("#", "").replace("1: ", "1 : "), None),
    _case("route-with-depots", "tour.sol", ROUTE.replace("1 3 2", "0 1 3 2 0"), None),
    _case("route-with-optimal", "a.lkh.sol", ROUTE + "Optimal: True\n", None),
    _case("concorde", "tour.sol", "4\n0 1 3 2\n", None),
    _case("concorde-wrapped", "tour.cyc", "4\n0 1\n3\n2 \n", None),
    _case("concorde-from-elsewhere", "tour.cyc", "4\n3 2 0 1\n", None, order="3201"),
    _case("list-from-1", "tour.txt", "1\n2\n4\n3\n", None),
    _case("list-from-1-closed", "tour.txt", "1 2 4 3 1\n", None),
    _case("list-from-1-that-starts-with-n", "tour.txt", "4 3 1 2\n", None, order="3201"),
    _case("list-from-1-that-starts-with-n-closed", "tour.txt", "4 3 1 2 4\n", None, order="3201"),
    _case("list-from-1-with-minus-1", "tour.txt", "1 2 4 3 -1\n", None),
    _case("list-from-0", "tour.txt", "0 1 3 2\n", None),
    _case("list-without-the-first-node", "tour.txt", "2 4 3\n", None, order="132"),
    _case("another-type", "t.tour", GOOD.replace(": TOUR", ": TSP"), "E102", 3),
    _case("another-dimension", "t.tour", GOOD.replace(": 4", ": 5"), "E302", 4),
    _case("dimension-in-words", "t.tour", GOOD.replace(": 4", ": four"), "E113", 4),
    _case("cut-off", "t.tour", GOOD.replace("4\n3\n-1\nEOF\n", "4\n"), "E115", 5),
    _case("node-too-many", "t.tour", GOOD.replace("3\n-1", "3\n2\n-1"), "E115", 5),
    _case("node-beyond-the-instance", "t.tour", GOOD.replace("4\n3\n", "4\n5\n"), "E117", 9),
    _case("node-0", "t.tour", GOOD.replace("2\n4\n", "2\n0\n"), "E117", 8),
    _case("negative-node", "t.tour", GOOD.replace("2\n4\n", "2\n-4\n"), "E117", 8),
    _case("letters", "t.tour", GOOD.replace("2\n4\n", "2\n4x\n"), "E113", 8),
    _case("fraction", "t.tour", GOOD.replace("2\n4\n", "2\n4.5\n"), "E113", 8),
    _case("empty-tour", "t.tour", GOOD.replace("1\n2\n4\n3\n", ""), "E118", 5),
    _case("unknown-keyword", "t.tour", "COLOUR : red\n" + GOOD, "E112", 1),
    _case("section-twice", "t.tour", GOOD.replace("EOF", "TOUR_SECTION\n1 2 3 4 -1\nEOF"), "E116", 11),
    _case("no-section", "t.tour", "TYPE : TOUR\nDIMENSION : 4\n", "E118", 0),
    _case("two-routes", "tour.sol", "Route #1: 1 2\nRoute #2: 3\n", "E115", 2),
    _case("route-to-nowhere", "tour.sol", ROUTE.replace("3", "4"), "E117", 1),
    _case("route-through-the-depot", "tour.sol", ROUTE.replace("1 3 2", "1 0 3 2"), "E117", 1),
    _case("route-of-letters", "tour.sol", ROUTE.replace("3", "c"), "E113", 1),
    _case("route-and-something", "tour.sol", ROUTE + "hello\n", "E123", 3),
    _case("concorde-cut-off", "tour.cyc", "4\n0 1 3\n", "E115", 1),
    _case("concorde-of-another-instance", "tour.cyc", "5\n0 1 3 2 4\n", "E117", 1),
    _case("concorde-beyond-the-instance", "tour.cyc", "4\n0 1 4 2\n", "E117", 2),
    _case("list-beyond-the-instance", "tour.txt", "1 2 4\n5\n", "E117", 2),
    _case("list-of-letters", "tour.cyc", "1 2\n4 c\n", "E113", 2),
    _case("empty", "t.tour", "", "E106", 0),
    _case("nothing-of-the-kind", "tour.xyz", "hello\n", "E102", 0),
]
