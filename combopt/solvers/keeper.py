"""A small process that keeps an outside program: gives it a folder, ends it when told, and clears up in any case.

It is run as a script, so that it starts quickly, and in a session of its own, so that what ends the process that
asked does not end it too: when the pipe from there closes, for whatever reason, the program is ended with all that it
started, and the folder is removed.  It speaks JSON, one object a line::

    < {"folder": PATH}                       at once; the files of the run go there
    > {"words": [...], "output": PATH, "errors": PATH, "memory": MEGABYTES or null}
    < {"code": EXIT CODE} or {"error": TEXT} when the program has ended, with "memory": true if for its memory
    > anything                               while it runs: end it now
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from typing import Any

GRACE = 0.2
"""Seconds between SIGTERM and SIGKILL."""
_POLL = 0.02
_MEMORY_POLL = 0.2
_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Keep one program, then clear up."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(1))
    orders = open(0, "rb", buffering=0, closefd=False)  # noqa: SIM115 - as long as the process; select must see it all
    folder = tempfile.mkdtemp(prefix="combopt-external-")
    process: subprocess.Popen[bytes] | None = None
    try:
        _say({"folder": folder})
        if line := orders.readline():
            order = json.loads(line)
            try:
                process = _start(order, folder)
            except OSError as error:
                _say({"error": error.strerror or type(error).__name__})
            else:
                ending = _wait(process, order["memory"])
                _end(process)
                _say({"code": process.returncode, **ending})
            while orders.readline():  # the files are still read
                pass
    finally:
        if process is not None:
            _end(process)
        shutil.rmtree(folder, ignore_errors=True)


def _say(message: dict[str, Any]) -> None:
    with contextlib.suppress(OSError):  # nobody listens any more
        os.write(1, json.dumps(message).encode() + b"\n")


def _start(order: dict[str, Any], folder: str) -> subprocess.Popen[bytes]:
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None

    def die_with_keeper() -> None:
        if libc is not None:
            libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

    with open(order["output"], "wb") as output, open(order["errors"], "wb") as errors:
        return subprocess.Popen(
            order["words"],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            start_new_session=True,
            preexec_fn=die_with_keeper,
        )


def _wait(process: subprocess.Popen[bytes], memory: int | None) -> dict[str, Any]:
    """Wait until the program has ended or is to be ended."""
    look = time.monotonic() + _MEMORY_POLL
    while process.poll() is None:
        if select.select([0], [], [], _POLL)[0]:
            return {}
        if memory is not None and time.monotonic() >= look:
            look = time.monotonic() + _MEMORY_POLL
            if sum(_resident(pid) for pid in _session(process.pid)) > memory << 20:
                return {"memory": True}
    return {}


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the program, and what it started and left behind."""
    if process.poll() is None:
        _signal(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GRACE)
    for _ in range(20):  # one may start another in the meantime
        if not _signal(process.pid, signal.SIGKILL):
            break
        time.sleep(0.002)
    process.wait()


def _signal(session: int, number: signal.Signals) -> bool:
    """Send a signal to all processes of a session; whether there was any."""
    found = False
    for pid in _session(session):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)
            found = True
    if sys.platform != "linux":
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(session, number)
    return found


def _session(session: int) -> list[int]:
    """The living processes of a session: its leader, and what that started, in whatever process groups."""
    found = []
    with contextlib.suppress(FileNotFoundError):
        for name in os.listdir("/proc"):
            if name.isdecimal():
                with contextlib.suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:
                    state, _, _, leader = file.read().rpartition(b")")[2].split()[:4]
                    if int(leader) == session and state not in b"ZX":
                        found.append(int(name))
    return found


def _resident(pid: int) -> int:
    """Bytes that a process holds."""
    with contextlib.suppress(OSError, IndexError), open(f"/proc/{pid}/statm", "rb") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0


if __name__ == "__main__":
    main()
