"""LP files, malformed and odd."""
# ruff: noqa: E501 (one case a line reads best)

from __future__ import annotations

import math
from collections.abc import Callable

from combopt.instances.mip import SEMICONTINUOUS, SEMIINTEGER, Mip
from tests.malformed.case import Case
from tests.malformed.mps import has

GOOD = """\\Problem name: small
Minimize
 obj: x + 2 y - z
Subject To
 lim1: x + y <= 4
 lim2: x >= 1
 eq: - y + z = 7
Bounds
 x <= 4
 -1 <= y <= 1
General
 y
End
"""
INF = math.inf


def edit(*changes: tuple[str, str]) -> str:
    text = GOOD
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def row(text: str) -> str:
    """The file with another first row."""
    return edit((" lim1: x + y <= 4", f" {text}"))


def bounds(*lines: str) -> str:
    """The file with other bounds."""
    return edit((" x <= 4\n -1 <= y <= 1\n", "".join(f" {line}\n" for line in lines)))


def extra(text: str) -> str:
    """The file with another section before End."""
    return edit(("End\n", f"{text}\nEnd\n"))


def _good(mip: Mip) -> None:
    assert mip.name == "small"
    assert (mip.columns, mip.rows) == (("x", "y", "z"), ("lim1", "lim2", "eq"))
    assert mip.cost.tolist() == [1, 2, -1]
    assert mip.row_start.tolist() == [0, 2, 3, 5]
    assert mip.row_column.tolist() == [0, 1, 0, 1, 2]
    assert mip.row_value.tolist() == [1, 1, 1, -1, 1]
    assert mip.row_lower.tolist() == [-INF, 1, 7]
    assert mip.row_upper.tolist() == [4, INF, 7]
    assert mip.lower.tolist() == [0, -1, 0]
    assert mip.upper.tolist() == [4, 1, INF]
    assert mip.integral.tolist() == [False, True, False]
    assert (mip.sense, mip.offset) == ("min", 0)


def first(low: float, high: float, **coefficients: float) -> Callable[[Mip], None]:
    """A check of the first row."""

    def check(mip: Mip) -> None:
        entries = slice(mip.row_start[0], mip.row_start[1])
        names = [mip.columns[j] for j in mip.row_column[entries].tolist()]
        assert dict(zip(names, mip.row_value[entries].tolist(), strict=True)) == coefficients
        assert (mip.row_lower[0], mip.row_upper[0]) == (low, high)

    return check


def _sets(mip: Mip) -> None:
    assert [(s.type, s.name, s.columns, s.weights) for s in mip.sos] == [
        (1, "one", (0, 2), (1, 2)), (2, "set2", (2, 1, 0), (-1, 2, 3)),
    ]  # fmt: skip


def _indicator(mip: Mip) -> None:
    assert [(i.row, mip.columns[i.column], i.active) for i in mip.indicators] == [(0, "b", 1)]
    first(-INF, 4, x=1, y=1)(mip)


def bad(name: str, text: str, code: str, line: int) -> Case:
    return Case(name, "a.lp", text, code, line)


def ok(name: str, text: str | bytes, check: Callable[[Mip], None]) -> Case:
    return Case(name, "a.lp", text, None, check=check)


def harmless(name: str, text: str, code: str, line: int, check: Callable[[Mip], None]) -> Case:
    return Case(name, "a.lp", text, code, line, lenient=code, check=check)


MAX = has(sense="max")
XY = {"x": 1.0, "y": 1.0}

CASES = [
    # accepted
    ok("good", GOOD, _good),
    ok("crlf", GOOD.replace("\n", "\r\n"), _good),
    ok("comments", GOOD.replace("\n", " \\ a note: min x\n").replace("small \\ a note: min x", "small"), _good),
    ok("blank-lines", GOOD.replace("\n", "\n\n"), _good),
    ok("no-end", edit(("End\n", "")), _good),
    ok("upper-case", edit(("Minimize", "MINIMIZE"), ("Subject To", "SUBJECT TO"), ("Bounds", "BOUNDS"), ("End", "END")), _good),
    ok("maximize", edit(("Minimize", "Maximize")), MAX),
    ok("max", edit(("Minimize", "max")), MAX),
    ok("maximise", edit(("Minimize", "Maximise")), MAX),
    ok("objective-on-the-header-line", edit(("Minimize\n obj:", "min obj:")), _good),
    ok("objective-without-label", edit((" obj: ", " ")), _good),
    ok("objective-of-several-lines", edit(("x + 2 y", "x\n + 2\n y")), _good),
    ok("short-headers", edit(("Subject To", "st"), ("General", "gen")), _good),
    ok("such-that", edit(("Subject To", "such that"), ("General", "integers")), _good),
    ok("s-t-with-points", edit(("Subject To", "s.t."), ("Bounds", "bound")), _good),
    ok("empty-objective", edit((" obj: x + 2 y - z", " obj:")), has(cost=[0, 0, 0])),
    ok("constant-in-the-objective", edit(("- z", "- z + 10")), has(offset=10.0, cost=[1, 2, -1])),
    ok("constants-add-up", edit(("obj: x", "obj: 3 - x - 5 + 2 x")), has(offset=-2.0, cost=[1, 2, -1])),
    ok("number-glued-to-its-name", edit(("2 y", "2y")), _good),
    ok("signs-add-up", edit(("- z", "- - - z")), _good),
    ok("sign-before-a-coefficient", edit(("+ 2 y", "+ +2 y")), _good),
    ok("two-sides", row("lim1: 1 <= x + y <= 4"), first(1, 4, **XY)),
    ok("two-sides-from-above", row("lim1: 4 >= x + y >= 1"), first(1, 4, **XY)),
    ok("number-on-the-left", row("lim1: 4 >= x + y"), first(-INF, 4, **XY)),
    ok("negative-number-on-the-left", row("lim1: -4 <= x + y"), first(-4, INF, **XY)),
    ok("strict-signs-are-not-strict", row("lim1: x + y < 4"), first(-INF, 4, **XY)),
    ok("equals-first", row("lim1: x + y =< 4"), first(-INF, 4, **XY)),
    ok("free-row", row("lim1: x + y >= -inf"), first(-INF, INF, **XY)),
    ok("terms-of-the-same-column", row("lim1: x + y + 0.1 x + 0.2 x <= 4"), first(-INF, 4, x=1.3, y=1)),
    ok("terms-that-cancel", row("lim1: x + y - x <= 4"), first(-INF, 4, y=1)),
    ok("rows-without-label", edit((" lim1: ", " "), (" eq: ", " ")), has(rows=("c1", "lim2", "c3"))),
    ok("row-without-label-next-to-c1", edit((" lim1: ", " "), (" lim2: ", " c1: ")), has(rows=("c1_", "c1", "eq"))),
    ok("row-over-several-lines", row("lim1:\n x\n + y\n <=\n 4"), first(-INF, 4, **XY)),
    ok("two-labelled-rows-in-a-line", edit((" <= 4\n lim2", " <= 4 lim2")), _good),
    ok("names-with-odd-letters", GOOD.replace("y", "a(1,2)#$@!.5~'"), has(columns=("x", "a(1,2)#$@!.5~'", "z"))),
    ok("column-named-like-a-header", GOOD.replace("y", "st"), has(columns=("x", "st", "z"))),
    ok("free", bounds("x free"), has(lower=[-INF, 0, 0], upper=[INF, INF, INF])),
    ok("general-integers-are-not-binary", bounds(), has(upper=[INF, INF, INF])),
    ok("infinite-bounds", bounds("-inf <= x <= +inf", "y >= -1e30", "z <= infinity"), has(lower=[-INF, -INF, 0])),
    ok("fixed", bounds("x = 3"), has(lower=[3, 0, 0], upper=[3, INF, INF])),
    ok("bound-from-the-left", bounds("4 >= x", "1 <= y"), has(lower=[0, 1, 0], upper=[4, INF, INF])),
    ok("negative-upper-with-lower", bounds("x <= -3", "x >= -5"), has(lower=[-5, 0, 0], upper=[-3, INF, INF])),
    ok("lower-above-upper-is-infeasible", bounds("5 <= x <= 4"), has(lower=[5, 0, 0])),
    ok("binary", edit((" x <= 4\n", ""), ("End", "Binary\n x z\nEnd")), has(domain=[1, 1, 1], upper=[1, 1, 1])),
    ok("binary-that-is-fixed", edit((" x <= 4", " x = 0"), ("End", "Binaries\n x\nEnd")), has(upper=[0, 1, INF])),
    ok("semi-continuous", extra("Semi-Continuous\n x y"), has(domain=[SEMICONTINUOUS, SEMIINTEGER, 0])),
    ok("sets", extra("SOS\n one: S1:: x:1 z:2\n S2:: x:3 z:-1\n y:2"), _sets),
    ok("indicator", edit(("lim1: ", "lim1: b = 1 -> "), ("End", "Binary\n b\nEnd")), _indicator),
    ok("lazy-constraints", edit(("Bounds", "Lazy Constraints\n l: x + z <= 9\nBounds")), has(rows=("lim1", "lim2", "eq", "l"))),
    ok("user-cuts", edit(("Bounds", "User Cuts\n l: x + z <= 9\nBounds")), has(rows=("lim1", "lim2", "eq", "l"))),
    ok("zero-coefficients", row("lim1: x + y + 0 z <= 4"), first(-INF, 4, **XY)),
    # harmless defects
    harmless("data-after-end", GOOD + "\n x\n", "E122", 15, _good),
    harmless("bounds-of-a-new-column", bounds("x <= 4", "-1 <= y <= 1", "w <= 3"), "E117", 11, has(columns=("x", "y", "z", "w"))),
    harmless("integer-that-is-new", extra("Integers\n w"), "E117", 14, has(columns=("x", "y", "z", "w"))),
    harmless("negative-upper-bound", bounds("x <= -3"), "E120", 9, has(lower=[0, 0, 0], upper=[-3, INF, INF])),
    harmless("bound-twice", bounds("x <= 3", "x <= 4"), "E116", 10, has(upper=[4, INF, INF])),
    harmless("wide-binary", extra("Binary\n y"), "E120", 14, has(lower=[0, 0, 0], upper=[4, 1, INF])),
    harmless("no-constraints", "Minimize\n x\nEnd\n", "E118", 0, has(columns=("x",), rows=())),
    # refused
    bad("lp-solve", "max: 3x+2y;\nc1: x+y<=4;\nint x;\n", "E112", 1),
    bad("lp-solve-with-comment", "/* test */\nmin: 3 x + 2 y;\n c1: x + y >= 2;\n", "E112", 1),
    bad("no-objective", "Subject To\n c: x >= 1\nEnd\n", "E112", 1),
    bad("only-comments", "\\ nothing\n\\ at all\n", "E118", 0),
    bad("letters", "hello world\n", "E112", 1),
    bad("quadratic-objective", edit(("- z", "- z + [ x ^2 ] / 2")), "E119", 3),
    bad("quadratic-row", row("lim1: x + [ y * y ] <= 4"), "E119", 5),
    bad("power", row("lim1: x^2 + y <= 4"), "E119", 5),
    bad("product", row("lim1: x * y <= 4"), "E119", 5),
    bad("factor-with-star", row("lim1: 3 * y <= 4"), "E119", 5),
    bad("several-objectives", edit(("Minimize", "Minimize multi-objectives")), "E119", 2),
    bad("general-constraints", extra("General Constraints\n g: x = MIN ( y , z )"), "E119", 13),
    bad("piecewise", extra("PWLObj\n x: (0, 0)"), "E119", 13),
    bad("old-sets", extra("SOS1\n one: x:1, y:2"), "E119", 13),
    bad("constant-in-a-row", row("lim1: x - 1 + y <= 4"), "E123", 5),
    bad("column-on-the-right", row("lim1: x <= 4 y"), "E123", 5),
    bad("column-alone-on-the-right", row("lim1: x <= y"), "E123", 5),
    bad("number-on-the-right-twice", row("lim1: x + y <= 4 5"), "E123", 5),
    bad("two-numbers", row("lim1: 3 4 x + y <= 4"), "E123", 5),
    bad("two-names", row("lim1: x y <= 4"), "E123", 5),
    bad("row-without-columns", row("lim1: 0 <= 4"), "E123", 5),
    bad("empty-row", row("lim1: <= 4"), "E123", 5),
    bad("row-without-relation", row("lim1: x + y"), "E123", 6),
    bad("row-without-right-side", row("lim1: x + y <="), "E123", 6),
    bad("dangling-sign", row("lim1: x + <= 4"), "E123", 5),
    bad("sides-of-two-directions", row("lim1: 1 <= x + y >= 4"), "E123", 5),
    bad("equation-with-two-sides", row("lim1: 1 = x + y = 4"), "E123", 5),
    bad("three-sides", row("lim1: 1 <= x + y <= 4 <= 5"), "E123", 5),
    bad("number-as-label", row("1: x + y <= 4"), "E123", 5),
    bad("label-twice", edit((" lim2:", " lim1:")), "E116", 6),
    bad("nan-coefficient", row("lim1: nan x + y <= 4"), "E123", 5),
    bad("nan-side", row("lim1: x + y <= nan"), "E123", 5),
    bad("infinite-coefficient", row("lim1: inf x + y <= 4"), "E123", 5),
    bad("overflowing-coefficient", row("lim1: 1e999 x + y <= 4"), "E114", 5),
    bad("overflowing-side", row("lim1: x + y <= 1e999"), "E114", 5),
    bad("side-that-nothing-reaches", row("lim1: x + y >= inf"), "E114", 5),
    bad("decimal-comma", row("lim1: x + y <= 4,5"), "E123", 5),
    bad("semicolon", row("lim1: x + y <= 4;"), "E123", 5),
    bad("not-equal", row("lim1: x + y != 4"), "E123", 5),
    bad("implication-to-the-left", row("lim1: b = 1 <- x + y <= 4"), "E119", 5),
    bad("indicator-value-2", row("lim1: b = 2 -> x + y <= 4"), "E114", 5),
    bad("indicator-value-half", row("lim1: b = 0.5 -> x + y <= 4"), "E113", 5),
    bad("indicator-not-binary", row("lim1: b = 1 -> x + y <= 4"), "E120", 5),
    bad("bound-without-number", bounds("x <="), "E111", 9),
    bad("bound-letters", bounds("x <= four"), "E123", 9),
    bad("bound-on-nothing", bounds("3 <= 4"), "E123", 9),
    bad("bound-with-coefficient", bounds("2 x <= 4"), "E123", 9),
    bad("two-bounds-in-a-line", bounds("x <= 4 y <= 3"), "E123", 9),
    bad("bound-only-a-name", bounds("x"), "E111", 9),
    bad("upper-bound-minus-infinite", bounds("x <= -inf"), "E114", 9),
    bad("lower-bound-infinite", bounds("x >= inf"), "E114", 9),
    bad("number-among-integers", extra("Integers\n x 3"), "E123", 14),
    bad("set-of-type-3", extra("SOS\n one: S3:: x:1"), "E123", 14),
    bad("set-without-weight", extra("SOS\n one: S1:: x"), "E123", 14),
    bad("set-weight-twice", extra("SOS\n one: S1:: x:1 y:1"), "E116", 14),
    bad("set-column-twice", extra("SOS\n one: S1:: x:1 x:2"), "E116", 14),
    bad("set-infinite-weight", extra("SOS\n one: S1:: x:inf"), "E114", 14),
    bad("cut-within-a-row", GOOD[: GOOD.index("+ z = 7")], "E111", 7),
    bad("empty", "", "E106", 0),
]  # fmt: skip
