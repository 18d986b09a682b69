"""Solutions of problems with prizes: OPLib's ``.sol`` files, and tours that leave nodes out."""

from __future__ import annotations

import re

import numpy as np

from combopt.instances.formats.base import SolutionFormat
from combopt.instances.formats.sections import Document, split_keyword
from combopt.instances.op import Op
from combopt.instances.prizes import inside
from combopt.instances.solutions import Tour
from combopt.instances.text import Source
from combopt.model import Instance, Solution

KEYS = frozenset(["NAME", "TYPE", "COMMENT", "DIMENSION", "COST_LIMIT", "ROUTE_NODES", "ROUTE_SCORE", "ROUTE_COST"])
SECTIONS = frozenset(["NODE_SEQUENCE_SECTION", "DEPOT_SECTION"])
TOUR_KEYS = frozenset(["NAME", "TYPE", "COMMENT", "DIMENSION"])
_OBJECTIVE = re.compile(r"^\s*COMMENT\s*:\s*Objective\s*[=:]?\s*([0-9.]+)\s*$", re.MULTILINE)


def read(source: Source, instance: Instance) -> Solution:
    """An OPLib solution: ids from 1 in the order of visit, the depot first, ended by -1."""
    document = Document.cut(source, KEYS, SECTIONS)
    if document.word("TYPE", "OP") != "OP":
        raise source.error("E119", document.line("TYPE"), f"a solution of type {document.word('TYPE')}", "OP")
    nodes = instance.size()["nodes"]
    if "DIMENSION" in document.keys and document.whole("DIMENSION", 1) != nodes:
        found = document.text("DIMENSION")[:40]
        raise source.error("E302", document.line("DIMENSION"), f"a solution for {found} nodes", f"{nodes} nodes")
    for key in ("ROUTE_SCORE", "ROUTE_COST"):
        if key in document.keys:
            source.real(document.text(key), document.line(key), key)
    order = [node for node, _ in document.ids("NODE_SEQUENCE_SECTION", nodes, ended=True)]
    if not order:
        raise source.error("E118", document.line("NODE_SEQUENCE_SECTION"), "the route is empty")
    if "ROUTE_NODES" in document.keys and document.whole("ROUTE_NODES", 0) != len(order):
        stated = document.text("ROUTE_NODES")[:40]
        source.defect("E115", document.line("ROUTE_NODES"), f"ROUTE_NODES is {stated}", f"{len(order)}")
    if "DEPOT_SECTION" in document.sections:
        for depot, line in document.ids("DEPOT_SECTION", nodes):
            if isinstance(instance, Op) and depot != instance.depot:
                raise source.error("E302", line, f"the depot is node {depot + 1}", f"node {instance.depot + 1}")
    return Tour(np.array(order, dtype=np.int64))


def write(solution: Solution, instance: Instance) -> str:
    assert isinstance(solution, Tour)
    assert isinstance(instance, Op)
    order = solution.order
    length = instance.metric.in_length(instance.length(inside(order, instance.nodes)))
    lines = [f"NAME : {instance.name}", "TYPE : OP", f"DIMENSION : {instance.nodes}", f"COST_LIMIT : {instance.limit}"]
    lines += [f"ROUTE_NODES : {len(order)}", f"ROUTE_SCORE : {instance.evaluate(solution).objective}"]
    lines += [f"ROUTE_COST : {length}", "NODE_SEQUENCE_SECTION", *(str(v + 1) for v in order.tolist()), "-1"]
    return "\n".join([*lines, "DEPOT_SECTION", str(instance.depot + 1), "-1", "EOF"]) + "\n"


def claim(source: Source) -> float | None:
    """ROUTE_SCORE, if it is given."""
    for number, line in enumerate(source.lines, 1):
        word, value = split_keyword(line)
        if word == "ROUTE_SCORE":
            return source.real(value, number, "ROUTE_SCORE")
    return None


def read_tour(source: Source, instance: Instance) -> Solution:
    """The tour of a TSPLIB ``.tour`` file, which need not visit all nodes; the first may be repeated at the end."""
    document = Document.cut(source, TOUR_KEYS, frozenset(["TOUR_SECTION"]))
    if document.word("TYPE", "TOUR") != "TOUR":
        raise source.error("E119", document.line("TYPE"), f"a file of type {document.word('TYPE')}", "TOUR")
    order = [node for node, _ in document.ids("TOUR_SECTION", instance.size()["nodes"])]
    if not order:
        raise source.error("E118", document.line("TOUR_SECTION"), "the tour is empty")
    if len(order) > 1 and order[0] == order[-1]:
        order.pop()
    return Tour(np.array(order, dtype=np.int64))


def write_tour(solution: Solution, instance: Instance) -> str:
    assert isinstance(solution, Tour)
    value = instance.evaluate(solution).objective
    lines = [f"NAME : {instance.name}", f"COMMENT : Objective = {value}", "TYPE : TOUR"]
    lines += [f"DIMENSION : {len(solution.order)}", "TOUR_SECTION"]
    return "\n".join([*lines, *(str(v + 1) for v in solution.order.tolist()), "-1", "EOF"]) + "\n"


def claim_tour(source: Source) -> float | None:
    """The objective that our own files state in a comment."""
    match = _OBJECTIVE.search(source.text)
    try:
        return float(match[1]) if match else None
    except ValueError:
        return None


OPLIB_SOLUTION = SolutionFormat(
    name="oplib_solution",
    title="OPLib route",
    extensions=(".sol",),
    kinds=("op",),
    sniff=lambda source: "NODE_SEQUENCE_SECTION" in source.text,
    read=read,
    write=write,
    claim=claim,
)

PRIZE_TOUR = SolutionFormat(
    name="prize_tour",
    title="TSPLIB tour that may leave nodes out",
    extensions=(".tour", ".sol"),
    kinds=("op", "pctsp"),
    sniff=lambda source: "TOUR_SECTION" in source.text,
    read=read_tour,
    write=write_tour,
    claim=claim_tour,
)
