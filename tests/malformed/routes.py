"""Files of vehicle routes, malformed and odd."""

from __future__ import annotations

import numpy as np

from combopt.instances.cvrp import Cvrp
from combopt.instances.metric import Metric
from combopt.instances.solutions import Routes
from tests.malformed.case import Case

GOOD = """Route #1: 1 2
Route #2: 3
Cost 14
"""
LKH = """Instance name: four
Authors:       K. Helsgaun
Date:          2024-01-01
Reference:     LKH-3
Solution
Route 1 : 1 2
Route 2 : 3
"""
TOUR = """NAME : four.14.tour
COMMENT : Length = 14
TYPE : TOUR
DIMENSION : 5
TOUR_SECTION
1
2
3
5
4
-1
EOF
"""


def _four() -> Cvrp:
    points = np.array([[0.0, 0], [3, 0], [3, 4], [0, 4]])
    return Cvrp(
        name="four", metric=Metric(rule="EUC_2D", coordinates=points), demand=np.array([0, 4, 5, 6]), capacity=10
    )


def _routes(solution: Routes) -> None:
    assert solution.routes == ((1, 2), (3,))


def _backwards(solution: Routes) -> None:
    assert solution.routes == ((3,), (1, 2))


def _with_empty(solution: Routes) -> None:
    assert solution.routes == ((1, 2), (3,), ())


def _twice(solution: Routes) -> None:
    assert solution.routes == ((1, 2), (2,))


def _case(name: str, text: str, code: str | None, line: int = 0, filename: str = "a.sol", **rest: object) -> Case:
    return Case(name, filename, text, code, line, instance=_four, **rest)  # type: ignore[arg-type]


def _tour(name: str, text: str, code: str | None, line: int = 0, **rest: object) -> Case:
    return _case(name, text, code, line, "a.tour", **rest)


CASES = [
    _case("good", GOOD, None, check=_routes),
    _case("cost-with-colon", GOOD.replace("Cost 14", "Cost: 14"), None, check=_routes),
    _case("cost-in-small-letters", GOOD.replace("Cost 14", "cost 14"), None, check=_routes),
    _case("no-cost", GOOD.replace("Cost 14\n", ""), None, check=_routes),
    _case("cost-first", "Cost 14\n" + GOOD.replace("Cost 14\n", ""), None, check=_routes),
    _case("blank-before-colon", GOOD.replace(":", " :"), None, check=_routes),
    _case("no-blank-after-colon", GOOD.replace(": ", ":"), None, check=_routes),
    _case("no-hash", GOOD.replace("#", ""), None, check=_routes),
    _case("blank-after-hash", GOOD.replace("#", "# "), None, check=_routes),
    _case("crlf-and-trailing-blanks", GOOD.replace("\n", " \r\n"), None, check=_routes),
    _case("time-and-optimality", GOOD + "Time 3.5\nOptimal: True\nComment: none\n", None, check=_routes),
    _case("depot-at-the-ends", GOOD.replace("1 2", "0 1 2 0"), None, check=_routes),
    _case("empty-route", GOOD.replace("Cost", "Route #3:\nCost"), None, check=_with_empty),
    _case("routes-from-0", GOOD.replace("#1", "#0"), None, check=_routes),
    _case("customer-twice-is-for-the-check", GOOD.replace(": 3", ": 2"), None, check=_twice),
    _case("lkh-3", LKH, None, check=_routes),
    _tour("lkh-tour", TOUR, None, check=_routes),
    _tour("lkh-tour-rotated", TOUR.replace("1\n2\n3\n5\n4\n", "2\n3\n5\n4\n1\n"), None, check=_backwards),
    _tour("tour-through-the-depot-twice", TOUR.replace("\n5\n4\n", "\n1\n4\n"), None, check=_routes),
    _case("unknown-customer", GOOD.replace(": 3", ": 4"), "E117", 2),
    _case("depot-inside-a-route", GOOD.replace("1 2", "1 0 2"), "E117", 1),
    _case("negative-customer", GOOD.replace("1 2", "1 -2"), "E114", 1),
    _case("word-in-a-route", GOOD.replace("1 2", "1 two"), "E113", 1),
    _case("half-a-customer", GOOD.replace("1 2", "1 2.5"), "E113", 1),
    _case("route-number-twice", GOOD.replace("#2", "#1"), "E116", 2),
    _case("no-routes", "Cost 14\n", "E118"),
    _case("numbers-alone", GOOD.replace("Route #2: ", ""), "E123", 2),
    _case("unknown-line", GOOD + "Vehicle A\n", "E123", 4),
    _case("no-colon", GOOD.replace(": 3", " 3"), "E123", 2),
    _case("nothing-of-the-kind", "hello\n", "E123", 1),
    _tour("tour-of-another-type", TOUR.replace(": TOUR", ": TSP"), "E102", 3),
    _tour("tour-with-too-many-copies", TOUR.replace(": 5", ": 50"), "E115", 4),
    _tour("tour-with-unknown-node", TOUR.replace("\n5\n4", "\n6\n4"), "E117", 9),
    _tour("tour-with-unknown-key", TOUR.replace("TYPE", "COLOUR : red\nTYPE"), "E112", 3),
    _tour("tour-with-node-0", TOUR.replace("\n5\n4", "\n0\n4"), "E117", 9),
]
