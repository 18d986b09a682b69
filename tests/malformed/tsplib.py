"""TSPLIB files, malformed and odd."""

from __future__ import annotations

import gzip

from combopt.instances.atsp import Atsp
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
FULL = """NAME: three
TYPE: ATSP
DIMENSION: 3
EDGE_WEIGHT_TYPE: EXPLICIT
EDGE_WEIGHT_FORMAT: FULL_MATRIX
EDGE_WEIGHT_SECTION
0 1 2
3 0 4
5 6 0
EOF
"""
UPPER = """NAME: four
TYPE: TSP
DIMENSION: 4
EDGE_WEIGHT_TYPE: EXPLICIT
EDGE_WEIGHT_FORMAT: UPPER_ROW
EDGE_WEIGHT_SECTION
3 5 4
4 5
3
EOF
"""
FIXED = GOOD.replace("EOF", "FIXED_EDGES_SECTION\n1 3\n-1\nEOF")


def _four(instance: Tsp) -> None:
    assert instance.metric.full().tolist() == [[0, 3, 5, 4], [3, 0, 4, 5], [5, 4, 0, 3], [4, 5, 3, 0]]


def _three(instance: Atsp) -> None:
    assert instance.kind == "atsp"
    assert instance.metric.full().tolist() == [[0, 1, 2], [3, 0, 4], [5, 6, 0]]


def _fixed(instance: Tsp) -> None:
    _four(instance)
    assert instance.fixed_edges.tolist() == [[0, 2]]


def _layout(name: str, numbers: str) -> str:
    return UPPER.replace("UPPER_ROW", name).replace("3 5 4\n4 5\n3", numbers)


ACCEPTED = [
    Case("good", "a.tsp", GOOD, None, check=_four),
    Case("shuffled-ids", "a.tsp", GOOD.replace("1 0 0\n2 3 0", "2 3 0\n1 0 0"), None, check=_four),
    Case("ids-from-0", "a.tsp", GOOD.replace("1 0 0\n2 3 0\n3 3 4\n4", "0 0 0\n1 3 0\n2 3 4\n3"), None, check=_four),
    Case(
        "fixed-edges-of-ids-from-0",
        "a.tsp",
        FIXED.replace("1 0 0\n2 3 0\n3 3 4\n4", "0 0 0\n1 3 0\n2 3 4\n3").replace("1 3\n-1", "0 2\n-1"),
        None,
        check=_fixed,
    ),
    Case("crlf", "a.tsp", GOOD.replace("\n", "\r\n"), None, check=_four),
    Case("cr-alone", "a.tsp", GOOD.replace("\n", "\r"), None, check=_four),
    Case("byte-order-mark", "a.tsp", b"\xef\xbb\xbf" + GOOD.encode(), None, check=_four),
    Case("latin-1", "a.tsp", GOOD.replace("four", "Görlitz").encode("latin-1"), None, check=_four),
    Case("gzipped", "a.tsp", gzip.compress(GOOD.encode()), None, check=_four),
    Case("no-eof", "a.tsp", GOOD.replace("EOF\n", ""), None, check=_four),
    Case("no-newline-at-the-end", "a.tsp", GOOD.rstrip("\n"), None, check=_four),
    Case("blank-lines", "a.tsp", GOOD.replace("\n", "\n\n"), None, check=_four),
    Case("blanks-before-everything", "a.tsp", "  " + GOOD.replace("\n", "\n   "), None, check=_four),
    Case("tabs", "a.tsp", GOOD.replace(" ", "\t"), None, check=_four),
    Case("no-break-spaces", "a.tsp", GOOD.replace("3 3 4", "3\xa03\xa04"), None, check=_four),
    Case("no-colons", "a.tsp", GOOD.replace(" :", ""), None, check=_four),
    Case("colons-without-blanks", "a.tsp", GOOD.replace(" : ", ":"), None, check=_four),
    Case("lower-case-keywords", "a.tsp", GOOD.replace("TYPE : TSP", "type : tsp"), None, check=_four),
    Case("colon-after-a-section", "a.tsp", GOOD.replace("SECTION", "SECTION:"), None, check=_four),
    Case("colon-in-the-name", "a.tsp", GOOD.replace("four", "four: a square"), None, check=_four),
    Case("two-comments", "a.tsp", "COMMENT : a\nCOMMENT : b: c\n" + GOOD, None, check=_four),
    Case("comment-without-text", "a.tsp", "COMMENT\n" + GOOD, None, check=_four),
    Case("words-after-the-type", "a.tsp", GOOD.replace("TSP", "TSP (M. Hofmeister)"), None, check=_four),
    Case("no-name", "a.tsp", GOOD.replace("NAME : four\n", ""), None, check=_four),
    Case("scientific-notation", "a.tsp", GOOD.replace("3 3 4", "3 3.0e+00 .4E1"), None, check=_four),
    Case("rows-wrapped", "a.tsp", GOOD.replace("1 0 0\n2 3 0\n", "1 0\n0 2\n3 0 "), None, check=_four),
    Case(
        "keywords-after-the-section",
        "a.tsp",
        "NODE_COORD_SECTION\n1 0 0\n2 3 0\n3 3 4\n4 0 4\nTYPE: TSP\nEDGE_WEIGHT_TYPE: EUC_2D\nDIMENSION: 4\n",
        None,
        check=_four,
    ),
    Case("full-matrix", "a.atsp", FULL, None, check=_three),
    Case("matrix-on-one-line", "a.atsp", FULL.replace("\n3 0 4\n5", " 3 0 4 5"), None, check=_three),
    Case("diagonal-of-infinities", "a.atsp", FULL.replace("3 0 4", "3 9999999 4"), None, check=_three),
    Case("whole-numbers-with-a-point", "a.atsp", FULL.replace("3 0 4", "3.0 0 4."), None, check=_three),
    Case("upper-row", "a.tsp", UPPER, None, check=_four),
    Case("lower-col", "a.tsp", _layout("LOWER_COL", "3 5 4 4 5 3"), None, check=_four),
    Case("lower-row", "a.tsp", _layout("LOWER_ROW", "3 5 4 4 5 3"), None, check=_four),
    Case("upper-col", "a.tsp", _layout("UPPER_COL", "3\n5 4\n4 5 3"), None, check=_four),
    Case("upper-diag-row", "a.tsp", _layout("UPPER_DIAG_ROW", "0 3 5 4 0 4 5 0 3 0"), None, check=_four),
    Case("lower-diag-col", "a.tsp", _layout("LOWER_DIAG_COL", "0 3 5 4 0 4 5 0 3 0"), None, check=_four),
    Case("lower-diag-row", "a.tsp", _layout("LOWER_DIAG_ROW", "0 3 0 5 4 0 4 5 3 0"), None, check=_four),
    Case("upper-diag-col", "a.tsp", _layout("UPPER_DIAG_COL", "0 3 0 5 4 0 4 5 3 0"), None, check=_four),
    Case(
        "display-coordinates-are-no-distances",
        "a.tsp",
        UPPER.replace("EOF", "DISPLAY_DATA_SECTION\n1 9 9\n2 9 9\n3 9 9\n4 9 9\nEOF"),
        None,
        check=_four,
    ),
    Case("fixed-edges", "a.tsp", FIXED, None, check=_fixed),
    Case("one-node", "a.tsp", GOOD.replace(": 4", ": 1").replace("2 3 0\n3 3 4\n4 0 4\n", ""), None),
    Case("tsp-read-as-atsp", "a.tsp", GOOD, None, check=lambda i: _kind(i, "atsp"), options={"kind": "atsp"}),
]


def _kind(instance: Tsp | Atsp, kind: str) -> None:
    assert instance.kind == kind


REFUSED = [
    Case("letters-for-a-number", "a.tsp", GOOD.replace("3 3 4", "3 3 x"), "E113", 8),
    Case("nan", "a.tsp", GOOD.replace("3 3 4", "3 3 nan"), "E113", 8),
    Case("infinity", "a.tsp", GOOD.replace("3 3 4", "3 inf 4"), "E113", 8),
    Case("overflowing-number", "a.tsp", GOOD.replace("3 3 4", "3 3 1e999"), "E114", 8),
    Case("coordinate-beyond-precision", "a.tsp", GOOD.replace("3 3 4", "3 3 1e300"), "E114", 5),
    Case("decimal-comma", "a.tsp", GOOD.replace("3 3 4", "3 3,0 4"), "E113", 8),
    Case("fortran-exponent", "a.tsp", GOOD.replace("3 3 4", "3 3 4d0"), "E113", 8),
    Case("hexadecimal", "a.tsp", GOOD.replace("3 3 4", "3 3 0x4"), "E113", 8),
    Case("glued-numbers", "a.tsp", GOOD.replace("3 3 4", "3 3-4"), "E113", 8),
    Case("underscore-in-a-number", "a.tsp", GOOD.replace("3 3 4", "3 3 4_0"), "E113", 8),
    Case("arabic-digits", "a.tsp", GOOD.replace("3 3 4", "3 3 \u0664"), "E113", 8),
    Case("lone-sign", "a.tsp", GOOD.replace("3 3 4", "3 3 - 4"), "E113", 8),
    Case("row-too-short", "a.tsp", GOOD.replace("3 3 4", "3 3"), "E115", 8),
    Case("row-too-long", "a.tsp", GOOD.replace("3 3 4", "3 3 4 7"), "E115", 8),
    Case("row-missing", "a.tsp", GOOD.replace("4 0 4\n", ""), "E115", 5),
    Case("row-too-many", "a.tsp", GOOD.replace("EOF", "5 1 1\nEOF"), "E115", 10),
    Case("no-rows", "a.tsp", GOOD.split("1 0 0")[0] + "EOF\n", "E115", 5),
    Case("cut-in-the-middle", "a.tsp", GOOD[: GOOD.index("3 3 4") + 3], "E115", 8),
    Case("cut-in-the-header", "a.tsp", "NAME : four\nTYPE : TSP\nDIMENSION : 4\n", "E118", 0),
    Case("node-twice", "a.tsp", GOOD.replace("3 3 4", "2 3 4"), "E116", 8),
    Case("node-beyond-the-dimension", "a.tsp", GOOD.replace("4 0 4", "5 0 4"), "E117", 9),
    Case("node-with-a-fraction", "a.tsp", GOOD.replace("3 3 4", "2.5 3 4"), "E113", 8),
    Case("negative-node", "a.tsp", GOOD.replace("3 3 4", "-3 3 4"), "E117", 8),
    Case("huge-dimension", "a.tsp", GOOD.replace(": 4", ": 100000000"), "E121", 3),
    Case("huge-dimension-of-a-matrix", "a.atsp", FULL.replace(": 3", ": 40"), "E121", 6),
    Case("dimension-0", "a.tsp", GOOD.replace(": 4", ": 0"), "E114", 3),
    Case("negative-dimension", "a.tsp", GOOD.replace(": 4", ": -4"), "E114", 3),
    Case("dimension-with-a-fraction", "a.tsp", GOOD.replace(": 4", ": 4.5"), "E113", 3),
    Case("dimension-in-words", "a.tsp", GOOD.replace(": 4", ": four"), "E113", 3),
    Case("dimension-of-many-digits", "a.tsp", GOOD.replace(": 4", ": " + "9" * 5000), "E114", 3),
    Case("no-dimension", "a.tsp", GOOD.replace("DIMENSION : 4\n", ""), "E118", 0),
    Case("dimension-without-a-value", "a.tsp", GOOD.replace("DIMENSION : 4", "DIMENSION :"), "E118", 3),
    Case("dimension-twice", "a.tsp", GOOD.replace("DIMENSION : 4\n", "DIMENSION : 4\nDIMENSION : 4\n"), "E116", 4),
    Case("section-twice", "a.tsp", GOOD.replace("EOF", "NODE_COORD_SECTION\n1 0 0\nEOF"), "E116", 10),
    Case("no-edge-weight-type", "a.tsp", GOOD.replace("EDGE_WEIGHT_TYPE : EUC_2D\n", ""), "E118", 0),
    Case("crystallography", "a.tsp", GOOD.replace("EUC_2D", "XRAY1"), "E119", 4),
    Case("special-distances", "a.tsp", GOOD.replace("EUC_2D", "SPECIAL"), "E119", 4),
    Case("two-coordinates-in-space", "a.tsp", GOOD.replace("EUC_2D", "EUC_3D"), "E115", 5),
    Case(
        "space-under-a-plane-rule",
        "a.tsp",
        GOOD.replace("NODE_COORD_SECTION\n1 0 0", "NODE_COORD_TYPE : THREED_COORDS\nNODE_COORD_SECTION\n1 0 0")
        .replace("0 0\n", "0 0 0\n")
        .replace("3 0\n", "3 0 0\n")
        .replace("3 4\n", "3 4 0\n")
        .replace("0 4\n", "0 4 0\n"),
        "E115",
        6,
    ),
    Case("no-coordinates", "a.tsp", GOOD.split("NODE_COORD")[0] + "EOF\n", "E118", 4),
    Case("another-type", "a.tsp", GOOD.replace(": TSP", ": SOP"), "E119", 2),
    Case("a-tour", "a.tsp", "NAME : x\nTYPE : TOUR\nDIMENSION : 4\nTOUR_SECTION\n1 2 3 4 -1\n", "E112", 4),
    Case("graph-by-edges", "a.tsp", GOOD.replace("NODE_COORD", "EDGE_DATA"), "E119", 5),
    Case("numbers-before-any-section", "a.tsp", GOOD.replace("NODE_COORD_SECTION\n", ""), "E123", 5),
    Case("data-beside-the-section", "a.tsp", GOOD.replace("SECTION\n1 0 0", "SECTION 1 0 0"), "E123", 5),
    Case("matrix-short-of-one", "a.atsp", FULL.replace("5 6 0", "5 6"), "E115", 6),
    Case("matrix-with-one-too-many", "a.atsp", FULL.replace("5 6 0", "5 6 0 1"), "E115", 9),
    Case("triangle-under-full-matrix", "a.tsp", UPPER.replace("UPPER_ROW", "FULL_MATRIX"), "E115", 6),
    Case("triangle-without-its-diagonal", "a.tsp", UPPER.replace("UPPER_ROW", "LOWER_DIAG_ROW"), "E115", 6),
    Case("fraction-in-a-matrix", "a.atsp", FULL.replace("3 0 4", "3.5 0 4"), "E113", 8),
    Case("nan-in-a-matrix", "a.atsp", FULL.replace("3 0 4", "nan 0 4"), "E112", 8),
    Case("nan-within-a-matrix", "a.atsp", FULL.replace("3 0 4", "3 0 nan"), "E113", 8),
    Case("distance-beyond-64-bits", "a.atsp", FULL.replace("3 0 4", "3 0 99999999999999999999"), "E114", 8),
    Case("distance-that-cannot-be-added", "a.atsp", FULL.replace("3 0 4", "3 0 9000000000000000000"), "E114", 6),
    Case("not-symmetric", "a.tsp", FULL.replace("ATSP", "TSP"), "E120", 6),
    Case("no-edge-weight-format", "a.atsp", FULL.replace("EDGE_WEIGHT_FORMAT: FULL_MATRIX\n", ""), "E118", 0),
    Case("unknown-edge-weight-format", "a.atsp", FULL.replace("FULL_MATRIX", "SPARSE"), "E119", 5),
    Case("no-matrix", "a.atsp", FULL.split("EDGE_WEIGHT_SECTION")[0] + "EOF\n", "E118", 0),
    Case("fixed-edge-with-one-end", "a.tsp", FIXED.replace("1 3\n", "1 3\n2\n"), "E115", 12),
    Case("fixed-edge-to-nowhere", "a.tsp", FIXED.replace("1 3\n", "1 7\n"), "E117", 11),
    Case("fixed-edge-to-itself", "a.tsp", FIXED.replace("1 3\n", "1 1\n"), "E120", 10),
    Case("fixed-edges-at-one-node", "a.tsp", FIXED.replace("1 3\n", "1 2\n1 3\n1 4\n"), "E120", 10),
    Case("fixed-edges-in-a-triangle", "a.tsp", FIXED.replace("1 3\n", "1 2\n2 3\n3 1\n"), "E120", 10),
    Case("nul-byte", "a.tsp", GOOD.replace("3 3 4", "3 3 \0"), "E105", 8),
    Case("utf-16", "a.tsp", GOOD.encode("utf-16"), "E105", 1),
    Case("empty", "a.tsp", "", "E106", 0),
    Case("blank", "a.tsp", " \n\n", "E106", 0),
    Case("damaged-gzip", "a.tsp", gzip.compress(GOOD.encode())[:-9], "E103", 0),
    Case("something-else", "a.tsp", "<html></html>\n", "E123", 1),
]

LENIENT = [
    Case("data-after-eof", "a.tsp", GOOD + "5 5 5\n", "E122", 11, lenient="E122", check=_four),
    Case("unknown-keyword", "a.tsp", "FLAVOUR : mint\n" + GOOD, "E112", 1, lenient="E112", check=_four),
    Case(
        "unknown-section",
        "a.tsp",
        GOOD.replace("EOF", "FOO_SECTION\n1 2\nEOF"),
        "E112",
        10,
        lenient="E112",
        check=_four,
    ),
    Case("no-type", "a.tsp", GOOD.replace("TYPE : TSP\n", ""), "E118", 0, lenient="E118", check=_four),
    Case("no-type-asymmetric", "a.atsp", FULL.replace("TYPE: ATSP\n", ""), "E118", 0, lenient="E118", check=_three),
    Case("fixed-edges-without-end", "a.tsp", FIXED.replace("-1\n", ""), "E111", 11, lenient="E111", check=_fixed),
    Case(
        "after-the-fixed-edges", "a.tsp", FIXED.replace("-1\n", "-1\n2 4\n"), "E122", 13, lenient="E122", check=_fixed
    ),
    Case(
        "matrix-beside-coordinates",
        "a.tsp",
        GOOD.replace("EOF", "EDGE_WEIGHT_SECTION\n1 2 3\nEOF"),
        "E120",
        10,
        lenient="E120",
        check=_four,
    ),
]

CASES = [*ACCEPTED, *REFUSED, *LENIENT]
