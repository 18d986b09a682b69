"""Colourings: a colour for every vertex in turn, or DIMACS lines ``l vertex colour`` under ``s col k``."""

from __future__ import annotations

import re

import numpy as np

from combopt.instances.coloring import Coloring
from combopt.instances.formats.base import SolutionFormat
from combopt.instances.solutions import Assignment
from combopt.instances.text import Source
from combopt.model import Instance, Ints, Solution

_CLAIM = re.compile(r"^[ \t]*s[ \t]+col[ \t]+([0-9]{1,18})[ \t]*$", re.MULTILINE)
_SHAPE = re.compile(r"\s*(?:[csl]\b|#|[+-]?\d+(?:\.0*)?(?:\s|$)|$)")
_LARGEST = 2**62


def read(source: Source, instance: Instance) -> Solution:
    """Colours as they are if 0 is among them, else lowered by 1 (colours of files count from 1 as a rule)."""
    assert isinstance(instance, Coloring)
    labels: list[tuple[list[str], int]] = []
    plain: list[tuple[str, int]] = []
    stated = 0
    for number, line in enumerate(source.lines, 1):
        words = line.split()
        if not words or words[0] == "c" or words[0].startswith("#"):
            continue
        if words[0] == "s":
            if stated:
                raise source.error("E116", number, f"a second s line, the first is line {stated}")
            if not _CLAIM.match(line):
                raise source.error("E123", number, f"{line.strip()[:40]!r}", "s col COLOURS")
            stated = number
        elif words[0] == "l":
            labels.append((words[1:], number))
        else:
            plain += [(word, number) for word in words]
    if labels and plain:
        at = max(labels[0][1], plain[0][1])
        raise source.error("E123", at, "colours with and without a leading l in one file", "one of the two")
    nodes = instance.graph.nodes
    colours = _labelled(source, labels, nodes) if labels else _listed(source, plain, nodes)
    return Assignment(colours - min(1, int(colours.min())))


def _listed(source: Source, plain: list[tuple[str, int]], nodes: int) -> Ints:
    if not plain:
        raise source.error("E111", 0, "there is no colour in the file", "a colour for every vertex")
    values = [source.whole(word, line, "a colour", 0, _LARGEST) for word, line in plain]
    if len(values) != nodes:
        line = plain[nodes][1] if len(values) > nodes else plain[-1][1]
        raise source.error("E115", line, f"{len(values)} colours", f"{nodes} colours, one for every vertex")
    return np.array(values, dtype=np.int64)


def _labelled(source: Source, labels: list[tuple[list[str], int]], nodes: int) -> Ints:
    colours = np.full(nodes, -1, dtype=np.int64)
    for words, line in labels:
        if len(words) != 2:
            raise source.error("E123", line, f"{' '.join(['l', *words])[:40]!r}", "l VERTEX COLOUR")
        vertex = source.whole(words[0], line, "a vertex")
        if not 1 <= vertex <= nodes:
            raise source.error("E117", line, f"vertex {words[0][:20]}", f"a vertex from 1 to {nodes}")
        if colours[vertex - 1] >= 0:
            raise source.error("E116", line, f"a second colour for vertex {vertex}")
        colours[vertex - 1] = source.whole(words[1], line, "a colour", 0, _LARGEST)
    missing = np.flatnonzero(colours < 0)
    if len(missing):
        text = f"{len(missing)} vertices have no colour, the first is {missing[0] + 1}"
        raise source.error("E118", labels[-1][1], text, f"{nodes} lines l VERTEX COLOUR")
    return colours


def write(solution: Solution, instance: Instance) -> str:
    assert isinstance(solution, Assignment)
    value = instance.evaluate(solution).objective
    lines = [f"c {' '.join(instance.name.split())}", f"s col {value}"]
    return "\n".join([*lines, *(f"l {v} {c + 1}" for v, c in enumerate(solution.groups.tolist(), 1))]) + "\n"


def claim(source: Source) -> float | None:
    match = _CLAIM.search(source.text)
    return float(match[1]) if match else None


COLORS = SolutionFormat(
    name="colors",
    title="a colour for every vertex",
    extensions=(".colors", ".sol", ".txt"),
    kinds=("coloring",),
    sniff=lambda source: all(_SHAPE.match(line) for line in source.lines[:50]),
    read=read,
    write=write,
    claim=claim,
)
