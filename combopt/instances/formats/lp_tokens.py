"""The words of an LP file (CPLEX dialect): comments removed, cut into sections, each a list of tokens."""

from __future__ import annotations

import bisect
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from combopt.errors import InputError
from combopt.instances.text import Source

_TOKEN = re.compile(
    r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"  # a number without sign
    r"|<->|->|<-|<=|>=|=<|=>|::|[<>=:+\-*^\[\]]"
    r"|[^\s0-9.<>=:+\-*^\[\]][^\s<>=:+\-*^]*"  # a name
    r"|\S"
)
_RELATIONS = {"<=": "<", "=<": "<", "<": "<", ">=": ">", "=>": ">", ">": ">", "=": "="}

# Kinds of sections, with the spellings of their headers in lower case.
_SPELLINGS: dict[str, tuple[str, ...]] = {
    "rows": ("subject to", "such that", "s.t.", "st.", "st"),
    "more rows": ("lazy constraints", "user cuts"),
    "bounds": ("bounds", "bound"),
    "general": ("generals", "general", "gens", "gen", "integers", "integer", "ints", "int"),
    "binary": ("binaries", "binary", "bins", "bin"),
    "semi": ("semi-continuous", "semis", "semi"),
    "sos": ("sos",),
    "end": ("end",),
    "unsupported": ("sos1", "sos2", "pwlobj", "general constraints", "general constraint", "gencons", "scenario"),
}
_KINDS = {spelling: kind for kind, spellings in _SPELLINGS.items() for spelling in spellings}
HEADER_WORDS = frozenset(_KINDS) | {"min", "max", "minimize", "maximize", "minimise", "maximise", "free"}
"""Words that cannot be names, or not everywhere; in lower case."""
_WORDS = "|".join(re.escape(word).replace(r"\ ", r"[ \t]+") for word in sorted(_KINDS, key=len, reverse=True))
# A header is no name that begins like one, and no name that something is said about.
_HEADER = re.compile(rf"[ \t]*({_WORDS})(?![^\s:<>=+*^-])(?![ \t]*[:<>=+*^-])", re.IGNORECASE)
_OBJECTIVE = re.compile(r"[ \t]*(min|max)(?:imi[sz]e|imum)?(?![^\s+-])(?![ \t]*[:<>=*^])", re.IGNORECASE)


@dataclass
class Tokens:
    """The tokens of a section of the given ``kind``; ``header`` is the line it starts in, ``at`` the next token.

    Once sealed, ``all`` ends with some empty tokens, so that one may look ahead.
    """

    source: Source
    kind: str
    header: int
    all: list[str] = field(default_factory=list)
    at: int = 0
    first: dict[int, int] = field(default_factory=dict)
    """The first token of each line that has one, with the number of the line."""
    _starts: list[int] = field(default_factory=list)

    def add(self, line: str, number: int) -> None:
        """Append the tokens of a line without its comment."""
        found = _TOKEN.findall(line)
        if found:
            self.first[len(self.all)] = number
            self._starts.append(len(self.all))
            self.all += found

    def seal(self) -> Tokens:
        """Mark the end."""
        self.all += [""] * 5
        return self

    def line(self, position: int | None = None) -> int:
        """The line of a token, by default the next one; beyond the end, that of the last."""
        place = self.at if position is None else position
        number = bisect.bisect_right(self._starts, place) - 1
        return self.first[self._starts[number]] if number >= 0 else self.header

    def starts_line(self) -> bool:
        """Whether the next token is the first of a line, or of the section."""
        return self.at in self.first or self.at == 0

    def peek(self, ahead: int = 0) -> str:
        """A token to come, at most five ahead; empty beyond the end."""
        return self.all[self.at + ahead]

    def relation(self) -> str:
        """Take a relation: ``<``, ``>`` or ``=``."""
        found = _RELATIONS.get(self.peek())
        if found is None:
            raise self.unexpected("<=, >= or =")
        self.at += 1
        return found

    def at_relation(self, ahead: int = 0) -> bool:
        """Whether a relation follows."""
        return self.peek(ahead) in _RELATIONS

    def number(self, what: str) -> float:
        """Take a number with its signs; 1e20 and more, or a spelled ``inf``, is infinite."""
        sign = 1.0
        while (token := self.all[self.at]) == "+" or token == "-":
            sign = -sign if token == "-" else sign
            self.at += 1
        if is_number(token):
            value = float(token)
            if not math.isfinite(value):
                raise self.error("E114", f"{what} is {token[:40]}", "a finite number")
        elif is_infinity(token):
            value = math.inf
        else:
            raise self.unexpected("a number")
        self.at += 1
        return sign * (value if value < 1e20 else math.inf)

    def number_then_relation(self) -> bool:
        """Whether a number and a relation follow."""
        place = self.at
        while (token := self.all[place]) == "+" or token == "-":
            place += 1
        return self.all[place + 1] in _RELATIONS if token and (is_number(token) or is_infinity(token)) else False

    def label(self) -> str:
        """Take ``name :`` if it follows; empty if it does not."""
        token = self.peek()
        if self.peek(1) != ":" or not is_name(token):
            return ""
        self.at += 2
        return token

    def error(self, code: str, found: str, expected: str = "", remedy: str = "") -> InputError:
        """The error for something found at the next token."""
        return self.source.error(code, self.line(), found, expected, remedy)

    def unexpected(self, expected: str, remedy: str = "") -> InputError:
        """The error for the next token, which should be something else."""
        token = self.peek()
        if not token:
            return self.error("E111", f"the section {self.kind!r} ends too early", expected)
        if token in ("[", "]", "^", "*"):
            return self.error("E119", f"{token!r}, as in a quadratic expression", "a linear program")
        if token in ("<-", "<->"):
            return self.error("E119", f"the implication {token!r}", "->")
        return self.error("E123", f"{token[:40]!r}", expected, remedy)


def is_number(token: str) -> bool:
    """Whether a token is a number without sign."""
    return token != "" and (token[0] in "0123456789" or (token[0] == "." and len(token) > 1))


def is_infinity(token: str) -> bool:
    """Whether a token spells infinity, without its sign."""
    return len(token) in (3, 8) and token.lower() in ("inf", "infinity")


def is_name(token: str) -> bool:
    """Whether a token can be the name of a column or a row."""
    return token != "" and token[0] not in "0123456789.<>=:+-*^[]"


def cut(source: Source) -> list[Tokens]:
    """The sections of the file in its order; the first is the objective, of the kind ``min`` or ``max``.

    Raises
    ------
    InputError
        E112 if the file does not start with an objective, E119 for a section that is not supported, E122 for data
        after End.
    """
    sections = [Tokens(source, "", 0)]
    for number, raw in enumerate(source.lines, 1):
        line = raw.partition("\\")[0]
        kind, rest = _header(line, sections)
        if kind == "unsupported":
            raise source.error("E119", number, f"the section {line.strip()[:40]!r}", "a mixed-integer linear program")
        if kind:
            sections.append(Tokens(source, kind, number))
        sections[-1].add(rest, number)
        if sections[-1].kind == "end" and sections[-1].all:
            source.defect("E122", number, f"{sections[-1].peek()[:40]!r} after End")
            break
    if sections[0].all or len(sections) == 1:
        raise _no_objective(sections[0])
    return [section.seal() for section in sections[1:]]


def _header(line: str, sections: list[Tokens]) -> tuple[str, str]:
    """The kind of section that a line opens (empty if it opens none), and what else the line holds."""
    start = line.lstrip()[:1].lower()
    if not start or start not in "mslubgipe" or sections[0].all:
        return "", line
    if len(sections) == 1:
        found = _OBJECTIVE.match(line)
        return (found[1].lower(), line[found.end() :]) if found else ("", line)
    found = _HEADER.match(line)
    return (_KINDS[" ".join(found[1].lower().split())], line[found.end() :]) if found else ("", line)


def _no_objective(section: Tokens) -> InputError:
    text = section.source.text
    remedy = ""
    if ";" in text:
        remedy = "The dialect of lp_solve is not read; let lp_solve rewrite the file: lp_solve -S1 -parse -wfmps OUT."
    if not section.all:
        return section.source.error("E118", 0, "there is no objective", "Minimize or Maximize", remedy)
    return section.source.error(
        "E112", section.line(0), f"{section.all[0][:40]!r} where the objective should start", "Minimize or Maximize",
        remedy,
    )  # fmt: skip


def starts_with_objective(source: Source, lines: int = 2000) -> bool:
    """Whether the first word of the file, comments aside, opens the objective of an LP file."""
    for raw in source.lines[:lines]:
        line = raw.partition("\\")[0]
        if line.strip():
            return _OBJECTIVE.match(line) is not None
    return False


def sections_of(sections: list[Tokens], *kinds: str) -> Iterator[Tokens]:
    """The sections of some kinds."""
    return (section for section in sections if section.kind in kinds)
