"""The processes that make labels: they leave Ctrl-C to this one, and end with it."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any

from combopt.errors import SolverError
from combopt.solvers.child import die_with_parent


@contextmanager
def workers(jobs: int) -> Iterator[Callable[..., Future[Any]]]:
    """So many processes; gives the function that has them call another one.

    What they are at when something goes wrong here is lost: they are killed.

    Raises
    ------
    SolverError
        E301 if one of them dies.
    """
    context, others = multiprocessing.get_context("spawn"), set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=die_with_parent)

    def submit(function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        with _deaf_to_interrupts():
            return pool.submit(function, *arguments)

    try:
        yield submit
    except BaseException as error:
        for child in set(multiprocessing.active_children()) - others:
            child.kill()
        if isinstance(error, BrokenProcessPool):
            raise SolverError(
                "E301", "a worker process died", remedy="Fewer --jobs need less memory; the same command goes on."
            ) from None
        raise
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Processes that are started here leave Ctrl-C to this one, which hears of it at the end."""
    if not hasattr(signal, "pthread_sigmask"):  # not on this platform
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
