"""Schedule files, malformed and odd."""

from __future__ import annotations

from combopt.instances.fjsp import Fjsp
from combopt.instances.jobshop import JobShop
from combopt.instances.solutions import Schedule
from tests.malformed.case import Case


def _square() -> JobShop:
    """Three jobs on three machines."""
    return JobShop(machine=[[0, 1, 2], [0, 2, 1], [1, 2, 0]], duration=[[3, 2, 2], [2, 1, 4], [4, 3, 1]])  # type: ignore[arg-type]


def _wide() -> JobShop:
    """Two jobs on three machines, the second with two operations only."""
    return JobShop(machine=[[0, 1, 2], [2, 0]], duration=[[1, 2, 3], [4, 5]])  # type: ignore[arg-type]


def _again() -> JobShop:
    """A job that visits machine 0 twice."""
    return JobShop(machine=[[0, 1, 0], [0, 1, 2]], duration=[[1, 2, 3], [4, 5, 6]])  # type: ignore[arg-type]


def _unit() -> JobShop:
    """All durations 0, so that 0 1 could be start times as well as jobs."""
    return JobShop(machine=[[0, 1], [0, 1]], duration=[[0, 0], [0, 0]])  # type: ignore[arg-type]


def _flexible() -> Fjsp:
    return Fjsp.of_jobs([[[(0, 5), (1, 4)], [(1, 6)]], [[(0, 7), (1, 8)]]])


STARTS = "# makespan 12\n0 4 6\n3 5 8\n0 5 8\n"
START_TABLE = ((0, 4, 6), (3, 5, 8), (0, 5, 8))
ORDERS = "0 1 2\n2 0 1\n1 0 2\n"
ORDER_TABLE = ((0, 4, 6), (3, 5, 6), (0, 8, 11))


def _starts(found: Schedule) -> None:
    assert found.start == START_TABLE
    assert found.machine == ((0, 1, 2), (0, 2, 1), (1, 2, 0))


def _orders(found: Schedule) -> None:
    assert found.start == ORDER_TABLE
    assert _square().evaluate(found).feasible


def _wide_orders(found: Schedule) -> None:
    assert found.start == ((0, 1, 4), (0, 4))


def _again_orders(found: Schedule) -> None:
    assert found.start == ((0, 1, 5), (1, 5, 10))
    assert _again().evaluate(found).feasible


def _negative(found: Schedule) -> None:
    assert not _square().evaluate(found).feasible


def _pairs(found: Schedule) -> None:
    assert found.start == ((0, 4), (0,))
    assert found.machine == ((1, 1), (0,))


def _wrong(name: str, text: str, code: str, line: int, instance: object = _square) -> Case:
    return Case(name, "a.sol", text, code, line, instance=instance)  # type: ignore[arg-type]


CASES = [
    Case("starts", "a.sol", STARTS, None, check=_starts, instance=_square),
    Case("starts-in-txt", "a.txt", STARTS, None, check=_starts, instance=_square),
    Case("comment-behind-a-row", "a.sol", STARTS.replace("4 6", "4 6 # job 1"), None, check=_starts, instance=_square),
    Case("crlf-and-blank-lines", "a.sol", STARTS.replace("\n", "\r\n\r\n"), None, check=_starts, instance=_square),
    Case("whole-decimals", "a.sol", STARTS.replace("4 6", "4.0 6.0"), None, check=_starts, instance=_square),
    Case(
        "negative-start-is-for-the-check",
        "a.sol",
        STARTS.replace("3 5", "-3 5"),
        None,
        check=_negative,
        instance=_square,
    ),
    Case("orders-from-0", "a.sol", ORDERS, None, check=_orders, instance=_square),
    Case("orders-from-1", "a.sol", "1 2 3\n3 1 2\n2 1 3\n", None, check=_orders, instance=_square),
    Case("orders-told-by-shape", "a.sol", "0 1\n0\n1 0\n", None, check=_wide_orders, instance=_wide),
    Case("orders-with-a-job-twice", "a.sol", "0 1 0\n0 1\n1\n", None, check=_again_orders, instance=_again),
    Case("pairs", "a.sol", "0 2 4 2\n0 1\n", None, check=_pairs, instance=_flexible),
    _wrong("row-too-short", "0 4 6\n3 5\n0 5 8\n", "E115", 2),
    _wrong("row-too-long", "0 4 6\n3 5 8 9\n0 5 8\n", "E115", 2),
    _wrong("row-missing", "0 4 6\n3 5 8\n", "E115", 2),
    _wrong("row-too-many", STARTS + "1 2 3\n", "E115", 5),
    _wrong("letters", "0 4 6\n3 x 8\n0 5 8\n", "E113", 2),
    _wrong("nan-as-a-start", "0 4 6\n3 nan 8\n0 5 8\n", "E113", 2),
    _wrong("fraction", "0 4 6\n3 5.5 8\n0 5 8\n", "E113", 2),
    _wrong("beyond-64-bits", "0 4 6\n3 99999999999999999999 8\n0 5 8\n", "E114", 2),
    _wrong("comments-alone", "# makespan 12\n", "E118", 0),
    _wrong("job-twice-on-a-machine", "0 1 2\n2 0 0\n1 0 2\n", "E116", 2),
    _wrong("job-unknown", "0 1 2\n2 0 3\n1 0 2\n", "E117", 2),
    _wrong("job-unknown-by-shape", "0 1\n5\n1 0\n", "E117", 2, _wide),
    _wrong("circle", "2 1 0\n0 1 2\n1 2 0\n", "E120", 0),
    _wrong("starts-or-orders", "0 1\n0 1\n", "E120", 0, _unit),
    _wrong("machine-from-0", "0 1 4 1\n0 0\n", "E117", 2, _flexible),
    _wrong("machine-too-large", "0 2 4 3\n0 1\n", "E117", 1, _flexible),
    _wrong("starts-without-machines", "0 4\n0\n", "E115", 1, _flexible),
    _wrong("pairs-of-a-job-missing", "0 2 4 2\n", "E115", 1, _flexible),
    _wrong("tour", "NAME : a\nTOUR_SECTION\n1\n-1\n", "E113", 1),
]
