"""Tours of the salesman problems: TSPLIB ``.tour`` files (also LKH's), one CVRPLIB route, lists of nodes."""

from __future__ import annotations

import re

import numpy as np

from combopt.instances.formats.base import SolutionFormat
from combopt.instances.formats.sections import Document
from combopt.instances.solutions import Tour
from combopt.instances.text import Source
from combopt.model import Instance, Ints, Solution, show

KEYS = frozenset({"NAME", "TYPE", "COMMENT", "DIMENSION"})
SECTIONS = frozenset(["TOUR_SECTION"])
_LENGTH = re.compile(r"^[ \t]*COMMENT[ \t]*:.*\bLength[ \t]*[=:]?[ \t]*(\d+(?:\.\d*)?)", re.MULTILINE | re.IGNORECASE)
_ROUTE = re.compile(r"\s*route\s*#?\s*\d+\s*:(.*)\Z", re.IGNORECASE)
_COST = re.compile(
    r"^[ \t]*cost[ \t]*[:=]?[ \t]*(\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)[ \t\r]*$", re.MULTILINE | re.IGNORECASE
)
_ASIDE = re.compile(r"\s*(cost|optimal|time|comment|name)\b", re.IGNORECASE)


def read(source: Source, instance: Instance) -> Solution:
    """The first tour of a TSPLIB file: ids from 1, ended by -1, the first node possibly repeated at the end.

    A node beyond the instance is refused (LKH numbers copies of a depot so, but a TSP has none).
    """
    document = Document.cut(source, KEYS, SECTIONS)
    kind = document.word("TYPE", "TOUR")
    if kind != "TOUR":
        raise source.error("E102", document.line("TYPE"), f"a file of type {kind}", "a tour")
    nodes = _nodes(instance)
    declared = document.whole("DIMENSION", 1) if "DIMENSION" in document.keys else None
    if declared not in (None, nodes):
        line = document.line("DIMENSION")
        raise source.error("E302", line, f"a tour of {declared} nodes", f"one of the {nodes} nodes of {instance.name}")
    part = document.section("TOUR_SECTION")
    values = source.wholes(part.first, part.last, "a node")
    ends = np.flatnonzero(values == -1)
    count = int(ends[0]) if ends.size else values.size
    if (values[count:] != -1).any():
        source.warn("E119", part.line, "the file holds several tours; the first is read")
    order = _from(1, values[:count], nodes, source, part.first, part.last)
    if declared is not None and len(order) != declared:
        raise source.error(
            "E115", part.line, f"{len(order)} nodes in the tour", f"{declared} nodes, as DIMENSION says"
        )
    return Tour(order)


def read_route(source: Source, instance: Instance) -> Solution:
    """The one route of a CVRPLIB solution file: nodes are counted from 0 there, and node 0, the depot, is left out."""
    nodes = _nodes(instance)
    found: tuple[int, str] | None = None
    for line, text in enumerate(source.lines, 1):
        match = _ROUTE.match(text)
        if match is not None:
            if found is not None:
                raise source.error("E115", line, "a second route", "one route, as a tour is")
            found = line, match[1]
        elif text.strip() and not _ASIDE.match(text):
            raise source.error("E123", line, f"{text.strip()[:40]!r}", "Route #1: ..., or Cost ...")
    if found is None:
        raise source.error("E118", 0, "there is no route in the file", "Route #1: 1 2 3")
    line, text = found
    route = [source.whole(token, line, "a node") for token in text.split()]
    while route and route[0] == 0:
        route.pop(0)
    while route and route[-1] == 0:
        route.pop()
    for node in route:
        if not 0 < node < nodes:
            raise source.error("E117", line, f"node {node} in the route", f"a node from 1 to {nodes - 1}")
    return Tour(np.array([0, *route], dtype=np.int64))


def read_list(source: Source, instance: Instance) -> Solution:
    """A list of nodes and nothing else, possibly closed by -1 or by the first node once more.

    Without a node 0 the nodes count from 1.  With one they count from 0, and if then the first number is that of all
    nodes, it is the header that Concorde writes into its ``.sol`` and ``.cyc`` files.
    """
    nodes = _nodes(instance)
    last = len(source.lines)
    values = source.wholes(1, last, "a node")
    if values.size and values[-1] == -1:
        values = values[:-1]
    if not (values == 0).any():
        return Tour(_from(1, values, nodes, source, 1, last))
    if values[0] != nodes:
        return Tour(_from(0, values, nodes, source, 1, last))
    if values.size != nodes + 1:
        line = source.line_of_token(0)
        raise source.error(
            "E115", line, f"{values.size - 1} nodes in the tour", f"{nodes} nodes, as the first line says"
        )
    return Tour(_from(0, values[1:], nodes, source, 1, last, skipped=1))


def _nodes(instance: Instance) -> int:
    return instance.size()["nodes"]


def _from(base: int, labels: Ints, nodes: int, source: Source, first: int, last: int, skipped: int = 0) -> Ints:
    """Labels that count from ``base`` as indices; the return to the first node is dropped.

    The labels are the tokens of the lines ``first..last``, after ``skipped`` others.
    """
    if labels.size == 0:
        raise source.error("E118", max(0, first - 1), "the tour is empty", "a list of nodes")
    wrong = np.flatnonzero((labels < base) | (labels >= nodes + base))
    if wrong.size:
        line = source.line_of_token(int(wrong[0]) + skipped, first, last)
        label = int(labels[wrong[0]])
        raise source.error("E117", line, f"node {label} in the tour", f"a node from {base} to {nodes - 1 + base}")
    closed = labels.size > 1 and labels[0] == labels[-1]
    return (labels[:-1] if closed else labels) - base


def write(solution: Solution, instance: Instance) -> str:
    """A TSPLIB tour with its length in a comment."""
    assert isinstance(solution, Tour)
    name = " ".join(instance.name.split())
    lines = [f"NAME : {name}", f"COMMENT : Length = {show(instance.evaluate(solution).objective)}", "TYPE : TOUR"]
    lines += [f"DIMENSION : {len(solution.order)}", "TOUR_SECTION"]
    return "\n".join([*lines, *(str(v + 1) for v in solution.order.tolist()), "-1", "EOF"]) + "\n"


def write_list(solution: Solution, instance: Instance) -> str:
    """A tour as Concorde writes it: the number of nodes, then the nodes from 0, ten to a line."""
    assert isinstance(solution, Tour)
    order = solution.order.tolist()
    rows = [" ".join(map(str, order[i : i + 10])) for i in range(0, len(order), 10)]
    return "\n".join([str(len(order)), *rows]) + "\n"


def claim(source: Source) -> float | None:
    """The length in a comment ``Length = ...``; a bare number in a comment is no claim."""
    match = _LENGTH.search(source.text)
    return float(match[1]) if match else None


def claim_cost(source: Source) -> float | None:
    """The value of a line ``Cost ...``."""
    match = _COST.search(source.text)
    return float(match[1]) if match else None


def _starts_with_number(source: Source) -> bool:
    head = source.text.lstrip()[:20].split(maxsplit=1)
    return bool(head) and re.fullmatch(r"[+-]?\d+", head[0]) is not None


TOUR = SolutionFormat(
    name="tour",
    title="TSPLIB and LKH tours",
    extensions=(".tour", ".sol"),
    kinds=("tsp", "atsp"),
    sniff=lambda source: "TOUR_SECTION" in source.text,
    read=read,
    write=write,
    claim=claim,
)

ROUTE_TOUR = SolutionFormat(
    name="route_tour",
    title="a tour as one CVRPLIB route",
    extensions=(".sol",),
    kinds=("tsp", "atsp"),
    sniff=lambda source: any(_ROUTE.match(line) for line in source.lines[:20]),
    read=read_route,
    claim=claim_cost,
)

NODE_LIST = SolutionFormat(
    name="node_list",
    title="a list of nodes, plain or Concorde's",
    extensions=(".cyc", ".txt", ".sol"),
    kinds=("tsp", "atsp"),
    sniff=_starts_with_number,
    read=read_list,
    write=write_list,
)
