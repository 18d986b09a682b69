"""Selections of vertices: ids counted from 1 in any layout, or DIMACS lines ``v id`` under ``s NAME VALUE``."""

from __future__ import annotations

import re

import numpy as np

from combopt.instances.clique import Clique
from combopt.instances.formats.base import SolutionFormat
from combopt.instances.mis import Mis
from combopt.instances.solutions import Selection
from combopt.instances.text import Source
from combopt.model import Instance, Solution

_CLAIM = re.compile(r"^[ \t]*s(?:[ \t]+[A-Za-z_]\w*)?[ \t]+([0-9]{1,18})[ \t]*$", re.MULTILINE)
_SHAPE = re.compile(r"\s*(?:[csv]\b|#|[+-]?\d+(?:\.0*)?(?:\s|$)|$)")


def read(source: Source, instance: Instance) -> Solution:
    """All ids of the file, repeated ones too; lines ``c`` and ``#`` are comments, ``s`` lines state the value."""
    assert isinstance(instance, (Mis, Clique))
    nodes = instance.graph.nodes
    items: list[int] = []
    style, stated, empty = "", 0, True
    for number, line in enumerate(source.lines, 1):
        words = line.split()
        if not words or words[0] == "c" or words[0].startswith("#"):
            continue
        if words[0] == "s":
            if stated:
                raise source.error("E116", number, f"a second s line, the first is line {stated}")
            if not _CLAIM.match(line):
                raise source.error("E123", number, f"{line.strip()[:40]!r}", "s NAME VALUE")
            stated, empty = number, False
            continue
        found = "v" if words[0] == "v" else "plain"
        if style not in ("", found):
            raise source.error("E123", number, "ids with and without a leading v in one file", "one of the two")
        style, empty = found, False
        for word in words[1:] if found == "v" else words:
            vertex = source.whole(word, number, "a vertex")
            if not 1 <= vertex <= nodes:
                raise source.error("E117", number, f"vertex {word[:20]}", f"a vertex from 1 to {nodes}")
            items.append(vertex - 1)
    if empty:
        raise source.error("E111", 0, "there is no vertex in the file", "ids from 1, or an s line")
    return Selection(np.array(items, dtype=np.int64))


def write(solution: Solution, instance: Instance) -> str:
    assert isinstance(solution, Selection)
    value = instance.evaluate(solution).objective
    lines = [f"c {' '.join(instance.name.split())}", f"s {instance.kind} {value}"]
    return "\n".join([*lines, *(f"v {v + 1}" for v in solution.items.tolist())]) + "\n"


def claim(source: Source) -> float | None:
    match = _CLAIM.search(source.text)
    return float(match[1]) if match else None


VERTICES = SolutionFormat(
    name="vertices",
    title="vertex ids from 1",
    extensions=(".vertices", ".sol", ".txt"),
    kinds=("mis", "clique"),
    sniff=lambda source: all(_SHAPE.match(line) for line in source.lines[:50]),
    read=read,
    write=write,
    claim=claim,
)
