"""Vehicle routes: CVRPLIB's ``.sol`` in all its spellings, LKH-3's, and LKH's tours with copies of the depot."""

from __future__ import annotations

import re

from combopt.instances.formats.base import SolutionFormat
from combopt.instances.formats.sections import Document
from combopt.instances.formats.tour import KEYS as TOUR_KEYS
from combopt.instances.formats.tour import SECTIONS as TOUR_SECTIONS
from combopt.instances.routing import Capacitated
from combopt.instances.solutions import Routes
from combopt.instances.text import Source
from combopt.model import Instance, Solution, show

# "Route #1: 5 3", "Route #1 : 5 3", LKH-3's "Route 153 : 5 3"
_ROUTE = re.compile(r"\s*route\s*#?\s*(\d+)\s*:(.*)\Z", re.IGNORECASE)
_COST = re.compile(r"^[ \t]*cost[ \t]*[:=]?[ \t]*([0-9.eE+-]+)[ \t\r]*$", re.IGNORECASE | re.MULTILINE)
_LENGTH = re.compile(r"^\s*COMMENT\s*:\s*(?:Length|Cost)\s*[=:]?\s*([0-9.]+)", re.MULTILINE | re.IGNORECASE)
# Lines without routes: of CVRPLIB, PyVRP and HGS, and of LKH-3's header.
_ASIDE = re.compile(
    r"\s*(cost|time|optimal|comment|name|instance|instance name|authors?|date|reference|solution)\b", re.IGNORECASE
)


def read(source: Source, instance: Instance) -> Solution:
    """The routes of the file; customers count from 1, and the depot may stand as 0 at the ends of a route."""
    assert isinstance(instance, Capacitated)
    if _is_tour(source):
        return _tour(source, instance)
    seen: dict[int, int] = {}
    routes: list[tuple[int, ...]] = []
    for line, text in enumerate(source.lines, 1):
        match = _ROUTE.match(text)
        if match is None:
            if text.strip() and not _ASIDE.match(text):
                raise source.error("E123", line, f"{text.strip()[:40]!r}", "Route #k: ..., or Cost ...")
            continue
        label = source.whole(match[1], line, "the number of the route", 0)
        if label in seen:
            raise source.error("E116", line, f"route {label} comes twice, first in line {seen[label]}")
        seen[label] = line
        routes.append(_route(source, match[2], line, instance.customers))
    if not seen and instance.customers:
        raise source.error("E118", 0, "there is no route in the file", "Route #1: 1 2 3")
    return Routes(tuple(routes))


def _route(source: Source, text: str, line: int, customers: int) -> tuple[int, ...]:
    route = [source.whole(token, line, "a customer", 0) for token in text.split()]
    while route and route[0] == 0:
        route.pop(0)
    while route and route[-1] == 0:
        route.pop()
    for customer in route:
        if not 0 < customer <= customers:
            raise source.error("E117", line, f"customer {customer}", f"a customer from 1 to {customers}")
    return tuple(route)


def _is_tour(source: Source) -> bool:
    return "TOUR_SECTION" in source.text


def _tour(source: Source, instance: Capacitated) -> Solution:
    """A tour of LKH: node 1 and all nodes beyond the instance's are the depot."""
    document = Document.cut(source, TOUR_KEYS, TOUR_SECTIONS)
    kind = document.word("TYPE", "TOUR")
    if kind != "TOUR":
        raise source.error("E102", document.line("TYPE"), f"a file of type {kind}", "a tour")
    copies = document.whole("DIMENSION", 1) if "DIMENSION" in document.keys else instance.nodes
    if copies > 2 * instance.nodes + 1:
        line = document.line("DIMENSION")
        raise source.error("E115", line, f"DIMENSION {copies}", f"{instance.nodes} nodes and copies of the depot")
    visits = [0 if node >= instance.nodes else node for node, _ in document.ids("TOUR_SECTION", copies)]
    if 0 in visits:
        first = visits.index(0)
        visits = visits[first:] + visits[:first]
    routes: list[list[int]] = [[]]
    for node in visits:
        if node:
            routes[-1].append(node)
        else:
            routes.append([])
    return Routes(tuple(tuple(route) for route in routes if route))


def write(solution: Solution, instance: Instance) -> str:
    assert isinstance(solution, Routes)
    routes = [route for route in solution.routes if route]
    value = instance.evaluate(solution).objective
    lines = [f"Route #{number}: {' '.join(map(str, route))}" for number, route in enumerate(routes, 1)]
    return "\n".join([*lines, f"Cost {show(value)}"]) + "\n"


def claim(source: Source) -> float | None:
    match = (_LENGTH if _is_tour(source) else _COST).search(source.text)
    try:
        return float(match[1]) if match else None
    except ValueError:
        return None


def _sniff(source: Source) -> bool:
    return _is_tour(source) or bool(_COST.search(source.text)) or any(_ROUTE.match(line) for line in source.lines)


ROUTES = SolutionFormat(
    name="routes",
    title="CVRPLIB routes, LKH-3 routes and tours",
    extensions=(".sol", ".tour"),
    kinds=("cvrp", "ovrp", "vrptw"),
    sniff=_sniff,
    read=read,
    write=write,
    claim=claim,
)
