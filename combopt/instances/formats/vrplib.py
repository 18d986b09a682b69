"""CVRPLIB, VRPLIB and TSPLIB files of capacitated vehicle routing, open or with time windows."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from combopt.errors import InputError, UsageError
from combopt.instances.cvrp import Cvrp, RouteLength
from combopt.instances.formats.base import Format
from combopt.instances.formats.sections import Document, declared_type
from combopt.instances.formats.tsplib import KEYS as TSPLIB_KEYS
from combopt.instances.formats.tsplib import metric_lines
from combopt.instances.metric import Metric
from combopt.instances.ovrp import Ovrp
from combopt.instances.routing import LARGEST, Capacitated
from combopt.instances.text import Source
from combopt.instances.vrptw import Vrptw
from combopt.model import Floats, Instance, Ints

KIND_OF = {"CVRP": "cvrp", "ACVRP": "cvrp", "VRP": "cvrp", "OVRP": "ovrp", "VRPTW": "vrptw", "CVRPTW": "vrptw"}
"""What is made of each TYPE."""
REFUSED = {
    "GVRP": "clusters of which one customer each is visited",
    "HFVRP": "vehicles that differ",
    "HVRP": "vehicles that differ",
    "FSMVRP": "vehicles that differ",
    "MDVRP": "several depots",
    "MDVRPTW": "several depots",
    "MTVRPTWR": "several trips of a vehicle and release times",
    "PCVRP": "optional customers with prizes",
    "PCVRPTW": "optional customers with prizes",
    "PDPTW": "pickups and deliveries",
    "PDTSP": "pickups and deliveries",
    "VRPSPD": "simultaneous pickups and deliveries",
    "SDVRP": "split deliveries",
    "SDVRPTW": "split deliveries",
    "VRPB": "backhauls",
    "VRPBTW": "backhauls",
    "CCVRP": "cumulative cost",
}
"""Other TYPEs of this syntax, with what is not supported about them."""
UNSUPPORTED = {
    "BACKHAUL_SECTION": "backhauls",
    "LINEHAUL_SECTION": "backhauls",
    "CAPACITY_SECTION": "vehicles that differ in capacity",
    "MUTUALLY_EXCLUSIVE_GROUP_SECTION": "clusters of which one customer each is visited",
    "PICKUP_AND_DELIVERY_SECTION": "pickups and deliveries",
    "PRIZE_SECTION": "optional customers with prizes",
    "RELEASE_TIME_SECTION": "release times",
    "VEHICLES_ALLOWED_CLIENTS_SECTION": "vehicles that differ in the customers they serve",
    "VEHICLES_DEPOT_SECTION": "several depots",
    "VEHICLES_FIXED_COST_SECTION": "vehicles that differ in cost",
    "VEHICLES_MAX_DISTANCE_SECTION": "vehicles that differ in range",
    "VEHICLES_MAX_DURATION_SECTION": "vehicles that differ in range",
    "VEHICLES_MAX_RELOADS_SECTION": "several trips of a vehicle",
    "VEHICLES_RELOAD_DEPOT_SECTION": "several trips of a vehicle",
    "VEHICLES_UNIT_DISTANCE_COST_SECTION": "vehicles that differ in cost",
    "VEHICLES_FIXED_COST": "fixed costs of vehicles",
    "VEHICLES_MAX_DISTANCE": "a limit on distance alone (DISTANCE limits distance and service)",
    "VEHICLES_MAX_DURATION": "a limit on durations (DISTANCE limits distance and service)",
    "VEHICLES_MAX_RELOADS": "several trips of a vehicle",
    "VEHICLES_UNIT_DISTANCE_COST": "costs of vehicles",
}
"""Keywords and sections of the VRPLIB dialect that are known but not supported."""
KEYS = (
    TSPLIB_KEYS
    | {"CAPACITY", "VEHICLES", "DISTANCE", "SERVICE_TIME", "SCALE"}
    | {key for key in UNSUPPORTED if not key.endswith("_SECTION")}
)
BY_NODE = {
    "NODE_COORD_SECTION": 2,
    "DISPLAY_DATA_SECTION": 2,
    "DEMAND_SECTION": 1,
    "TIME_WINDOW_SECTION": 2,
    "SERVICE_TIME_SECTION": 1,
}
"""Sections with a line for every node, and how many values follow the id there."""
SECTIONS = (
    frozenset(BY_NODE)
    | {"EDGE_WEIGHT_SECTION", "DEPOT_SECTION"}
    | {key for key in UNSUPPORTED if key.endswith("_SECTION")}
)

_ROUNDING = {"nint": None, "exact": "EXACT_2D", "dimacs": "DIMACS_2D"}
# Sets whose published values are of unrounded (Golden, CMT, Rochat-Taillard, Li) or truncated (Solomon,
# Gehring-Homberger) distances; no file says so.
_EXACT_SETS = re.compile(r"(golden_?\d+|cmt\d+|tai\d+[a-d]?|li_?\d+)\Z", re.IGNORECASE)
_DIMACS_SETS = re.compile(r"(r|c|rc)[12](\d\d|_\d+_\d+)\Z", re.IGNORECASE)
_FIXED_FLEETS = re.compile(r"[ABEFMP]-n\d+-k\d+\Z")
_ROUTES_IN_NAME = re.compile(r"-k(\d+)")


_CLASSES: dict[str, Callable[..., Capacitated]] = {"cvrp": Cvrp, "ovrp": Ovrp, "vrptw": Vrptw}


def read(source: Source) -> Instance:
    document = Document.cut(source, KEYS, SECTIONS)
    kind = _kind(document)
    nodes = document.dimension()
    name = document.text("NAME", source.stem)
    metric = _metric(document, nodes, name)
    demand = whole_numbers(document, "DEMAND_SECTION", nodes)
    order = np.arange(nodes)
    depot = _depot(document, nodes)
    if depot:
        source.warn("E120", document.line("DEPOT_SECTION"), f"the depot is node {depot + 1}; it is put first")
        order = np.concatenate([[depot], np.delete(order, depot)])
    fields: dict[str, Any] = {
        "name": name,
        "metric": _reordered(metric, order),
        "demand": _without_depot(document, demand[order]),
        "capacity": document.whole("CAPACITY", 0, LARGEST),
        "vehicles": fleet_limit(source, name, _vehicles(document)),
    }
    service = _service(document, nodes, depot)[order]
    fields |= {"service": service}
    fields |= _windows(document, nodes, order) if kind == "vrptw" else _length_limit(document)
    try:
        return _CLASSES[kind](**fields)
    except InputError as error:
        line = document.line("TIME_WINDOW_SECTION" if kind == "vrptw" else "DEMAND_SECTION")
        raise source.error(error.code, line, error.found, error.expected, error.remedy) from None


def _kind(document: Document) -> str:
    """The kind to make: that of TYPE, or the one asked for if the file can be read so."""
    source, line = document.source, document.line("TYPE")
    declared = document.word("TYPE", "CVRP")
    if declared not in KIND_OF:
        reason = f": {REFUSED[declared]}" if declared in REFUSED else ""
        raise source.error("E119", line, f"problem type {declared}{reason}", ", ".join(KIND_OF))
    for key, reason in UNSUPPORTED.items():
        if key in document.keys or key in document.sections:
            raise source.error("E119", document.line(key), f"{key}: {reason}", "CVRP, OVRP or VRPTW")
    kind = source.options.kind or KIND_OF[declared]
    windows = document.line("TIME_WINDOW_SECTION")
    if windows and kind != "vrptw":
        raise source.error("E120", windows, f"time windows in a {kind} instance", "TYPE : VRPTW")
    return kind


def _metric(document: Document, nodes: int, name: str) -> Metric:
    coordinates = document.coordinates(nodes)
    rounding = None
    scale = document.keys.get("SCALE")
    if scale is None:
        rounding = rounding_rule(document.source, name)
    elif (document.word("EDGE_WEIGHT_TYPE"), scale.value) == ("FLOOR_2D", "10"):
        # LKH-3's way to say: truncated to one decimal
        return Metric(rule="DIMACS_2D", coordinates=document.by_node("NODE_COORD_SECTION", nodes, 2))
    elif scale.value != "1":
        raise document.source.error("E119", scale.line, f"SCALE {scale.value}", "1, or 10 with FLOOR_2D")
    return document.metric(nodes, coordinates, rounding)


def rounding_rule(source: Source, name: str) -> str | None:
    """The distance rule to put in place of EUC_2D, by option or by the set that the name belongs to."""
    option = source.options.rounding
    if option in _ROUNDING:
        return _ROUNDING[option]
    if option != "auto":
        raise UsageError("E201", f"rounding {option!r}", expected="nint, exact, dimacs or auto")
    if _EXACT_SETS.match(name):
        return "EXACT_2D"
    return "DIMACS_2D" if _DIMACS_SETS.match(name) else None


def fleet_limit(source: Source, name: str, declared: int | None) -> int | None:
    """The limit on the number of routes: as the option ``fleet`` says; by default what the file declares, or the
    number in the name for the old sets A, B, E, F, M and P, whose published values are for so many routes."""
    option = str(source.options.fleet)
    if option == "free":
        return None
    if option == "from-name":
        match = _ROUTES_IN_NAME.search(name) or _ROUTES_IN_NAME.search(source.stem)
        if match is None:
            raise source.error("E118", 0, f"the name {name!r} holds no number of routes", "a name with -k5 in it")
        return int(match[1][:15])
    if option == "auto":
        if declared is None and _FIXED_FLEETS.match(name):
            return int(name.rpartition("-k")[2][:15])
        return declared
    if not re.match(r"\d{1,15}\Z", option, re.ASCII):
        raise UsageError("E201", f"fleet {option!r}", expected="free, from-name, auto or a number of vehicles")
    return int(option)


def _vehicles(document: Document) -> int | None:
    return document.whole("VEHICLES", 0, LARGEST) if "VEHICLES" in document.keys else None


def whole_numbers(document: Document, name: str, nodes: int) -> Ints:
    """A section with one whole number of 0 or more for every node, as ``int64[nodes]`` in node order."""
    values = document.by_node(name, nodes, 1)[:, 0]
    _blame(document, name, 1, lambda token, line: document.source.whole(token, line, "a demand", 0, LARGEST),
           bool(((values != np.floor(values)) | (values < 0) | (values > LARGEST)).any()))  # fmt: skip
    return values.astype(np.int64)


def _times(document: Document, name: str, nodes: int, columns: int) -> Floats:
    """A section of times of 0 or more, ``float64[nodes, columns]`` in node order."""
    values = document.by_node(name, nodes, columns)
    _blame(document, name, columns, lambda token, line: document.source.real(token, line, "a time", 0.0),
           bool((values < 0).any()))  # fmt: skip
    return values


def _blame(document: Document, name: str, columns: int, check: Callable[[str, int], object], wrong: bool) -> None:
    """If a section is known to hold a wrong value, run ``check`` over its tokens to raise at the right line."""
    part = document.section(name)
    if wrong:
        for position, (token, line) in enumerate(document.source.tokens(part.first, part.last)):
            if position % (columns + 1):
                check(token, line)


def _first_id(document: Document) -> int:
    """0 or 1: where node ids count from, in all sections alike."""
    found: dict[int, str] = {}
    for name, columns in BY_NODE.items():
        part = document.sections.get(name)
        if part is not None and name != "DISPLAY_DATA_SECTION":
            width = 1 + (3 if name == "NODE_COORD_SECTION" and _in_space(document) else columns)
            ids = document.source.reals(part.first, part.last, name)[::width]
            if not ids.size:
                continue  # the count is checked where the section is read
            found.setdefault(int(ids.min() > 0), name)
            if len(found) > 1:
                message = (
                    f"node ids count from {int(ids.min() > 0)} in {name}, but not in {found[int(ids.min() == 0)]}"
                )
                raise document.source.error("E120", part.line, message)
    return next(iter(found), 1)


def _in_space(document: Document) -> bool:
    return document.word("EDGE_WEIGHT_TYPE").endswith("3D") or document.word("NODE_COORD_TYPE", "") == "THREED_COORDS"


def _depot(document: Document, nodes: int) -> int:
    """Index of the depot."""
    source = document.source
    base = _first_id(document)
    if "DEPOT_SECTION" not in document.sections:
        source.defect("E118", 0, "DEPOT_SECTION is missing", "DEPOT_SECTION with the number of the depot and -1")
        return 0
    part = document.sections["DEPOT_SECTION"]
    found = []
    for token, line in source.tokens(part.first, part.last):
        label = source.whole(token, line, "a depot", -1)
        if label == -1:
            break
        if not base <= label < nodes + base:
            raise source.error("E117", line, f"node {label} as a depot", f"a node from {base} to {nodes - 1 + base}")
        if label - base in found:
            raise source.error("E116", line, f"the depot {label} comes twice")
        found.append(label - base)
        if len(found) > 1:
            raise source.error("E119", line, "several depots", "one depot")
    if not found:
        raise source.error("E118", part.line, "DEPOT_SECTION names no depot")
    return found[0]


def _reordered(metric: Metric, order: Ints) -> Metric:
    if np.array_equal(order, np.arange(len(order))):
        return metric
    coordinates = None if metric.coordinates is None else metric.coordinates[order]
    matrix = None if metric.matrix is None else metric.matrix[np.ix_(order, order)]
    return Metric(rule=metric.rule, coordinates=coordinates, matrix=matrix)


def _without_depot(document: Document, demand: Ints) -> Ints:
    if demand[0]:
        line = document.line("DEMAND_SECTION")
        document.source.defect("E120", line, f"the depot has the demand {demand[0]}", "the demand 0")
        demand[0] = 0
    return demand


def _length_limit(document: Document) -> dict[str, Any]:
    if "DISTANCE" not in document.keys:
        return {}
    line = document.line("DISTANCE")
    return {"max_length": document.source.real(document.text("DISTANCE"), line, "DISTANCE", 0.0)}


def _windows(document: Document, nodes: int, order: Ints) -> dict[str, Any]:
    source = document.source
    if "DISTANCE" in document.keys:
        raise source.error("E119", document.line("DISTANCE"), "a limit on distance beside time windows")
    part = document.section("TIME_WINDOW_SECTION")
    windows = _times(document, "TIME_WINDOW_SECTION", nodes, 2)[order]
    if (windows[:, 0] > windows[:, 1]).any():
        table = source.reals(part.first, part.last, "a time").reshape(nodes, 3)
        row = int(np.flatnonzero(table[:, 1] > table[:, 2])[0])
        line = source.line_of_token(3 * row, part.first, part.last)
        raise source.error("E120", line, f"the time window of node {table[row, 0]:g} ends before it begins")
    return {"ready": windows[:, 0], "due": windows[:, 1]}


def _service(document: Document, nodes: int, depot: int) -> Floats:
    """Service times: of a section, or one for all customers, or none."""
    if "SERVICE_TIME" not in document.keys:
        if "SERVICE_TIME_SECTION" not in document.sections:
            return np.zeros(nodes)
        service = _times(document, "SERVICE_TIME_SECTION", nodes, 1)[:, 0]
        if service[depot]:
            line = document.line("SERVICE_TIME_SECTION")
            raise document.source.error("E120", line, f"the depot has the service time {service[depot]:g}", "0")
        return service
    part = document.keys["SERVICE_TIME"]
    if "SERVICE_TIME_SECTION" in document.sections:
        line = document.line("SERVICE_TIME_SECTION")
        raise document.source.error("E116", line, f"service times are given twice, first in line {part.line}")
    service = np.full(nodes, document.source.real(document.text("SERVICE_TIME"), part.line, "SERVICE_TIME", 0.0))
    service[depot] = 0.0
    return service


@dataclass(frozen=True)
class _Writer:
    instance: Capacitated

    def text(self) -> str:
        instance = self.instance
        lines = [f"NAME : {instance.name}", f"TYPE : {instance.kind.upper()}", f"DIMENSION : {instance.nodes}"]
        lines.append(f"CAPACITY : {instance.capacity}")
        if instance.vehicles is not None:
            lines.append(f"VEHICLES : {instance.vehicles}")
        if isinstance(instance, RouteLength) and instance.max_length is not None:
            lines.append(f"DISTANCE : {number(instance.max_length)}")
        lines += self._metric()
        lines += ["DEMAND_SECTION", *(f"{i} {d}" for i, d in enumerate(instance.demand.tolist(), 1))]
        lines += self._times()
        return "\n".join([*lines, "DEPOT_SECTION", "1", "-1", "EOF"]) + "\n"

    def _metric(self) -> list[str]:
        metric = self.instance.metric
        if metric.rule == "EXACT_2D":
            return metric_lines(metric, "EXACT_2D")
        if metric.rule == "DIMACS_2D":
            return ["SCALE : 10", *metric_lines(metric, "FLOOR_2D")]
        # SCALE 1 keeps a reader from guessing a set's own rounding from the name
        name = self.instance.name
        guessed = metric.rule == "EUC_2D" and (_EXACT_SETS.match(name) or _DIMACS_SETS.match(name))
        return [*(["SCALE : 1"] if guessed else []), *metric_lines(metric)]

    def _times(self) -> list[str]:
        instance = self.instance
        lines = []
        if isinstance(instance, Vrptw):
            windows = zip(instance.ready.tolist(), instance.due.tolist(), strict=True)
            lines += ["TIME_WINDOW_SECTION", *(f"{i} {number(a)} {number(b)}" for i, (a, b) in enumerate(windows, 1))]
        if isinstance(instance, (RouteLength, Vrptw)) and instance.service.any():
            service = enumerate(instance.service.tolist(), 1)
            lines += ["SERVICE_TIME_SECTION", *(f"{i} {number(s)}" for i, s in service)]
        return lines


def write(instance: Instance) -> str:
    """VRPLIB text that :func:`read` turns into an equal instance."""
    assert isinstance(instance, Capacitated)
    return _Writer(instance).text()


def number(value: float) -> str:
    """A number without a needless fraction, exact to the last bit."""
    return str(int(value)) if value.is_integer() and abs(value) < LARGEST else repr(value)


def _sniff(source: Source) -> bool:
    declared = declared_type(source)
    return declared in KIND_OF or declared in REFUSED or (not declared and "\nDEMAND_SECTION" in source.text)


VRPLIB = Format(
    name="vrplib",
    title="CVRPLIB, VRPLIB and TSPLIB vehicle routing",
    extensions=(".vrp",),
    kinds=("cvrp", "ovrp", "vrptw"),
    sniff=_sniff,
    read=read,
    write=write,
)
