"""Set covering files by rows and by columns, malformed and odd."""

from __future__ import annotations

from combopt.instances.setcover import SetCover
from tests.malformed.case import Case

ROWS = """3 4
1 2 3 4
2
1 2
3
2 3 4
1
4
"""
COLUMNS = """3 4
10 1 1
20 2 1 2
30 1 2
40 2 2 3
"""
BOTH = """3 4
1 1 1
2 2 1 2
3 1 2
4 2 2 3
"""


def _good(instance: SetCover) -> None:
    assert instance.rows == 3
    assert instance.cost.tolist() == [1, 2, 3, 4]
    assert instance.column_start.tolist() == [0, 1, 3, 4, 6]
    assert instance.column_row.tolist() == [0, 0, 1, 1, 1, 2]


def _tens(instance: SetCover) -> None:
    assert instance.cost.tolist() == [10, 20, 30, 40]
    assert instance.column_row.tolist() == [0, 0, 1, 1, 1, 2]


def _bare(instance: SetCover) -> None:
    assert instance.uncoverable().tolist() == [2]


CASES = [
    Case("good", "a.scp", ROWS, None, check=_good),
    Case("recognised", "scp3", ROWS, None, check=_good),
    Case("free-wrapping", "a.scp", ROWS.replace("\n", " "), None, check=_good),
    Case("crlf", "a.scp", ROWS.replace("\n", "\r\n"), None, check=_good),
    Case("columns-in-any-order", "a.scp", ROWS.replace("2 3 4\n1", "4 2 3\n1"), None, check=_good),
    Case("whole-decimals", "a.scp", ROWS.replace("1 2 3 4", "1.0 2 3 4"), None, check=_good),
    Case("row-without-columns", "a.scp", ROWS.replace("1\n4\n", "0\n"), None, check=_bare),
    Case("column-zero", "a.scp", ROWS.replace("2\n1 2", "2\n0 2"), "E117", 4),
    Case("column-too-large", "a.scp", ROWS.replace("2 3 4\n1", "2 3 5\n1"), "E117", 6),
    Case("column-twice", "a.scp", ROWS.replace("2 3 4\n1", "2 3 2\n1"), "E116", 6),
    Case("cut-off-row", "a.scp", ROWS[:-2], "E111", 7),
    Case("cut-off-rows", "a.scp", ROWS.replace("1\n4\n", ""), "E111", 6),
    Case("goes-on", "a.scp", ROWS + "7\n", "E122", 9, lenient="E122", check=_good),
    Case("more-columns-in-a-row-than-there-are", "a.scp", ROWS.replace("3\n2 3 4", "5\n2 3 4"), "E114", 5),
    Case("negative-length", "a.scp", ROWS.replace("3\n2 3 4", "-3\n2 3 4"), "E114", 5),
    Case("negative-cost", "a.scp", ROWS.replace("1 2 3 4", "1 -2 3 4"), "E114", 2),
    Case("fractional-cost", "a.scp", ROWS.replace("1 2 3 4", "1 2.5 3 4"), "E113", 2),
    Case("letter", "a.scp", ROWS.replace("2 3 4\n1", "2 c 4\n1"), "E113", 6),
    Case("nan", "a.scp", ROWS.replace("1 2 3 4", "nan 2 3 4"), "E113", 2),
    Case("no-rows", "a.scp", ROWS.replace("3 4", "0 4"), "E114", 1),
    Case("no-columns", "a.scp", ROWS.replace("3 4", "3 0"), "E114", 1),
    Case("huge-rows", "a.scp", ROWS.replace("3 4", "300000000 4", 1), "E121", 1),
    Case("huge-columns", "a.scp", ROWS.replace("3 4", "3 400000000", 1), "E121", 1),
    Case("huge-cost", "a.scp", ROWS.replace("1 2 3 4", f"1 {2**61} 3 4"), "E114", 2),
    Case("header-only", "a.scp", "3 4\n", "E121", 1),
    Case("good", "a.rail", COLUMNS, None, check=_tens),
    Case("recognised", "rail3", COLUMNS, None, check=_tens),
    Case("free-wrapping", "a.rail", COLUMNS.replace("\n", " "), None, check=_tens),
    Case("row-too-large", "a.rail", COLUMNS.replace("40 2 2 3", "40 2 2 4"), "E117", 5),
    Case("row-twice", "a.rail", COLUMNS.replace("40 2 2 3", "40 2 3 3"), "E116", 5),
    Case("cut-off", "a.rail", COLUMNS.replace("40 2 2 3", "40 2 2"), "E111", 5),
    Case("goes-on", "a.rail", COLUMNS + "1 1 1\n", "E122", 6, lenient="E122", check=_tens),
    Case("negative-cost", "a.rail", COLUMNS.replace("20 2 1 2", "-20 2 1 2"), "E114", 3),
    Case("longer-than-the-rows", "a.rail", COLUMNS.replace("20 2 1 2", "20 4 1 2"), "E114", 3),
    Case("by-rows-or-by-columns", "both", BOTH, "E102", 0),
    Case("by-rows-when-named", "both", BOTH, None, options={"format": "scp"}),
    Case("by-columns-when-named", "both", BOTH, None, check=_good, options={"format": "rail"}),
    Case("by-rows-and-by-columns-the-same", "same", "2 2\n2 1 1 1 1 2\n", None),
]
