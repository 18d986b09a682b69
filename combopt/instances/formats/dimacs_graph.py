"""DIMACS graphs in ASCII (Johnson and Trick 1996): ``.col``, ``.clq``, ``.mis``.

Edge counts of headers are not to be trusted: many files list every edge in both directions, or declare twice the
edges they have.  Edges are therefore a set, and the count is only compared.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from combopt.errors import InputError
from combopt.instances.clique import Clique
from combopt.instances.coloring import Coloring
from combopt.instances.formats.base import Format
from combopt.instances.graph import MAX_NODES, Graph
from combopt.instances.mis import Mis
from combopt.instances.text import Source
from combopt.model import Instance, Ints

KINDS: dict[str, Any] = {"mis": Mis, "clique": Clique, "coloring": Coloring}
BY_EXTENSION = {".mis": "mis", ".clq": "clique", ".col": "coloring"}
WORDS = ("edge", "edges", "col")
FREE_NODES = 100_000
"""Vertices that a header may declare in however short a file: a graph may have vertices without edges."""
_IGNORED = frozenset("dvx")  # dimension, embedding and parameters of generators in the DIMACS definition


def read(source: Source) -> Instance:
    reader = _Reader(source)
    body = next((i for i, line in enumerate(source.lines) if line.startswith("e ")), len(source.lines))
    end = body if reader.take_edges(body) else len(source.lines)
    for number, line in enumerate(source.lines[:end], 1):
        words = line.split()
        if words and words[0][0] != "c":
            reader.take(words, number)
    kind = kind_of(source)
    graph = reader.graph(weighted=kind != "coloring")
    return make_instance(source, kind, graph)


def kind_of(source: Source) -> str:
    """The kind asked for, else that of the extension (``.col.b`` counts as ``.col``); E118 if neither says."""
    name = source.path.lower().removesuffix(".gz").removesuffix(".b")
    kind = source.options.kind or next((kind for end, kind in BY_EXTENSION.items() if name.endswith(end)), None)
    if kind not in KINDS:
        raise source.error(
            "E118", 0, "the file holds a graph, but nothing says what to look for in it",
            "one of the problems " + ", ".join(KINDS), "Name it with --problem.",
        )  # fmt: skip
    return kind


def make_instance(source: Source, kind: str, graph: Graph) -> Instance:
    """The instance of ``kind`` on ``graph``, named after the file."""
    name = source.stem.removesuffix(".b").removesuffix(".col").removesuffix(".clq")
    made: Instance = KINDS[kind](name=name, graph=graph)
    return made


def limit_nodes(source: Source, nodes: int, line: int) -> None:
    """Refuse a number of vertices that would take much memory for a short file."""
    if nodes > FREE_NODES:
        source.room(nodes, line, "vertices", characters=1)


class _Reader:
    """Collects the lines of a file as text, so that the numbers are converted in one go."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.header: list[str] = []
        self.line = 0
        self.nodes = self.declared = 0
        self.ends: list[str] = []
        self.edge_lines: list[int] = []
        self.block: tuple[Ints, int] | None = None
        self.weights: dict[int, int] = {}
        self.first_weight = 0

    def take_edges(self, body: int) -> bool:
        """Take the lines from index ``body`` on in one go, if they are plain edges to the end of the file."""
        lines = self.source.lines[body:]
        while lines and not lines[-1].strip():
            lines.pop()
        text = "\n".join(lines)
        if not lines or text.count("e ") != len(lines) or not all(line.startswith("e ") for line in lines):
            return False
        pairs = plain_pairs(text.replace("e ", ""), len(lines))
        if pairs is not None:
            self.block = pairs, body + 1
        return pairs is not None

    def edge_line(self, i: int) -> int:
        """The line of edge ``i``."""
        early = len(self.edge_lines)
        return self.edge_lines[i] if self.block is None or i < early else self.block[1] + i - early

    def take(self, words: list[str], line: int) -> None:
        head = words[0]
        if head == "e":
            if len(words) != 3:
                raise self.source.error("E123", line, f"{' '.join(words)[:40]!r}", "e followed by two vertices")
            self._after_header("an edge", line)
            self.ends += words[1:]
            self.edge_lines.append(line)
        elif head == "p":
            self._problem(words, line)
        elif head == "n":
            self._weight(words, line)
        elif head.isdigit() and len(words) == 1 and not self.header and self.source.suffix == ".b":
            raise self.source.error(
                "E119", line, "a graph in the binary DIMACS format", "its ASCII form", "Convert it with bin2asc."
            )
        elif head not in _IGNORED:
            self.source.defect("E112", line, f"a line that begins with {head[:20]!r}", "c, p, n or e")

    def _after_header(self, what: str, line: int) -> None:
        if not self.header:
            raise self.source.error("E118", line, f"{what} before the line 'p edge N M'")

    def _problem(self, words: list[str], line: int) -> None:
        if self.header:
            raise self.source.error("E116", line, f"a second p line, the first is line {self.line}")
        if len(words) not in (4, 5):
            raise self.source.error("E123", line, f"{' '.join(words)[:40]!r}", "p edge N M")
        if words[1] not in WORDS:
            raise self.source.error("E119", line, f"a problem of type {words[1][:20]!r}", ", ".join(WORDS))
        self.nodes = self.source.whole(words[2], line, "the number of vertices", 1, MAX_NODES)
        self.declared = self.source.whole(words[3], line, "the number of edges", 0)
        if len(words) == 5:  # the number of colours known
            self.source.whole(words[4], line, "the fourth number of the p line", 0)
        limit_nodes(self.source, self.nodes, line)
        self.header, self.line = words, line

    def _weight(self, words: list[str], line: int) -> None:
        if len(words) != 3:
            raise self.source.error("E123", line, f"{' '.join(words)[:40]!r}", "n followed by a vertex and its weight")
        self._after_header("a weight", line)
        v = self.vertex(words[1], line)
        if v in self.weights:
            raise self.source.error("E116", line, f"a second weight for vertex {v + 1}")
        self.weights[v] = self.source.whole(words[2], line, "a weight", 0, 2**62)
        self.first_weight = self.first_weight or line

    def vertex(self, word: str, line: int) -> int:
        v = self.source.whole(word, line, "a vertex")
        if not 1 <= v <= self.nodes:
            raise self.source.error("E117", line, f"vertex {word[:20]}", f"a vertex from 1 to {self.nodes}")
        return v - 1

    def graph(self, weighted: bool) -> Graph:
        source = self.source
        if not self.header:
            raise source.error("E118", self.block[1] if self.block else 0, "there is no line 'p edge N M'")
        edges = self._edges()
        loops = edges[:, 0] == edges[:, 1]
        if loops.any():
            line = self.edge_line(int(np.argmax(loops)))
            source.warn("E120", line, f"{int(loops.sum())} edges join a vertex to itself and are dropped")
        weights = None
        if self.weights and not weighted:
            source.warn("E119", self.first_weight, "vertex weights mean nothing to colouring and are dropped")
        elif self.weights:
            weights = self._all_weights()
        try:
            graph = Graph(nodes=self.nodes, edges=edges[~loops], weights=weights)
        except InputError as error:
            raise source.error(error.code, self.line, error.found, error.expected) from None
        declared, found, kept = self.declared, len(edges), len(graph.edges)
        # Once or in both directions, under a header of either count: all four occur in the collections.
        if declared not in (found, kept, 2 * kept):
            source.warn("E115", self.line, f"{declared} edges declared, {kept} different ones found")
        return graph

    def _all_weights(self) -> Ints:
        if len(self.weights) < self.nodes:
            v = next(v for v in range(self.nodes) if v not in self.weights)
            count = self.nodes - len(self.weights)
            text = f"{count} vertices have no n line, the first is {v + 1}; their weight is 1"
            self.source.warn("E118", self.first_weight, text)
        values = np.ones(self.nodes, dtype=np.int64)
        values[list(self.weights)] = list(self.weights.values())
        return values

    def _edges(self) -> Ints:
        values = whole_block(self.ends)
        if values is None:  # such as 3.0
            numbers = [
                self.source.whole(word, self.edge_lines[i // 2], "a vertex") for i, word in enumerate(self.ends)
            ]
            limit = np.iinfo(np.int64)
            values = np.array([min(max(v, limit.min), limit.max) for v in numbers], dtype=np.int64)
        pairs = values.reshape(-1, 2)
        if self.block is not None:
            pairs = np.concatenate((pairs, self.block[0]))
        outside = (pairs < 1) | (pairs > self.nodes)
        if outside.any():
            row = int(np.argmax(outside.any(axis=1)))
            vertex = pairs[row][outside[row]][0]
            raise self.source.error(
                "E117", self.edge_line(row), f"vertex {vertex}", f"a vertex from 1 to {self.nodes}"
            )
        return pairs - 1


def plain_pairs(text: str, rows: int) -> Ints | None:
    """``rows`` lines of two plain whole numbers each as ``int64[rows, 2]``; ``None`` if there is anything else."""
    raw = np.frombuffer(text.encode("utf-8"), dtype=np.uint8)
    digit = (raw >= 48) & (raw <= 57)
    newline = raw == 10
    if not (digit | newline | (raw == 32) | (raw == 9)).all() or int(newline.sum()) != rows - 1:
        return None
    first = digit.copy()
    first[1:] &= ~digit[:-1]
    starts = np.concatenate(([0], np.flatnonzero(newline) + 1))
    if starts[-1] == len(raw):  # the last line is empty
        return None
    if not (np.add.reduceat(first.astype(np.int64), starts) == 2).all():
        return None
    values = whole_block([text], 2 * rows)
    return None if values is None else values.reshape(rows, 2)


def whole_block(words: list[str], count: int | None = None) -> Ints | None:
    """Words, or ``count`` numbers in longer texts, as ``int64``; ``None`` if one is not a plain whole number."""
    if not words:
        return np.zeros(0, dtype=np.int64)
    try:
        values: Ints = np.fromstring(" ".join(words), dtype=np.int64, sep=" ")
    except ValueError:
        return None
    return values if values.size == (len(words) if count is None else count) else None


def _looks_like(source: Source) -> bool:
    """Whether the first line that is no comment is a p line of a graph (or the length that opens a binary file)."""
    for line in source.lines:
        words = line.split(None, 4)
        if not words or words[0][0] == "c":
            continue
        if words[0] != "p":
            return False
        return len(words) >= 4 and words[1] in WORDS and words[2].isdigit()
    return False


def write(instance: Instance) -> str:
    assert isinstance(instance, (Mis, Clique, Coloring))
    graph = instance.graph
    lines = [f"c {' '.join(instance.name.split())}", f"p edge {graph.nodes} {len(graph.edges)}"]
    if graph.weights is not None:
        lines += [f"n {v} {w}" for v, w in enumerate(graph.weights.tolist(), 1)]
    lines += [f"e {u} {v}" for u, v in (graph.edges + 1).tolist()]
    return "\n".join(lines) + "\n"


DIMACS_GRAPH = Format(
    name="dimacs_graph",
    title="DIMACS graphs (.col, .clq, .mis)",
    extensions=(".clq", ".col", ".mis", ".b"),
    kinds=("clique", "coloring", "mis"),
    sniff=_looks_like,
    read=read,
    write=write,
)
