"""How a pair is timed, and what happens to the ratios at the end of the run."""

from __future__ import annotations

import gc
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.common import machine, table
from benchmarks.micro.ratios import FILE, PAGE, REPEATS, Row, Stored, Timing, document, slower, typical

SECONDS = 0.8
"""Time for the rounds of a pair in one repeat."""
ROUNDS = (4, 200)
"""Fewest and most rounds."""

STORED = pytest.StashKey[Stored]()
TIMINGS = pytest.StashKey[dict[str, list[Timing]]]()
ROWS = pytest.StashKey[list[Row]]()

Pair = Callable[..., tuple[Any, Any]]


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("combopt micro benchmarks")
    group.addoption("--update", action="store_true", help="write what was measured to the file of ratios")
    group.addoption("--ratios", type=Path, default=FILE, help="the file of ratios; default: %(default)s")


def cpu_seconds() -> float:
    """Processor time of this process and of the children that it has waited for.

    Other work on the machine takes away less of it than of the time on the wall.
    """
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "pair" in getattr(item, "fixturenames", ()) and item.get_closest_marker("benchmark") is None:
            item.add_marker(pytest.mark.benchmark(timer=cpu_seconds))


def pytest_configure(config: pytest.Config) -> None:
    try:
        config.stash[STORED] = Stored.load(config.getoption("--ratios"))
    except ValueError as error:
        raise pytest.UsageError(str(error)) from None
    config.stash[TIMINGS] = {}
    config.stash[ROWS] = []


# Of session scope, so that pytest runs everything once before it runs anything again.
@pytest.fixture(scope="session", params=range(REPEATS))
def repeat(request: pytest.FixtureRequest) -> int:
    """The number of the repeat."""
    number: int = request.param
    return number


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for generated files."""
    return tmp_path_factory.mktemp("micro")


@pytest.fixture
def pair(benchmark: Any, repeat: int, request: pytest.FixtureRequest) -> Pair:
    """``pair(combopt, baseline, against)`` times two functions in turn and returns what each of them returned.

    A round is a call of the baseline followed by one of combopt, so that both see the same machine.  The shortest
    call of each counts: whatever else the machine does can only make a call longer.  Processor time is taken unless
    the test has a mark ``benchmark`` with another ``timer``.
    """
    timer = request.node.get_closest_marker("benchmark").kwargs["timer"]
    name = f"{request.module.__name__.rpartition('.test_')[2]}/{request.function.__name__.removeprefix('test_')}"

    def measure(combopt: Callable[[], Any], baseline: Callable[[], Any], against: str) -> tuple[Any, Any]:
        answers, times = [None], []

        def time_baseline() -> None:
            began = timer()
            answers[0] = baseline()
            times.append(timer() - began)

        rounds = 1
        gc.freeze()  # what other benchmarks hold in memory shall cost this one nothing
        if benchmark.enabled:
            rounds = _rounds(time_baseline, combopt)
        benchmark.group = name
        answer = benchmark.pedantic(combopt, setup=time_baseline, rounds=rounds)
        gc.unfreeze()
        if benchmark.enabled:
            timing = Timing(against, benchmark.stats.stats.min, min(times))
            benchmark.extra_info.update(against=against, baseline=timing.baseline, ratio=timing.ratio)
            request.config.stash[TIMINGS].setdefault(name, []).append(timing)
        return answer, answers[0]

    return measure


def _rounds(baseline: Callable[[], Any], combopt: Callable[[], Any]) -> int:
    """How many rounds fill the time; the first round warms up, the second is timed."""
    baseline()
    combopt()
    began = time.perf_counter()
    baseline()
    combopt()
    fewest, most = ROUNDS
    return max(fewest, min(most, int(SECONDS / (time.perf_counter() - began))))


def pytest_sessionfinish(session: pytest.Session) -> None:
    config = session.config
    timings = {name: typical(repeats) for name, repeats in config.stash[TIMINGS].items()}
    stored = config.stash[STORED]
    config.stash[ROWS] = stored.compare(timings)
    path = config.getoption("--ratios")
    if config.getoption("--update") and timings:
        stored.updated(timings).save(path)
        if path == FILE:
            document(PAGE, Stored.load(FILE))
    elif session.exitstatus == pytest.ExitCode.OK and slower(config.stash[ROWS]):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    rows = config.stash[ROWS]
    if not rows:
        return
    terminalreporter.section("combopt against its baselines")
    print(f"{machine()}\n")
    table(Row.HEADER, (row.cells() for row in rows))
    path, tolerance = config.getoption("--ratios"), config.stash[STORED].tolerance
    if config.getoption("--update"):
        print(f"\nwritten to {path}")
    elif names := slower(rows):
        print(f"\nmore than {tolerance:g} times as slow as in {path}: {', '.join(names)}")
