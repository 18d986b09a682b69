"""Orienteering files of Tsiligirides and of Chao, malformed and odd."""

from __future__ import annotations

from combopt.instances.op import Op
from tests.malformed.case import Case

GOOD = """15 1
0 0 0
6 8 0
3.5 4 10
1 1 5
"""
LAST = """15 1
0 0 0
3.5 4 10
1 1 5
6 8 0
"""


def _end(end: int) -> object:
    def check(instance: Op) -> None:
        assert (instance.depot, instance.end, instance.limit) == (0, end, 15)
        assert instance.metric.rule == "EXACT_2D"
        assert instance.metric.between(0, end) == 10
        assert sorted(instance.prize.tolist()) == [0, 0, 5, 10]

    return check


def _fraction(instance: Op) -> None:
    assert instance.limit == 12.5


def _case(name: str, text: str, code: str | None, line: int = 0, **more: object) -> Case:
    # .op is an extension of this format and of OPLib, so a broken file must be named
    options = {"format": "chao"}
    return Case(name, "chao.txt", text, code, line, **{"options": options, **more})  # type: ignore[arg-type]


CASES = [
    Case("good", "chao.txt", GOOD, None, check=_end(1)),
    Case("end-last", "chao.txt", LAST, None, check=_end(3)),
    Case("extension-op", "chao.op", GOOD, None, check=_end(1)),
    Case("tabs-and-blank-lines", "chao.txt", "\n" + GOOD.replace(" ", "\t") + "\n\n", None, check=_end(1)),
    Case("crlf", "chao.txt", GOOD.replace("\n", "\r\n"), None, check=_end(1)),
    Case("fractional-limit", "chao.txt", GOOD.replace("15 1\n", "12.5 1\n", 1), None, check=_fraction),
    _case("start-with-a-score", GOOD.replace("0 0 0", "0 0 3"), None),
    _case("two-points", "15 1\n0 0 0\n6 8 0\n", None),
    _case("several-paths", GOOD.replace("15 1", "15 2"), "E119", 1),
    _case("no-path", GOOD.replace("15 1", "15 0"), "E114", 1),
    _case("limit-alone", GOOD.replace("15 1", "15"), "E123", 1),
    _case("three-in-the-first-line", GOOD.replace("15 1", "15 1 4"), "E123", 1),
    _case("limit-negative", GOOD.replace("15 1", "-15 1"), "E114", 1),
    _case("limit-in-letters", GOOD.replace("15 1", "Tmax 1"), "E113", 1),
    _case("limit-nan", GOOD.replace("15 1", "nan 1"), "E113", 1),
    _case("end-not-clear", GOOD.replace("1 1 5", "1 1 0"), "E120", 5),
    _case("no-end", GOOD.replace("6 8 0", "6 8 1"), "E120", 5),
    _case("score-negative", GOOD.replace("4 10", "4 -10"), "E114", 4),
    _case("score-fractional", GOOD.replace("4 10", "4 10.5"), "E113", 4),
    _case("score-missing", GOOD.replace("4 10", "4"), "E115", 4),
    _case("four-columns", GOOD.replace("4 10", "4 10 1"), "E115", 4),
    _case("coordinate-in-letters", GOOD.replace("3.5 4", "3,5 4"), "E113", 4),
    _case("coordinate-infinite", GOOD.replace("3.5 4", "1e999 4"), "E114", 4),
    _case("one-point", "15 1\n0 0 0\n", "E111", 2),
    _case("no-point", "15 1\n", "E111", 1),
]
