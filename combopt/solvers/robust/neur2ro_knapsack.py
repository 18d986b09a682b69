"""Neur2RO for the robust knapsack: the second stage is a network over sets of items."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from combopt.instances.mip import CONTINUOUS
from combopt.instances.robust_knapsack import RobustKnapsack
from combopt.model import Floats
from combopt.result import StoppedBy
from combopt.solvers.base import Outcome, Session
from combopt.solvers.robust.knapsack_game import FREE, IN, Game, Play, kernels_within
from combopt.solvers.robust.main import Growing
from combopt.solvers.robust.neur2ro_loop import LearnedSearch, binaries, column, minimise
from combopt.solvers.robust.value_models import Choices, ValueModel, model
from combopt.solvers.robust.value_program import Affine

if TYPE_CHECKING:
    from combopt.learned.weights.store import Card
    from combopt.solvers.robust.neur2ro import Neur2ro


@dataclass(frozen=True)
class Values:
    """A network that looks at one instance; ``scale`` is the unit of its values."""

    model: ValueModel
    scale: float

    @classmethod
    def of(cls, instance: RobustKnapsack, card: Card) -> Values:
        """The network of a card."""
        import torch

        from combopt.learned.value.knapsack import KnapsackValue
        from combopt.learned.weights import store

        problem = KnapsackValue()
        data = {name: torch.from_numpy(getattr(instance, name).astype(np.float32))[None] for name in problem.items}
        data["capacity"] = torch.tensor([float(instance.capacity)])
        data["real"] = torch.ones(1, instance.items, dtype=torch.bool)
        columns = problem.columns(data)[0].numpy().astype(np.float64)
        return cls(model(store.load_values(card), columns), float(problem.scale(data)[0]))

    def __call__(self, x: Any, scenario: Floats) -> float:
        """The predicted value of the second stage."""
        return self.scale * self.model.value(np.asarray(x, dtype=np.float64), scenario)


class KnapsackSearch(LearnedSearch):
    """One run; profits are to be maximised, programs are minimised."""

    values: Values
    game: Game

    def __init__(self, options: Neur2ro, instance: RobustKnapsack, session: Session) -> None:
        super().__init__(options, session)
        self.instance = instance
        self.scenarios = [np.zeros(instance.items)]
        self.near: Play | None = None
        self.best = -math.inf

    def run(self) -> Outcome:
        from combopt.learned.weights import store

        loops = kernels_within(self.session)
        if loops is None:
            return Outcome(stopped_by=StoppedBy.TIME)
        self.game = Game(self.instance, loops)
        self.session.on_stop(lambda: self.game.stop.fill(1))
        self.look_at(np.zeros(self.instance.items, dtype=bool))
        card = store.choose(self.instance.kind, self.options.weights)
        self.session.say(f"weights {card.name}")
        self.values = Values.of(self.instance, card)
        root = self.game.play(np.where(self.game.price > 0, FREE, IN))
        self.session.bound(root.upper)
        return Outcome(stopped_by=self.rounds())

    def look_at(self, x: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> bool:
        """Evaluate a first stage exactly, and hand it over if it is the best; all have recourse."""
        play = self.game.decided(x, self.near, cutoff=self.best)
        if play.lower > self.best:
            self.best, self.near = play.lower, play
            self.session.emit(self.game.plan(x, play))
        return True

    def predicted(self, x: Any, scenario: Floats) -> float:
        return self.values(x, scenario)

    # --- main problem ----------------------------------------------------------------------------------------------

    def main(self) -> tuple[np.ndarray[tuple[int], np.dtype[np.bool_]], float] | None:
        """A first stage, and the worst prediction for it; ``None`` if there was no time."""
        instance, values, program = self.instance, self.values, Growing()
        n = instance.items
        x = binaries(program, instance.outsourcing - instance.profit)
        predicted = values.model.add_first(program, x, self.scenarios)
        worth = column(program, -1.0, -math.inf, math.inf)
        if self.options.main == "max":
            for number in predicted:
                _at_most(program, worth, number, values.scale)
        else:
            self._recourse(program, x, worth, predicted)
        solved = self.solve(program)
        if solved.values is None:
            return None
        accepted = solved.values[:n] > 0.5
        return accepted, min(values(accepted, xi) for xi in self.scenarios)

    def _recourse(self, program: Growing, x: list[int], worth: int, predicted: list[Affine]) -> None:
        """One copy of the recourse, in the scenario of the worst prediction (the paper's argmax form)."""
        instance = self.instance
        nothing = np.zeros(instance.items)
        y, r = binaries(program, nothing), binaries(program, nothing)
        for i in range(instance.items):
            program.add_row([y[i], x[i]], [1.0, -1.0], -math.inf, 0.0)
            program.add_row([r[i], y[i]], [1.0, -1.0], -math.inf, 0.0)
        weights = np.concatenate([instance.weight, instance.repair]).astype(np.float64)
        program.add_row([*y, *r], weights, -math.inf, float(instance.capacity))
        pick = binaries(program, np.zeros(len(predicted)))
        program.add_row(pick, np.ones(len(pick)), 1.0, 1.0)
        lowest = float(min(number.lower[0] for number in predicted))
        highest = float(min(number.upper[0] for number in predicted))
        worst = column(program, 0.0, lowest, highest)
        most = float(instance.outsourcing.sum())
        sign = -1.0 if self.options.slip else 1.0
        for p, number, xi in zip(pick, predicted, self.scenarios, strict=True):
            columns, row = [*number.columns, worst], np.append(-number.matrix[0], 1.0)
            offset, spread = float(number.offset[0]), float(number.upper[0]) - lowest
            program.add_row(columns, row, -math.inf, offset)  # the worst is no more than any
            program.add_row([*columns, p], np.append(row, -spread), offset - spread, math.inf)
            loss = instance.deviation * xi
            room = most + float(loss.sum())
            gains = np.concatenate([[1.0], -(instance.outsourcing - loss), -sign * loss, [room]])
            program.add_row([worth, *y, *r, p], gains, -math.inf, room)

    # --- adversary ---------------------------------------------------------------------------------------------------

    def adversary(self, x: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Floats | None:
        """The scenario of the worst prediction for a first stage; ``None`` if there was no time."""
        values = self.values
        if self.options.adversary == "sampling":
            return min((self._drawn() for _ in range(self.options.samples)), key=lambda xi: values(x, xi))
        program, point = Growing(), x.astype(np.float64)
        if self.options.adversary != "continuous":
            choices, most = self._vertices(program)
            number = values.model.add_scenario(program, point, choices, most)
        else:
            n = self.instance.items
            xi = program.add_columns(np.zeros(n), np.zeros(n), np.ones(n), np.full(n, CONTINUOUS)).tolist()
            program.add_row(xi, np.ones(n), -math.inf, self.instance.budget)
            choices = [(xi, np.ones(n))]
            number = values.model.add_anywhere(program, point, xi)
        minimise(program, number)
        solved = self.solve(program)
        if solved.values is None:
            return None
        found = [entries * solved.values[where] for where, entries in choices]
        return np.clip(np.sum(found, axis=0), 0.0, 1.0)

    def _vertices(self, program: Growing) -> tuple[Choices, tuple[float, ...]]:
        """Columns for the vertices of the set: as many entries of 1 as the budget has whole parts, one of the rest."""
        n, budget = self.instance.items, self.instance.budget
        whole = min(n, int(budget))
        part = budget - whole if whole < n else 0.0
        ones = binaries(program, np.zeros(n))
        program.add_row(ones, np.ones(n), -math.inf, float(whole))
        if part <= 0:
            return [(ones, np.ones(n))], (float(whole),)
        rest = binaries(program, np.zeros(n))
        program.add_row(rest, np.ones(n), -math.inf, 1.0)
        for one, other in zip(ones, rest, strict=True):
            program.add_row([one, other], [1.0, 1.0], -math.inf, 1.0)
        return [(ones, np.ones(n)), (rest, np.full(n, part))], (float(whole), 1.0)

    def _drawn(self) -> Floats:
        """A vertex at random, or a scenario as the authors draw them."""
        n = self.instance.items
        scores = self.dice.random(n)
        if self.dice.random() < 0.5:
            return self.instance.worst_case(scores)
        total = self.dice.uniform(min(1.0, self.instance.budget), self.instance.budget)
        return np.minimum(1.0, scores * total / max(1e-9, float(scores.sum())))


def _at_most(program: Growing, place: int, number: Affine, scale: float) -> None:
    """A column is no more than ``scale`` times a number."""
    row = np.append(-scale * number.matrix[0], 1.0)
    program.add_row([*number.columns, place], row, -math.inf, scale * float(number.offset[0]))
