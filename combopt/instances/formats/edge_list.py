"""Plain edge lists: a line ``u v`` or ``u v w`` for every edge, with or without a header ``n m``.

Such files carry no sign of what they are, so they are only recognised when the problem is named.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from combopt.errors import InputError
from combopt.instances.clique import Clique
from combopt.instances.coloring import Coloring
from combopt.instances.formats.base import Format
from combopt.instances.formats.dimacs_graph import KINDS, kind_of, limit_nodes, make_instance, whole_block
from combopt.instances.graph import MAX_NODES, Graph
from combopt.instances.mis import Mis
from combopt.instances.text import Source
from combopt.model import Instance, Ints

_COMMENT = ("#", "%", "c ")


@dataclass(frozen=True)
class _Rows:
    """The lines that hold numbers, how many words each has, and their numbers in the file."""

    texts: list[str]
    widths: list[int]
    lines: list[int]

    def without_first(self) -> _Rows:
        return _Rows(self.texts[1:], self.widths[1:], self.lines[1:])


def read(source: Source) -> Instance:
    kind = kind_of(source)
    rows = _rows(source)
    declared = _header(source, rows)
    if declared is not None:
        rows = rows.without_first()
    ends = _ends(source, rows)
    nodes, base = _numbering(source, rows, ends, declared)
    loops = ends[:, 0] == ends[:, 1]
    if loops.any():
        line = rows.lines[int(np.argmax(loops))]
        source.warn("E120", line, f"{int(loops.sum())} edges join a vertex to itself and are dropped")
    try:
        graph = Graph(nodes=nodes, edges=ends[~loops] - base)
    except InputError as error:
        raise source.error(error.code, 0, error.found, error.expected) from None
    return make_instance(source, kind, graph)


def _rows(source: Source) -> _Rows:
    found = [
        (line, number)
        for number, line in enumerate(source.lines, 1)
        if line.strip() and not line.lstrip().startswith(_COMMENT)
    ]
    if not found:
        raise source.error("E111", 0, "there is no edge in the file", "lines u v")
    texts = [line for line, _ in found]
    return _Rows(texts, [len(text.split()) for text in texts], [number for _, number in found])


def _header(source: Source, rows: _Rows) -> tuple[int, int] | None:
    """``(n, m)`` if the first line is a header: it alone has two numbers, or it counts the lines that follow."""
    if rows.widths[0] != 2:
        return None
    first, line = rows.texts[0].split(), rows.lines[0]
    others = len(rows.lines) - 1
    if others and set(rows.widths[1:]) == {3}:
        n = source.whole(first[0], line, "the number of vertices", 1, MAX_NODES)
        m = source.whole(first[1], line, "the number of edges", 0)
        if m != others:
            source.defect("E115", line, f"{m} edges declared, {others} lines follow")
    else:
        values = whole_block(first)
        if values is None or values[1] != others or values[0] < max(1, _largest(rows.without_first())):
            return None
        n, m = values.tolist()
        source.warn("E123", line, f"the first line is read as {n} vertices and {m} edges")
    limit_nodes(source, n, line)
    return n, m


def _largest(rows: _Rows) -> int:
    """The largest vertex of lines of two numbers; more than any if there is something else."""
    if not rows.texts:
        return 0
    values = whole_block(rows.texts, 2 * len(rows.texts))
    return MAX_NODES + 1 if values is None or set(rows.widths) != {2} else int(values.max())


def _ends(source: Source, rows: _Rows) -> Ints:
    """Both ends of every edge as they are numbered in the file, ``int64[m, 2]``."""
    if not rows.texts:
        return np.zeros((0, 2), dtype=np.int64)
    width = rows.widths[0]
    wrong = next((i for i, w in enumerate(rows.widths) if w != width or w not in (2, 3)), None)
    if wrong is not None:
        expected = f"{width} numbers as in the lines before" if width in (2, 3) else "u v or u v w"
        raise source.error("E123", rows.lines[wrong], f"{rows.texts[wrong].strip()[:40]!r}", expected)
    if width == 3:
        source.warn("E119", rows.lines[0], "the weights of edges mean nothing to this problem and are dropped")
    values = whole_block(rows.texts, width * len(rows.texts))
    if values is None or values.min() < 0 or values.max() > MAX_NODES:
        values = np.array([_slowly(source, *row) for row in zip(rows.texts, rows.lines, strict=True)], dtype=np.int64)
    return values.reshape(len(rows.texts), -1)[:, :2]


def _slowly(source: Source, text: str, line: int) -> tuple[int, int]:
    """One line whose weight may be no whole number; the error, if there is one in it."""
    words = text.split()
    if len(words) == 3:
        source.real(words[2], line, "the weight of an edge")
    u, v = (source.whole(word, line, "a vertex", 0, MAX_NODES) for word in words[:2])
    return u, v


def _numbering(source: Source, rows: _Rows, ends: Ints, declared: tuple[int, int] | None) -> tuple[int, int]:
    """``(nodes, base)``: vertices count from 0 if 0 occurs and from 1 if not; told as a warning."""
    if not len(ends):
        assert declared is not None
        return declared[0], 1
    base = 0 if ends.min() == 0 else 1
    largest = int(ends.max()) + 1 - base
    nodes = largest if declared is None else declared[0]
    if largest > nodes:
        row = int(np.argmax(ends.max(axis=1) > nodes - 1 + base))
        raise source.error(
            "E117", rows.lines[row], f"vertex {ends[row].max()}", f"a vertex from {base} to {nodes - 1 + base}"
        )
    limit_nodes(source, nodes, rows.lines[int(np.argmax(ends.max(axis=1)))])
    source.warn("E123", 0, f"{nodes} vertices, counted from {base} in this file")
    return nodes, base


def _looks_like(source: Source) -> bool:
    """Only when the problem is named: lines of two or three whole numbers, of one width but for the first."""
    if source.options.kind not in KINDS:
        return False
    widths = []
    for line in source.lines:
        if not line.strip() or line.lstrip().startswith(_COMMENT):
            continue
        words = line.split()
        if len(words) not in (2, 3) or not (words[0].isdigit() and words[1].isdigit()):
            return False
        widths.append(len(words))
        if len(widths) == 50:
            break
    return bool(widths) and len(set(widths[1:])) <= 1


def write(instance: Instance) -> str:
    """A header ``n m`` and a line ``u v`` for every edge, vertices from 1; vertex weights cannot be written."""
    assert isinstance(instance, (Mis, Clique, Coloring))
    graph = instance.graph
    if graph.weights is not None:
        raise InputError("E119", "an edge list holds no vertex weights", remedy="Write a .clq or .mis file instead.")
    lines = [f"{graph.nodes} {len(graph.edges)}", *(f"{u} {v}" for u, v in (graph.edges + 1).tolist())]
    return "\n".join(lines) + "\n"


EDGE_LIST = Format(
    name="edge_list",
    title="plain edge lists, with the problem named",
    extensions=(".edges",),
    kinds=("mis", "clique", "coloring"),
    sniff=_looks_like,
    read=read,
    write=write,
)
