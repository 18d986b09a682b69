"""OPLib instances of the orienteering problem (Kobeaga, Merino and Lozano 2018): TSPLIB's grammar with TYPE OP.

A closed tour through the depot no longer than COST_LIMIT, lengths by TSPLIB's integer rules; the score of the depot
counts.  NAME is that of the TSP file that the instance was made of, so the name of the file is used instead.
"""

from __future__ import annotations

import numpy as np

from combopt.errors import InputError
from combopt.instances.formats.base import Format
from combopt.instances.formats.sections import Document, declared_type
from combopt.instances.formats.tsplib import metric_lines
from combopt.instances.op import Op
from combopt.instances.prizes import LARGEST
from combopt.instances.text import Source
from combopt.model import Instance, Ints

KEYS = frozenset(
    "NAME TYPE COMMENT DIMENSION COST_LIMIT TSP_SOLUTION EDGE_WEIGHT_TYPE EDGE_WEIGHT_FORMAT EDGE_DATA_FORMAT "
    "NODE_COORD_TYPE DISPLAY_DATA_TYPE".split()
)
SECTIONS = frozenset(
    ["NODE_COORD_SECTION", "EDGE_WEIGHT_SECTION", "DISPLAY_DATA_SECTION", "NODE_SCORE_SECTION", "DEPOT_SECTION"]
)


def read(source: Source) -> Op:
    document = Document.cut(source, KEYS, SECTIONS)
    if document.word("TYPE") != "OP":
        raise source.error("E119", document.line("TYPE"), f"problem type {document.word('TYPE')}", "OP")
    nodes = document.dimension()
    limit = source.real(document.text("COST_LIMIT"), document.line("COST_LIMIT"), "COST_LIMIT", low=0)
    metric = document.metric(nodes, document.coordinates(nodes))
    prize = scores(document, nodes)
    depots = document.ids("DEPOT_SECTION", nodes, ended=True)
    if len(depots) != 1:
        line = depots[1][1] if depots else document.line("DEPOT_SECTION")
        raise source.error("E119", line, f"{len(depots)} depots", "one depot")
    try:
        return Op(name=source.stem, metric=metric, prize=prize, limit=limit, depot=depots[0][0])
    except InputError as error:
        line = document.line("EDGE_WEIGHT_SECTION")
        raise source.error(error.code, line, error.found, error.expected, error.remedy) from None


def scores(document: Document, nodes: int) -> Ints:
    """NODE_SCORE_SECTION as ``int64[nodes]``, all from 0 to 2^53."""
    part = document.section("NODE_SCORE_SECTION")
    values = document.by_node("NODE_SCORE_SECTION", nodes, 1)[:, 0]
    wrong = (values != np.floor(values)) | (values < 0) | (values >= LARGEST)
    if wrong.any():
        tokens = list(document.source.tokens(part.first, part.last))
        for token, line in tokens[1::2]:
            document.source.whole(token, line, "a score", 0, LARGEST - 1)
    return values.astype(np.int64)


def write(instance: Instance) -> str:
    """The file; E119 for an open path, and for distances that TSPLIB has no rule for."""
    assert isinstance(instance, Op)
    if instance.end is not None:
        raise InputError("E119", "OPLib holds closed tours alone", remedy="Write it as JSON.")
    if instance.metric.rule in ("EXACT_2D", "DIMACS_2D"):
        raise InputError("E119", f"OPLib has no distances {instance.metric.words}", remedy="Write it as JSON.")
    lines = [f"NAME : {instance.name}", "TYPE : OP", f"DIMENSION : {instance.nodes}"]
    lines += [f"COST_LIMIT : {instance.limit}", *metric_lines(instance.metric), "NODE_SCORE_SECTION"]
    lines += [f"{i} {prize}" for i, prize in enumerate(instance.prize.tolist(), 1)]
    return "\n".join([*lines, "DEPOT_SECTION", str(instance.depot + 1), "-1", "EOF"]) + "\n"


OPLIB = Format(
    name="oplib",
    title="OPLib orienteering problems",
    extensions=(".oplib", ".op"),
    kinds=("op",),
    sniff=lambda source: declared_type(source) == "OP",
    read=read,
    write=write,
)
