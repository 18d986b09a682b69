"""One run of Balans: the searchers, the incumbent they share, the opening, and the loop around the engine."""

from __future__ import annotations

import dataclasses
import math
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from combopt.errors import UsageError
from combopt.instances.solutions import Point
from combopt.model import Floats, Sense, Solution
from combopt.result import Status, StoppedBy
from combopt.solvers.background import POLL, Background
from combopt.solvers.balans.arms import Differences, arm, size_of
from combopt.solvers.balans.neighbourhoods import Ranked, operators
from combopt.solvers.balans.options import load_rank, make_reward, numbers
from combopt.solvers.balans.relaxation import Relaxation
from combopt.solvers.balans.searchers import AS_IT_COMES, INSIDE, LISTENS, PLAIN, MipSearcher, from_point
from combopt.solvers.balans.simple import simple_points
from combopt.solvers.balans.space import MipNeighbourhood, MipSpace, RunOn
from combopt.solvers.balans.team import Team
from combopt.solvers.base import Event, Outcome, Session, Solver
from combopt.solvers.lns.acceptance import make_acceptance
from combopt.solvers.lns.engine import Engine, Found, Operator, State
from combopt.solvers.lns.loop import Inside, Pace, drive, listed
from combopt.solvers.lns.rewards import Outcome as Gained
from combopt.solvers.lns.sizes import Sizes
from combopt.solvers.scip import Scip

if TYPE_CHECKING:
    from combopt.solvers.balans.solver import Balans

PROOFS = (Status.OPTIMAL, Status.INFEASIBLE, Status.UNBOUNDED)
SLICES, SHARE = 60, 0.1
"""A search of a neighbourhood takes at most this part of the time limit, and this part of the time so far."""
SHORTEST, LONGEST = 0.1, 20.0
"""Least and most seconds of a search."""
FULL = 30.0
"""Time limit from which on the opening takes its time; with less, its turns are shorter in proportion."""
QUICK = 0.5
"""Seconds of a quick try of a plain solver in this process."""
SMALL = 30_000
"""Entries up to which there are quick tries; what is done in them but for the solutions is lost."""
OPENING = 1.5
"""Seconds of the first turn of the first plain solver; turns double from round to round."""
PLAIN_SHARE, EARLY = 0.3, 1 / 6
"""The first plain solver has this part of the time so far, in this part of the time limit."""
PATIENCE = 3
"""Most turns in a row of a plain solver at the beginning, as long as it makes the incumbent better."""
FIRST: dict[str, Solver] = {
    "scip": Scip(emphasis="feasibility", settings="heuristics/feaspump/freq=1, heuristics/feaspump/maxloops=10")
}
"""What looks for the first solution where one solver does so alone, if not the plain one."""
NODES = 200
"""Nodes of a search where the budget counts iterations."""


class Search:
    """One run: the searchers, the incumbent they share, the engine."""

    def __init__(self, options: Balans, space: MipSpace, able: list[str], session: Session) -> None:
        self.options, self.space, self.session = options, space, session
        shortest, longest = (options.step_limit,) * 2 if options.step_limit else (SHORTEST, LONGEST)
        self.pace = Pace(session, SLICES, shortest, longest, SHARE)
        self.inside = Inside(session)
        self.best: Found[Floats] | None = None
        self.searchers = [
            MipSearcher(
                name,
                space,
                self.inside,
                self.offer,
                self._background,
                nodes=NODES if self.pace.counted else None,
                solvers=INSIDE if options.inside == "quick" else AS_IT_COMES,
            )
            for name in able
        ]
        self.engine = self._engine()
        self.team = Team(space.mip, session)

    def _engine(self) -> Engine[Floats, MipNeighbourhood | RunOn]:
        options = self.options
        chosen, fixed = self._operators()
        return Engine(
            operators=chosen,
            searchers=self.searchers,
            chooser=options.bandit(len(chosen)),
            assigner=options.bandit(len(self.searchers)),
            acceptance=make_acceptance(
                options.acceptance, **numbers(options.acceptance_settings, "acceptance_settings")
            ),
            reward=make_reward(options.scores),
            sizes=Sizes(initial=options.size, fixed=fixed),
            rng=np.random.default_rng(self.session.budget.seed),
            same=lambda a, b: bool(np.array_equal(a, b)),
            priced=options.priced,
        )

    def _operators(self) -> tuple[list[Operator[Any]], dict[str, float]]:
        """The operators that the options name, and the sizes of those that have a fixed one, or none (0)."""
        options, space = self.options, self.space
        relaxation = Relaxation(space, self.inside, 2 * self.pace.most)
        table = operators(space, relaxation, options.local_branching_patience)
        table[Differences.name] = Differences(space)
        wanted = listed(options.operators)
        if options.rank:
            table["learned"] = Ranked("learned", space, load_rank(options.rank))
            wanted += ["learned"] if "learned" not in wanted else []
        if not (self.pace.counted or options.first_limit):
            wanted += [f"run_{searcher.name}" for searcher in self.searchers]
        if not wanted:
            raise UsageError("E201", "operators: none", expected=", ".join(table))
        sizes = {name: size for name in wanted if (size := size_of(name)) is not None}
        for name in sizes:
            table[name] = arm(name, table, space, relaxation, options.local_branching_patience)
        if Differences.name in wanted:
            sizes[Differences.name] = 0.0
        return [table[name] for name in wanted], sizes

    def close(self) -> None:
        self.team.close()
        for searcher in self.searchers:
            if searcher.background is not None:
                searcher.background.close()

    def _run_on(self, searcher: MipSearcher, seconds: float) -> bool:
        """Let a plain solver work, and tell the bandits what came of it; whether the incumbent is better now."""
        before, began = self.best, time.monotonic()
        searcher.go_on(seconds, self.best)
        assert searcher.background is not None
        if searcher.background.failed:
            self.session.say(f"{searcher.name} failed: {searcher.background.reason.splitlines()[-1]}")
        arm = next(i for i, o in enumerate(self.engine.operators) if o.name == f"run_{searcher.name}")
        outcome = Gained.NOTHING if self.best is before or self.best is None else Gained.BEST
        values = [math.inf if found is None else found.value for found in (before, self.best)]
        self.engine.note(
            (arm, self.searchers.index(searcher)), outcome, values[0], values[1], time.monotonic() - began
        )
        self._listen()
        return outcome is Gained.BEST

    def _background(self, searcher: MipSearcher) -> Background:
        budget = dataclasses.replace(self.session.budget, time_limit=math.inf, threads=1, target=None)

        def sink(event: Event) -> None:
            if isinstance(event.solution, Point):
                found = from_point(self.space, event.solution)
                if found is not None and self.offer(found.solution):
                    searcher.latest = found
            elif event.bound is not None:
                self.session.bound(event.bound)

        start = self.session.start if self.best is None else Point(self.space.mip.columns, self.best.solution)
        return Background(PLAIN[searcher.name], self.space.mip, budget, start, sink)

    def offer(self, values: Floats) -> bool:
        """Check a point; hand it over if it is the best so far.  Says whether it stood up to the check."""
        value = self.space.value(values)
        point = Point(self.space.mip.columns, values)
        if not self.space.mip.evaluate(point).feasible:
            return False
        if self.best is None or value < self.best.value:
            self.best = Found(values, value)
            self.session.emit(point)
            self.team.tell(Event(time.monotonic(), solution=point))
        return True

    def _offered(self, solution: Solution) -> None:
        """Take a solution of others, who have handed it over already, if it is the best so far."""
        found = from_point(self.space, solution) if isinstance(solution, Point) else None
        if found is None or (self.best is not None and found.value >= self.best.value):
            return
        if self.space.mip.evaluate(solution).feasible:
            self.best = found

    def _learned(self, account: dict[str, Any]) -> None:
        """Take the account of a step of another search."""
        self.engine.hear(account["operator"], account["searcher"], account["reward"], account["cost"])

    def run(self) -> Outcome:
        self._gather()
        ended = self._opening()
        if ended is not None or self.best is None:
            return ended or Outcome(stopped_by=self._reason())
        return drive(self.engine, self.best, self.pace, self._after, self._told)

    def _gather(self) -> None:
        """Set the other cores to work: more searches, and plain solvers for solutions and the bound."""
        budget = self.session.budget
        searches = self.options.searching(budget)
        for number in range(1, searches):
            self.team.add(self.options.variant(number), searching=True)
        if not (self.pace.counted or self.options.first_limit):
            for searcher in self.searchers[: budget.cores - searches]:
                searcher.beside = True
                self.team.add(PLAIN[searcher.name], searching=False, listening=searcher.name in LISTENS)

    def _after(self, state: State[Floats]) -> Outcome | None:
        self._give_its_share()
        self._listen()
        if self.best is not None and self.best.value < state.best.value:
            self.engine.take(state, self.best, self.pace.progress(self.engine.steps))
        return self._ended(state)

    def _give_its_share(self) -> None:
        """Neighbourhoods of a poor solution are a poor place to be, so that at first a plain solver goes on beside."""
        if self.pace.counted or self.options.first_limit or self.pace.progress(0) > EARLY:
            return
        for searcher in self.searchers:
            if not searcher.beside and not searcher.over:
                if searcher.worked < PLAIN_SHARE * self.pace.elapsed:
                    self._run_on(searcher, max(0.25, self.pace.seconds))
                return

    def _told(self, account: dict[str, Any]) -> None:
        self.team.tell(Event(time.monotonic(), step=account))

    def _listen(self) -> None:
        """Take what others have found and learned meanwhile."""
        for event in [*self.team.news(), *self.session.advice()]:
            if event.solution is not None:
                self._offered(event.solution)
            elif event.step is not None:
                self._learned(event.step)

    def _reason(self) -> StoppedBy:
        return StoppedBy.TIME if time.monotonic() >= self.session.deadline - 1 else StoppedBy.FINISHED

    def _opening(self) -> Outcome | None:
        """Look for a solution: without a search, by quick tries, then by turns; the outcome if that is the answer."""
        if isinstance(self.session.start, Point):
            found = from_point(self.space, self.session.start)
            if found is not None:
                self.offer(found.solution)
        if self.pace.counted:
            return self._in_process(Scip(emphasis="feasibility", settings="limits/bestsol=1"), math.inf)
        if self.options.first_limit:
            return self._first_alone()
        if self.best is None:
            for point in simple_points(self.space):
                self.offer(point)
        mine = [searcher for searcher in self.searchers if not searcher.beside]
        scale = min(1.0, (self.session.deadline - self.pace.began) / FULL)
        if mine:
            mine[0].prepare()
        if len(self.space.mip.row_value) <= SMALL:
            for searcher in mine[1:]:
                if searcher.name == "cpsat" and self.best is not None:
                    continue  # it takes longest to load
                ended = self._in_process(PLAIN[searcher.name], QUICK * scale)
                if ended is not None and searcher.proves:
                    return ended
            if self.best is not None:
                return None
        return self._turns(mine, OPENING * scale)

    def _turns(self, mine: list[MipSearcher], first: float) -> Outcome | None:
        """Plain solvers by turns, each of which is twice as long as the last, until there is a solution or the answer;
        the first solver begins with ``first`` seconds, the others with half of that."""
        turns = [first if searcher is mine[0] else first / 2 for searcher in mine]
        while not self.session.stopping:
            for index, searcher in enumerate(mine):
                seconds = turns[index]
                for _ in range(PATIENCE):
                    better = self._run_on(searcher, seconds)
                    if (ended := self._ended(None)) is not None or self.session.stopping:
                        return ended
                    if not better:
                        break
                    seconds = max(self.pace.seconds, first / 4)
                if self.best is not None:
                    return None
                turns[index] *= 2.0
            if all(searcher.over for searcher in mine):  # or there is none: all work on other cores
                if self.best is not None or not self.team.alive:
                    return None
                time.sleep(POLL)
                self._listen()
        return None

    def _first_alone(self) -> Outcome | None:
        """One solver for its limit, and until it has a solution, as the package Balans begins."""
        solver = FIRST.get(self.searchers[0].name, PLAIN[self.searchers[0].name])
        ended = self._in_process(solver, self.options.first_limit) if self.best is None else None
        if ended is None and self.best is None and not self.session.stopping:
            ended = self._in_process(solver, math.inf, until_found=True)
        return ended

    def _in_process(self, solver: Solver, limit: float, until_found: bool = False) -> Outcome | None:
        """Run a solver on the whole program in this process; the outcome if it has the answer."""
        if self.pace.counted and self.best is not None:
            return None

        def sink(event: Event) -> None:
            if isinstance(event.solution, Point):
                if self.offer(event.solution.values) and until_found:
                    self.inside.stop()
            elif event.bound is not None:
                self.session.bound(event.bound)

        start = None if self.best is None else Point(self.space.mip.columns, self.best.solution)
        outcome = self.inside.run(solver, self.space.mip, limit, self.session.budget.seed, start, sink)
        return outcome if outcome.status in PROOFS else None

    def _ended(self, state: State[Floats] | None) -> Outcome | None:
        """The outcome if a plain solver, another search, or a search of the whole space has the answer."""
        plain = [s.background.outcome for s in self.searchers if s.background is not None and s.proves]
        for ended in [*plain, *self.team.outcomes]:
            if ended is None or ended.status not in PROOFS:
                continue
            if not (ended.status is Status.INFEASIBLE and self.best is not None):
                return ended
        if state is not None and self.engine.closed and self.best is not None:
            value = -self.best.value if self.space.mip.sense is Sense.MAX else self.best.value
            return Outcome.optimal(value)
        return None
