"""One driver for one file of runs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from combopt.errors import UsageError


@contextmanager
def only_driver(path: Path) -> Iterator[None]:
    """Hold the file for one driver; the system lets go of it when the process ends, however it ends.

    Raises
    ------
    UsageError
        E205 if another process drives a sweep into the file, or the folder does not exist or allow locks.
    """
    import fcntl  # not on Windows

    beside = path.with_name(path.name + ".lock")
    while True:
        try:
            descriptor = os.open(beside, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise UsageError("E205", f"cannot write {beside}: {error.strerror}") from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            if isinstance(error, BlockingIOError):
                raise UsageError(
                    "E205", f"another combopt bench is writing {path}",
                    remedy="Wait for it to end, or write to another file with -o and merge the two afterwards.",
                ) from None  # fmt: skip
            raise UsageError(
                "E205", f"cannot lock {beside}: {error.strerror}", remedy="Choose a local disk with -o."
            ) from None
        if _is(beside, descriptor):
            break
        os.close(descriptor)  # its owner removed it a moment ago
    try:
        yield
    finally:
        beside.unlink(missing_ok=True)
        os.close(descriptor)


def _is(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False
