"""``python -m combopt``, and the command ``combopt``."""

from __future__ import annotations

import signal
import sys
from typing import NoReturn

from combopt.cli import main


def run() -> NoReturn:
    """Run one command and end the process with its exit code."""
    code = main()
    # The answer is written: a signal that comes while the interpreter shuts down must not change the exit code.
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    sys.exit(code)


if __name__ == "__main__":
    run()
