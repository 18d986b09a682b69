"""Taillard's job shop files, malformed and odd."""

from __future__ import annotations

from combopt.instances.jobshop import JobShop
from tests.malformed.case import Case

HEAD = "Nb of jobs, Nb of Machines, Time seed, Machine seed, Upper bound, Lower bound\n"
GOOD = (
    HEAD
    + """ 2  3  840612802  398197754  23  18
Times
 94 66 10
 15 31  8
Machines
  1  2  3
  3  1  2
"""
)


def _table(instance: JobShop) -> None:
    assert instance.machine.tolist() == [[0, 1, 2], [2, 0, 1]]
    assert instance.duration.tolist() == [[94, 66, 10], [15, 31, 8]]


def _again(instance: JobShop) -> None:
    assert instance.machine.tolist()[1] == [2, 0, 0]


def _wrong(name: str, old: str, new: str, code: str, line: int) -> Case:
    assert old in GOOD
    return Case(name, "a.txt", GOOD.replace(old, new, 1), code, line, options={"format": "taillard_jobshop"})


NAMED = {"format": "taillard_jobshop"}
CASES = [
    Case("good", "a.txt", GOOD, None, check=_table),
    Case(
        "colons-and-capitals",
        "a.txt",
        GOOD.replace("bound\n", "bound :\n").replace("Times", "TIMES :"),
        None,
        check=_table,
    ),
    Case("other-words", "a.txt", GOOD.replace("Nb of", "Number of").replace("Times", "Durations"), None, check=_table),
    Case(
        "machines-first",
        "a.txt",
        GOOD[: GOOD.index("Times")] + "Machines\n1 2 3\n3 1 2\nTimes\n94 66 10\n15 31 8\n",
        None,
        check=_table,
        options=NAMED,
    ),
    Case(
        "counts-alone",
        "a.txt",
        GOOD.replace(HEAD, "").replace("  840612802  398197754  23  18", ""),
        None,
        check=_table,
    ),
    Case("no-words-at-all", "a.txt", "2 3\n94 66 10\n15 31 8\n1 2 3\n3 1 2\n", None, check=_table),
    Case("comment", "a.txt", "# ta00\n" + GOOD, None, check=_table),
    Case("rows-broken", "a.txt", GOOD.replace(" 94 66", " 94\n66"), None, check=_table),
    Case("crlf-and-blank-lines", "a.txt", GOOD.replace("\n", "\r\n\r\n"), None, check=_table),
    Case("two-instances", "a.txt", GOOD + GOOD, "E118", 0),
    Case(
        "processing-times",
        "a.txt",
        GOOD.replace("Times", "processing times :"),
        "E119",
        3,
        lenient="E119",
        check=_table,
        options=NAMED,
    ),
    Case(
        "open-shop",
        "a.shop",
        GOOD.replace("Times", "processing times :").replace("\nMachines\n", "\nmachines :\n"),
        "E102",
        0,
    ),
    _wrong("machine-counted-from-0", "3  1  2", "2  0  1", "E117", 8),
    _wrong("machine-too-large", "3  1  2", "4  1  2", "E117", 8),
    Case("machine-twice", "a.txt", GOOD.replace("3  1  2", "3  1  1"), "E116", 8, lenient="E116", check=_again),
    _wrong("negative-time", "31", "-31", "E114", 5),
    _wrong("letters", "66", "6b", "E113", 4),
    _wrong("fraction", "66", "66.5", "E113", 4),
    _wrong("row-too-short", " 15 31  8", " 15 31", "E115", 5),
    _wrong("row-missing", " 15 31  8\n", "", "E111", 4),
    _wrong("row-too-many", " 15 31  8\n", " 15 31 8\n 1 2 3\n", "E115", 6),
    _wrong("no-machines", GOOD[GOOD.index("Machines\n") :], "", "E118", 0),
    _wrong("no-times", "Times\n 94 66 10\n 15 31  8\n", "", "E118", 0),
    _wrong("no-counts", " 2  3  840612802  398197754  23  18\n", "", "E118", 2),
    _wrong("times-twice", "Machines\n", "Times\n", "E116", 6),
    _wrong("unknown-heading", "Machines\n", "Setups\n", "E112", 6),
    _wrong("counts-twice", "Times", "2 3\nTimes", "E123", 3),
    _wrong("one-count", " 2  3  840612802  398197754  23  18", "2", "E123", 2),
    _wrong("zero-jobs", " 2  3  8", " 0  3  8", "E114", 2),
    _wrong("huge-counts", " 2  3  8", " 20000 30000 8", "E121", 2),
    _wrong("seed-of-letters", "840612802", "seed", "E113", 2),
    Case("tables-cut", "a.txt", "2 3\n94 66 10\n15 31 8\n1 2 3\n", "E115", 4, options=NAMED),
]
