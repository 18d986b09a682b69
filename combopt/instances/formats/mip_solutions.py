"""Solutions of mixed-integer programs, as solvers write them: values by name, those that are 0 left out as a rule.

All readers refuse unknown names and names that come twice; columns that are not named are 0.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import numpy as np

from combopt.errors import InputError
from combopt.instances.formats.base import SolutionFormat
from combopt.instances.formats.mps_write import number
from combopt.instances.mip import Mip
from combopt.instances.solutions import Point
from combopt.instances.text import Source
from combopt.model import Instance, Solution

_REAL = r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
_CLAIM = re.compile(rf"^(?:=obj=|#\s*Objective value\s*=|objective value:|Objective)\s+{_REAL}\s*$", re.MULTILINE)
_CBC = re.compile(rf"\s*[A-Z][A-Za-z ()]* - objective value\s+{_REAL}\s*$")
_GLPK = re.compile(r"^s\s+(mip|bas|ipt)\s+(\S+)\s+(\S+)\s+(.*)$", re.MULTILINE)


class _Values:
    """The values found so far."""

    def __init__(self, source: Source, instance: Instance) -> None:
        assert isinstance(instance, Mip)
        self.source, self.columns = source, instance.columns
        self.index = {name: column for column, name in enumerate(instance.columns)}
        self.seen: dict[int, int] = {}
        self.values = np.zeros(len(self.columns))

    def take(self, name: str, token: str, line: int) -> None:
        column = self.index.get(name)
        if column is None:
            raise self.source.error("E117", line, f"the program has no column {name[:60]!r}")
        self.take_at(column, token, line)

    def take_at(self, column: int, token: str, line: int) -> None:
        name = self.columns[column]
        if column in self.seen:
            raise self.source.error("E116", line, f"{name!r} comes twice, first in line {self.seen[column]}")
        self.seen[column] = line
        self.values[column] = self.source.real(token, line, f"the value of {name!r}")

    def take_line(self, text: str, line: int) -> None:
        """A line ``name value``; a name with blanks must be one of the program."""
        parts = text.rsplit(None, 1)
        if len(parts) != 2 or (parts[0] not in self.index and len(parts[0].split()) > 1):
            raise self.source.error("E123", line, f"{text.strip()[:60]!r}", "the name of a column and its value")
        self.take(parts[0].strip(), parts[1], line)

    def point(self) -> Point:
        return Point(self.columns, self.values)


def _lines(source: Source) -> Iterator[tuple[int, str]]:
    return ((number, line) for number, line in enumerate(source.lines, 1) if line.strip())


def _none_found(source: Source, line: int, words: str) -> InputError:
    return source.error("E118", line, f"the file holds no solution: {words.strip()[:60]!r}")


def _claim(source: Source) -> float | None:
    match = _CLAIM.search(source.text)
    return float(match[1]) if match else None


def read_values(source: Source, instance: Instance) -> Solution:
    """MIPLIB's ``=obj= value`` and lines ``name value``, Gurobi's with comments after ``#``, or the bare lines."""
    found = _Values(source, instance)
    for line, text in _lines(source):
        words = text.split()
        if words[0] == "=infeas=":
            raise _none_found(source, line, text)
        if words[0] == "=obj=":
            if len(words) != 2:
                raise source.error("E123", line, text.strip()[:60], "=obj= and a number")
            source.real(words[1], line, "the objective")
        elif words[0][0] != "#" or words[0] in found.index:
            found.take_line(text.strip(), line)
    return found.point()


def _sniff_values(source: Source) -> bool:
    stated = _CLAIM.search(source.text) is not None or "=infeas=" in source.text[:200]
    count = 0
    for _, text in _lines(source):
        words = text.split()
        if words[0][0] == "#" or words[0] in ("=obj=", "=infeas="):
            continue
        if len(words) != 2 or not re.match(_REAL + "$", words[1]) or (re.match(_REAL + "$", words[0]) and not stated):
            return False
        count += 1
        if count == 50:
            break
    return stated or count > 0


def write(solution: Solution, instance: Instance) -> str:
    """MIPLIB's format: ``=obj=`` and all values that are not 0, each as the shortest text that gives it back."""
    assert isinstance(solution, Point)
    objective = float(instance.evaluate(solution).objective)
    lines = [f"=obj= {number(objective)}"]
    pairs = zip(solution.names, solution.values.tolist(), strict=True)
    return "\n".join([*lines, *(f"{name} {number(value)}" for name, value in pairs if value)]) + "\n"


def read_scip(source: Source, instance: Instance) -> Solution:
    """SCIP's ``write solution``: status and objective, then ``name value (obj:coefficient)``."""
    found = _Values(source, instance)
    for line, text in _lines(source):
        if text.lower().startswith("no solution"):
            raise _none_found(source, line, text)
        if text.startswith(("solution status:", "objective value:", "#")):
            continue
        found.take_line(text.partition("(obj:")[0].rstrip(), line)
    return found.point()


def read_highs(source: Source, instance: Instance) -> Solution:
    """HiGHS's solution file of style 0; only the columns of the primal solution are looked at."""
    found = _Values(source, instance)
    primal, left = False, -1
    for line, text in _lines(source):
        words = text.split()
        if text.startswith("# Primal solution values"):
            primal = True
        elif primal and left < 0 and words[0] in ("None", "Infeasible"):
            # HiGHS marks a solution that breaks a row as Infeasible, and still lists it.
            if words[0] == "None":
                raise _none_found(source, line, text)
        elif primal and words[:2] == ["#", "Columns"]:
            left = source.whole(words[2] if len(words) > 2 else "", line, "the number of columns", 0)
        elif left > 0:
            if words[0] == "#":
                raise source.error("E115", line, f"{left} columns are missing before {text.strip()[:40]!r}")
            found.take_line(text.strip(), line)
            left -= 1
        elif left == 0:
            return found.point()
    if left > 0:
        raise source.error("E111", len(source.lines), f"the file ends {left} columns too early")
    if left < 0:
        raise source.error("E118", 0, "there are no primal values", "a line '# Columns n' and the values")
    return found.point()


def read_cbc(source: Source, instance: Instance) -> Solution:
    """CBC's solution file: a line of status, then ``index name value reduced-cost``, with ``**`` where it is
    infeasible."""
    found = _Values(source, instance)
    for position, (line, text) in enumerate(_lines(source)):
        if position == 0:
            if _CBC.match(text) is None:
                raise source.error(
                    "E123", line, f"{text.strip()[:60]!r}", "Optimal - objective value 1.5, or the like"
                )
            continue
        words = text.split()
        if words[0] == "**":
            words = words[1:]
        if len(words) != 4:
            raise source.error("E123", line, f"{text.strip()[:60]!r}", "index, name, value and reduced cost")
        source.whole(words[0], line, "the index of a column", 0)
        found.take(words[1], words[2], line)
    return found.point()


def _claim_cbc(source: Source) -> float | None:
    match = _CBC.match(next((text for _, text in _lines(source)), ""))
    return float(match[1]) if match else None


def read_glpk(source: Source, instance: Instance) -> Solution:
    """GLPK's ``glpsol -w``: ``j column value`` for a mixed-integer program, with more fields for a linear one;
    columns are counted from 1 in the order of the program."""
    found = _Values(source, instance)
    place = -1  # of the value in a line
    for line, text in _lines(source):
        words = text.split()
        if words[0] == "s":
            place = _glpk_header(source, words, line, len(found.columns))
        elif words[0] == "j":
            if place < 0 or len(words) <= place:
                raise source.error("E123", line, f"{text.strip()[:60]!r}", "a line s, then j, column and value")
            column = source.whole(words[1], line, "a column", 1, len(found.columns))
            found.take_at(column - 1, words[place], line)
        elif words[0] == "e":
            break
        elif words[0] not in ("c", "i"):
            raise source.error("E112", line, f"a line starting with {words[0][:20]!r}", "c, s, i, j or e")
    else:
        raise source.error("E111", len(source.lines), "the file ends without 'e o f'")
    return found.point()


def _glpk_header(source: Source, words: list[str], line: int, columns: int) -> int:
    """Where the values stand in the lines ``j``; checks the line ``s``."""
    if len(words) < 5 or words[1] not in ("mip", "bas", "ipt"):
        raise source.error("E123", line, " ".join(words)[:60], "s mip rows columns status objective")
    count = source.whole(words[3], line, "the number of columns", 0)
    if count != columns:
        raise source.error("E115", line, f"a solution for {count} columns", f"{columns} columns")
    status = words[4:6] if words[1] == "bas" else words[4:5]
    if any(word in ("u", "n") for word in status):
        raise _none_found(source, line, " ".join(words))
    return 3 if words[1] == "bas" else 2


def _claim_glpk(source: Source) -> float | None:
    match = _GLPK.search(source.text)
    last = match[4].split()[-1] if match and match[4].split() else ""
    return float(last) if re.match(_REAL + "$", last) else None


def _first_line(source: Source) -> str:
    return next((text for _, text in _lines(source)), "")


def _format(
    name: str,
    title: str,
    sniff: Callable[[Source], bool],
    read: Callable[[Source, Instance], Solution],
    claim: Callable[[Source], float | None] = _claim,
) -> SolutionFormat:
    return SolutionFormat(
        name=name, title=title, extensions=(".sol", ".txt"), kinds=("mip",), sniff=sniff, read=read, claim=claim
    )


MIPLIB = SolutionFormat(
    name="miplib",
    title="MIPLIB: =obj= and name value (also Gurobi's, and bare lines)",
    extensions=(".sol", ".mst", ".txt"),
    kinds=("mip",),
    sniff=_sniff_values,
    read=read_values,
    write=write,
    claim=_claim,
)
SCIP = _format(
    "scip", "SCIP solution",
    lambda source: _first_line(source).startswith(("solution status:", "objective value:", "no solution")), read_scip,
)  # fmt: skip
HIGHS = _format(
    "highs", "HiGHS solution, style 0",
    lambda source: "# Primal solution values" in source.text, read_highs,
)  # fmt: skip
CBC = _format(
    "cbc", "CBC solution", lambda source: _CBC.match(_first_line(source)) is not None, read_cbc, _claim_cbc
)  # fmt: skip
GLPK = _format(
    "glpk", "GLPK solution (glpsol -w)", lambda source: _GLPK.search(source.text) is not None, read_glpk, _claim_glpk
)  # fmt: skip
