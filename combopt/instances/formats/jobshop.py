"""The standard job shop format: ``n m``, then for each job its ``m`` pairs machine (from 0) and duration.

JSPLIB's files begin with ``#`` comments; the OR-Library keeps 82 instances in one file, each under a line
``instance NAME`` between lines of ``+``.  A job has one line as a rule, but only the order of the numbers counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from combopt.errors import InputError, UsageError
from combopt.instances.formats.base import Format
from combopt.instances.formats.stream import choose, placed
from combopt.instances.jobshop import JobShop
from combopt.instances.text import Source
from combopt.model import Instance, Ints

_HEADING = re.compile(r"\s*instance\s+(\S+)\s*\Z", re.IGNORECASE)
_NUMBER = re.compile(r"\s*[+-]?\.?\d")
_ROWS_TO_SNIFF, _LINES_TO_HEADING = 20, 200


@dataclass
class Block:
    """One instance of a file: its name, and the numbers of its lines with data."""

    name: str
    lines: list[int] = field(default_factory=list)


def read(source: Source) -> Instance:
    blocks = _blocks(source)
    chosen = choose(source, [block.name for block in blocks])
    return _read_block(source, blocks[chosen])


def _blocks(source: Source) -> list[Block]:
    named = [(n, m[1]) for n, m in ((n, _HEADING.match(text)) for n, text in enumerate(source.lines, 1)) if m]
    blocks = [Block(name) for _, name in named] or [Block(source.stem)]
    begins = [n for n, _ in named] or [0]
    bounds = [*begins[1:], len(source.lines) + 1]
    for block, first, last in zip(blocks, begins, bounds, strict=True):
        for number in range(first + 1, last):
            text = source.lines[number - 1]
            if not text.strip() or is_comment(text):
                continue
            # Between the heading and the numbers the OR-Library describes the instance in words.
            if named and not block.lines and not _NUMBER.match(text):
                continue
            block.lines.append(number)
    return blocks


def is_comment(line: str) -> bool:
    """Whether a line begins with ``#``, or with a ``+`` that is no sign."""
    text = line.lstrip()
    return text.startswith("#") or (text.startswith("+") and not text[1:2].isdigit())


def _read_block(source: Source, block: Block) -> JobShop:
    if not block.lines:
        raise source.error("E118", 0, f"there are no numbers for {block.name}", "a line: jobs machines")
    table = _Table(source, block.lines)
    head = block.lines[0]
    if len(table.values) < 2:
        raise source.error("E111", head, "the file ends before the number of machines", "jobs machines")
    jobs, machines = table.values[:2].tolist()
    if jobs < 1 or machines < 1:
        raise source.error("E114", head, f"{jobs} jobs on {machines} machines", "at least 1 of each")
    source.room(2 * jobs * machines, head, "numbers", characters=1)
    table.expect_rows(jobs, 2 * machines)
    pairs = table.values[2 : 2 + 2 * jobs * machines].reshape(jobs, machines, 2)
    table.check(pairs[:, :, 0], pairs[:, :, 1], machines)
    try:
        return JobShop(name=block.name, machine=pairs[:, :, 0], duration=pairs[:, :, 1], machines=machines)
    except InputError as error:
        raise placed(source, error, head) from None


class _Table:
    """The numbers of one instance, and the lines they come from."""

    def __init__(self, source: Source, lines: list[int]) -> None:
        self.source, self.lines = source, lines
        parts = [source.wholes(first, last, "a machine or duration") for first, last in _runs(lines)]
        self.values: Ints = np.concatenate(parts)

    def line(self, index: int) -> int:
        """The line of the ``index``-th number; the last one if there are fewer."""
        for number in self.lines:
            index -= len(self.source.lines[number - 1].split())
            if index < 0:
                return number
        return self.lines[-1]

    def expect_rows(self, jobs: int, width: int) -> None:
        """Raise unless there are ``jobs`` times ``width`` numbers after the header; name the line at fault."""
        found, wanted = len(self.values) - 2, jobs * width
        if found == wanted:
            return
        if len(self.lines) == jobs + 1:
            for number in self.lines:
                count = len(self.source.lines[number - 1].split())
                expected = 2 if number == self.lines[0] else width
                if count != expected:
                    raise self.source.error("E115", number, f"{count} numbers", f"{expected} numbers in this line")
        if found < wanted:
            raise self.source.error("E111", self.lines[-1], f"{found} numbers after the header", f"{wanted} numbers")
        self.source.defect("E122", self.line(2 + wanted), "there is data after the last job", f"{wanted} numbers")

    def check(self, machine: Ints, duration: Ints, machines: int) -> None:
        """Raise for the first machine or duration out of range; a machine visited twice is a harmless defect."""
        width = machine.shape[1]
        for job, step in np.argwhere((machine < 0) | (machine >= machines))[:1].tolist():
            remedy = "Machines count from 0 in this format." if machine.min() == 1 else ""
            where = self.line(2 + 2 * (job * width + step))
            found = f"machine {machine[job, step]} in job {job + 1}"
            raise self.source.error("E117", where, found, f"a machine from 0 to {machines - 1}", remedy)
        for job, step in np.argwhere(duration < 0)[:1].tolist():
            where = self.line(3 + 2 * (job * width + step))
            raise self.source.error("E114", where, f"a duration of {duration[job, step]}", "0 or more")
        twice = np.argwhere(np.diff(np.sort(machine, axis=1), axis=1) == 0)
        for job, _ in twice[:1].tolist():
            row = machine[job].tolist()
            step = next(s for s in range(width) if row[s] in row[:s])
            where = self.line(2 + 2 * (job * width + step))
            expected = "every machine once; JSON and .fjs files can hold more general job shops"
            self.source.defect("E116", where, f"job {job + 1} visits machine {row[step]} twice", expected)


def _runs(lines: list[int]) -> Iterator[tuple[int, int]]:
    """First and last of each stretch of consecutive line numbers."""
    first = previous = lines[0]
    for number in [*lines[1:], -1]:
        if number != previous + 1:
            yield first, previous
            first = number
        previous = number


def sniff(source: Source) -> bool:
    """Whether there is a header ``n m`` with jobs after it that visit machines 0..m-1 once each."""
    if any(_HEADING.match(line) for line in source.lines[:_LINES_TO_HEADING]):
        return "+++" in source.text
    rows: list[list[str]] = []
    for line in source.lines:
        if line.strip() and not is_comment(line):
            rows.append(line.split())
            if len(rows) > _ROWS_TO_SNIFF:
                break
    if not rows or len(rows[0]) != 2 or not all(_is_count(token) for token in rows[0]):
        return False
    jobs, machines = (int(token) for token in rows[0])
    visits = [row[0::2] for row in rows[1:]]
    once = sum(len(row) == 2 * machines and _is_permutation(v) for row, v in zip(rows[1:], visits, strict=True))
    if machines >= 3 and once >= 2 and once > len(visits) / 2:
        return True
    return _exact(source, jobs, machines)


def _exact(source: Source, jobs: int, machines: int) -> bool:
    """The strict test for tiny instances, and those whose lines are broken elsewhere than between jobs."""
    if 2 + 2 * jobs * machines > len(source.text):
        return False
    tokens = [t for line in source.lines if not is_comment(line) for t in line.split()]
    if len(tokens) != 2 + 2 * jobs * machines or jobs * machines == 0:
        return False
    if not all(_is_count(token) for token in tokens[:10_000]):
        return False
    width = 2 * machines
    few = min(jobs, max(1, 5_000 // width))
    return all(_is_permutation(tokens[2 + j * width : 2 + (j + 1) * width : 2]) for j in range(few))


def _is_count(token: str) -> bool:
    return token.isascii() and token.isdigit() and len(token) < 10


def _is_permutation(tokens: list[str]) -> bool:
    return all(_is_count(t) for t in tokens) and sorted(int(t) for t in tokens) == list(range(len(tokens)))


def write(instance: Instance) -> str:
    """The format holds job shops in which every job visits every machine once.

    Raises
    ------
    UsageError
        For any other job shop.
    """
    assert isinstance(instance, JobShop)
    every = np.arange(instance.machines)
    if instance.machine.shape[1] != instance.machines or (np.sort(instance.machine, axis=1) != every).any():
        raise UsageError(
            "E201", "the standard format holds job shops whose jobs visit every machine once",
            remedy="Write it as .fjs or .json.",
        )  # fmt: skip
    pairs = np.stack((instance.machine, instance.duration), axis=2).reshape(instance.jobs, -1)
    rows = [" ".join(map(str, row)) for row in pairs.tolist()]
    return "\n".join([f"{instance.jobs} {instance.machines}", *rows]) + "\n"


JOBSHOP = Format(
    name="jobshop",
    title="standard job shop (OR-Library, JSPLIB)",
    extensions=(".txt", ".jsp"),
    kinds=("jobshop",),
    sniff=sniff,
    read=read,
    write=write,
)
