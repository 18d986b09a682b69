"""Standard job shop files, malformed and odd."""

from __future__ import annotations

from combopt.instances.jobshop import JobShop
from tests.malformed.case import Case

GOOD = """3 3
0 3 1 2 2 2
0 2 2 1 1 4
1 4 2 3 0 1
"""
LIBRARY = """This file holds 2 instances.
+++++++++++++++++++++++++++++
 instance one
+++++++++++++++++++++++++++++
 Three jobs, 3x3, see page 2
 3 3
 0 3 1 2 2 2
 0 2 2 1 1 4
 1 4 2 3 0 1
+++++++++++++++++++++++++++++
 instance two
+++++++++++++++++++++++++++++
 Two jobs
 2 2
 0 7 1 8
 1 9 0 6
+++++++++++++++++++ EOF +++++++
"""


def _three(instance: JobShop) -> None:
    assert instance.machine.tolist() == [[0, 1, 2], [0, 2, 1], [1, 2, 0]]
    assert instance.duration.tolist() == [[3, 2, 2], [2, 1, 4], [4, 3, 1]]
    assert instance.machines == 3


def _two(instance: JobShop) -> None:
    assert instance.name == "two"
    assert instance.duration.tolist() == [[7, 8], [9, 6]]


def _zero(instance: JobShop) -> None:
    assert instance.duration.tolist()[1] == [2, 0, 4]
    assert any("duration 0" in words for words in instance.conventions())


def _again(instance: JobShop) -> None:
    assert instance.machine.tolist()[1] == [0, 0, 1]


def _one(instance: JobShop) -> None:
    assert (instance.jobs, instance.machines, instance.duration.tolist()) == (1, 1, [[5]])


def _wrong(name: str, old: str, new: str, code: str, line: int) -> Case:
    assert old in GOOD
    return Case(name, "a.jsp", GOOD.replace(old, new, 1), code, line)


NAMED = {"format": "jobshop"}
CASES = [
    Case("good", "a.jsp", GOOD, None, check=_three),
    Case("good-without-known-extension", "a.txt", GOOD, None, check=_three),
    Case("no-final-newline", "a.jsp", GOOD.rstrip(), None, check=_three),
    Case("crlf", "a.jsp", GOOD.replace("\n", "\r\n"), None, check=_three),
    Case("old-mac-line-ends", "a.jsp", GOOD.replace("\n", "\r"), None, check=_three),
    Case("tabs-and-blanks", "a.jsp", GOOD.replace(" ", "\t  "), None, check=_three),
    Case("byte-order-mark", "a.jsp", b"\xef\xbb\xbf" + GOOD.encode(), None, check=_three),
    Case("jsplib-comments", "a.txt", "#+++++++\n# instance abc\n#+++\n# 3 3\n" + GOOD, None, check=_three),
    Case("plus-comments", "a.jsp", "+++++ some + words 1 2\n" + GOOD, None, check=_three),
    Case("comment-between-jobs", "a.jsp", GOOD.replace("\n0 2", "\n# 9 9 9\n0 2"), None, check=_three),
    Case("blank-lines", "a.jsp", GOOD.replace("\n", "\n\n"), None, check=_three),
    Case("all-in-one-line", "a.jsp", GOOD.replace("\n", " "), None, check=_three, options=NAMED),
    Case("jobs-broken-over-lines", "a.txt", GOOD.replace("1 2 2 2", "1 2\n2 2"), None, check=_three),
    Case("whole-decimals", "a.jsp", GOOD.replace("0 3", "0 3.0"), None, check=_three),
    Case("duration-zero", "a.jsp", GOOD.replace("2 1 1 4", "2 0 1 4"), None, check=_zero),
    Case("one-by-one", "a.jsp", "1 1\n0 5\n", None, check=_one),
    _wrong("machine-counted-from-1", "1 4 2 3 0 1", "2 4 3 3 1 1", "E117", 4),
    _wrong("negative-machine", "2 2\n", "-2 2\n", "E117", 2),
    _wrong("negative-duration", "1 4\n", "1 -4\n", "E114", 3),
    _wrong("letters", "0 2 2", "0 x 2", "E113", 3),
    _wrong("nan", "0 2 2", "0 nan 2", "E113", 3),
    _wrong("infinite", "0 2 2", "0 inf 2", "E113", 3),
    _wrong("fraction", "0 2 2", "0 2.5 2", "E113", 3),
    _wrong("decimal-comma", "0 2 2", "0 2,5 2", "E113", 3),
    _wrong("hexadecimal", "0 2 2", "0 0x2 2", "E113", 3),
    _wrong("beyond-64-bits", "0 2 2", "0 99999999999999999999 2", "E114", 3),
    _wrong("sum-too-large", "0 2 2", "0 9007199254740993 2", "E114", 1),
    _wrong("row-too-short", "2 1 1 4", "2 1 1", "E115", 3),
    _wrong("row-too-long", "2 1 1 4", "2 1 1 4 5", "E115", 3),
    _wrong("job-missing", "1 4 2 3 0 1\n", "", "E111", 3),
    _wrong("cut-within-a-job", " 3 0 1\n", "", "E115", 4),
    _wrong("zero-jobs", "3 3", "0 3", "E114", 1),
    _wrong("zero-machines", "3 3", "3 0", "E114", 1),
    _wrong("negative-jobs", "3 3", "-3 3", "E114", 1),
    _wrong("huge-header", "3 3", "100000 100000", "E121", 1),
    _wrong("header-beyond-64-bits", "3 3", "3 9999999999999999999", "E114", 1),
    _wrong("half-a-header", "3 3\n", "3\n", "E114", 1),
    _wrong("header-with-bounds", "3 3\n", "3 3 11 7\n", "E115", 1),
    Case("header-alone", "a.jsp", "3 3\n", "E121", 1),
    Case("one-number", "a.jsp", "3\n", "E111", 1),
    Case("comments-alone", "a.jsp", "# 3 3\n# 0 1\n", "E118", 0),
    Case("words-before-the-header", "a.jsp", "jobs machines\n" + GOOD, "E113", 1),
    Case("machine-twice", "a.jsp", GOOD.replace("2 1 1 4", "0 1 1 4"), "E116", 3, lenient="E116", check=_again),
    Case("data-after-the-end", "a.jsp", GOOD + "1 2\n3 4 5\n", "E122", 5, lenient="E122", check=_three),
    Case("second-table", "a.jsp", GOOD + "\n1 2 3\n1 2 3\n", "E122", 6, lenient="E122", check=_three),
    Case("nul-byte", "a.jsp", GOOD.encode() + b"\0", "E105", 5),
    Case("open-shop-matrix", "a.shop", "3 3\n5 6 7\n8 9 1\n2 3 4\n", "E102", 0),
    Case("library-with-none-chosen", "a.txt", LIBRARY, "E118", 0),
    Case("library-of-one", "a.txt", LIBRARY[: LIBRARY.index(" instance two")], None, check=lambda i: _three(i)),
    Case(
        "library-broken", "a.txt", LIBRARY.replace("0 7 1 8\n", "0 7 1\n").replace(" instance one", " one"), "E115", 15
    ),
    Case("library-empty-entry", "a.jsp", " instance one\n+++\n words only\n", "E118", 0),
]
