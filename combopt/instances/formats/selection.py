"""Chosen items or columns, as a list of numbers from 1 or as a vector of zeros and ones.

A line ``objective v`` may come first; lines that begin with ``#`` say nothing.  A file with as many numbers as there
are items, all of them 0 or 1, is a vector; anything else is a list.  The two never mean different things: such a list
would name item 1 several times, or item 0.
"""

from __future__ import annotations

import numpy as np

from combopt.instances.formats.base import SolutionFormat
from combopt.instances.formats.stream import digits, wrapped
from combopt.instances.knapsack import Knapsack
from combopt.instances.mkp import Mkp
from combopt.instances.setcover import SetCover
from combopt.instances.solutions import Selection
from combopt.instances.text import Source
from combopt.model import Instance, Ints, Solution

Token = tuple[str, int]
"""A word and its line."""


def body(source: Source) -> tuple[list[list[Token]], str | None, int]:
    """The lines with words, comments left out, and what follows ``objective`` with its line."""
    lines: list[list[Token]] = []
    objective: str | None = None
    where = 0
    for number, text in enumerate(source.lines, 1):
        words = text.partition("#")[0].split()
        if words and words[0].lower().rstrip(":=") == "objective":
            value = words[-1] if len(words) in (2, 3) else ""
            if lines or objective is not None:
                raise source.error("E116", number, "a line 'objective' after the first", "one, before the items")
            if len(words) == 3 and words[1] not in (":", "="):
                value = ""
            source.real(value, number, "the objective")
            objective, where = value, number
        elif words:
            lines.append([(word, number) for word in words])
    return lines, objective, where


def looks_numeric(source: Source) -> bool:
    """Whether there is nothing but whole numbers, comments and a line ``objective``."""
    for text in source.lines:
        words = text.partition("#")[0].split()
        if words and words[0].lower().rstrip(":=") == "objective":
            continue
        if not all(digits(word.lstrip("+-")) for word in words):
            return False
    return True


def claim(source: Source) -> float | None:
    """What the line ``objective`` says."""
    objective = body(source)[1]
    return None if objective is None else float(objective)


def count(instance: Instance) -> int:
    """How many items there are to choose from."""
    if isinstance(instance, SetCover):
        return instance.columns
    assert isinstance(instance, (Knapsack, Mkp))
    return instance.items


def read(source: Source, instance: Instance) -> Solution:
    lines, objective, _ = body(source)
    tokens = [token for line in lines for token in line]
    if not tokens and objective is None:
        raise source.error("E118", 0, "no items are named", "a line 'objective 0' for an empty selection")
    n = count(instance)
    values = np.array([source.whole(w, line, "an item", -(2**62), 2**62) for w, line in tokens], dtype=np.int64)
    if len(values) == n and ((values == 0) | (values == 1)).all():
        return Selection(np.flatnonzero(values))
    _check_range(source, tokens, values, n)
    return Selection(values - 1)


def _check_range(source: Source, tokens: list[Token], values: Ints, n: int) -> None:
    wrong = np.flatnonzero((values < 1) | (values > n))
    if wrong.size:
        word, line = tokens[int(wrong[0])]
        if ((values == 0) | (values == 1)).all() and len(values) > 1:
            raise source.error("E115", line, f"a vector of {len(values)} zeros and ones", f"{n} of them")
        raise source.error("E117", line, f"item {word[:40]}", f"items count from 1 to {n}")


def write(solution: Solution, instance: Instance) -> str:
    """The objective, then the items from 1."""
    assert isinstance(solution, Selection)
    lines = [f"objective {instance.evaluate(solution).objective}"]
    return "\n".join(lines + wrapped([str(i + 1) for i in solution.items.tolist()], 20)) + "\n"


SELECTION = SolutionFormat(
    name="selection",
    title="chosen items, numbered from 1, or a vector of zeros and ones",
    extensions=(".sol", ".txt"),
    kinds=("knapsack", "mkp", "setcover"),
    sniff=looks_numeric,
    read=read,
    write=write,
    claim=claim,
)
