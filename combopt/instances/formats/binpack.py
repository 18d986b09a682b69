"""Bin packing files: Falkenauer's in the OR-Library (many in a file), and Scholl's ``.BPP``.

``binpack`` is the number of instances, then for each its name, ``capacity n best`` and ``n`` sizes.  ``bpp`` is one
instance with one number on each line: ``n``, the capacity, ``n`` sizes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from combopt.errors import InputError
from combopt.instances.binpacking import BinPacking
from combopt.instances.formats.base import Format
from combopt.instances.formats.stream import Stream, choose, decimal, digits, placed
from combopt.instances.text import Source
from combopt.model import Instance, Ints


@dataclass(frozen=True)
class _Block:
    """One instance: ``at`` is the position of its name among the tokens, ``items`` the number of sizes."""

    name: str
    at: int
    items: int


def sniff(source: Source) -> bool:
    """The number of instances, a name, three numbers: and so on to the end of the file."""
    head = source.text[:300].split()
    if len(head) < 6 or not digits(head[0]) or len(head[0]) > 6 or not _is_name(head[1]):
        return False
    try:
        _blocks(Stream(source, numeric=False))
    except InputError:
        return False
    return True


def _is_name(word: str) -> bool:
    return any(character.isalpha() for character in word)


def _blocks(stream: Stream) -> list[_Block]:
    source = stream.source
    count = stream.count(0, "instances")
    at = 1
    blocks = []
    for k in range(count):
        what = f"the end of instance {k + 1} of {count}"
        stream.need(at + 4, what)
        name = stream.word(at)
        if not _is_name(name):
            raise source.error("E123", stream.line(at), f"{name[:40]!r}", f"the name of instance {k + 1}")
        n = stream.count(at + 2, "items")
        stream.need(at + 4 + n, what)
        blocks.append(_Block(name, at, n))
        at += 4 + n
    stream.end(at)
    return blocks


def read(source: Source) -> Instance:
    stream = Stream(source, numeric=False)
    blocks = _blocks(stream)
    block = blocks[choose(source, [b.name for b in blocks])]
    first = block.at + 4
    stream.exact(slice(block.at + 3, first), "the best known number of bins")
    places = np.concatenate([[block.at + 1], np.arange(first, first + block.items)])
    return _instance(stream, block.name, places)


def _instance(stream: Stream, name: str, places: Ints) -> Instance:
    """The instance whose capacity and sizes are at ``places``."""
    source = stream.source
    stream.exact(places[:1], "the capacity", low=1)
    values, scale = stream.exact(places, "a size")
    try:
        instance = BinPacking(name=name, capacity=int(values[0]), item_size=values[1:], scale=scale)
    except InputError as error:
        raise placed(source, error, stream.line(int(places[0]))) from None
    for i in instance.oversized()[:1].tolist():
        line = stream.line(int(places[i + 1]))
        source.warn("E120", line, f"item {i + 1} is larger than a bin: the instance is infeasible")
    return instance


def write(instance: Instance) -> str:
    """A file of one instance; its best value is written as 0, unknown."""
    assert isinstance(instance, BinPacking)
    name = "_".join(instance.name.split())
    name = name if _is_name(name) else f"i{name}"
    head = ["1", name, f"{decimal(instance.capacity, instance.scale)} {instance.items} 0"]
    return "\n".join([*head, *(decimal(s, instance.scale) for s in instance.item_size.tolist())]) + "\n"


def sniff_bpp(source: Source) -> bool:
    """One number on each line: ``n``, the capacity, and ``n`` sizes that fit."""
    lines = source.text.split(maxsplit=2)
    if len(lines) < 3 or not digits(lines[0]) or len(lines[0]) > 9:
        return False
    n = int(lines[0])
    if n < 1 or 2 * n > len(source.text):
        return False
    try:
        stream = Stream(source)
        if len(stream) != n + 2 or any(len(line.split()) > 1 for line in source.lines):
            return False
        values = stream.exact(slice(1, n + 2), "size")[0]
    except InputError:
        return False
    return bool(values[0] >= 1 and values[1:].min() >= 0 and values[1:].max() <= values[0])


def read_bpp(source: Source) -> Instance:
    stream = Stream(source)
    choose(source, [source.stem])
    n = stream.count(0, "items")
    stream.need(n + 2, f"the last of {n} items")
    stream.end(n + 2)
    return _instance(stream, source.stem, np.arange(1, n + 2))


def write_bpp(instance: Instance) -> str:
    assert isinstance(instance, BinPacking)
    values = [instance.capacity, *instance.item_size.tolist()]
    return "\n".join([str(instance.items), *(decimal(v, instance.scale) for v in values)]) + "\n"


BPP = Format(
    name="bpp",
    title="bin packing: Scholl's .BPP",
    extensions=(".bpp", ".txt"),
    kinds=("binpacking",),
    sniff=sniff_bpp,
    read=read_bpp,
    write=write_bpp,
)

BINPACK = Format(
    name="binpack",
    title="bin packing: OR-Library binpack",
    extensions=(".txt",),
    kinds=("binpacking",),
    sniff=sniff,
    read=read,
    write=write,
)
