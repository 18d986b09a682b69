"""Solomon's files, malformed and odd."""

from __future__ import annotations

from combopt.instances.vrptw import Vrptw
from tests.malformed.case import Case

GOOD = """R1

VEHICLE
NUMBER     CAPACITY
  25         200

CUSTOMER
CUST NO.   XCOORD.   YCOORD.    DEMAND   READY TIME   DUE DATE   SERVICE TIME

    0          0          0          0          0        230          0
    1          3          0         10        161        171         10
    2          3          4          7         50         60         10
    3          1          1         13        116        126         10
"""
LI_LIM = """25\t200\t1
0\t40\t50\t0\t0\t1236\t0\t0\t0
1\t45\t68\t-10\t912\t967\t90\t11\t0
11\t45\t70\t10\t825\t870\t90\t0\t1
"""
ROW = "    2          3          4          7         50         60         10\n"


def _three(instance: Vrptw) -> None:
    assert instance.metric.full().tolist() == [[0, 30, 50, 14], [30, 0, 40, 22], [50, 40, 0, 36], [14, 22, 36, 0]]
    assert instance.demand.tolist() == [0, 10, 7, 13]
    assert (instance.capacity, instance.vehicles) == (200, 25)
    assert instance.ready.tolist() == [0, 161, 50, 116]
    assert instance.due.tolist() == [230, 171, 60, 126]
    assert instance.service.tolist() == [0, 10, 10, 10]


def _nint(instance: Vrptw) -> None:
    assert instance.metric.full().tolist() == [[0, 3, 5, 1], [3, 0, 4, 2], [5, 4, 0, 4], [1, 2, 4, 0]]


def _exact(instance: Vrptw) -> None:
    assert abs(float(instance.metric.between(0, 3)) - 2**0.5) < 1e-12


def _free(instance: Vrptw) -> None:
    assert instance.vehicles is None


def _depot_alone(instance: Vrptw) -> None:
    assert instance.customers == 0


def _case(name: str, text: str, code: str | None, line: int = 0, **rest: object) -> Case:
    return Case(name, "r1.txt", text, code, line, **rest)  # type: ignore[arg-type]


def _swap(old: str, new: str) -> str:
    assert old in GOOD, old
    return GOOD.replace(old, new, 1)


CASES = [
    _case("good", GOOD, None, check=_three),
    _case("crlf", GOOD.replace("\n", "\r\n"), None, check=_three),
    _case("no-blank-lines", "\n".join(line for line in GOOD.split("\n") if line.strip()), None, check=_three),
    _case("blank-lines-between-customers", GOOD.replace(ROW, f"\n \n{ROW}\n"), None, check=_three),
    _case("tabs", GOOD.replace("    ", "\t"), None, check=_three),
    _case("lower-case-words", _swap("VEHICLE\nNUMBER", "vehicle\nnumber"), None, check=_three),
    _case("unsorted", GOOD.replace(ROW, "") + ROW, None, check=_three),
    _case("decimals", _swap("        161        171", "      161.0     171.00"), None, check=_three),
    _case("rounded-on-demand", GOOD, None, check=_nint, options={"rounding": "nint"}),
    _case("exact-on-demand", GOOD, None, check=_exact, options={"rounding": "exact"}),
    _case("fleet-freed", GOOD, None, check=_free, options={"fleet": "free"}),
    _case("depot-alone", GOOD[: GOOD.index("    1  ")], None, check=_depot_alone),
    _case("li-and-lim", LI_LIM, "E119", 1),
    _case("ends-in-the-header", GOOD[: GOOD.index("CUSTOMER")], "E111", 7, options={"format": "solomon"}),
    _case("ends-before-the-depot", GOOD[: GOOD.index("    0  ")], "E111", 10),
    _case("fleet-line-missing", _swap("  25         200\n", ""), "E123", 6),
    _case("capacity-missing", _swap("  25         200\n", "  25\n"), "E123", 5),
    _case("words-in-another-order", _swap("NUMBER     CAPACITY", "CAPACITY NUMBER"), "E123", 4),
    _case("six-columns", _swap("         60         10\n", "         60\n"), "E123", 12),
    _case("eight-columns", _swap("         60         10\n", "         60         10    3\n"), "E123", 12),
    _case("truncated-last-line", GOOD[: GOOD.rindex("126")], "E123", 13),
    _case("word-in-the-table", _swap("        171", "      later"), "E113", 11),
    _case("nan", _swap("        171", "        nan"), "E113", 11),
    _case("infinite-coordinate", GOOD.replace("    2          3", "    2      1e400"), "E114", 12),
    _case("half-a-demand", _swap("         13 ", "       13.5 "), "E113", 13),
    _case("half-a-number", _swap("    2          3          4", "  2.5          3          4"), "E113", 12),
    _case("fleet-word", _swap("  25  ", "  xx  "), "E113", 5),
    _case("negative-fleet", _swap("  25  ", " -25  "), "E114", 5),
    _case("negative-demand", _swap("         13 ", "        -13 "), "E114", 13),
    _case("negative-time", _swap("       161", "      -161"), "E114", 11),
    _case("far-too-large-time", _swap("        171", "       1e30"), "E114", 11),
    _case("customer-twice", GOOD.replace("\n    3 ", "\n    2 "), "E116", 13),
    _case("customer-left-out", GOOD.replace("\n    3 ", "\n    4 "), "E117", 13),
    _case("window-ends-first", _swap("        161        171", "        171        161"), "E120", 11),
    _case(
        "depot-with-demand",
        _swap("  0          0          0          0", "  0          0          0          5"),
        "E120",
        10,
    ),
    _case("time-finer-than-a-tenth", _swap("        171", "     171.55"), "E113", 10),
]
