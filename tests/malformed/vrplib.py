"""CVRPLIB and VRPLIB files, malformed and odd."""

from __future__ import annotations

from collections.abc import Callable

from combopt.instances.cvrp import Cvrp
from combopt.instances.ovrp import Ovrp
from combopt.instances.vrptw import Vrptw
from tests.malformed.case import Case

GOOD = """NAME : four
COMMENT : "three customers"
TYPE : CVRP
DIMENSION : 4
EDGE_WEIGHT_TYPE : EUC_2D
CAPACITY : 10
NODE_COORD_SECTION
1 0 0
2 3 0
3 3 4
4 0 4
DEMAND_SECTION
1 0
2 4
3 5
4 6
DEPOT_SECTION
1
-1
EOF
"""
EXPLICIT = """NAME : matrix
TYPE : CVRP
DIMENSION : 4
CAPACITY : 10
EDGE_WEIGHT_TYPE : EXPLICIT
EDGE_WEIGHT_FORMAT : LOWER_ROW
EDGE_WEIGHT_SECTION
3
5 4
4 5 3
DEMAND_SECTION
1 0
2 4
3 5
4 6
DEPOT_SECTION
1
-1
EOF
"""
WINDOWS = """NAME : windows
TYPE : VRPTW
DIMENSION : 3
VEHICLES : 2
CAPACITY : 10
SERVICE_TIME : 2
EDGE_WEIGHT_TYPE : EUC_2D
NODE_COORD_SECTION
1 0 0
2 3 0
3 3 4
DEMAND_SECTION
1 0
2 4
3 5
TIME_WINDOW_SECTION
1 0 100
2 0 50
3 10 60
DEPOT_SECTION
1
-1
EOF
"""
MATRIX = [[0, 3, 5, 4], [3, 0, 4, 5], [5, 4, 0, 3], [4, 5, 3, 0]]


def _four(instance: Cvrp) -> None:
    assert instance.metric.full().tolist() == MATRIX
    assert instance.demand.tolist() == [0, 4, 5, 6]
    assert (instance.capacity, instance.vehicles, instance.max_length) == (10, None, None)


def _limit(instance: Cvrp) -> None:
    assert instance.max_length == 20.5
    assert instance.service.tolist() == [0, 1, 1, 1]


def _section_times(instance: Cvrp) -> None:
    assert instance.service.tolist() == [0, 1, 2, 3]


def _last_is_depot(instance: Cvrp) -> None:
    assert instance.demand.tolist() == [0, 4, 5, 6]
    assert instance.metric.between(0, [1, 2, 3]).tolist() == [5, 4, 3]


def _windows(instance: Vrptw) -> None:
    assert instance.metric.full().tolist() == [[0, 3, 5], [3, 0, 4], [5, 4, 0]]
    assert (instance.ready.tolist(), instance.due.tolist()) == ([0, 0, 10], [100, 50, 60])
    assert (instance.service.tolist(), instance.vehicles) == ([0, 2, 2], 2)


def _tenths(instance: Vrptw) -> None:
    assert instance.metric.full().tolist() == [[0, 30, 50], [30, 0, 40], [50, 40, 0]]


def _rule(name: str) -> Callable[[Cvrp], None]:
    def check(instance: Cvrp) -> None:
        assert instance.metric.rule == name

    return check


def _fleet(number: int | None) -> Callable[[Cvrp], None]:
    def check(instance: Cvrp) -> None:
        assert instance.vehicles == number

    return check


def _open(instance: Ovrp) -> None:
    assert isinstance(instance, Ovrp)
    assert instance.capacity == 10


def _asymmetric(instance: Cvrp) -> None:
    assert instance.metric.between([0, 1], [1, 0]).tolist() == [1, 2]


def _swap(text: str, *changes: tuple[str, str]) -> str:
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def _case(name: str, text: str, code: str | None, line: int = 0, **rest: object) -> Case:
    return Case(name, "a.vrp", text, code, line, **rest)  # type: ignore[arg-type]


ASYMMETRIC = _swap(EXPLICIT, ("LOWER_ROW", "FULL_MATRIX"), ("3\n5 4\n4 5 3\n", "0 1 1 1\n2 0 2 2\n3 3 0 3\n4 4 4 0\n"))
FROM_0 = _swap(
    GOOD,
    ("1 0 0\n2 3 0\n3 3 4\n4 0 4", "0 0 0\n1 3 0\n2 3 4\n3 0 4"),
    ("1 0\n2 4\n3 5\n4 6", "0 0\n1 4\n2 5\n3 6"),
    ("DEPOT_SECTION\n1\n", "DEPOT_SECTION\n0\n"),
)
REORDERED = _swap(
    GOOD,
    ("1 0 0\n2 3 0\n3 3 4\n4 0 4\n", "1 3 0\n2 3 4\n3 0 4\n4 0 0\n"),
    ("1 0\n2 4\n3 5\n4 6\n", "1 4\n2 5\n3 6\n4 0\n"),
    ("DEPOT_SECTION\n1\n", "DEPOT_SECTION\n4\n"),
)
DEPOT = ("DEPOT_SECTION\n1\n-1\n", "")
SERVICE = ("DEPOT", "SERVICE_TIME_SECTION\n1 0\n2 1\n3 2\n4 3\nDEPOT")


def _key(text: str) -> tuple[str, str]:
    return ("CAPACITY", f"{text}\nCAPACITY")


def _depot(text: str) -> tuple[str, str]:
    return ("DEPOT_SECTION\n1\n-1", f"DEPOT_SECTION\n{text}")


def _before_depot(text: str) -> tuple[str, str]:
    return ("DEPOT_SECTION", f"{text}\nDEPOT_SECTION")


ACCEPTED = [
    _case("good", GOOD, None, check=_four),
    _case("crlf-and-tabs", GOOD.replace(" : ", " : \t").replace("\n", "\t\r\n"), None, check=_four),
    _case("no-blank-before-colon", GOOD.replace(" : ", ": "), None, check=_four),
    _case("no-colon", GOOD.replace(" : ", " "), None, check=_four),
    _case("lower-case-keys", _swap(GOOD, ("CAPACITY", "capacity"), ("DIMENSION", "dimension")), None, check=_four),
    _case("colon-after-section", GOOD.replace("DEMAND_SECTION", "DEMAND_SECTION :"), None, check=_four),
    _case("depot-section-first", _swap(GOOD, DEPOT, ("NODE", "DEPOT_SECTION\n1\n-1\nNODE")), None, check=_four),
    _case("no-end-marks", _swap(GOOD, ("-1\nEOF\n", "")), None, check=_four),
    _case("shuffled-demands", _swap(GOOD, ("2 4\n3 5", "3 5\n2 4")), None, check=_four),
    _case("ids-from-0", FROM_0, None, check=_four),
    _case("whole-decimals", _swap(GOOD, (": 10", ": 10.0"), ("2 4\n", "2 4.0\n")), None, check=_four),
    _case("scientific-coordinates", GOOD.replace("3 3 4", "3 3.0e+00 4.0"), None, check=_four),
    _case("explicit", EXPLICIT, None, check=_four),
    _case("explicit-on-one-line", EXPLICIT.replace("3\n5 4\n4 5 3", "3 5 4 4 5 3"), None, check=_four),
    _case(
        "explicit-with-coordinates",
        _swap(EXPLICIT, ("DEMAND", "NODE_COORD_SECTION\n1 9 9\n2 8 8\n3 7 7\n4 6 6\nDEMAND")),
        None,
        check=_four,
    ),
    _case("asymmetric-matrix", ASYMMETRIC, None, check=_asymmetric),
    _case("last-node-is-the-depot", REORDERED, None, check=_four),
    _case("distance-limit", _swap(GOOD, _key("DISTANCE : 20.5\nSERVICE_TIME : 1")), None, check=_limit),
    _case("service-section", _swap(GOOD, SERVICE), None, check=_section_times),
    _case("open", GOOD.replace("CVRP", "OVRP"), None, check=_open),
    _case("read-as-open", GOOD, None, check=_open, options={"kind": "ovrp"}),
    _case("windows", WINDOWS, None, check=_windows),
    _case("windows-and-tenths", WINDOWS, None, check=_tenths, options={"rounding": "dimacs"}),
    _case("windows-scaled-by-lkh", _swap(WINDOWS, ("EUC_2D", "FLOOR_2D\nSCALE : 10")), None, check=_tenths),
    _case("solomon-name", WINDOWS.replace(": windows", ": RC101"), None, check=_tenths),
    _case("golden", GOOD.replace(": four", ": Golden_1"), None, check=_rule("EXACT_2D")),
    _case("golden-scaled-by-1", GOOD.replace(": four", ": Golden_1\nSCALE : 1"), None, check=_rule("EUC_2D")),
    _case(
        "golden-rounded",
        GOOD.replace(": four", ": Golden_1"),
        None,
        check=_rule("EUC_2D"),
        options={"rounding": "nint"},
    ),
    _case("exact-on-demand", GOOD, None, check=_rule("EXACT_2D"), options={"rounding": "exact"}),
    _case("fleet-of-the-old-sets", GOOD.replace(": four", ": A-n4-k2"), None, check=_fleet(2)),
    _case("fleet-of-x", GOOD.replace(": four", ": X-n4-k2"), None, check=_fleet(None)),
    _case(
        "fleet-from-name", GOOD.replace(": four", ": X-n4-k2"), None, check=_fleet(2), options={"fleet": "from-name"}
    ),
    _case("fleet-freed", GOOD.replace(": four", ": A-n4-k2"), None, check=_fleet(None), options={"fleet": "free"}),
    _case("fleet-by-number", GOOD, None, check=_fleet(7), options={"fleet": "7"}),
    _case("fleet-in-file", _swap(GOOD, _key("VEHICLES : 3")), None, check=_fleet(3)),
]
REFUSED = [
    _case("clusters", _swap(GOOD, ("CVRP", "GVRP")), "E119", 3),
    _case("backhauls", _swap(GOOD, _before_depot("BACKHAUL_SECTION\n1 0")), "E119", 17),
    _case("prizes", _swap(GOOD, _before_depot("PRIZE_SECTION\n1 0")), "E119", 17),
    _case("capacities", _swap(GOOD, ("CAPACITY : 10\n", ""), _before_depot("CAPACITY_SECTION\n1 9")), "E119", 16),
    _case("trips", _swap(GOOD, _key("VEHICLES_MAX_RELOADS : 2")), "E119", 6),
    _case("unknown-type", GOOD.replace("CVRP", "SOMETHING"), "E119", 3),
    _case("two-depots", _swap(GOOD, _depot("1\n2\n-1")), "E119", 19),
    _case("odd-scale", _swap(GOOD, _key("SCALE : 100")), "E119", 6),
    _case("unknown-distances", GOOD.replace("EUC_2D", "XRAY1"), "E119", 5),
    _case("limit-beside-windows", _swap(WINDOWS, _key("DISTANCE : 9")), "E119", 5),
    _case("no-capacity", GOOD.replace("CAPACITY : 10\n", ""), "E118"),
    _case("no-demands", _swap(GOOD, ("DEMAND_SECTION\n1 0\n2 4\n3 5\n4 6\n", "")), "E118"),
    _case("no-depot-section", _swap(GOOD, DEPOT), "E118", lenient="E118", check=_four),
    _case("empty-depot-section", _swap(GOOD, _depot("-1")), "E118", 17),
    _case("no-windows", _swap(WINDOWS, ("TIME_WINDOW_SECTION\n1 0 100\n2 0 50\n3 10 60\n", "")), "E118"),
    _case("no-coordinates", _swap(GOOD, ("NODE_COORD_SECTION\n1 0 0\n2 3 0\n3 3 4\n4 0 4\n", "")), "E118", 5),
    _case("no-number-in-the-name", GOOD, "E118", options={"fleet": "from-name"}),
    _case("windows-in-cvrp", WINDOWS.replace("VRPTW", "CVRP"), "E120", 16),
    _case("window-ends-first", WINDOWS.replace("10 60", "60 10"), "E120", 19),
    _case("depot-with-demand", GOOD.replace("1 0\n2 4", "1 2\n2 4"), "E120", 12, lenient="E120", check=_four),
    _case("depot-with-service", _swap(GOOD, (SERVICE[0], SERVICE[1].replace("1 0\n", "1 5\n"))), "E120", 17),
    _case("ids-from-0-and-from-1", _swap(GOOD, ("1 0\n2 4\n3 5\n4 6", "0 0\n1 4\n2 5\n3 6")), "E120", 12),
    _case("word-as-demand", GOOD.replace("3 5\n", "3 five\n"), "E113", 15),
    _case("half-a-demand", GOOD.replace("3 5\n", "3 5.5\n"), "E113", 15),
    _case("nan-coordinate", GOOD.replace("3 3 4", "3 nan 4"), "E113", 10),
    _case("infinite-coordinate", GOOD.replace("3 3 4", "3 1e999 4"), "E114", 10),
    _case("half-a-time-of-whole-distances", WINDOWS.replace("10 60", "10 60.5"), "E113", 16),
    _case("capacity-word", GOOD.replace(": 10", ": ten"), "E113", 6),
    _case("distance-word", _swap(GOOD, _key("DISTANCE : far")), "E113", 6),
    _case("negative-demand", GOOD.replace("3 5\n", "3 -5\n"), "E114", 15),
    _case("negative-capacity", GOOD.replace(": 10", ": -10"), "E114", 6),
    _case("huge-demand", GOOD.replace("3 5\n", "3 99999999999999999999\n"), "E114", 15),
    _case("negative-window", WINDOWS.replace("2 0 50", "2 -1 50"), "E114", 18),
    _case("negative-service", WINDOWS.replace(": 2\nEDGE", ": -2\nEDGE"), "E114", 6),
    _case("negative-limit", _swap(GOOD, _key("DISTANCE : -1")), "E114", 6),
    _case("a-demand-too-few", GOOD.replace("4 6\n", ""), "E115", 12),
    _case("a-demand-too-many", GOOD.replace("4 6\n", "4 6\n5 6\n"), "E115", 17),
    _case("dimension-too-small", GOOD.replace("DIMENSION : 4", "DIMENSION : 3"), "E115", 11),
    _case("three-columns-of-demands", GOOD.replace("2 4\n", "2 4 9\n"), "E115", 14),
    _case("truncated-matrix", EXPLICIT.replace("4 5 3", "4 5"), "E115", 7),
    _case("a-demand-twice", GOOD.replace("3 5\n", "2 5\n"), "E116", 15),
    _case("capacity-twice", _swap(GOOD, _key("CAPACITY : 9")), "E116", 7),
    _case("section-twice", _swap(GOOD, ("EOF", "DEPOT_SECTION\n1\n-1\nEOF")), "E116", 20),
    _case("service-twice", _swap(WINDOWS, _before_depot("SERVICE_TIME_SECTION\n1 0\n2 2\n3 2")), "E116", 20),
    _case("depot-twice", _swap(GOOD, _depot("1\n1\n-1")), "E116", 19),
    _case("unknown-node", GOOD.replace("3 5\n", "7 5\n"), "E117", 15),
    _case("unknown-depot", _swap(GOOD, _depot("9\n-1")), "E117", 18),
    _case("depot-0-of-ids-from-1", _swap(GOOD, _depot("0\n-1")), "E117", 18),
    _case("huge-dimension", GOOD.replace("DIMENSION : 4", "DIMENSION : 100000000"), "E121", 4),
    _case("unknown-keyword", _swap(GOOD, _key("SALESMEN : 2")), "E112", 6, lenient="E112", check=_four),
    _case("unknown-section", _swap(GOOD, ("EOF", "SKILL_SECTION\n1 2\nEOF")), "E112", 20, lenient="E112", check=_four),
    _case("data-after-eof", GOOD + "5 5\n", "E122", 21, lenient="E122", check=_four),
    _case("numbers-outside-sections", _swap(GOOD, _key("17 4")), "E123", 6),
    _case("nul-byte", GOOD.replace("1 0 0", "1 0 \0"), "E105", 8),
]
CASES = ACCEPTED + REFUSED
