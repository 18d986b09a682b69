"""Solvers beside a search, on cores of their own: plain ones, and other searches that share what they know."""

from __future__ import annotations

import dataclasses
import math
import queue
from collections.abc import Callable
from dataclasses import dataclass, field

from combopt.instances.mip import Mip
from combopt.solvers.background import Background
from combopt.solvers.base import Event, Outcome, Session, Solver


@dataclass
class Team:
    """The members, each in a process of its own, and this search, which stands between them.

    What a member finds is handed over at once, is told to all others, and comes in :meth:`news`, as do the accounts
    of the steps of a searching member.  Nobody has checked it by then.
    """

    mip: Mip
    session: Session
    _members: list[Background] = field(default_factory=list)
    _listening: list[bool] = field(default_factory=list)
    _news: queue.SimpleQueue[Event] = field(default_factory=queue.SimpleQueue)

    def add(self, solver: Solver, *, searching: bool, listening: bool = True) -> None:
        """Start a member from where the session starts.

        ``searching`` says that it keeps to the deadline and has a seed of its own; a plain solver goes on until it is
        done.  Only members that are ``listening`` are told what others know.
        """
        number = len(self._members) + 1
        budget = dataclasses.replace(self.session.budget, threads=1, target=None)
        if searching:
            budget, deadline = dataclasses.replace(budget, seed=budget.seed + 1000 * number), self.session.deadline
        else:
            budget, deadline = dataclasses.replace(budget, time_limit=math.inf), math.inf
        sink = self._sink(number, solver.info.name)
        start = self.session.start
        self._listening.append(listening)
        self._members.append(Background(solver, self.mip, budget, start, sink, free=True, deadline=deadline))

    @property
    def outcomes(self) -> list[Outcome]:
        """How the members have ended, those that have."""
        return [member.outcome for member in self._members if member.outcome is not None]

    @property
    def alive(self) -> bool:
        """Whether any member is still at work."""
        return not all(member.over for member in self._members)

    def news(self) -> list[Event]:
        """Solutions and accounts of steps since the last call."""
        told: list[Event] = []
        while not self._news.empty():
            told.append(self._news.get())
        return told

    def tell(self, event: Event, source: int = 0) -> None:
        """Tell every member but the one with the number ``source``; this search has number 0."""
        for number, (member, listening) in enumerate(zip(self._members, self._listening, strict=False), 1):
            if listening and number != source and not member.over:
                member.tell(event)

    def close(self) -> None:
        """End the members."""
        for member in self._members:
            member.close()

    def _sink(self, number: int, name: str) -> Callable[[Event], None]:
        def sink(event: Event) -> None:
            if event.message is not None:
                self.session.say(f"{name} {number}: {event.message}")
            elif event.step is not None:
                self.session.step(**event.step, search=number)
            else:
                self.session.sink(event)
            if event.solution is not None or event.step is not None:
                self.tell(event, number)
                self._news.put(event)

        return sink
