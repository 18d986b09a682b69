"""One file of the malformed-or-odd corpus with its golden verdict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from combopt.model import Instance


@dataclass(frozen=True)
class Case:
    """A file and what reading it must say.

    ``code`` is the error code, or ``None`` if the file must be accepted; ``line`` the line that the error names
    (0 = the file as a whole).  ``lenient`` is the same verdict for lenient reading, when it differs: a warning
    code that must be noted while the file is accepted.  ``check`` asserts on the instance of an accepted file.
    For a solution file, ``instance`` makes the instance it belongs to, and ``check`` gets the solution.
    """

    name: str
    filename: str
    text: str | bytes
    code: str | None
    line: int = 0
    lenient: str | None = None
    check: Callable[..., None] | None = None
    instance: Callable[[], Instance] | None = None
    options: dict[str, object] = field(default_factory=dict)
