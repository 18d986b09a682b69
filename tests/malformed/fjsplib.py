"""Flexible job shop files (.fjs), malformed and odd."""

from __future__ import annotations

from combopt.instances.fjsp import Fjsp
from combopt.instances.jobshop import JobShop
from tests.malformed.case import Case

GOOD = """2 3 1.5
2 2 1 5 3 4 1 2 6
1 3 1 7 2 8 3 9
"""
PLAIN = "2 2 1\n2 1 1 3 1 2 4\n1 1 2 5\n"


def _table(instance: Fjsp) -> None:
    assert instance.counts.tolist() == [2, 1]
    assert instance.alternatives.tolist() == [2, 1, 3]
    assert instance.machine.tolist() == [0, 2, 1, 0, 1, 2]
    assert instance.duration.tolist() == [5, 4, 6, 7, 8, 9]
    assert instance.machines == 3


def _zero(instance: Fjsp) -> None:
    assert instance.duration.tolist()[0] == 0


def _ragged(instance: JobShop) -> None:
    assert isinstance(instance, JobShop)
    assert instance.machine.tolist() == [[0, 1], [1, -1]]
    assert instance.duration.tolist() == [[3, 4], [5, 0]]


def _wrong(name: str, old: str, new: str, code: str, line: int) -> Case:
    assert old in GOOD
    return Case(name, "a.fjs", GOOD.replace(old, new, 1), code, line)


CASES = [
    Case("good", "a.fjs", GOOD, None, check=_table),
    Case("good-by-content", "a.txt", GOOD, None, check=_table),
    Case("no-average", "a.fjs", GOOD.replace(" 1.5", ""), None, check=_table),
    Case("wrong-average-means-nothing", "a.fjs", GOOD.replace("1.5", "9"), None, check=_table),
    Case("crlf", "a.fjs", GOOD.replace("\n", "\r\n"), None, check=_table),
    Case("tabs-and-trailing-blanks", "a.fjs", GOOD.replace(" ", "\t").replace("\n", "  \n\n"), None, check=_table),
    Case("jobs-broken-over-lines", "a.fjs", GOOD.replace(" 1 2 6", "\n1 2 6"), None, check=_table),
    Case("duration-zero", "a.fjs", GOOD.replace("1 5", "1 0"), None, check=_zero),
    Case("as-a-job-shop", "a.fjs", PLAIN, None, check=_ragged, options={"kind": "jobshop"}),
    Case("no-job-shop", "a.fjs", GOOD, "E119", 0, options={"kind": "jobshop"}),
    _wrong("machine-counted-from-0", "3 1 7 2 8 3 9", "3 0 7 1 8 2 9", "E117", 3),
    _wrong("machine-too-large", "3 4 1", "4 4 1", "E117", 2),
    _wrong("machine-twice", "3 4 1", "1 4 1", "E116", 2),
    _wrong("negative-duration", "1 7", "1 -7", "E114", 3),
    _wrong("letters", "1 7", "1 x", "E113", 3),
    _wrong("nan", "1 7", "1 nan", "E113", 3),
    _wrong("fraction", "1 7", "1 7.25", "E113", 3),
    _wrong("no-operations", "1 3 1 7 2 8 3 9", "0", "E114", 3),
    _wrong("no-alternatives", "2 2 1 5 3 4 1", "2 0 1", "E114", 2),
    _wrong("more-alternatives-than-machines", "1 3 1", "1 4 1", "E114", 3),
    _wrong("count-too-small", "2 2 1", "1 2 1", "E115", 2),
    _wrong("count-too-large", "2 2 1", "3 2 1", "E115", 2),
    _wrong("number-missing", " 8 3 9", " 8 3", "E115", 3),
    _wrong("number-too-many", " 3 9", " 3 9 9", "E115", 3),
    _wrong("job-missing", "1 3 1 7 2 8 3 9\n", "", "E111", 2),
    _wrong("zero-jobs", "2 3 1.5", "0 3 1.5", "E114", 1),
    _wrong("zero-machines", "2 3 1.5", "2 0 1.5", "E114", 1),
    _wrong("huge-jobs", "2 3 1.5", "2000000 3 1.5", "E121", 1),
    _wrong("machines-beyond-reason", "2 3 1.5", "2 30000000 1.5", "E114", 1),
    _wrong("average-of-letters", "1.5", "flexible", "E113", 1),
    _wrong("four-in-the-header", "1.5", "1.5 7", "E123", 1),
    _wrong("one-in-the-header", "2 3 1.5", "2", "E123", 1),
    _wrong("sum-too-large", "1 5", "1 9007199254740993", "E114", 1),
    Case("data-after-the-end", "a.fjs", GOOD + "1 1 1 1\n", "E122", 4, lenient="E122", check=_table),
    Case("header-alone", "a.fjs", "2 3 1.5\n", "E111", 1),
]
