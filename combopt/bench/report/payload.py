"""The data of the page: columns of all runs and their traces, packed so that 100,000 runs fit into a few megabytes.

A block is base64 of gzip of: the length of the head (4 bytes, little-endian), the head (JSON), the columns.  The
head lists the columns as ``[name, type, length, offset]``; types are those of :func:`_fitting`.  The bytes of a
column lie plane by plane (all lowest bytes first), which compresses better than number by number.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from combopt.bench.analysis import Analysis
from combopt.bench.store import Store
from combopt.model import Floats, Ints, Sense

Column = npt.NDArray[Any]

DIGEST = 12
"""Characters of a digest by which the page addresses an instance."""
LONGEST_MESSAGE = 2_000
ALL_MESSAGES = 1_000_000
"""Characters of messages in a page; beyond them runs that did not fail, and then all others, go without."""
TRACE_BYTES = 4_500_000
"""What traces may take of the file."""
MOST_POINTS, FEWEST_POINTS = 200, 5
"""Points of a trace; fewer than the second are not worth drawing."""


def pack(head: dict[str, Any], columns: dict[str, Column]) -> str:
    """A block for the page; integers are stored as narrow as they fit, floats as they are."""
    table, blocks, offset = [], [], 0
    for name, values in columns.items():
        fitted = _fitting(values)
        planes = fitted.view(np.uint8).reshape(len(fitted), fitted.itemsize).T.tobytes()
        table.append([name, fitted.dtype.str[1:], len(fitted), offset])
        blocks.append(planes)
        offset += len(planes)
    text = json.dumps({**head, "columns": table}, allow_nan=False, separators=(",", ":")).encode()
    data = b"".join([len(text).to_bytes(4, "little"), text, *blocks])
    return base64.b64encode(gzip.compress(data, 6, mtime=0)).decode()


def _fitting(values: Column) -> Column:
    """The column as ``u1``, ``u2``, ``u4``, ``i4``, ``f4`` or ``f8``; only integers beyond 2^53 lose digits."""
    if values.dtype.kind == "f":
        return np.ascontiguousarray(values, dtype="<f4" if values.itemsize == 4 else "<f8")
    low, high = (int(values.min()), int(values.max())) if values.size else (0, 0)
    for kind in ("<u1", "<u2", "<u4", "<i4"):
        limits = np.iinfo(kind)
        if limits.min <= low and high <= limits.max:
            return np.ascontiguousarray(values, dtype=kind)
    return np.ascontiguousarray(values, dtype="<f8")


@dataclass(frozen=True)
class Block:
    """A packed block, and what the page has to say about it."""

    text: str
    notes: tuple[str, ...] = ()


def runs_block(analysis: Analysis, stores: Sequence[Store]) -> Block:
    """All runs and all instances; objectives and bounds exactly, derived figures with 7 digits."""
    table = analysis.table
    kinds = table.kinds
    messages, message, notes = _messages(analysis, stores)
    references = table.references
    head = {
        "names": table.names,
        "digests": [row.digest[:DIGEST] for row in table.instances],
        "kinds": kinds,
        "sizes": [", ".join(f"{value} {key}" for key, value in row.size.items()) for row in table.instances],
        "conventions": [row.conventions for row in table.instances],
        "sources": ["" if r is None else r.source for r in references],
        "messages": messages,
    }
    columns: dict[str, Column] = {
        "kind": np.array([kinds.index(row.kind) for row in table.instances], dtype=np.int64),
        "maximise": np.array([row.sense is Sense.MAX for row in table.instances], dtype=np.int64),
        "best": analysis.best,
        "reference": np.array([np.nan if r is None else float(r.value) for r in references]),
        "proven": np.array([r is not None and r.proven for r in references], dtype=np.int64),
        "instance": table.instance,
        "configuration": table.configuration,
        "seed": table.seed,
        "status": table.status,
        "stopped": table.stopped,
        "failure": analysis.failures,
        "failed": analysis.failed.astype(np.int64),
        "answered": analysis.answered.astype(np.int64),
        "objective": table.objective,
        "bound": table.bound,
        "seconds": table.seconds.astype(np.float32),
        "gap": analysis.gap.astype(np.float32),
        "integral": analysis.integral.astype(np.float32),
        "points": np.minimum(np.diff(table.trace_start), 65535),
        "message": message,
    }
    return Block(pack(head, columns), notes)


def _messages(analysis: Analysis, stores: Sequence[Store]) -> tuple[list[str], Ints, tuple[str, ...]]:
    """Different messages, the first of them empty, and the one of each run; failed runs come first."""
    table = analysis.table
    said: list[dict[int, str]] = []
    for store in stores:
        rows = store.connection.execute("SELECT id, messages FROM run WHERE messages != '[]'")
        said.append({number: "\n".join(json.loads(text)) for number, text in rows})
    number = np.zeros(table.runs, dtype=np.int64)
    known, room, left_out = {"": 0}, ALL_MESSAGES, 0
    place = list(zip(table.store.tolist(), table.run_id.tolist(), strict=True))
    talking = np.array([run in said[store] for store, run in place], dtype=bool)
    for r in np.argsort(~analysis.failed, kind="stable").tolist():
        if not talking[r] and r not in analysis.reasons:
            continue
        store, run = place[r]
        text = "\n".join(filter(None, [analysis.reasons.get(r, ""), said[store].get(run, "")]))
        if len(text) > LONGEST_MESSAGE:
            text = text[:LONGEST_MESSAGE] + " \u2026"
        if text not in known:
            if len(text) > room:
                left_out += 1
                continue
            room -= len(text)
            known[text] = len(known)
        number[r] = known[text]
    notes = (f"The messages of {left_out:,} runs were left out to keep this file small.",) if left_out else ()
    return list(known), number, notes


def traces_block(analysis: Analysis, limit: int = TRACE_BYTES) -> Block:
    """Traces for the curves of single instances, of at most ``limit`` bytes.

    Where they would take more they are thinned evenly, down to :data:`FEWEST_POINTS`; then those instances go
    without on which the configurations differ least.
    """
    table = analysis.table
    lengths = np.diff(table.trace_start)
    runs = np.flatnonzero(lengths)
    if not len(runs):
        return Block(_pack_traces(table.trace, runs, np.zeros(1, dtype=np.int64), np.zeros(0, dtype=np.int64)))
    per_point = 8.0
    for _ in range(4):
        room = 0.95 * limit / per_point
        most = _points_that_fit(lengths[runs], room)
        kept = np.minimum(lengths[runs], most or FEWEST_POINTS)
        chosen = runs if most else _interesting(analysis, runs, kept, room)
        rows, start = _thinned(table.trace_start, lengths, chosen, most or FEWEST_POINTS)
        text = _pack_traces(table.trace, chosen, start, rows)
        # How well traces compress shows only once it is done: try again with what was seen.
        per_point = len(text) / max(1, len(rows))
        if len(text) <= limit and (most == MOST_POINTS or len(text) >= 0.8 * limit):
            break
    notes = []
    thinned = int((lengths[chosen] > (most or FEWEST_POINTS)).sum())
    if thinned:
        notes.append(f"The traces of {thinned:,} runs are thinned to {most or FEWEST_POINTS} points each.")
    if len(chosen) < len(runs):
        left_out = len(np.unique(table.instance[runs])) - len(np.unique(table.instance[chosen]))
        notes.append(
            f"The traces of {left_out:,} instances, those on which the configurations differ least, were left out to"
            " keep this file small."
        )
    return Block(text, tuple(notes))


def _points_that_fit(lengths: Ints, room: float) -> int:
    """Points a trace such that all traces have ``room``; 0 if not even :data:`FEWEST_POINTS` fit."""
    low, high = FEWEST_POINTS - 1, MOST_POINTS
    while low < high:
        middle = (low + high + 1) // 2
        if np.minimum(lengths, middle).sum() <= room:
            low = middle
        else:
            high = middle - 1
    return low if low >= FEWEST_POINTS else 0


def _interesting(analysis: Analysis, runs: Ints, sizes: Ints, room: float) -> Ints:
    """The runs of the instances on which mean gaps differ most, as many as have ``room``."""
    gaps = analysis.cells.mean_gap
    high = np.where(np.isnan(gaps), -np.inf, gaps).max(axis=1)
    low = np.where(np.isnan(gaps), np.inf, gaps).min(axis=1)
    instance = analysis.table.instance[runs]
    size = np.bincount(instance, weights=sizes, minlength=len(gaps))
    order = np.argsort(low - high, kind="stable")
    inside = np.zeros(len(gaps), dtype=bool)
    inside[order[np.cumsum(size[order]) <= room]] = True
    return runs[inside[instance]]


def _thinned(trace_start: Ints, lengths: Ints, runs: Ints, most: int) -> tuple[Ints, Ints]:
    """Rows of the trace to keep, at even steps with both ends, and where those of each of ``runs`` begin."""
    kept = np.minimum(lengths[runs], most)
    start = np.concatenate([[0], np.cumsum(kept)]).astype(np.int64)
    step = np.arange(start[-1]) - np.repeat(start[:-1], kept)
    stretch = np.repeat((lengths[runs] - 1) / np.maximum(kept - 1, 1), kept)
    return np.repeat(trace_start[runs], kept) + np.rint(step * stretch).astype(np.int64), start


def _pack_traces(trace: Floats, runs: Ints, start: Ints, rows: Ints) -> str:
    points = trace[rows].astype(np.float32)
    return pack(
        {},
        {
            "number": runs,
            "start": start,
            "seconds": _coarse(points[:, 0]),
            "objective": points[:, 1],
            "bound": points[:, 2],
        },
    )


def _coarse(seconds: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Single precision with 11 of its 23 bits: within 0.05 %, and half the size once compressed."""
    bits = np.ascontiguousarray(seconds, dtype="<f4").view(np.uint32)
    return (bits & np.uint32(0xFFFFF000)).view("<f4")
