"""The runs of a sweep on a Ray cluster: one Ray task for each, with the cores, memory and GPU that its budget names.

Ray repeats nothing by itself; what becomes of a run whose worker or node died is for the driver to say.
"""

from __future__ import annotations

import importlib
import logging
import os
import re
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

from combopt.bench.execute import Task
from combopt.bench.executor import Broken, Died, Finished, Outcome
from combopt.bench.workers import EXECUTE, hang_seconds
from combopt.budget import Budget
from combopt.errors import MissingExtraError, UsageError

CONNECT_SECONDS = 10.0
LOOK = 5.0
"""Seconds between two looks at the size of the cluster."""
HUNG = 70
"""Exit code of a worker that ends itself because its run hangs."""


class RayCluster:
    """An executor on a Ray cluster; a context manager.

    Parameters
    ----------
    address
        ``"auto"`` or the address of a running cluster, or ``"local"`` to start one on this machine, which ends with
        this object.
    budget
        That of the runs: its threads are cores, its memory is reserved, and for the device ``cuda`` a GPU is.
    cores
        The cores of a local cluster; by default those of the machine.
    execute
        What is called with each task, as ``module:function``; the nodes must be able to import it.

    Raises
    ------
    MissingExtraError
        If Ray is not installed.
    UsageError
        If the cluster cannot be reached, or no node of it is large enough for a run.
    """

    def __init__(self, address: str, budget: Budget, *, cores: int | None = None, execute: str = EXECUTE) -> None:
        try:
            import ray
        except ImportError:
            raise MissingExtraError("ray", "cluster") from None
        self._ray: Any = ray
        self._execute = execute
        self._flying: dict[Any, int] = {}
        self._room, self._next_look = 0, 0.0
        self._started = not ray.is_initialized()
        if self._started:
            with _own_signals():
                _start(ray, address, cores)
        self._needs = {"CPU": float(budget.threads or 1)}
        if budget.memory is not None:
            self._needs["memory"] = float(budget.memory << 20)
        if budget.device == "cuda":
            self._needs["GPU"] = 1.0
        try:
            self._insist()
        except UsageError:
            self.close()
            raise
        self._remote = ray.remote(_run).options(
            num_cpus=self._needs["CPU"],
            num_gpus=self._needs.get("GPU", 0.0),
            memory=int(self._needs["memory"]) if "memory" in self._needs else None,
            max_retries=0,
            retry_exceptions=False,
        )

    def _insist(self) -> None:
        """Ray would wait for ever for a node that is large enough."""
        nodes = [node["Resources"] for node in self._ray.nodes() if node["Alive"]]
        if not any(self._places(node) for node in nodes):
            needs = ", ".join(f"{value:g} {name}" for name, value in self._needs.items())
            raise UsageError(
                "E201", f"no node of the cluster has {needs} (memory in bytes)",
                expected="; ".join(
                    ", ".join(f"{node.get(name, 0):g} {name}" for name in self._needs) for node in nodes
                ),
                remedy="Lower --threads or --memory.",
            )  # fmt: skip

    def _places(self, node: dict[str, float]) -> int:
        """How many runs a node carries out side by side."""
        return int(min(node.get(name, 0.0) // value for name, value in self._needs.items()))

    @property
    def room(self) -> int:
        """Twice what the cluster carries out side by side; it may grow and shrink meanwhile."""
        now = time.monotonic()
        if now >= self._next_look:
            self._next_look = now + LOOK
            places = sum(self._places(node["Resources"]) for node in self._ray.nodes() if node["Alive"])
            self._room = 2 * max(1, places)
        return self._room

    def submit(self, ticket: int, task: Task) -> None:
        self._flying[self._remote.remote(self._execute, task)] = ticket

    def running(self) -> tuple[int, ...]:
        """The oldest tickets; Ray does not tell cheaply which of them it has begun."""
        return tuple(sorted(self._flying.values())[: max(1, self._room // 2)])

    def next(self, seconds: float) -> Outcome | None:
        """The next outcome; ``None`` if there is none within that time."""
        if not self._flying:
            return None
        done, _ = self._ray.wait(list(self._flying), num_returns=1, timeout=seconds)
        if not done:
            return None
        ticket = self._flying.pop(done[0])
        errors = self._ray.exceptions
        try:
            answer = self._ray.get(done[0])
        except errors.RayTaskError as error:
            return Broken(ticket, str(error))
        except errors.RayError as error:  # the worker, its node, or what it had left there is gone
            return Died(ticket, f"{type(error).__name__}: {str(error).strip().splitlines()[0]}")
        if isinstance(answer, str):
            return Broken(ticket, answer)
        return Finished(ticket, *answer)

    def close(self) -> None:
        """Stop the runs under way; end the cluster, or leave it, if this object started or joined it."""
        for reference in self._flying:
            self._ray.cancel(reference, force=True)
        self._flying.clear()
        if self._started and self._ray.is_initialized():
            self._ray.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _start(ray: Any, address: str, cores: int | None) -> None:
    """Join a cluster, or start one; Ray's own usage report, dashboard and log stay off."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    if match := re.fullmatch(r"(?:ray://)?([^/:]+):(\d+)", address):
        try:
            socket.create_connection((match[1], int(match[2])), CONNECT_SECONDS).close()
        except OSError as error:  # Ray would try for two minutes
            raise _unreachable(address, error) from None
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR, "configure_logging": True}
    try:
        if address == "local":
            path = os.pathsep.join(p for p in sys.path if p)
            ray.init(
                address="local", num_cpus=cores, include_dashboard=False,
                runtime_env={"env_vars": {"PYTHONPATH": path}}, **quiet,
            )  # fmt: skip
        else:
            ray.init(address=address, **quiet)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise _unreachable(address, error) from None


def _unreachable(address: str, error: Exception) -> UsageError:
    remedy = "ray start --head starts one; --ray local needs none."
    return UsageError("E201", f"no Ray cluster at {address!r}: {error}", remedy=remedy)


@contextmanager
def _own_signals() -> Iterator[None]:
    """Ray takes SIGTERM over when it starts; it is given back to whoever had it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _run(execute: str, task: Task) -> Any:
    """What a Ray worker does with a task: the outcome, or the traceback of a bug.

    A run that hangs ends the process, which is how the driver hears of it.
    """
    limit = hang_seconds(task.budget.time_limit)
    watch = threading.Timer(min(limit, threading.TIMEOUT_MAX), os._exit, (HUNG,))
    watch.daemon = True
    watch.start()
    try:
        module, _, name = execute.partition(":")
        return getattr(importlib.import_module(module), name)(task)
    except Exception as error:  # process boundary: a bug must not cost more than its run
        return "".join(traceback.format_exception(error))
    finally:
        watch.cancel()
