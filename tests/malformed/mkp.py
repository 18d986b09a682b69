"""Multidimensional knapsack files, malformed and odd."""

from __future__ import annotations

from combopt.instances.mkp import Mkp
from tests.malformed.case import Case

ONE = """3 2 0
10 20 30
1 2 3
4 5 6
4 10
"""
COUNTED = "1\n" + ONE
TWO = "2\n" + ONE + ONE
TENTHS = ONE.replace("10 20 30", "10.5 20 30").replace("4 5 6", "4 5.25 6")


def _good(instance: Mkp) -> None:
    assert instance.profit.tolist() == [10, 20, 30]
    assert instance.weight.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert instance.capacity.tolist() == [4, 10]


def _tenths(instance: Mkp) -> None:
    assert (instance.profit.tolist(), instance.profit_scale) == ([105, 200, 300], 10)
    assert (instance.weight[1].tolist(), instance.weight_scale) == ([400, 525, 600], 100)
    assert instance.capacity.tolist() == [400, 1000]


CASES = [
    Case("good", "a.mkp", ONE, None, check=_good),
    Case("counted", "a.mkp", COUNTED, None, check=_good),
    Case("free-wrapping", "a.mkp", "3 2 0\n10\n20 30 1 2 3 4\n5 6 4 10", None, check=_good),
    Case("crlf", "a.mkp", ONE.replace("\n", "\r\n"), None, check=_good),
    Case("best-known", "a.mkp", ONE.replace("3 2 0", "3 2 50"), None, check=_good),
    Case("decimal-best", "a.mkp", ONE.replace("3 2 0", "3 2 50.0"), None, check=_good),
    Case("decimals", "a.mkp", TENTHS, None, check=_tenths),
    Case("dat", "a.dat", ONE, None, check=_good),
    Case("two-and-none-chosen", "a.mkp", TWO, "E118", 0),
    Case("count-too-large", "a.mkp", "3\n" + ONE + ONE, "E111", 11),
    Case("count-too-small", "a.mkp", "1\n" + ONE + ONE, "E122", 7, lenient="E122", check=_good),
    Case("no-instances", "a.mkp", "0\n" + ONE, "E114", 1),
    Case("no-items", "a.mkp", ONE.replace("3 2 0", "0 2 0"), "E114", 1),
    Case("no-capacities", "a.mkp", ONE.replace("3 2 0", "3 0 0"), "E114", 1),
    Case("negative-count", "a.mkp", ONE.replace("3 2 0", "-3 2 0"), "E114", 1),
    Case("huge-items", "a.mkp", ONE.replace("3 2 0", "300000000 2 0"), "E121", 1),
    Case("huge-matrix", "a.mkp", ONE.replace("3 2 0", "20 20 0"), "E121", 1),
    Case("huge-count", "a.mkp", COUNTED.replace("1\n3", "1000000000\n3"), "E121", 1),
    Case("cut-off", "a.mkp", ONE.replace("4 10\n", "4\n"), "E111", 5),
    Case("cut-off-header", "a.mkp", "3 2\n", "E111", 1),
    Case("goes-on", "a.mkp", ONE + "7\n", "E122", 6, lenient="E122", check=_good),
    Case("letter", "a.mkp", ONE.replace("4 5 6", "4 five 6"), "E113", 4),
    Case("nan", "a.mkp", ONE.replace("10 20", "nan 20"), "E113", 2),
    Case("infinite-capacity", "a.mkp", ONE.replace("4 10\n", "4 inf\n"), "E113", 5),
    Case("negative-profit", "a.mkp", ONE.replace("10 20", "-10 20"), "E114", 2),
    Case("negative-weight", "a.mkp", ONE.replace("1 2 3\n", "1 -2 3\n"), "E114", 3),
    Case("negative-capacity", "a.mkp", ONE.replace("4 10\n", "-4 10\n"), "E114", 5),
    Case("fractional-count", "a.mkp", ONE.replace("3 2 0", "3.5 2 0"), "E113", 1),
    Case("sum-too-large", "a.mkp", ONE.replace("10 20", f"{2**60} {2**60}"), "E114", 1),
    Case("empty", "a.mkp", "\n", "E106", 0),
]
