"""OPB and WBO files, malformed and odd."""
# ruff: noqa: E501 (one case a line reads best)

from __future__ import annotations

import math
from collections.abc import Callable

from combopt.instances.mip import Mip
from tests.malformed.case import Case
from tests.malformed.mps import has

GOOD = """* #variable= 3 #constraint= 2
* a comment
min: +1 x1 -2 x2 ;
+1 x1 +1 x2 >= 1 ;
+2 x2 -1 x3 = 1 ;
"""
SOFT = """* #variable= 2 #constraint= 3 #soft= 2
soft: 6 ;
+1 x1 +1 x2 >= 1 ;
[2] +1 x1 >= 1 ;
[3] -1 x1 -1 x2 >= -1 ;
"""
INF = math.inf


def edit(*changes: tuple[str, str], text: str = GOOD) -> str:
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def _good(mip: Mip) -> None:
    assert mip.columns == ("x1", "x2", "x3")
    assert mip.cost.tolist() == [1, -2, 0]
    assert mip.row_column.tolist() == [0, 1, 1, 2]
    assert mip.row_value.tolist() == [1, 1, 2, -1]
    assert mip.row_lower.tolist() == [1, 1]
    assert mip.row_upper.tolist() == [INF, 1]
    assert mip.integral.all()
    assert mip.upper.tolist() == [1, 1, 1]


def _product(mip: Mip) -> None:
    assert mip.columns == ("x1", "x2", "and(x1,~x2)", "x3")
    assert mip.rows[:3] == ("and(x1,~x2).0", "and(x1,~x2).1", "and(x1,~x2).2")
    rows = [(row, mip.row_lower[i], mip.row_upper[i]) for i, row in enumerate(_dense(mip))]
    assert rows[:3] == [
        ([1, -1, -1, 0], -INF, 0), ([-1, 0, 1, 0], -INF, 0), ([0, 1, 1, 0], -INF, 1),
    ]  # fmt: skip


def _dense(mip: Mip) -> list[list[float]]:
    rows = [[0.0] * len(mip.columns) for _ in mip.rows]
    for i in range(len(mip.rows)):
        for k in range(mip.row_start[i], mip.row_start[i + 1]):
            rows[i][mip.row_column[k]] = float(mip.row_value[k])
    return rows


def _soft(mip: Mip) -> None:
    assert mip.columns == ("x1", "x2", "soft1", "soft2")
    assert mip.cost.tolist() == [0, 0, 2, 3]
    assert _dense(mip) == [[1, 1, 0, 0], [1, 0, 1, 0], [-1, -1, 0, 1], [0, 0, 2, 3]]
    assert mip.row_lower.tolist() == [1, 1, -1, -INF]
    assert mip.row_upper.tolist() == [INF, INF, INF, 5]


def bad(name: str, text: str, code: str, line: int, filename: str = "a.opb") -> Case:
    return Case(name, filename, text, code, line)


def ok(name: str, text: str, check: Callable[[Mip], None], filename: str = "a.opb") -> Case:
    return Case(name, filename, text, None, check=check)


CASES = [
    ok("good", GOOD, _good),
    ok("crlf", GOOD.replace("\n", "\r\n"), _good),
    ok("no-first-line", edit(("* #variable= 3 #constraint= 2\n", "")), _good),
    ok("no-blanks-around-signs", GOOD.replace(" ;", ";").replace(" >= ", ">=").replace(" = ", "="), _good),
    ok("statements-over-lines", GOOD.replace(" +1 x2", "\n +1\nx2"), _good),
    ok("no-plus-signs", GOOD.replace("+", ""), _good),
    ok("detached-signs", GOOD.replace("+1", "+ 1").replace("-2", "- 2"), _good),
    ok("no-objective", edit(("min: +1 x1 -2 x2 ;\n", "")), has(cost=[0, 0, 0])),
    ok("empty-objective", edit(("+1 x1 -2 x2 ;", ";")), has(cost=[0, 0, 0])),
    ok("maximise", edit(("min:", "max:")), has(sense="max", cost=[1, -2, 0])),
    ok("names", GOOD.replace("x1", "y_a.1"), has(columns=("y_a.1", "x2", "x3"))),
    ok("at-most", edit(("x2 >= 1", "x2 <= 1")), has(row_lower=[-INF, 1], row_upper=[1, 1])),
    ok("negated-in-a-row", edit(("+1 x1 +1 x2 >=", "+1 x1 +1 ~x2 >=")), has(row_lower=[0, 1], row_value=[1, -1, 2, -1])),
    ok("negated-in-the-objective", edit(("-2 x2", "-2 ~x2")), has(cost=[1, 2, 0], offset=-2.0)),
    ok("negation-with-a-blank", edit(("-2 x2", "-2 ~ x2")), has(cost=[1, 2, 0], offset=-2.0)),
    ok("terms-add-up", edit(("+1 x1 +1 x2 >=", "+1 x1 +1 x2 +1 x1 >=")), has(row_value=[2, 1, 2, -1])),
    ok("product", edit(("+1 x1 +1 x2 >=", "+1 x1 ~x2 +1 x1 >=")), _product),
    ok("product-of-the-same-literal", edit(("+1 x1 +1 x2 >=", "+1 x1 x1 +1 x2 x2 >=")), _good),
    ok("product-that-is-0", edit(("+1 x1 +1 x2 >=", "+1 x1 +1 x2 +5 x2 ~x2 >=")), _good),
    ok("number-beyond-2^53-that-a-float-holds", edit(("-2 x2", f"-{2**60} x2")), has(cost=[1, -(2.0**60), 0])),
    ok("wbo", SOFT, _soft, "a.wbo"),
    ok("wbo-without-top", edit(("soft: 6", "soft:"), text=SOFT), has(row_upper=[INF, INF, INF]), "a.wbo"),
    Case("too-few-variables", "a.opb", GOOD.replace("= 3", "= 2"), "E115", 1, lenient="E115", check=_good),
    Case("wrong-constraint-count", "a.opb", GOOD.replace("#constraint= 2", "#constraint= 3"), "E115", 1, lenient="E115", check=_good),
    bad("last-semicolon-missing", GOOD.rstrip("\n; "), "E111", 5),
    bad("semicolon-missing", edit(("-2 x2 ;", "-2 x2")), "E123", 4),
    bad("empty-statement", edit(("-2 x2 ;", "-2 x2 ; ;")), "E123", 3),
    bad("fraction", edit(("+2 x2", "+2.5 x2")), "E113", 5),
    bad("letters-for-a-coefficient", edit(("+2 x2", "two x2")), "E113", 5),
    bad("nan", edit(("+2 x2", "nan x2")), "E113", 5),
    bad("no-coefficient", edit(("+2 x2", "x2")), "E113", 5),
    bad("coefficient-without-variable", edit(("+2 x2", "+2")), "E123", 5),
    bad("glued-coefficient", edit(("+2 x2", "+2x2")), "E113", 5),
    bad("number-that-no-float-holds", edit(("+2 x2", f"+{2**53 + 1} x2")), "E114", 5),
    bad("huge-number-in-the-objective", edit(("-2 x2", "-" + "9" * 390 + " x2")), "E114", 3),
    bad("number-of-a-thousand-digits", edit(("+2 x2", "+" + "9" * 1000 + " x2")), "E114", 5),
    bad("no-relation", edit(("+1 x1 +1 x2 >= 1 ;", "+1 x1 +1 x2 ;")), "E123", 4),
    bad("strict-relation", edit(("x2 >= 1", "x2 > 1")), "E113", 4),
    bad("no-right-side", edit(("x2 >= 1 ;", "x2 >= ;")), "E113", 4),
    bad("terms-on-the-right", edit(("x2 >= 1 ;", "x2 >= 1 x3 ;")), "E123", 4),
    bad("no-terms", edit(("+1 x1 +1 x2 >=", ">=")), "E123", 4),
    bad("two-objectives", edit(("* a comment", "min: +1 x3 ;")), "E119", 3),
    bad("star-between-factors", edit(("+2 x2", "+2 *x2")), "E123", 5),
    bad("negated-nothing", edit(("+2 x2", "+2 ~3")), "E123", 5),
    bad("only-comments", "* nothing\n* at all\n", "E118", 0),
    bad("soft-row-in-opb", edit(("+2 x2", "[3] +2 x2")), "E118", 5),
    bad("soft-twice", edit(("[2] +1 x1 >= 1 ;", "soft: 3 ;"), text=SOFT), "E116", 4, "a.wbo"),
    bad("soft-cost-zero", edit(("[2]", "[0]"), text=SOFT), "E114", 4, "a.wbo"),
    bad("soft-cost-open", edit(("[2]", "[2"), text=SOFT), "E123", 4, "a.wbo"),
    bad("soft-and-objective", edit(("[2] +1 x1 >= 1 ;", "min: +1 x1 ;"), text=SOFT), "E120", 4, "a.wbo"),
]  # fmt: skip
