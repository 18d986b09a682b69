"""Solutions from a trained policy: built step by step, then improved by building parts of them again."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from combopt.errors import UsageError
from combopt.instances.atsp import Atsp
from combopt.instances.cvrp import Cvrp
from combopt.instances.knapsack import Knapsack
from combopt.instances.metric import MATRIX_LIMIT, Metric
from combopt.instances.op import Op
from combopt.instances.solutions import Routes, Selection, Tour
from combopt.instances.tsp import Tsp
from combopt.learned.weights import store
from combopt.model import Instance, Number, Solution
from combopt.result import StoppedBy
from combopt.solvers.base import Capability, Outcome, Session, Solver, SolverInfo
from combopt.solvers.greedy_packing import greedy_by_ratio
from combopt.solvers.greedy_prize import greedy as greedy_prize
from combopt.solvers.savings import savings_routes
from combopt.solvers.tours import first_tour

if TYPE_CHECKING:
    from torch import Tensor

    from combopt.learned.decoding import Decoder
    from combopt.learned.problems.base import State

WAYS = ("greedy", "beam", "sample", "reconstruct")
SEEN = 100
"""Nodes that the network sees of an instance larger than ``WHOLE``, unless told otherwise."""
WHOLE = 200
LARGE = 5000
"""Tokens of an instance that re-construction does not start on by building it whole, which would take too long."""
GREEDY = 1000
"""Nodes up to which orienteering starts from a greedy tour."""
OP_RULES = ("EUC_2D", "CEIL_2D", "FLOOR_2D", "EXACT_2D", "DIMACS_2D", "ATT")
"""Distances that the policy for orienteering computes as the instance does."""


@dataclass(frozen=True)
class Kind:
    """What the solver has to know of a kind without loading torch.

    ``refuses`` says in a clause why an instance cannot be taken, or gives ``None``; ``first`` makes a solution at
    once, and ``settled`` says whether there is nothing to gain on that.
    """

    refuses: Callable[[Any], str | None]
    first: Callable[[Any], Solution]
    settled: Callable[[Any], bool]


def _not_in_the_plane(metric: Metric) -> str | None:
    if metric.matrix is not None or metric.coordinates is None:
        return "the policy looks at coordinates, and the distances are an explicit matrix"
    if metric.coordinates.shape[1] != 2:
        return "the policy looks at points of the plane, and these are in space"
    return None


def _tsp_refuses(instance: Tsp) -> str | None:
    fixed = "the policy cannot keep fixed edges" if len(instance.fixed_edges) else None
    return _not_in_the_plane(instance.metric) or fixed


def _cvrp_refuses(instance: Cvrp) -> str | None:
    if instance.demand.max() > instance.capacity:
        return "a demand exceeds the capacity"
    if instance.max_length is not None:
        return "the policy cannot keep to a longest length of routes"
    if instance.vehicles is not None and instance.vehicles < instance.customers:
        return "the policy cannot keep to a number of vehicles"
    return _not_in_the_plane(instance.metric)


def _savings(instance: Cvrp) -> Routes:
    routes = savings_routes(instance)
    assert routes is not None  # any number of routes may be used, and every customer fits into a vehicle
    return Routes(tuple(map(tuple, routes)))


def _by_ratio(instance: Knapsack) -> Selection:
    return Selection(greedy_by_ratio(instance.profit, instance.weight[None], np.array([instance.capacity])))


def _atsp_refuses(instance: Atsp) -> str | None:
    if instance.nodes > MATRIX_LIMIT:
        return f"it needs the full distance matrix, too large for {instance.nodes} nodes"
    return "the policy cannot keep fixed arcs" if len(instance.fixed_edges) else None


def _op_refuses(instance: Op) -> str | None:
    if instance.metric.rule not in OP_RULES:
        return f"the policy does not know distances {instance.metric.rule}"
    return None if instance.evaluate(_ends(instance)).feasible else "even the ends alone are too far apart"


def _ends(instance: Op) -> Tour:
    return Tour(np.array([instance.depot] if instance.end is None else [instance.depot, instance.end]))


def _first_op(instance: Op) -> Tour:
    return (greedy_prize(instance) if instance.nodes <= GREEDY else None) or _ends(instance)


KINDS = {
    "tsp": Kind(_tsp_refuses, lambda instance: Tour(first_tour(instance)), lambda instance: instance.nodes <= 3),
    "cvrp": Kind(_cvrp_refuses, _savings, lambda instance: instance.customers <= 1),
    "knapsack": Kind(lambda instance: None, _by_ratio, lambda instance: instance.weight.sum() <= instance.capacity),
    "atsp": Kind(_atsp_refuses, lambda instance: Tour(first_tour(instance)), lambda instance: instance.nodes <= 2),
    "op": Kind(_op_refuses, _first_op, lambda instance: instance.nodes == len(_ends(instance).order)),
}
"""By kind; each has a decision process in :mod:`combopt.learned.problems`."""


@dataclass(frozen=True)
class Bq(Solver):
    """A policy that reads what is left of the instance afresh at every step (BQ-NCO, Drakulic et al. 2023).

    Parameters
    ----------
    decode
        ``greedy``: the most probable action at each step; ``beam``: the ``width`` most probable partial solutions;
        ``sample``: ``width`` solutions drawn at a time, until the time is over; ``reconstruct``: a greedy solution,
        then parts of it built again, until the time is over (drawn, for kinds whose parts cannot be).
    weights
        Name of weights that come with the package, or the file of their card; empty for the best of the kind.
    view
        Nodes to choose from that the network sees; 0 for as many as in training, or where those were all, for all up
        to 200 and the nearest 100 in larger instances.
    width
        Partial solutions of a beam, or solutions drawn at a time.
    temperature
        Of draws; above 1 they become more random.
    longest
        Nodes of the longest part that is built again.
    device
        ``cpu``, ``cuda`` or ``auto``; empty for that of the budget.
    """

    info: ClassVar[SolverInfo] = SolverInfo(
        name="bq",
        title="learned policy (BQ-NCO) with beam search and re-construction",
        kinds=tuple(KINDS),
        capabilities=frozenset(
            {
                Capability.WARM_START,
                Capability.INCUMBENTS,
                Capability.INTERRUPT,
                Capability.SEED,
                Capability.THREADS,
            }
        ),
        package="torch",
        extra="learn",
        licence="BSD-3-Clause",
    )
    decode: str = "reconstruct"
    weights: str = ""
    view: int = 0
    width: int = 16
    temperature: float = 1.0
    longest: int = 100
    device: str = ""

    def __post_init__(self) -> None:
        if self.decode not in WAYS:
            raise UsageError("E201", f"decode = {self.decode!r}", expected=", ".join(WAYS))
        if self.device not in ("", "cpu", "cuda", "auto"):
            raise UsageError("E201", f"device = {self.device!r}", expected="cpu, cuda or auto")
        for name, least in (("view", 0), ("width", 1), ("longest", 2)):
            if getattr(self, name) < least:
                raise UsageError("E201", f"{name} = {getattr(self, name)}", expected=f"{least} or more")
        if not self.temperature > 0:
            raise UsageError("E201", f"temperature = {self.temperature}", expected="a positive number")

    def refuses(self, instance: Instance) -> str | None:
        return KINDS[instance.kind].refuses(instance) or store.lacking(instance.kind, self.weights)

    def run(self, instance: Instance, session: Session) -> Outcome:
        kind = KINDS[instance.kind]
        session.emit(kind.first(instance))  # loading torch takes a second or two
        if kind.settled(instance):
            return Outcome()
        import torch

        from combopt.learned.decoding import Decoder
        from combopt.learned.problems import find
        from combopt.learned.run import device_named

        torch.set_num_threads(session.budget.cores)
        device = device_named(self.device or session.budget.device)
        card = store.choose(instance.kind, self.weights)
        session.say(f"weights {card.name} on {device.type}")
        problem = find(instance.kind)
        state = problem.start(instance).to(device)
        view = self.view or card.view or (SEEN if problem.feasible(state).shape[1] > WHOLE * problem.outputs else 0)
        search = _Search(instance, session, Decoder(store.load(card).to(device), problem, view), state)
        precision = torch.bfloat16 if device.type == "cuda" else torch.float32
        with torch.autocast(device.type, dtype=precision, enabled=device.type == "cuda"):
            return self._decode(search)

    def _decode(self, search: _Search) -> Outcome:
        from combopt.learned.decoding import beam, greedy

        if self.decode == "greedy":
            search.offer(greedy(search.decoder, search.state, search.stopping))
        elif self.decode == "beam":
            search.offer(beam(search.decoder, search.state, self.width, search.stopping))
        elif self.decode == "sample" or not search.decoder.problem.rebuilds:
            return search.draw(self.width, self.temperature)
        else:
            return search.improve(self.longest)
        return Outcome(stopped_by=StoppedBy.TIME if search.stopping() else StoppedBy.FINISHED)


@dataclass
class _Search:
    """One instance, on its way through the decoders."""

    instance: Instance
    session: Session
    decoder: Decoder[Any]
    state: State
    best: Number | None = None

    def stopping(self) -> bool:
        return self.session.stopping or self.session.remaining(reserve=0.1) <= 1e-3

    def offer(self, decoded: Any) -> Tensor | None:
        """Hand over the first row of what a decoder made; its codes, ``int64[1, L]``."""
        import torch

        if decoded is None:
            return None
        codes = torch.cat([self.decoder.problem.opening(self.state), decoded.codes], dim=1)
        self.emit(codes[0])
        return codes

    def emit(self, codes: Tensor) -> None:
        """Hand over a solution, if it is the best by the instance's own measure."""
        plain = codes[codes >= 0].cpu().numpy().astype(np.int64)
        solution: Solution = self.decoder.problem.solution(self.instance, plain)
        objective = self.instance.evaluate(solution).objective
        if self.best is None or self.instance.sense.better(objective, self.best):
            self.best = objective
            self.session.emit(solution)

    def draw(self, width: int, temperature: float) -> Outcome:
        """Draw solutions, ``width`` at a time."""
        import torch

        from combopt.learned.decoding import best_of, greedy, repeated, sample

        dice = torch.Generator(self.state.device).manual_seed(self.session.budget.seed)
        self.offer(greedy(self.decoder, self.state, self.stopping))
        states = repeated(self.state, width)
        limit, done = self.session.budget.iterations, 0
        while not self.stopping() and (limit is None or done < limit):
            drawn = sample(self.decoder, states, dice, temperature=temperature, stopping=self.stopping)
            self.offer(None if drawn is None else best_of(drawn, width))
            done += 1
        return self._ended(limit is not None and done >= limit)

    def improve(self, longest: int) -> Outcome:
        """Build parts of the start, else of the better of a quick solution and a greedy one, again and again."""
        import torch

        from combopt.learned.decoding import greedy
        from combopt.learned.reconstruct import Round, reconstruct

        problem, session = self.decoder.problem, self.session
        first, codes = session.start, None
        if first is None or not self.instance.evaluate(first).feasible:
            first = KINDS[self.instance.kind].first(self.instance)
            if problem.feasible(self.state).shape[1] <= LARGE * problem.outputs:
                codes = self.offer(greedy(self.decoder, self.state, self.stopping))
                if codes is None:
                    return Outcome(stopped_by=StoppedBy.TIME)
        worth = self.instance.evaluate(first).objective
        if codes is None or self.best is None or self.instance.sense.better(worth, self.best):
            codes = torch.from_numpy(problem.codes(self.instance, first).copy())[None].to(self.state.device)
        limit, done = session.budget.iterations, 0
        last, news = time.monotonic(), False

        def told(state: Round) -> None:
            nonlocal done, last, news
            done = state.number
            news = news or bool(state.improved[0])
            if news and time.monotonic() - last > 0.05:
                self.emit(state.codes[0])
                last, news = time.monotonic(), False

        dice = torch.Generator(self.state.device).manual_seed(session.budget.seed)
        found = reconstruct(
            self.decoder, self.state, codes, dice, rounds=limit, longest=longest, stopping=self.stopping, told=told
        )
        self.emit(found[0])
        return self._ended(limit is not None and done >= limit)

    def _ended(self, counted: bool) -> Outcome:
        return Outcome(stopped_by=StoppedBy.ITERATIONS if counted else StoppedBy.TIME)
