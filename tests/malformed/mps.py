"""MPS files, malformed and odd."""
# ruff: noqa: RUF001 (a digit of another script is among the cases)

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from combopt.instances.mip import INTEGER, SEMICONTINUOUS, SEMIINTEGER, Mip
from tests.malformed.case import Case

GOOD = """NAME small
ROWS
 N  cost
 L  lim1
 G  lim2
 E  eq
COLUMNS
    x  cost  1  lim1  1
    x  lim2  1
    M1  'MARKER'  'INTORG'
    y  cost  2  lim1  1
    y  eq  -1
    M2  'MARKER'  'INTEND'
    z  cost  -1  eq  1
RHS
    RHS  lim1  4  lim2  1
    RHS  eq  7
BOUNDS
 UP BND  x  4
 LO BND  y  -1
 UP BND  y  1
ENDATA
"""

FIXED = """NAME          BLANKS
ROWS
 N  COST
 L  ROW ONE
COLUMNS
    COL A     COST               1.0   ROW ONE            2.0
    COL B     ROW ONE            3.0
RHS
    RHS       ROW ONE           12.0
BOUNDS
 UP BND       COL A              5.0
ENDATA
"""


def edit(*changes: tuple[str, str], text: str = GOOD) -> str:
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def _good(mip: Mip) -> None:
    assert (mip.columns, mip.rows) == (("x", "y", "z"), ("lim1", "lim2", "eq"))
    assert mip.cost.tolist() == [1, 2, -1]
    assert mip.row_start.tolist() == [0, 2, 3, 5]
    assert mip.row_column.tolist() == [0, 1, 0, 1, 2]
    assert mip.row_value.tolist() == [1, 1, 1, -1, 1]
    assert mip.row_lower.tolist() == [-math.inf, 1, 7]
    assert mip.row_upper.tolist() == [4, math.inf, 7]
    assert mip.lower.tolist() == [0, -1, 0]
    assert mip.upper.tolist() == [4, 1, math.inf]
    assert mip.integral.tolist() == [False, True, False]
    assert (mip.sense, mip.offset) == ("min", 0)


def has(**expected: object) -> Callable[[Mip], None]:
    """A check that attributes, arrays as lists, are as expected."""

    def check(mip: Mip) -> None:
        for name, value in expected.items():
            found = getattr(mip, name)
            found = found.tolist() if isinstance(found, np.ndarray) else found
            assert found == value, name

    return check


def _sets(mip: Mip) -> None:
    assert [(s.type, s.name, s.columns, s.weights) for s in mip.sos] == [
        (1, "one", (0, 2), (1, 2)),
        (2, "two", (2, 1, 0), (1, 2, 3)),
    ]


def _indicator(mip: Mip) -> None:
    assert [(i.row, i.column, i.active) for i in mip.indicators] == [(0, 1, 1)]


def _blanks(mip: Mip) -> None:
    assert (mip.columns, mip.rows) == (("COL A", "COL B"), ("ROW ONE",))
    assert mip.row_value.tolist() == [2, 3]
    assert (mip.cost.tolist(), mip.upper.tolist()) == ([1, 0], [5, math.inf])


INF = math.inf
Y = (" LO BND  y  -1\n UP BND  y  1\n", "")
RANGE = "BOUNDS", "RANGES\n    RNG  {}\nBOUNDS"


def ranged(text: str) -> str:
    return edit((RANGE[0], RANGE[1].format(text)))


def bounded(*lines: str) -> str:
    """The file with other bounds than those of y."""
    return edit(Y, (" UP BND  x  4\n", "".join(f" {line}\n" for line in lines)))


def bad(name: str, text: str | bytes, code: str, line: int, lenient: str | None = None) -> Case:
    return Case(name, "a.mps", text, code, line, lenient=lenient)


def ok(name: str, text: str | bytes, check: Callable[[Mip], None]) -> Case:
    return Case(name, "a.mps", text, None, check=check)


def harmless(name: str, text: str, code: str, line: int, check: Callable[[Mip], None]) -> Case:
    return Case(name, "a.mps", text, code, line, lenient=code, check=check)


MAX = has(sense="max")

CASES = [
    # accepted
    ok("good", GOOD, _good),
    ok("crlf", GOOD.replace("\n", "\r\n"), _good),
    ok("old-mac-line-ends", GOOD.replace("\n", "\r"), _good),
    ok("tabs", GOOD.replace("  ", "\t"), _good),
    ok("comments-and-blank-lines", GOOD.replace("\n", "\n* note\n\n"), _good),
    ok("no-name", edit(("NAME small\n", "")), has(name="a")),
    ok("name-with-blanks", edit(("NAME small", "NAME a small one")), has(name="a small one")),
    ok("byte-order-mark", b"\xef\xbb\xbf" + GOOD.encode(), _good),
    ok("no-line-end-at-the-end", GOOD.rstrip(), _good),
    ok("blank-lines-after-endata", GOOD + "\n\n* the end\n", _good),
    ok("lower-case-headers", edit(("ROWS", "rows"), ("COLUMNS", "columns"), ("RHS\n", "rhs\n")), _good),
    ok(
        "dollar-comments",
        edit(("    x  lim2  1", "    x  lim2  1  $ the floor"), (" N  cost", " N  cost $ it")),
        _good,
    ),
    ok("star-comments-behind-numbers", edit(("    RHS  eq  7", "    RHS  eq  7  * seven")), _good),
    ok("sense-on-the-next-line", edit(("ROWS", "OBJSENSE\n    MAX\nROWS")), MAX),
    ok("sense-on-the-same-line", edit(("ROWS", "OBJSENSE MAX\nROWS")), MAX),
    ok("sense-maximize", edit(("ROWS", "OBJSENSE\n  MAXIMIZE\nROWS")), MAX),
    ok("sense-in-the-first-column", edit(("ROWS", "OBJSENSE\nMAX\nROWS")), MAX),
    ok("sense-min", edit(("ROWS", "OBJSENSE\n    MIN\nROWS")), _good),
    ok("objective-constant", edit(("    RHS  eq  7", "    RHS  eq  7  cost  -6")), has(offset=6.0)),
    ok(
        "second-n-row-is-dropped",
        edit((" L  lim1", " N  other\n L  lim1"), ("    x  lim2  1", "    x  lim2  1  other  5")),
        _good,
    ),
    ok(
        "objname",
        edit(
            ("ROWS", "OBJNAME\n    other\nROWS"),
            (" L  lim1", " N  other\n L  lim1"),
            ("    x  lim2  1", "    x  lim2  1  other  5"),
        ),
        has(cost=[5, 0, 0]),
    ),
    ok(
        "rhs-without-set",
        edit(("    RHS  lim1  4  lim2  1", "    lim1  4  lim2  1"), ("    RHS  eq  7", "    eq  7")),
        _good,
    ),
    ok("bounds-without-set", edit((" UP BND  x  4", " UP x 4"), (" LO BND  y  -1", " LO y -1")), _good),
    ok(
        "set-named-like-a-column",
        edit((" UP BND  x  4", " UP y  x  4"), (" LO BND  y", " LO y  y"), (" UP BND  y", " UP y  y")),
        _good,
    ),
    ok(
        "keywords-as-names",
        GOOD.replace(" x ", " RHS ").replace(" lim1", " ROWS"),
        has(columns=("RHS", "y", "z"), rows=("ROWS", "lim2", "eq")),
    ),
    ok(
        "plus-signs-and-points",
        edit(("  lim1  1\n    x", "  lim1  +1.\n    x"), ("    x  lim2  1", "    x  lim2  1.0E+00")),
        _good,
    ),
    ok("zero-entries-are-no-entries", edit(("    x  lim2  1", "    x  lim2  1  eq  0.0")), _good),
    ok("integer-without-bound-is-binary", bounded("UP BND x 4"), has(upper=[4, 1, INF], lower=[0, 0, 0])),
    ok("integer-with-lower-bound-only", bounded("LO BND y 0"), has(upper=[INF, INF, INF])),
    ok("mi-leaves-the-upper-bound", bounded("MI BND x"), has(lower=[-INF, 0, 0], upper=[INF, 1, INF])),
    ok("free", bounded("FR BND x"), has(lower=[-INF, 0, 0], upper=[INF, 1, INF])),
    ok("free-with-a-number", bounded("FR BND x 0"), has(lower=[-INF, 0, 0])),
    ok("free-without-set", bounded("FR x"), has(lower=[-INF, 0, 0])),
    ok("free-without-set-with-a-number", bounded("FR x 0"), has(lower=[-INF, 0, 0])),
    ok("fixed", bounded("FX BND x -2.5"), has(lower=[-2.5, 0, 0], upper=[-2.5, 1, INF])),
    ok("binary", bounded("BV BND z"), has(domain=[0, 1, 1], upper=[INF, 1, 1])),
    ok(
        "integer-bounds",
        bounded("LI BND x 2", "UI BND x 3"),
        has(domain=[1, 1, 0], lower=[2, 0, 0], upper=[3, 1, INF]),
    ),
    ok(
        "infinite-bounds",
        bounded("LO BND x -1e30", "UP BND x Inf", "UP BND z 1e20"),
        has(lower=[-INF, 0, 0], upper=[INF, 1, INF]),
    ),
    ok("negative-up-with-lower", bounded("UP BND x -3", "LO BND x -5"), has(lower=[-5, 0, 0], upper=[-3, 1, INF])),
    ok("up-zero", bounded("UP BND x 0"), has(lower=[0, 0, 0], upper=[0, 1, INF])),
    ok("the-same-bound-twice", bounded("UP BND x 4", "UP BND x 4"), has(upper=[4, 1, INF])),
    ok("lower-above-upper-is-infeasible", bounded("UP BND x 4", "LO BND x 5"), has(lower=[5, 0, 0])),
    ok(
        "semi-continuous",
        bounded("SC BND x 4", "LO BND x 2"),
        has(domain=[SEMICONTINUOUS, INTEGER, 0], lower=[2, 0, 0], upper=[4, 1, INF]),
    ),
    ok(
        "semi-integer",
        bounded("SI BND x 4", "SC BND y 3"),
        has(domain=[SEMIINTEGER, SEMIINTEGER, 0], upper=[4, 3, INF]),
    ),
    ok("range-on-l", ranged("lim1  -3"), has(row_lower=[1, 1, 7], row_upper=[4, INF, 7])),
    ok("range-on-g", ranged("lim2  -3"), has(row_lower=[-INF, 1, 7], row_upper=[4, 4, 7])),
    ok("positive-range-on-e", ranged("eq  2"), has(row_lower=[-INF, 1, 7], row_upper=[4, INF, 9])),
    ok("negative-range-on-e", ranged("eq  -2"), has(row_lower=[-INF, 1, 5], row_upper=[4, INF, 7])),
    ok("range-zero-on-e", ranged("eq  0"), has(row_lower=[-INF, 1, 7], row_upper=[4, INF, 7])),
    ok("infinite-range", ranged("lim1  1e30"), has(row_lower=[-INF, 1, 7], row_upper=[4, INF, 7])),
    ok("ranges-before-rhs", edit(("RHS\n", "RANGES\n    RNG  eq  2\nRHS\n")), has(row_upper=[4, INF, 9])),
    ok(
        "range-in-decimals",
        edit(("lim1  4", "lim1  0.3"), (RANGE[0], RANGE[1].format("lim1  0.1"))),
        has(row_lower=[0.2, 1, 7]),
    ),
    ok("infinite-rhs-on-l", edit(("lim1  4", "lim1  1e30")), has(row_upper=[INF, INF, 7])),
    ok(
        "lazy-constraints",
        edit(("COLUMNS", "LAZYCONS\n L  lazy\nCOLUMNS"), ("    x  lim2  1", "    x  lim2  1  lazy  3")),
        has(rows=("lim1", "lim2", "eq", "lazy")),
    ),
    ok(
        "user-cuts",
        edit(("COLUMNS", "USERCUTS\n L  cut\nCOLUMNS"), ("    x  lim2  1", "    x  lim2  1  cut  3")),
        has(rows=("lim1", "lim2", "eq", "cut")),
    ),
    ok(
        "sets",
        edit(("ENDATA", "SOS\n S1 one\n    x  1\n    z  2\n S2 SOS two 5\n    x 3\n    z 1\n    y 2\nENDATA")),
        _sets,
    ),
    ok("indicator", edit((" LO BND  y  -1\n", ""), ("ENDATA", "INDICATORS\n IF lim1  y  1\nENDATA")), _indicator),
    ok("names-with-blanks-in-fixed-columns", FIXED, _blanks),
    ok("empty-sections", "NAME\nROWS\n N  c\nCOLUMNS\nRHS\nRANGES\nBOUNDS\nENDATA\n", has(columns=(), rows=())),
    ok("letters-beyond-ascii", GOOD.replace(" x ", " größe "), has(columns=("größe", "y", "z"))),
    ok("rows-without-entries", edit((" E  eq", " E  eq\n L  empty")), has(rows=("lim1", "lim2", "eq", "empty"))),
    ok("column-without-rows", edit(("RHS\n", "    w  cost  0\nRHS\n")), has(columns=("x", "y", "z", "w"))),
    ok("intorg-open-to-the-end", edit(("    M2  'MARKER'  'INTEND'\n", "")), has(domain=[0, 1, 1])),
    # harmless defects
    harmless("endata-missing", edit(("ENDATA\n", "")), "E111", 21, _good),
    harmless("data-after-endata", GOOD + "\n    x  lim1  3\n", "E122", 24, _good),
    harmless("columns-before-rows", "COLUMNS\n    x  c  1\nROWS\n N  c\nENDATA\n", "E123", 1, has(columns=("x",))),
    harmless(
        "rhs-before-columns",
        edit(("COLUMNS", "RHS\n    RHS  eq  7\nCOLUMNS"), ("RHS\n    RHS  lim1  4  lim2  1\n    RHS  eq  7\n", "")),
        "E123",
        7,
        has(columns=("x", "y", "z")),
    ),
    harmless(
        "no-objective",
        edit((" N  cost\n", ""), ("cost  1  ", ""), ("cost  2  ", ""), ("cost  -1  ", "")),
        "E118",
        2,
        has(cost=[0, 0, 0]),
    ),
    harmless("second-set-in-rhs", edit(("    RHS  eq  7", "    RHS  eq  7\n    RHS2  lim1  9")), "E119", 18, _good),
    harmless("second-set-in-bounds", edit((" UP BND  y  1", " UP BND  y  1\n FX OTHER z 0")), "E119", 22, _good),
    harmless("upper-bound-twice", bounded("UP BND x 4", "UP BND x 5"), "E116", 20, has(upper=[5, 1, INF])),
    harmless("lower-bound-twice", bounded("LO BND x 4", "MI BND x"), "E116", 20, has(lower=[-INF, 0, 0])),
    harmless("negative-up", bounded("UP BND x -3"), "E120", 19, has(lower=[-INF, 0, 0], upper=[-3, 1, INF])),
    harmless("range-on-the-objective", ranged("cost  2"), "E120", 19, _good),
    # refused
    bad("not-mps", "12 7\nhello\n", "E112", 1),
    bad("only-comments", "* nothing\n* at all\n", "E102", 2),
    bad("header-is-indented", " " + GOOD, "E123", 1),
    bad("unknown-section", edit(("BOUNDS", "FOO")), "E112", 18),
    bad("data-in-the-first-column", edit(("    RHS  eq", "RHS  eq")), "E116", 17),
    bad("data-behind-a-header", edit(("RHS\n", "RHS  eq  7\n")), "E123", 15),
    bad("quadratic-objective", edit(("ENDATA", "QUADOBJ\n    x  x  1\nENDATA")), "E119", 22),
    bad("quadratic-rows", edit(("ENDATA", "QCMATRIX lim1\n    x  x  1\nENDATA")), "E119", 22),
    bad("cones", edit(("ENDATA", "CSECTION c 0 QUAD\n    x\nENDATA")), "E119", 22),
    bad("general-constraints", edit(("ENDATA", "GENCONS\n MIN g\nENDATA")), "E119", 22),
    bad("section-twice", edit(("ENDATA", "RHS\n    RHS  eq  7\nENDATA")), "E116", 22),
    bad("rows-missing", edit(("ROWS\n N  cost\n L  lim1\n G  lim2\n E  eq\n", "")), "E118", 0),
    bad("columns-missing", "NAME\nROWS\n N  c\nENDATA\n", "E118", 0),
    bad("unknown-row-type", edit((" G  lim2", " X  lim2")), "E112", 5),
    bad("row-without-name", edit((" G  lim2", " G")), "E123", 5),
    bad("row-with-two-names", edit((" G  lim2", " G  lim2 too")), "E123", 5),
    bad("row-twice", edit((" G  lim2", " G  lim1")), "E116", 5),
    bad("objective-among-lazy-rows", edit(("COLUMNS", "LAZYCONS\n N  lazy\nCOLUMNS")), "E112", 8),
    bad("objname-unknown", edit(("ROWS", "OBJNAME\n    nix\nROWS")), "E117", 2),
    bad("sense-unknown", edit(("ROWS", "OBJSENSE\n    UP\nROWS")), "E112", 3),
    bad("sense-missing", edit(("ROWS", "OBJSENSE\nROWS")), "E123", 2),
    bad("letters-for-a-coefficient", edit(("    x  lim2  1", "    x  lim2  abc")), "E113", 9),
    bad("nan-coefficient", edit(("    x  lim2  1", "    x  lim2  nan")), "E113", 9),
    bad("infinite-coefficient", edit(("    x  lim2  1", "    x  lim2  inf")), "E113", 9),
    bad("overflowing-coefficient", edit(("    x  lim2  1", "    x  lim2  1e999")), "E114", 9),
    bad("decimal-comma", edit(("    x  lim2  1", "    x  lim2  1,5")), "E113", 9),
    bad("fortran-exponent", edit(("    x  lim2  1", "    x  lim2  4.0D+01")), "E113", 9),
    bad("underscore-in-a-number", edit(("    x  lim2  1", "    x  lim2  1_0")), "E113", 9),
    bad("hexadecimal", edit(("    x  lim2  1", "    x  lim2  0x10")), "E113", 9),
    bad("number-with-a-tail", edit(("    x  lim2  1", "    x  lim2  1.0abc")), "E113", 9),
    bad("foreign-digits", edit(("    x  lim2  1", "    x  lim2  ١")), "E113", 9),
    bad("unknown-row-in-columns", edit(("    x  lim2  1", "    x  lim3  1")), "E117", 9),
    bad("entry-twice", edit(("    x  lim2  1", "    x  lim2  1  lim1  2")), "E116", 9),
    bad("cost-twice", edit(("    x  lim2  1", "    x  lim2  1  cost  2")), "E116", 9),
    bad("column-in-two-places", edit(("RHS\n", "    x  eq  3\nRHS\n")), "E116", 15),
    bad("missing-number", edit(("    x  lim2  1", "    x  lim2")), "E123", 9),
    bad("missing-row-and-number", edit(("    x  lim2  1", "    x")), "E123", 9),
    bad("missing-second-number", edit(("    x  lim2  1", "    x  lim2  1  eq")), "E123", 9),
    bad("too-many-fields", edit(("    x  lim2  1", "    x  lim2  1  eq  1  lim1")), "E123", 9),
    bad("intorg-twice", edit(("    y  eq  -1", "    M3  'MARKER'  'INTORG'\n    y  eq  -1")), "E120", 12),
    bad("intend-without-intorg", edit(("    M1  'MARKER'  'INTORG'\n", "")), "E120", 12),
    bad(
        "marker-within-a-column",
        edit(("    y  eq  -1\n    M2  'MARKER'  'INTEND'\n", "    M2  'MARKER'  'INTEND'\n    y  eq  -1\n")),
        "E120",
        13,
    ),
    bad("unknown-marker", edit(("'INTORG'", "'FOO'")), "E112", 10),
    bad("marker-for-sets", edit(("'INTORG'", "'SOSORG'")), "E119", 10),
    bad("indented-comment", edit(("    x  lim2  1", "    * x  lim2  1")), "E123", 9),
    bad("unknown-row-in-rhs", edit(("    RHS  eq  7", "    RHS  neq  7")), "E117", 17),
    bad("rhs-twice", edit(("    RHS  eq  7", "    RHS  eq  7  lim1  5")), "E116", 17),
    bad("rhs-without-number", edit(("    RHS  eq  7", "    eq")), "E123", 17),
    bad("rhs-nan", edit(("    RHS  eq  7", "    RHS  eq  nan")), "E113", 17),
    bad("rhs-infinite-on-e", edit(("    RHS  eq  7", "    RHS  eq  1e30")), "E114", 17),
    bad("rhs-infinite-on-g", edit(("lim2  1\n    RHS", "lim2  inf\n    RHS")), "E114", 16),
    bad("infinite-objective-constant", edit(("    RHS  eq  7", "    RHS  cost  inf")), "E113", 17),
    bad("range-unknown-row", ranged("lim9  1"), "E117", 19),
    bad("range-letters", ranged("eq  a"), "E113", 19),
    bad("range-twice", ranged("eq  1  eq  2"), "E116", 19),
    bad("range-without-side", edit(("lim1  4", "lim1  1e30"), (RANGE[0], RANGE[1].format("lim1  1"))), "E120", 19),
    bad("unknown-bound-type", bounded("LS BND x 2"), "E112", 19),
    bad("bound-on-unknown-column", bounded("UP BND w 2"), "E117", 19),
    bad("bound-on-a-row", bounded("UP BND lim1 2"), "E117", 19),
    bad("bound-without-number", bounded("UP BND"), "E123", 19),
    bad("bound-nan", bounded("UP BND x nan"), "E113", 19),
    bad("bound-letters", bounded("UP BND x two"), "E113", 19),
    bad("too-many-fields-in-a-bound", bounded("UP BND x 2 3"), "E123", 19),
    bad("lower-bound-infinite", bounded("LO BND x inf"), "E114", 19),
    bad("upper-bound-minus-infinite", bounded("UP BND x -inf"), "E114", 19),
    bad("fraction-as-integer-bound", bounded("UI BND x 2.5"), "E113", 19),
    bad("semi-continuous-zero", bounded("SC BND x 0"), "E114", 19),
    bad("set-without-weight", edit(("ENDATA", "SOS\n S1 one\n    x\nENDATA")), "E123", 24),
    bad("set-member-before-a-set", edit(("ENDATA", "SOS\n    x  1\nENDATA")), "E123", 23),
    bad("set-of-unknown-column", edit(("ENDATA", "SOS\n S1 one\n    w  1\nENDATA")), "E117", 24),
    bad("set-weights-equal", edit(("ENDATA", "SOS\n S1 one\n    x  1\n    z  1\nENDATA")), "E116", 25),
    bad("indicator-not-binary", edit(("ENDATA", "INDICATORS\n IF lim1  x  1\nENDATA")), "E120", 23),
    bad(
        "indicator-value-2",
        edit((" LO BND  y  -1\n", ""), ("ENDATA", "INDICATORS\n IF lim1  y  2\nENDATA")),
        "E114",
        22,
    ),
    bad(
        "indicator-unknown-row",
        edit((" LO BND  y  -1\n", ""), ("ENDATA", "INDICATORS\n IF nix  y  1\nENDATA")),
        "E117",
        22,
    ),
    bad(
        "indicator-of-the-objective",
        edit((" LO BND  y  -1\n", ""), ("ENDATA", "INDICATORS\n IF cost  y  1\nENDATA")),
        "E117",
        22,
    ),
    bad(
        "indicator-twice",
        edit((" LO BND  y  -1\n", ""), ("ENDATA", "INDICATORS\n IF lim1  y  1\n IF lim1  y  0\nENDATA")),
        "E116",
        23,
    ),
    bad("indicator-without-if", edit(("ENDATA", "INDICATORS\n lim1  y  1\nENDATA")), "E123", 23),
    bad("names-with-blanks-not-in-columns", edit((" L  ROW ONE", " L    ROW ONE"), text=FIXED), "E123", 4),
    bad("names-with-blanks-and-tabs", FIXED.replace("    COL B ", "\tCOL B "), "E123", 4),
    bad("wrong-number-in-fixed-columns", FIXED.replace("12.0", "12,0"), "E113", 9),
    bad("nul-byte", GOOD.encode().replace(b"lim2", b"lim\0", 1), "E105", 5),
    bad("cut-within-columns", GOOD[: GOOD.index("    M2")], "E111", 12),
    bad("empty", "", "E106", 0),
]
