"""Taillard's (1993) own format of job shops: a block of durations and a block of machines, counted from 1.

::

    Nb of jobs, Nb of Machines, Time seed, Machine seed, Upper bound, Lower bound
     15  15  840612802  398197754  1231  1005
    Times
     94 66 10 ...
    Machines
      7 13  5 ...

A file may hold several instances.  Some collections leave all words out, so that after ``n m`` there are ``n`` lines
of durations and ``n`` of machines.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from combopt.errors import InputError
from combopt.instances.formats.base import Format
from combopt.instances.formats.jobshop import is_comment
from combopt.instances.formats.stream import choose, placed
from combopt.instances.jobshop import JobShop
from combopt.instances.text import Source
from combopt.model import Instance, Ints

_TIMES = re.compile(r"\s*(durations?|(processing\s+)?times?)\s*:?\s*\Z", re.IGNORECASE)
_MACHINES = re.compile(r"\s*(machines?|machine\s+(orders?|sequences?))\s*:?\s*\Z", re.IGNORECASE)
_HEADER = re.compile(r"\s*(nb|number|nr|no\.?|#)\s*(of\s+)?jobs\b.*machines", re.IGNORECASE)
_OPEN_SHOP = re.compile(r"\s*processing", re.IGNORECASE)


@dataclass
class Block:
    """One instance of a file: the lines of its counts, and first and last line of both tables (0: not met yet)."""

    counts: int = 0
    times: int = 0
    times_end: int = 0
    machines: int = 0
    machines_end: int = 0


def read(source: Source) -> Instance:
    lines = [(n, text) for n, text in enumerate(source.lines, 1) if text.strip() and not is_comment(text)]
    blocks = _blocks(source, lines) if any(_word(text) for _, text in lines) else [_bare(source, lines)]
    chosen = choose(source, [""] * len(blocks))
    name = source.stem if len(blocks) == 1 else f"{source.stem}_{chosen + 1}"
    return _read_block(source, blocks[chosen], name)


def _word(text: str) -> bool:
    return text.lstrip()[:1].isalpha() or bool(_HEADER.match(text))


def _blocks(source: Source, lines: list[tuple[int, str]]) -> list[Block]:
    blocks: list[Block] = []
    table = ""
    for number, text in lines:
        if _HEADER.match(text):
            blocks.append(Block())
            table = ""
        elif _TIMES.match(text) or _MACHINES.match(text):
            table = "times" if _TIMES.match(text) else "machines"
            _open(source, blocks, table, number, text)
        elif _word(text):
            raise source.error("E112", number, f"{text.strip()[:40]!r}", "Times, Machines, or Nb of jobs, ...")
        elif table:
            setattr(blocks[-1], f"{table}_end", number)
        elif blocks and blocks[-1].counts:
            raise source.error("E123", number, f"{text.strip()[:40]!r}", "the line Times")
        elif blocks:
            blocks[-1].counts = number
        else:
            blocks.append(Block(counts=number))
    return blocks


def _open(source: Source, blocks: list[Block], table: str, number: int, text: str) -> None:
    """Note where a table begins."""
    if not blocks or not blocks[-1].counts:
        raise source.error("E118", number, f"{text.strip()[:40]!r} before the counts", "a line: jobs machines ...")
    if getattr(blocks[-1], table):
        raise source.error("E116", number, f"{table} are given twice", "one block of each")
    if _OPEN_SHOP.match(text):
        found = "'processing times', the heading of Taillard's open and flow shops"
        source.defect("E119", number, found, "Times, the heading of his job shops")
    setattr(blocks[-1], table, number + 1)
    setattr(blocks[-1], f"{table}_end", number)


def _bare(source: Source, lines: list[tuple[int, str]]) -> Block:
    """The block of a file without words, in which every job has a line of durations and one of machines."""
    if not lines:
        raise source.error("E118", 0, "the file holds no numbers", "a line: jobs machines ...")
    counts = lines[0][0]
    jobs, _ = _counts(source, counts)
    if len(lines) != 1 + 2 * jobs:
        found = f"{len(lines) - 1} lines after the counts"
        raise source.error("E115", lines[-1][0], found, f"{jobs} lines of durations and {jobs} of machines")
    return Block(counts, lines[1][0], lines[jobs][0], lines[jobs + 1][0], lines[-1][0])


def _counts(source: Source, line: int) -> tuple[int, int]:
    tokens = source.lines[line - 1].split()
    if not 2 <= len(tokens) <= 6:
        raise source.error("E123", line, f"{len(tokens)} numbers", "jobs machines [seeds and bounds]")
    for token in tokens[2:]:
        source.real(token, line, "a seed or bound")
    jobs = source.whole(tokens[0], line, "the number of jobs", 1, 2**31)
    machines = source.whole(tokens[1], line, "the number of machines", 1, 2**31)
    source.room(2 * jobs * machines, line, "numbers", characters=1)
    return jobs, machines


def _read_block(source: Source, block: Block, name: str) -> JobShop:
    if not block.counts:
        raise source.error("E118", 0, "the numbers of jobs and machines are missing")
    jobs, machines = _counts(source, block.counts)
    for table in ("times", "machines"):
        if not getattr(block, table):
            raise source.error("E118", 0, f"the block {table.capitalize()} is missing")
    duration = _table(source, block.times, block.times_end, jobs, machines, "a duration")
    machine = _table(source, block.machines, block.machines_end, jobs, machines, "a machine")
    _check_values(source, block, duration, machine)
    try:
        return JobShop(name=name, machine=machine - 1, duration=duration, machines=machines)
    except InputError as error:
        raise placed(source, error, block.counts) from None


def _table(source: Source, first: int, last: int, jobs: int, machines: int, what: str) -> Ints:
    values = source.wholes(first, last, what)
    if values.size != jobs * machines:
        rows = [n for n in range(first, last + 1) if source.lines[n - 1].strip()]
        if len(rows) == jobs:
            bad = next((n for n in rows if len(source.lines[n - 1].split()) != machines), rows[0])
            count = len(source.lines[bad - 1].split())
            raise source.error("E115", bad, f"{count} numbers", f"{machines} numbers in this line")
        code = "E111" if values.size < jobs * machines else "E115"
        found = f"{values.size} numbers up to here"
        raise source.error(code, last, found, f"{jobs * machines} numbers, one line for each job")
    return values.reshape(jobs, machines)


def _check_values(source: Source, block: Block, duration: Ints, machine: Ints) -> None:
    machines = machine.shape[1]
    for index in np.flatnonzero(duration < 0)[:1].tolist():
        line = source.line_of_token(index, block.times, block.times_end)
        raise source.error("E114", line, f"a duration of {duration.flat[index]}", "0 or more")
    for index in np.flatnonzero((machine < 1) | (machine > machines))[:1].tolist():
        line = source.line_of_token(index, block.machines, block.machines_end)
        remedy = "Machines count from 1 in this format." if machine.min() == 0 else ""
        found = f"machine {machine.flat[index]} of job {index // machines + 1}"
        raise source.error("E117", line, found, f"a machine from 1 to {machines}", remedy)
    for job in np.flatnonzero((np.diff(np.sort(machine, axis=1), axis=1) == 0).any(axis=1))[:1].tolist():
        line = source.line_of_token(job * machines, block.machines, block.machines_end)
        source.defect("E116", line, f"job {job + 1} visits a machine twice", "every machine once")


def sniff(source: Source) -> bool:
    """Whether the headings are those of Taillard's job shops, or there are two tables, the second of machines."""
    words = [line for line in source.lines[:2000] if _word(line)]
    if words:
        tables = [w for w in words if _TIMES.match(w) or _MACHINES.match(w)]
        if not tables or any(_OPEN_SHOP.match(w) for w in tables) or any(_MACHINES.match(w) for w in tables[:1]):
            return False
        others = [w for w in words if not (_TIMES.match(w) or _MACHINES.match(w))]
        return bool(_HEADER.match(words[0]) or not others) and all(_HEADER.match(w) for w in others)
    return _two_tables(source)


def _two_tables(source: Source) -> bool:
    rows = [line.split() for line in source.lines if line.strip() and not is_comment(line)]
    if len(rows) < 5 or len(rows) % 2 == 0 or len(rows[0]) != 2:
        return False
    try:
        jobs, machines = (int(token) for token in rows[0])
        if len(rows) != 1 + 2 * jobs or machines < 2 or any(len(row) != machines for row in rows[1:]):
            return False
        return all(sorted(map(int, row)) == list(range(1, machines + 1)) for row in rows[1 + jobs :])
    except ValueError:
        return False


TAILLARD_JOBSHOP = Format(
    name="taillard_jobshop",
    title="Taillard's job shops: blocks of times and machines",
    extensions=(".txt",),
    kinds=("jobshop",),
    sniff=sniff,
    read=read,
)
