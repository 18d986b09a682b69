"""Every error that combopt raises on purpose, with a stable code, a place and a remedy.

The codes are listed with cause and remedy in ``docs/errors.md``; the tests hold the two lists together.
"""

from __future__ import annotations

from dataclasses import dataclass

CODES: dict[str, str] = {
    # files
    "E101": "the file cannot be opened",
    "E102": "the format of the file is not recognised",
    "E103": "the compressed data is damaged",
    "E104": "the file is larger than combopt reads",
    "E105": "the file is not text",
    "E106": "the file is empty",
    # content of instance and solution files
    "E111": "the file ends too early",
    "E112": "a keyword or section is not known",
    "E113": "a number was expected",
    "E114": "a number is out of its range",
    "E115": "a count differs from what the file declares",
    "E116": "something is defined twice",
    "E117": "a name or index refers to nothing",
    "E118": "something required is missing",
    "E119": "valid in this format, but not supported",
    "E120": "the data contradict each other",
    "E121": "the declared size cannot fit into the file",
    "E122": "there is data after the end",
    "E123": "the line does not have the expected form",
    # usage
    "E201": "an argument or option is not valid",
    "E202": "the solver cannot solve this instance",
    "E203": "an optional package is not installed",
    "E204": "the name is not in the registry",
    "E205": "the output cannot be written",
    # solvers
    "E301": "the solver failed",
    "E302": "the solution does not belong to the instance",
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a file something was found; ``line`` counts from 1, 0 means the whole file."""

    path: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.path}:{self.line}" if self.line else self.path


class CombOptError(Exception):
    """Base of all errors that combopt raises on purpose.

    Parameters
    ----------
    code
        A key of :data:`CODES`.
    found
        What was found, as a clause: ``"'abc' where a number belongs"``.
    place
        File and line, when the error comes from a file.
    expected
        What was expected instead, as a clause.
    remedy
        What to do next, as a sentence.
    """

    exit_code = 5

    def __init__(
        self, code: str, found: str, *, place: Place | None = None, expected: str = "", remedy: str = ""
    ) -> None:
        if code not in CODES:
            raise ValueError(f"unknown error code {code!r}")
        self.code, self.found, self.place, self.expected, self.remedy = code, found, place, expected, remedy
        super().__init__(str(self))

    def __str__(self) -> str:
        where = f"{self.place}: " if self.place else ""
        text = f"{where}{self.found} [{self.code}]"
        if self.expected:
            text += f"\n  expected: {self.expected}"
        if self.remedy:
            text += f"\n  remedy: {self.remedy}"
        return text

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.code, self.found, self.place, self.expected, self.remedy)


def _rebuild(
    cls: type[CombOptError], code: str, found: str, place: Place | None, expected: str, remedy: str
) -> CombOptError:
    return cls(code, found, place=place, expected=expected, remedy=remedy)


class InputError(CombOptError):
    """An instance or solution file, or data given from Python, is not valid."""

    exit_code = 3


class UsageError(CombOptError):
    """A call or a command line asks for something that does not exist or does not fit."""

    exit_code = 2


class UnsupportedError(UsageError):
    """No solver, or not the one asked for, can take this instance."""


class MissingExtraError(UsageError):
    """An optional package is needed; the remedy names the pip command."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__("E203", f"the package {package!r} is not installed", remedy=f"pip install 'combopt[{extra}]'")
        self.package, self.extra = package, extra

    def __reduce__(self) -> tuple[object, ...]:
        return MissingExtraError, (self.package, self.extra)


class SolverError(CombOptError):
    """A solver failed in a way that left no result."""

    exit_code = 5


@dataclass(frozen=True, slots=True)
class Warned:
    """A defect that ``lenient`` reading passed over, in the words of the error it would have been."""

    code: str
    found: str
    place: Place

    def __str__(self) -> str:
        return f"{self.place}: {self.found} [{self.code}]"
