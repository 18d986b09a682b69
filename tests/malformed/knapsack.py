"""Knapsack files (plain, CSV blocks, capacity last), malformed and odd."""

from __future__ import annotations

from combopt.instances.knapsack import Knapsack
from tests.malformed.case import Case

PLAIN = """4 11
6 2
10 4
12 6
13 7
"""
DECIMAL = "3 1.5\n0.25 0.5\n.75 1\n2 1e-1\n"
JOOKEN = "3\n0 6 2\n1 10 4\n2 12 6\n9\n"
BLOCK = """knap_{0}
n 3
c 9
z 22
time 0.01
1,6,2,0
2,10,4,1
3,12,5,1
-----

"""
CSV = BLOCK.format(1)


def _four(instance: Knapsack) -> None:
    assert instance.profit.tolist() == [6, 10, 12, 13]
    assert instance.weight.tolist() == [2, 4, 6, 7]
    assert (instance.capacity, instance.profit_scale, instance.weight_scale) == (11, 1, 1)


def _decimal(instance: Knapsack) -> None:
    assert (instance.profit.tolist(), instance.profit_scale) == ([25, 75, 200], 100)
    assert (instance.weight.tolist(), instance.capacity, instance.weight_scale) == ([5, 10, 1], 15, 10)


def _huge(instance: Knapsack) -> None:
    assert instance.profit.tolist()[0] == 2**60 - 1


def _three(instance: Knapsack) -> None:
    assert instance.profit.tolist() == [6, 10, 12]
    assert instance.capacity == 9


CASES = [
    Case("good", "a.kp", PLAIN, None, check=_four),
    Case("no-extension", "knapPI", PLAIN, None, check=_four),
    Case("crlf", "a.kp", PLAIN.replace("\n", "\r\n"), None, check=_four),
    Case("old-mac-line-ends", "a.kp", PLAIN.replace("\n", "\r"), None, check=_four),
    Case("one-line", "a.kp", PLAIN.replace("\n", " "), None, check=_four),
    Case("tabs-and-blank-lines", "a.kp", PLAIN.replace(" ", "\t").replace("\n", "\n\n"), None, check=_four),
    Case("byte-order-mark", "a.kp", b"\xef\xbb\xbf" + PLAIN.encode(), None, check=_four),
    Case("solution-vector", "a.kp", PLAIN + "0 1 0 1\n", None, check=_four),
    Case("too-heavy-solution-vector", "a.kp", PLAIN + "1 1 1 1\n", None, check=_four),
    Case("whole-decimals", "a.kp", PLAIN.replace("6 2", "6.0 2."), None, check=_four),
    Case("decimals", "a.kp", DECIMAL, None, check=_decimal),
    Case("near-the-largest-sum", "a.kp", f"2 5\n{2**60 - 1} 1\n{2**60} 2\n", None, check=_huge),
    Case("sum-too-large", "a.kp", f"2 5\n{2**60} 1\n{2**60 + 1} 2\n", "E114", 0),
    Case("number-too-large", "a.kp", f"2 5\n{10**30} 1\n3 2\n", "E114", 2),
    Case("absurdly-long-number", "a.kp", "2 5\n" + "9" * 5000 + " 1\n3 2\n", "E114", 2),
    Case("absurd-exponent", "a.kp", "2 5\n1e999999999 1\n3 2\n", "E114", 2),
    Case("too-many-decimals", "a.kp", "2 5\n0.12345678901 1\n3 2\n", "E114", 2),
    Case("nan", "a.kp", PLAIN.replace("12 6", "nan 6"), "E113", 4),
    Case("infinity", "a.kp", PLAIN.replace("12 6", "12 inf"), "E113", 4),
    Case("letter", "a.kp", PLAIN.replace("12 6", "12 6x"), "E113", 4),
    Case("comma", "a.kp", PLAIN.replace("12 6", "12,6"), "E113", 4),
    Case("fortran-exponent", "a.kp", PLAIN.replace("12 6", "1.2D1 6"), "E113", 4),
    Case("hexadecimal", "a.kp", PLAIN.replace("12 6", "0x12 6"), "E113", 4),
    Case("lone-sign", "a.kp", PLAIN.replace("12 6", "12 - 6"), "E113", 4),
    Case("negative-profit", "a.kp", PLAIN.replace("12 6", "-12 6"), "E114", 4),
    Case("negative-weight", "a.kp", PLAIN.replace("12 6", "12 -6"), "E114", 4),
    Case("negative-capacity", "a.kp", PLAIN.replace("4 11", "4 -11"), "E114", 1),
    Case("no-items", "a.kp", "0 11\n", "E114", 1),
    Case("fractional-count", "a.kp", PLAIN.replace("4 11", "4.5 11"), "E113", 1),
    Case("huge-count", "a.kp", PLAIN.replace("4 11", "100000000 11"), "E121", 1),
    Case("cut-off-item", "a.kp", PLAIN.replace("13 7\n", ""), "E111", 4, options={"format": "pisinger"}),
    Case("cut-off-weight", "a.kp", PLAIN.replace("13 7\n", "13\n"), "E111", 5),
    Case("one-item-too-many", "a.kp", PLAIN + "1 1\n", "E122", 6, lenient="E122", check=_four),
    Case("vector-of-other-numbers", "a.kp", PLAIN + "0 1 2 1\n", "E114", 6),
    Case("vector-too-short", "a.kp", PLAIN + "0 1 1\n", "E122", 6, lenient="E122", check=_four),
    Case("empty", "a.kp", "", "E106", 0),
    Case("blank", "a.kp", " \n\n", "E106", 0),
    Case("nul-byte", "a.kp", PLAIN.replace("13 7", "13\0 7"), "E105", 5),
    Case("good", "a.in", JOOKEN, None, check=_three),
    Case("ids-from-one", "a.in", "3\n1 6 2\n2 10 4\n3 12 6\n9\n", None, check=_three),
    Case("decimals", "a.in", JOOKEN.replace("2 12 6", "2 12 6.5"), None),
    Case("capacity-first", "a.in", "3 9\n0 6 2\n1 10 4\n2 12 6\n", "E114", 1),
    Case("ids-skip", "a.in", JOOKEN.replace("2 12 6", "3 12 6"), "E120", 4),
    Case("ids-repeat", "a.in", JOOKEN.replace("1 10 4", "0 10 4"), "E120", 3),
    Case("capacity-missing", "a.in", JOOKEN.replace("9\n", ""), "E111", 4),
    Case("capacity-negative", "a.in", JOOKEN.replace("\n9\n", "\n-9\n"), "E114", 5),
    Case("data-after-capacity", "a.in", JOOKEN + "7\n", "E122", 6, lenient="E122", check=_three),
    Case("huge-count", "a.in", JOOKEN.replace("3\n0", "30000000\n0"), "E121", 1),
    Case("good", "a.csv", CSV, None, check=_three),
    Case("crlf", "a.csv", CSV.replace("\n", "\r\n"), None, check=_three),
    Case("no-dashes", "a.csv", CSV.replace("-----\n\n", ""), None, check=_three),
    Case("blanks-around-commas", "a.csv", CSV.replace("1,6,2,0", " 1 , 6 , 2 , 0 "), None, check=_three),
    Case("several-and-none-chosen", "a.csv", CSV + BLOCK.format(2), "E118", 0),
    Case("fewer-items-than-n", "a.csv", CSV.replace("3,12,5,1\n", ""), "E111", 8),
    Case("more-items-than-n", "a.csv", CSV.replace("n 3", "n 2"), "E115", 8),
    Case("wrong-item-number", "a.csv", CSV.replace("2,10,4,1", "5,10,4,1"), "E114", 7),
    Case("three-fields", "a.csv", CSV.replace("2,10,4,1", "2,10,4"), "E123", 7),
    Case("x-of-two", "a.csv", CSV.replace("2,10,4,1", "2,10,4,2"), "E114", 7),
    Case("negative-weight", "a.csv", CSV.replace("2,10,4,1", "2,10,-4,1"), "E114", 7),
    Case("capacity-missing", "a.csv", CSV.replace("c 9\n", ""), "E123", 3),
    Case("capacity-no-number", "a.csv", CSV.replace("c 9", "c nine"), "E113", 3),
    Case("huge-count", "a.csv", CSV.replace("n 3", "n 99999999"), "E121", 2),
    Case("no-items-at-all", "a.csv", "knap_1\nn 3\nc 9\nz 22\ntime 0.01\n-----\n", "E111", 6),
    Case("cut-off-head", "a.csv", "knap_1\nn 3\nc 9\n", "E123", 4),
]
