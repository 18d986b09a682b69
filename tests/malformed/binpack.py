"""Bin packing files, malformed and odd."""

from __future__ import annotations

from typing import Any

from combopt.instances.binpacking import BinPacking
from tests.malformed.case import Case

BPP = "4\n10\n7\n5\n3\n3\n"
PART = " u4_00\n 10 4 2\n7\n5\n3\n3\n"
ONE = "1\n" + PART
TWO = "2\n" + PART + PART.replace("_00", "_01")
NAMED: dict[str, Any] = {"format": "binpack"}


def _four(instance: BinPacking) -> None:
    assert instance.item_size.tolist() == [7, 5, 3, 3]
    assert (instance.capacity, instance.scale) == (10, 1)


def _named(instance: BinPacking) -> None:
    _four(instance)
    assert instance.name == "u4_00"


def _decimal(instance: BinPacking) -> None:
    assert instance.item_size.tolist() == [499, 251, 250]
    assert (instance.capacity, instance.scale) == (1000, 10)


def _too_large(instance: BinPacking) -> None:
    assert instance.oversized().tolist() == [0]


CASES = [
    Case("good", "a.bpp", BPP, None, check=_four),
    Case("capital-extension", "A.BPP", BPP, None, check=_four),
    Case("crlf", "a.bpp", BPP.replace("\n", "\r\n"), None, check=_four),
    Case("no-last-line-end", "a.bpp", BPP.rstrip(), None, check=_four),
    Case("blank-lines", "a.bpp", BPP.replace("\n", "\n\n"), None, check=_four),
    Case("decimals", "a.bpp", "3\n100.0\n49.9\n25.1\n25\n", None, check=_decimal),
    Case("item-larger-than-a-bin", "a.bpp", BPP.replace("7", "11"), None, check=_too_large),
    Case("several-numbers-on-a-line", "a.bpp", BPP.replace("7\n5", "7 5"), None, check=_four),
    Case("cut-off", "a.bpp", "4\n10\n7\n5\n3\n", "E111", 5),
    Case("goes-on", "a.bpp", BPP + "3\n", "E122", 7, lenient="E122", check=_four),
    Case("no-items", "a.bpp", "0\n10\n", "E114", 1),
    Case("no-capacity", "a.bpp", "4\n", "E121", 1),
    Case("capacity-zero", "a.bpp", BPP.replace("10", "0"), "E114", 2),
    Case("capacity-negative", "a.bpp", BPP.replace("10", "-10"), "E114", 2),
    Case("size-negative", "a.bpp", BPP.replace("5", "-5"), "E114", 4),
    Case("letter", "a.bpp", BPP.replace("5", "five"), "E113", 4),
    Case("nan", "a.bpp", BPP.replace("5", "nan"), "E113", 4),
    Case("huge-count", "a.bpp", BPP.replace("4\n10", "400000000\n10"), "E121", 1),
    Case("count-beyond-all-measure", "a.bpp", BPP.replace("4\n10", "9" * 300 + "\n10"), "E114", 1),
    Case("sum-too-large", "a.bpp", f"2\n{2**61}\n{2**60}\n{2**60 + 1}\n", "E114", 2),
    Case("count-and-capacity-swapped", "a.bpp", "10\n4\n7\n5\n3\n3\n", "E121", 1),
    Case("good", "bins.txt", ONE, None, check=_named, options=NAMED),
    Case("recognised", "b.txt", ONE, None, check=_named),
    Case("free-wrapping", "bins.txt", "1 u4_00 10\n4 2 7 5 3 3", None, check=_named, options=NAMED),
    Case("decimal-triplet", "bins.txt", "1\nt3\n100.0 3 1\n49.9\n25.1\n25.0\n", None, check=_decimal, options=NAMED),
    Case("two-and-none-chosen", "bins.txt", TWO, "E118", 0, options=NAMED),
    Case("count-too-large", "bins.txt", "2\n" + PART, "E111", 7, options=NAMED),
    Case("count-too-small", "bins.txt", "1\n" + PART + PART, "E122", 8, lenient="E122", check=_named, options=NAMED),
    Case("name-missing", "bins.txt", "1\n10 4 2\n7\n5\n3\n3\n", "E123", 2, options=NAMED),
    Case("items-missing", "bins.txt", ONE.replace("10 4 2", "10 5 2"), "E111", 7, options=NAMED),
    Case("item-too-many", "bins.txt", TWO.replace("10 4 2", "10 3 2", 1), "E123", 7, options=NAMED),
    Case("capacity-a-word", "bins.txt", ONE.replace("10 4 2", "ten 4 2"), "E113", 3, options=NAMED),
    Case("best-a-word", "bins.txt", ONE.replace("10 4 2", "10 4 two"), "E113", 3, options=NAMED),
    Case("negative-size", "bins.txt", ONE.replace("\n5\n", "\n-5\n"), "E114", 5, options=NAMED),
    Case("size-a-word", "bins.txt", ONE.replace("\n5\n", "\n5a\n"), "E113", 5, options=NAMED),
    Case("no-instances", "bins.txt", "0\n", "E114", 1, options=NAMED),
    Case("huge-number-of-items", "bins.txt", ONE.replace("10 4 2", "10 444444444 2"), "E121", 3, options=NAMED),
    Case("huge-number-of-instances", "bins.txt", "999999999\n" + PART, "E121", 1, options=NAMED),
    Case("item-larger-than-a-bin", "bins.txt", ONE.replace("\n7\n", "\n12\n"), None, check=_too_large, options=NAMED),
]
