"""Tours: TSPLIB ``.tour`` files (also LKH's), and plain lists of nodes as Concorde writes them."""

from __future__ import annotations

import re

import numpy as np

from combopt.instances.formats.base import SolutionFormat
from combopt.instances.formats.sections import Document
from combopt.instances.solutions import Tour
from combopt.instances.text import Source
from combopt.model import Instance, Solution

KEYS = frozenset("NAME TYPE COMMENT DIMENSION".split())
SECTIONS = frozenset(["TOUR_SECTION"])
_LENGTH = re.compile(r"^\s*COMMENT\s*:\s*(?:Length|length)\s*[=:]?\s*([0-9.]+)", re.MULTILINE)


def read(source: Source, instance: Instance) -> Solution:
    """The first tour of the file; ids from 1, ended by -1, the first node possibly repeated at the end."""
    document = Document.cut(source, KEYS, SECTIONS)
    kind = document.word("TYPE", "TOUR")
    if kind != "TOUR":
        raise source.error("E102", document.line("TYPE"), f"a file of type {kind}", "a tour")
    nodes = next(iter(instance.size().values()))
    order = [node for node, _ in document.ids("TOUR_SECTION", max(nodes, 1))]
    if not order:
        raise source.error("E118", document.line("TOUR_SECTION"), "the tour is empty")
    if len(order) > 1 and order[0] == order[-1]:
        order.pop()
    return Tour(np.array(order, dtype=np.int64))


def write(solution: Solution, instance: Instance) -> str:
    assert isinstance(solution, Tour)
    value = instance.evaluate(solution).objective
    lines = [f"NAME : {instance.name}", f"COMMENT : Length = {value}", "TYPE : TOUR"]
    lines += [f"DIMENSION : {len(solution.order)}", "TOUR_SECTION"]
    return "\n".join([*lines, *(str(v + 1) for v in solution.order.tolist()), "-1", "EOF"]) + "\n"


def claim(source: Source) -> float | None:
    match = _LENGTH.search(source.text)
    return float(match[1]) if match else None


TOUR = SolutionFormat(
    name="tour",
    title="TSPLIB tour",
    extensions=(".tour", ".sol"),
    kinds=("tsp", "atsp"),
    sniff=lambda source: "TOUR_SECTION" in source.text,
    read=read,
    write=write,
    claim=claim,
)
