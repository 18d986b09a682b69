"""Prize-collecting salesman files, malformed and odd."""

from __future__ import annotations

from combopt.instances.pctsp import Pctsp
from tests.malformed.case import Case

GOOD = """
 0 4 5


 1000000 7 8


 0 10 20
 10 0 30
 20 30 0
"""


def _three(minimum: int) -> object:
    def check(instance: Pctsp) -> None:
        assert instance.prize.tolist() == [0, 4, 5]
        assert instance.penalty.tolist() == [1000000, 7, 8]
        assert instance.metric.full().tolist() == [[0, 10, 20], [10, 0, 30], [20, 30, 0]]
        assert instance.min_prize == minimum

    return check


def _depot(instance: Pctsp) -> None:
    assert (instance.nodes, instance.prize.tolist(), instance.min_prize) == (1, [3], 2)


def _case(name: str, text: str, code: str | None, line: int = 0, **more: object) -> Case:
    return Case(name, "a.pctsp", text, code, line, **more)  # type: ignore[arg-type]


CASES = [
    _case("good", GOOD, None, check=_three(5)),
    Case("pctsp-by-content", "a.dat", GOOD, None, check=_three(5)),
    _case("crlf", GOOD.replace("\n", "\r\n"), None, check=_three(5)),
    _case("no-blank-lines", GOOD.replace("\n\n", "\n").replace("\n\n", "\n"), None, check=_three(5)),
    _case("share", GOOD, None, check=_three(8), options={"min_prize": "0.8"}),
    _case("share-of-all", GOOD, None, check=_three(9), options={"min_prize": "1.0"}),
    _case("share-of-none", GOOD, None, check=_three(0), options={"min_prize": "0"}),
    _case("number", GOOD, None, check=_three(6), options={"min_prize": "6"}),
    _case("number-out-of-reach", GOOD, None, check=_three(60), options={"min_prize": "60"}),
    _case("remark", GOOD + "# min_prize 7\n", None, check=_three(7)),
    _case("option-over-remark", GOOD + "# min_prize 7\n", None, check=_three(3), options={"min_prize": "3"}),
    _case("depot-alone", "3\n4\n0\n", None, check=_depot),
    _case("whole-numbers-with-point", GOOD.replace("7 8", "7.0 8"), None, check=_three(5)),
    _case("remark-in-letters", GOOD + "# min_prize much\n", "E113", 11),
    _case("remark-empty", GOOD + "# min_prize\n", "E113", 11),
    _case("remark-negative", GOOD + "# min_prize -1\n", "E114", 11),
    _case("remark-twice", GOOD + "# min_prize 7\n# min_prize 8\n", "E116", 12),
    _case("comment", GOOD + "# by hand\n", "E112", 11),
    _case("prize-negative", GOOD.replace("0 4 5", "0 -4 5"), "E114", 2),
    _case("prize-fractional", GOOD.replace("0 4 5", "0 4.5 5"), "E113", 2),
    _case("prize-in-letters", GOOD.replace("0 4 5", "0 x 5"), "E113", 2),
    _case("prize-too-large", GOOD.replace("0 4 5", "0 9007199254740993 5"), "E114", 2),
    _case("prize-beyond-64-bits", GOOD.replace("0 4 5", f"0 {10**30} 5"), "E114", 2),
    _case("penalty-missing", GOOD.replace("7 8", "7"), "E115", 5),
    _case("penalty-nan", GOOD.replace("7 8", "7 nan"), "E113", 5),
    _case("distance-missing", GOOD.replace("10 0 30", "10 0"), "E115", 9),
    _case("distance-too-many", GOOD.replace("10 0 30", "10 0 30 40"), "E115", 9),
    _case("distance-negative", GOOD.replace("30", "-30"), "E114", 9),
    _case("distance-infinite", GOOD.replace("10 0 30", "10 0 inf"), "E113", 9),
    _case("not-symmetric", GOOD.replace("10 0 30", "10 0 31"), "E120", 10),
    _case("row-missing", GOOD.replace(" 20 30 0\n", ""), "E115", 9),
    _case("row-too-many", GOOD + " 1 2 3\n", "E115", 11),
    _case("only-prizes", " 0 4 5\n", "E111", 1),
    _case("huge-first-line", " 1" * 2000 + "\n 1 1\n", "E121", 1),
    _case("nul-byte", GOOD.replace("7 8", "7 \0"), "E105", 5),
]
