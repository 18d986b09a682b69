"""TSPLIB95 instances of type TSP and ATSP (Reinelt 1995)."""

from __future__ import annotations

import numpy as np

from combopt.errors import InputError
from combopt.instances.atsp import Atsp
from combopt.instances.formats.base import Format
from combopt.instances.formats.sections import Document, declared_type
from combopt.instances.metric import Metric
from combopt.instances.text import Source
from combopt.instances.tsp import Tsp
from combopt.model import Instance, Ints

KEYS = frozenset(
    {
        "NAME",
        "TYPE",
        "COMMENT",
        "DIMENSION",
        "EDGE_WEIGHT_TYPE",
        "EDGE_WEIGHT_FORMAT",
        "EDGE_DATA_FORMAT",
        "NODE_COORD_TYPE",
        "DISPLAY_DATA_TYPE",
    }
)
SECTIONS = frozenset(
    {
        "NODE_COORD_SECTION",
        "EDGE_WEIGHT_SECTION",
        "DISPLAY_DATA_SECTION",
        "FIXED_EDGES_SECTION",
        "EDGE_DATA_SECTION",
    }
)


def read(source: Source) -> Instance:
    """Keywords and sections in any order.

    A file without TYPE is refused, or read leniently as what its distances are: ``tsp`` if they are symmetric.
    ``--kind atsp`` reads a TSP file as an ATSP, and the other way round if its distances are symmetric.
    """
    document = Document.cut(source, KEYS, SECTIONS)
    kind = _kind(document)
    if "EDGE_DATA_SECTION" in document.sections:
        line = document.line("EDGE_DATA_SECTION")
        raise source.error("E119", line, "a graph given by its edges", "a complete graph")
    nodes = document.dimension()
    metric = document.metric(nodes, document.coordinates(nodes))
    _refuse_idle_sections(document, metric)
    cls = Atsp if kind == "ATSP" or (kind is None and not metric.symmetric) else Tsp
    fixed = _fixed_edges(document, nodes)
    try:
        return cls(name=document.text("NAME", source.stem), metric=metric, fixed_edges=fixed)
    except InputError as error:
        line = document.line("FIXED_EDGES_SECTION" if "fixed" in error.found else "EDGE_WEIGHT_SECTION")
        raise source.error(error.code, line, error.found, error.expected, error.remedy) from None


def _kind(document: Document) -> str | None:
    """TSP or ATSP; ``None`` if the file does not say and is read leniently."""
    source = document.source
    if "TYPE" not in document.keys:
        source.defect("E118", 0, "TYPE is missing", "a line TYPE : TSP or TYPE : ATSP")
        return source.options.kind.upper() if source.options.kind else None
    declared = document.word("TYPE")
    if declared not in ("TSP", "ATSP"):
        raise source.error("E119", document.line("TYPE"), f"problem type {declared}", "TSP or ATSP")
    return source.options.kind.upper() if source.options.kind else declared


def _refuse_idle_sections(document: Document, metric: Metric) -> None:
    """A matrix beside coordinates that give the distances would be passed over: say so."""
    if metric.matrix is None and "EDGE_WEIGHT_SECTION" in document.sections:
        line = document.line("EDGE_WEIGHT_SECTION")
        document.source.defect("E120", line, f"EDGE_WEIGHT_SECTION under EDGE_WEIGHT_TYPE {metric.rule}", "EXPLICIT")


def _fixed_edges(document: Document, nodes: int) -> Ints:
    if "FIXED_EDGES_SECTION" not in document.sections:
        return np.zeros((0, 2), dtype=np.int64)
    ids = document.ids("FIXED_EDGES_SECTION", nodes, ended=True)
    if len(ids) % 2:
        raise document.source.error("E115", ids[-1][1], "a fixed edge with one end", "two nodes for every edge")
    return np.array([node for node, _ in ids], dtype=np.int64).reshape(-1, 2)


def write(instance: Instance) -> str:
    """TSPLIB text from which :func:`read` makes an equal instance."""
    assert isinstance(instance, (Tsp, Atsp))
    name = " ".join(instance.name.split())
    lines = [f"NAME : {name}", f"TYPE : {instance.kind.upper()}", f"DIMENSION : {instance.nodes}"]
    lines += metric_lines(instance.metric, instance.metric.rule)
    if len(instance.fixed_edges):
        lines += ["FIXED_EDGES_SECTION", *(f"{a + 1} {b + 1}" for a, b in instance.fixed_edges.tolist()), "-1"]
    return "\n".join([*lines, "EOF"]) + "\n"


def metric_lines(metric: Metric, euclidean: str = "EUC_2D") -> list[str]:
    """Keywords and sections that describe a metric; ``euclidean`` is the name to write for a field's own rounding."""
    rule = euclidean if metric.rule in ("EXACT_2D", "DIMACS_2D") else metric.rule
    lines = [f"EDGE_WEIGHT_TYPE : {rule}"]
    if metric.matrix is not None:
        lines.append("EDGE_WEIGHT_FORMAT : FULL_MATRIX")
    if metric.coordinates is not None:
        # Coordinates of a matrix are for drawing; those in space have no display section to go to.
        space = metric.coordinates.shape[1] == 3
        display = metric.matrix is not None and not space
        lines += ["NODE_COORD_TYPE : THREED_COORDS"] if space else []
        lines += ["DISPLAY_DATA_TYPE : TWOD_DISPLAY"] if display else []
        lines.append("DISPLAY_DATA_SECTION" if display else "NODE_COORD_SECTION")
        lines += [f"{i} {' '.join(_number(x) for x in row)}" for i, row in enumerate(metric.coordinates.tolist(), 1)]
    if metric.matrix is not None:
        lines.append("EDGE_WEIGHT_SECTION")
        lines += [" ".join(map(str, row)) for row in metric.matrix.tolist()]
    return lines


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)


TSPLIB = Format(
    name="tsplib",
    title="TSPLIB95 travelling salesman problems",
    extensions=(".tsp", ".atsp"),
    kinds=("tsp", "atsp"),
    sniff=lambda source: declared_type(source) in ("TSP", "ATSP"),
    read=read,
    write=write,
)
