"""What a format is: how to recognise it, read it and write it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from combopt.instances.text import Source
from combopt.model import Instance, Solution


@dataclass(frozen=True, kw_only=True)
class Format:
    """An instance format.

    Parameters
    ----------
    name
        The name for ``--format``, e.g. ``tsplib``.
    title
        One line for people.
    extensions
        File extensions with their dot, ``.gz`` aside; the first is used for writing.
    kinds
        Kinds of the instances it can hold; the first is what ``read`` makes unless told otherwise.
    sniff
        Whether the content looks like this format; it must not raise, and never accept another format's files.
    read
        Text to instance; raises :class:`~combopt.errors.InputError` with file and line.
    write
        Instance to text, or ``None`` if the format is only read.
    """

    name: str
    title: str
    extensions: tuple[str, ...]
    kinds: tuple[str, ...]
    sniff: Callable[[Source], bool]
    read: Callable[[Source], Instance]
    write: Callable[[Instance], str] | None = None


@dataclass(frozen=True, kw_only=True)
class SolutionFormat:
    """A solution format, as :class:`Format`; ``kinds`` are the kinds whose solutions it can hold.

    ``read(source, instance)`` returns the solution it finds, feasible or not: whether it is feasible, and what
    it is worth, is for :meth:`Instance.evaluate` to say.  ``claim(source)`` is the objective that the file
    states, if any, so that a check can compare.
    """

    name: str
    title: str
    extensions: tuple[str, ...]
    kinds: tuple[str, ...]
    sniff: Callable[[Source], bool]
    read: Callable[[Source, Instance], Solution]
    write: Callable[[Solution, Instance], str] | None = None
    claim: Callable[[Source], float | None] = lambda source: None
