"""Files that are one stream of numbers, as in the OR-Library: line ends mean nothing, only the order counts.

Decimals are kept exact: a block of numbers becomes integers with a common ``scale``, a power of ten.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from combopt.errors import InputError
from combopt.instances.text import Source
from combopt.model import Ints

DECIMALS = 9
"""Most digits after the point that are kept; with more the file is refused."""
LARGEST = 2**62
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,2})?\Z", re.ASCII)


@dataclass
class Stream:
    """The tokens of a file, read by position from 0; errors name the line.

    ``numeric`` says that all of them should be numbers.
    """

    source: Source
    numeric: bool = True

    def __post_init__(self) -> None:
        self.values = self.source.integers
        self._words = [] if self.values is not None else self.source.words

    def __len__(self) -> int:
        return len(self._words) if self.values is None else self.values.size

    def word(self, index: int) -> str:
        """A token as text."""
        return self._words[index] if self.values is None else str(self.values[index])

    def line(self, index: int) -> int:
        """The line of a token; of the last one if there are fewer."""
        return self.source.line_of_token(index)

    def whole(self, index: int, what: str, low: int | None = None, high: int | None = None) -> int:
        """A token as an ``int`` within ``[low, high]``; E111 if the file ends before it."""
        self.need(index + 1, what)
        if self.values is not None:
            value = int(self.values[index])
            if (low is None or value >= low) and (high is None or value <= high):
                return value
        return self.source.whole(self.word(index), self.line(index), what, low, high)

    def count(self, index: int, what: str, low: int = 1) -> int:
        """A token that says how many ``what`` follow; E121 if the file cannot hold so many."""
        value = self.whole(index, f"the number of {what}", low, 2**40)
        if 2 * value > len(self.source.text) + 2:  # the line of the token is looked for only when it is needed
            self.source.room(value, self.line(index), what)
        return value

    def wholes(self, positions: slice | Ints, what: str, low: int = 0, high: int = LARGEST) -> Ints:
        """Tokens as ``int64``, each within ``[low, high]``."""
        if self.values is None:
            chosen = np.arange(len(self))[positions]
            found = [self.whole(i, what, low, high) for i in chosen.tolist()]
            return np.array(found, dtype=np.int64)
        values = self.values[positions]
        if values.size and (values.min() < low or values.max() > high):
            at = np.arange(len(self))[positions][np.flatnonzero((values < low) | (values > high))[0]]
            self.whole(int(at), what, low, high)
        return values

    def exact(self, positions: slice | Ints, what: str, low: int = 0) -> tuple[Ints, int]:
        """Tokens as integers with a common scale: ``values / scale`` are the numbers of the file, without loss."""
        if self.values is not None:
            return self.wholes(positions, what, low), 1
        numbers = [self._fraction(i, what, low) for i in np.arange(len(self))[positions].tolist()]
        scale = 1
        while any(scale % number.denominator for number in numbers):
            scale *= 10
        scaled = [int(number * scale) for number in numbers]
        for i, value in enumerate(scaled):
            if abs(value) > LARGEST:
                at = int(np.arange(len(self))[positions][i])
                raise self.source.error("E114", self.line(at), f"{what} is {self.word(at)[:40]}", "a smaller number")
        return np.array(scaled, dtype=np.int64), scale

    def _fraction(self, index: int, what: str, low: int) -> Fraction:
        token = self.word(index)
        if not _NUMBER.match(token) or len(token) > 60:
            self.source.real(token, self.line(index), what)  # raises if it is no number at all
            raise self.source.error("E114", self.line(index), f"{what} is {token[:40]}", "a number of less digits")
        value = Fraction(token)
        if value < low:
            raise self.source.error("E114", self.line(index), f"{what} is {token}", f"a number, at least {low}")
        if 10**DECIMALS % value.denominator:
            raise self.source.error("E114", self.line(index), f"{what} is {token}", f"at most {DECIMALS} decimals")
        return value

    def need(self, count: int, what: str) -> None:
        """Raise E111 unless the file has so many tokens, or E113 if one of those it has is no number."""
        if len(self) < count:
            for index, word in enumerate(self._words if self.numeric else ()):
                if not _NUMBER.match(word):
                    self.source.real(word, self.line(index), "a number")
            raise self.source.error("E111", self.line(len(self)), f"the file ends before {what}", f"{count} numbers")

    def end(self, count: int) -> None:
        """Object (E122) if the file goes on after so many tokens."""
        if len(self) > count:
            extra = self.word(count)[:40]
            self.source.defect("E122", self.line(count), f"{extra!r} after the end of the data", f"{count} numbers")


def digits(word: str) -> bool:
    """Whether a word consists of the digits 0 to 9 alone."""
    return word.isascii() and word.isdigit()


def placed(source: Source, error: InputError, line: int = 0) -> InputError:
    """An error of an instance's constructor, with the file it comes from."""
    return source.error(error.code, line, error.found, error.expected, error.remedy)


def choose(source: Source, names: Sequence[str], what: str = "instances") -> int:
    """The index of the instance that ``FILE#k`` picks, by position from 1 or by name.

    Raises
    ------
    InputError
        E118 if nothing is picked and there are several; E117 if there is no such instance; E116 if the name that
        was given stands for several.
    """
    select, count = source.options.select, len(names)
    some = (
        f"#1 to #{count}" if len(set(names)) < count or not names[0] else f"#1 to #{count}, or a name like {names[0]}"
    )
    if select is None:
        if count == 1:
            return 0
        raise source.error(
            "E118", 0, f"the file holds {count} {what}, and none is chosen", some, f"Choose one, e.g. {source.path}#1."
        )
    if select in names:
        if names.count(select) > 1:
            raise source.error("E116", 0, f"{names.count(select)} {what} are called {select!r}", some)
        return names.index(select)
    if digits(select) and 1 <= int(select[:9]) <= count and len(select) < 10:
        return int(select) - 1
    raise source.error("E117", 0, f"#{select[:40]} is not in the file of {count} {what}", some)


def decimal(value: int, scale: int) -> str:
    """``value / scale`` as a decimal number, exactly; ``scale`` is a power of ten."""
    if scale == 1:
        return str(value)
    whole, part = divmod(abs(value), scale)
    digits = str(part).rjust(len(str(scale)) - 1, "0").rstrip("0")
    return ("-" if value < 0 else "") + str(whole) + (f".{digits}" if digits else "")


def wrapped(tokens: Sequence[str], width: int = 12) -> list[str]:
    """Lines of at most ``width`` tokens."""
    return [" ".join(tokens[i : i + width]) for i in range(0, len(tokens), width)]
