"""Plain edge lists, malformed and odd."""

from __future__ import annotations

from typing import Any

from tests.malformed.case import Case

MIS = {"kind": "mis"}
PLAIN = "1 2\n2 3\n1 3\n3 4\n"


def _has(nodes: int, *edges: tuple[int, int]) -> Any:
    def check(instance: Any) -> None:
        assert instance.graph.nodes == nodes
        assert instance.graph.edges.tolist() == [list(edge) for edge in edges]

    return check


PAW = _has(4, (0, 1), (0, 2), (1, 2), (2, 3))
TRIANGLE = _has(3, (0, 1), (0, 2), (1, 2))
CASES = [
    Case("from-one", "a.edges", PLAIN, None, options=MIS, check=PAW),
    Case("from-zero", "a.edges", "0 1\n1 2\n0 2\n2 3\n", None, options=MIS, check=PAW),
    Case("any-extension", "graph.dat", PLAIN, None, options=MIS, check=PAW),
    Case("header", "a.edges", "4 4\n" + PLAIN, None, options=MIS, check=PAW),
    Case("header-with-isolated-vertices", "a.edges", "6 1\n1 2\n", None, options=MIS, check=_has(6, (0, 1))),
    Case("header-from-zero", "a.edges", "4 4\n0 1\n1 2\n0 2\n2 3\n", None, options=MIS, check=PAW),
    Case("header-and-weights", "a.txt", "4 2\n1 2 -1\n3 4 0.5\n", None, options=MIS, check=_has(4, (0, 1), (2, 3))),
    Case("weights", "a.edges", "1 2 7\n2 3 1\n1 3 4\n", None, options=MIS, check=TRIANGLE),
    Case("no-edge-after-the-header", "a.edges", "5 0\n", None, options=MIS, check=_has(5)),
    Case("comments", "a.edges", "# a\n% b\nc x\n" + PLAIN, None, options=MIS, check=PAW),
    Case("loop", "a.edges", PLAIN + "2 2\n", None, options=MIS, check=PAW),
    Case("repeated", "a.edges", PLAIN + "2 1\n1 2\n", None, options=MIS, check=PAW),
    Case("crlf-and-blank-lines", "a.edges", PLAIN.replace("\n", "\r\n\r\n"), None, options=MIS, check=PAW),
    Case("tabs", "a.edges", PLAIN.replace(" ", "\t"), None, options=MIS, check=PAW),
    Case("decimals", "a.edges", PLAIN.replace("3 4", "3.0 4"), None, options=MIS, check=PAW),
    Case("first-edge-is-no-header", "a.edges", "1 3\n1 2\n2 3\n3 1\n", None, options=MIS, check=TRIANGLE),
    Case("no-problem-named", "a.edges", PLAIN + "4 5\n", "E118", 0),
    Case("no-problem-named-and-no-extension", "a.dat2", PLAIN + "4 5\n", "E102", 0),
    Case("only-comments", "a.edges", "# nothing\n", "E111", 0, options=MIS),
    Case("letter", "a.edges", PLAIN.replace("1 3", "1 x"), "E113", 3, options=MIS),
    Case("nan", "a.edges", PLAIN.replace("1 3", "1 nan"), "E113", 3, options=MIS),
    Case("fraction", "a.edges", PLAIN.replace("1 3", "1 2.5"), "E113", 3, options=MIS),
    Case("negative", "a.edges", PLAIN.replace("1 3", "1 -3"), "E114", 3, options=MIS),
    Case("huge", "a.edges", PLAIN.replace("1 3", "1 99999999999999999999"), "E114", 3, options=MIS),
    Case("far-away", "a.edges", PLAIN.replace("1 3", "1 100000001"), "E121", 3, options=MIS),
    Case("one-number", "a.edges", PLAIN.replace("1 3", "1"), "E123", 3, options=MIS),
    Case("four-numbers", "a.edges", PLAIN.replace("1 3", "1 3 4 5"), "E123", 3, options=MIS),
    Case("four-numbers-everywhere", "a.edges", "1 2 3 4\n5 6 7 8\n", "E123", 1, options=MIS),
    Case("some-weights", "a.edges", PLAIN.replace("1 3", "1 3 4"), "E123", 3, options=MIS),
    Case("weight-is-no-number", "a.edges", "1 2 7\n2 3 x\n", "E113", 2, options=MIS),
    Case("weight-is-infinite", "a.edges", "1 2 7\n2 3 1e999\n", "E114", 2, options=MIS),
    Case("lone-sign", "a.edges", PLAIN.replace("1 3", "- 3"), "E113", 3, options=MIS),
    Case("zero-and-n", "a.edges", "3 2 1\n0 3 1\n0 1 1\n2 1 1\n".replace("3 2 1", "3 3"), "E117", 2, options=MIS),
    Case("beyond-the-header", "a.edges", "3 2\n1 2 9\n2 4 9\n", "E117", 3, options=MIS),
    Case("header-of-no-vertices", "a.edges", "0 2\n1 2 9\n2 3 9\n", "E114", 1, options=MIS),
    Case("huge-header", "a.edges", "400000000 2\n1 2 9\n2 3 9\n", "E121", 1, options=MIS),
    Case("header-miscounts", "a.edges", "3 5\n1 2 9\n2 3 9\n1 3 1\n", "E115", 1, "E115", TRIANGLE, options=MIS),
]
