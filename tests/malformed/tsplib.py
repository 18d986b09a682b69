"""TSPLIB files, malformed and odd."""

from __future__ import annotations

from combopt.instances.tsp import Tsp
from tests.malformed.case import Case

GOOD = """NAME : four
TYPE : TSP
DIMENSION : 4
EDGE_WEIGHT_TYPE : EUC_2D
NODE_COORD_SECTION
1 0 0
2 3 0
3 3 4
4 0 4
EOF
"""


def _four(instance: Tsp) -> None:
    assert instance.metric.full().tolist() == [[0, 3, 5, 4], [3, 0, 4, 5], [5, 4, 0, 3], [4, 5, 3, 0]]


CASES = [
    Case("good", "a.tsp", GOOD, None, check=_four),
    Case("shuffled-ids", "a.tsp", GOOD.replace("1 0 0\n2 3 0", "2 3 0\n1 0 0"), None, check=_four),
    Case("crlf", "a.tsp", GOOD.replace("\n", "\r\n"), None, check=_four),
    Case("no-eof", "a.tsp", GOOD.replace("EOF\n", ""), None, check=_four),
    Case("letters-for-a-number", "a.tsp", GOOD.replace("3 3 4", "3 3 x"), "E113", 8),
    Case("nan", "a.tsp", GOOD.replace("3 3 4", "3 3 nan"), "E113", 8),
    Case("huge-dimension", "a.tsp", GOOD.replace(": 4", ": 100000000"), "E121", 3),
    Case(
        "unknown-section",
        "a.tsp",
        GOOD.replace("EOF", "FOO_SECTION\n1 2\nEOF"),
        "E112",
        10,
        lenient="E112",
        check=_four,
    ),
    Case("data-after-eof", "a.tsp", GOOD + "5 5 5\n", "E122", 11, lenient="E122", check=_four),
]
