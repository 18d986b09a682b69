"""What is shown while a solver runs."""

from __future__ import annotations

import time

import pytest

from combopt.cli.progress import Display, Shares, line
from combopt.solvers.gate import Progress


def test_gaps_beyond_all_measure_are_told_in_short() -> None:
    assert line(1.0, Progress(0.1, 0, 19307.5)).split()[-3:] == [">", "1000", "%"]
    assert line(1.0, Progress(0.1, 100, 99)).split()[-2:] == ["1.000", "%"]
    assert line(1.0, None).split()[1:] == ["-", "-", "-"]


def test_shares_name_the_dearest_neighbourhoods_and_sum_up_the_rest() -> None:
    shares = Shares()
    assert str(shares) == ""
    for number in range(8):
        outcome = "best" if number in (0, 7) else "nothing"
        shares.add({"operator": f"o{number}", "cost": 8.0 - number, "outcome": outcome})
    shares.add({"temperature": 1.0})
    named = ", ".join(f"o{n} {100 * (8 - n) / 36:.0f} % ({int(n == 0)})" for n in range(6))
    assert str(shares) == f"share of time (new incumbents): {named}, others 8 % (1)"


def test_shares_are_told_at_the_end_of_a_search(capsys: pytest.CaptureFixture[str]) -> None:
    with Display(quiet=False, verbose=False, started=time.monotonic()) as display:
        display(Progress(0.1, 5, None))
        display(Progress(0.2, 5, None, step={"operator": "row", "cost": 1.0, "outcome": "nothing"}))
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1] == "share of time (new incumbents): row 100 % (0)"
    assert len(lines) == 3  # header, incumbent, shares: a step is no improvement


def test_a_quiet_display_tells_no_shares(capsys: pytest.CaptureFixture[str]) -> None:
    with Display(quiet=True, verbose=False, started=time.monotonic()) as display:
        display(Progress(0.2, 5, None, step={"operator": "row", "cost": 1.0, "outcome": "nothing"}))
    assert capsys.readouterr().err == ""
