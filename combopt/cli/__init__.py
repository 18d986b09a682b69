"""The command line: ``combopt solve FILE`` and its sisters.

This package parses arguments and prints; what is done is in :mod:`combopt.api`.  Importing it, and ``--help``,
load neither numpy nor a solver.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Sequence
from contextlib import nullcontext

from combopt.cli.parser import make_parser
from combopt.errors import CombOptError, UsageError
from combopt.solvers.interrupts import Interrupts

# Where each verb is carried out; loaded when it is used.
COMMANDS = {
    "solve": "combopt.cli.solve",
    "check": "combopt.cli.files",
    "info": "combopt.cli.files",
    "convert": "combopt.cli.files",
    "generate": "combopt.cli.files",
    "list": "combopt.cli.tables",
    "bench": "combopt.cli.bench",
    "report": "combopt.cli.report",
    "compare": "combopt.cli.report",
    "train": "combopt.cli.train",
    "label": "combopt.cli.label",
    "doctor": "combopt.cli.doctor",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is documented in ``docs/command-line.md``."""
    parser = make_parser()
    options = parser.parse_args(arguments)
    if options.command is None:
        parser.print_help()
        return 0
    # Signals are caught from the first moment, before anything slow is loaded, to the last.
    catching = Interrupts() if options.command in ("solve", "bench") else nullcontext()
    try:
        with catching as options.interrupts:
            command = getattr(importlib.import_module(COMMANDS[options.command]), options.command + "_command")
            code: int = command(options)
            sys.stdout.flush()
            return code
    except CombOptError as error:
        return _fail(error, options.json)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of our output is gone (combopt ... | head); there is nobody left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # process boundary: a bug must not end in a traceback for the user
        if os.environ.get("COMBOPT_DEBUG"):
            raise
        print(
            f"error: internal error: {type(error).__name__}: {error}\n"
            "  remedy: This is a bug in combopt; please report it. COMBOPT_DEBUG=1 shows the traceback.",
            file=sys.stderr,
        )
        return 5


def _fail(error: CombOptError, as_json: bool) -> int:
    if as_json:
        place = {"path": error.place.path, "line": error.place.line} if error.place else None
        print(
            json.dumps(
                {
                    "schema": "combopt.error/1",
                    "code": error.code,
                    "found": error.found,
                    "place": place,
                    "expected": error.expected,
                    "remedy": error.remedy,
                }
            )
        )
    print(f"error: {error}", file=sys.stderr)
    if isinstance(error, UsageError) and not error.remedy:
        print("  combopt COMMAND --help shows the options.", file=sys.stderr)
    return error.exit_code
