"""The solver ``balans``: bandit-driven large neighbourhood search above SCIP, HiGHS and CP-SAT."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from combopt.budget import Budget
from combopt.errors import UsageError
from combopt.instances.mip import Mip
from combopt.model import Instance
from combopt.solvers.balans.arms import FAMILIES, Differences, size_of
from combopt.solvers.balans.neighbourhoods import NAMES
from combopt.solvers.balans.options import load_rank, make_reward, numbers, resolved
from combopt.solvers.balans.presets import PRESETS
from combopt.solvers.balans.search import Search
from combopt.solvers.balans.searchers import PLAIN
from combopt.solvers.balans.space import MipSpace
from combopt.solvers.base import Capability, Outcome, Session, Solver, SolverInfo
from combopt.solvers.linear import at_once
from combopt.solvers.lns.acceptance import make_acceptance
from combopt.solvers.lns.bandits import Bandit, make_bandit
from combopt.solvers.lns.loop import listed


@dataclass(frozen=True, init=False)
class Balans(Solver):
    """Adaptive large neighbourhood search on any mixed-integer program (Cai, Kadioglu and Dilkina, IJCAI 2025).

    Plain solvers start, each in a process of its own, and are paused; from the first solution on, a bandit chooses
    between letting one of them go on and searching a neighbourhood of the incumbent.

    Parameters
    ----------
    operators
        Names of the neighbourhoods, separated by commas.
    backends
        ``scip``, ``highs``, ``cpsat``: those that take the program are used.
    inside
        ``quick`` searches neighbourhoods without what seldom pays in small programs (neighbourhood searches of the
        back end's own, symmetry, restarts, many rounds of cuts), ``default`` with the back end as it comes.
    policy, policy_settings, discount
        The bandits, their parameters by name (``"temperature=0.2"``) and what they forget; see
        :mod:`combopt.solvers.lns.bandits`.
    try_all
        Pull every arm once before the policy has a say.
    priced
        Weigh rewards against the seconds they cost.
    scores
        Rewards of a new incumbent, a better current solution, an accepted one, a rejected one and, if given, of a
        step that brings nothing: ``"8, 4, 2, 1, 0"``.  Empty: the relative gain of the incumbent.
    acceptance, acceptance_settings
        The rule and its parameters by name; see :mod:`combopt.solvers.lns.acceptance`.
    size
        Share of the discrete columns that are freed at first.
    first_limit
        Seconds for the first solution, which the first of the back ends looks for alone; longer only if it finds
        none.  0: all back ends by turns, and they go on beside the neighbourhoods.
    step_limit
        Seconds for the search of a neighbourhood; 0: a part of the time limit.
    local_branching_patience
        How much longer than others a search of local branching may take.
    rank
        A function ``package.module:function`` that scores columns as :data:`~.neighbourhoods.Rank` says; the
        operator ``learned`` frees the columns of the largest scores.
    searches
        Searches of their own, each on one thread, that differ in seed, sizes and which plain solver begins, and share
        solutions and what the bandits learn.  The other threads are for plain solvers.  0: a search for every two
        threads.
    preset
        A published configuration, see :mod:`combopt.solvers.balans.presets`; other options override it.
    options_file
        A TOML file with values of these options; options given otherwise override it, and it overrides a preset.
    """

    info: ClassVar[SolverInfo] = SolverInfo(
        name="balans",
        title="Balans: bandit-driven large neighbourhood search over SCIP, HiGHS and CP-SAT",
        kinds=("mip",),
        capabilities=frozenset(
            {
                Capability.PROOF,
                Capability.BOUND,
                Capability.WARM_START,
                Capability.INCUMBENTS,
                Capability.SEED,
                Capability.THREADS,
            }
        ),
    )
    operators: str = "mutation,crossover,objective,graph,row,rins,rens,local_branching"
    backends: str = "scip,highs,cpsat"
    inside: Literal["quick", "default"] = "quick"
    policy: str = "thompson"
    policy_settings: str = ""
    discount: float = 0.95
    try_all: bool = True
    priced: bool = True
    scores: str = ""
    acceptance: str = "hill_climbing"
    acceptance_settings: str = ""
    size: float = 0.15
    first_limit: float = 0.0
    step_limit: float = 0.0
    local_branching_patience: float = 1.0
    rank: str = ""
    searches: int = 0
    preset: str = ""
    options_file: str = ""

    def __init__(self, **given: Any) -> None:
        for name, value in resolved(type(self), given, PRESETS).items():
            object.__setattr__(self, name, value)
        self.__post_init__()

    def __post_init__(self) -> None:
        if unknown := [name for name in listed(self.backends) if name not in PLAIN]:
            raise UsageError("E201", f"backends: {unknown[0]!r}", expected=", ".join(PLAIN))
        known = (*NAMES, Differences.name, *(["learned"] if self.rank else []))
        if unknown := [name for name in listed(self.operators) if name not in known and size_of(name) is None]:
            arms = ", ".join(f"{family}_NN" for family in FAMILIES)
            raise UsageError("E201", f"operators: {unknown[0]!r}", expected=f"{', '.join(known)}, {arms}")
        if self.rank:
            load_rank(self.rank)
        self.bandit(1)
        make_acceptance(self.acceptance, **numbers(self.acceptance_settings, "acceptance_settings"))
        make_reward(self.scores)
        if not 0 < self.size <= 1:
            raise UsageError("E201", f"size = {self.size}", expected="a number above 0, up to 1")
        for option in ("first_limit", "step_limit"):
            if not 0 <= getattr(self, option) < math.inf:
                raise UsageError("E201", f"{option} = {getattr(self, option)}", expected="a number, 0 or more")
        if self.searches < 0:
            raise UsageError("E201", f"searches = {self.searches}", expected="a whole number, 0 or more")
        if not 0 < self.local_branching_patience < math.inf:
            found = f"local_branching_patience = {self.local_branching_patience}"
            raise UsageError("E201", found, expected="a number above 0")

    def bandit(self, arms: int) -> Bandit:
        """A bandit as the options say."""
        settings = numbers(self.policy_settings, "policy_settings")
        return make_bandit(self.policy, arms, self.discount, self.try_all, **settings)

    def variant(self, number: int) -> Balans:
        """The options of search ``number`` (1, 2, ...) of several: another solver begins, and sizes begin apart."""
        names = listed(self.backends)
        first = number % len(names)
        factor = (2.0, 0.5, 4.0, 0.25)[(number - 1) % 4]
        backends = ",".join(names[first:] + names[:first])
        return dataclasses.replace(self, backends=backends, size=min(1.0, factor * self.size), searches=1)

    def searching(self, budget: Budget) -> int:
        """How many searches there are; one where the budget counts iterations, so that runs can be repeated."""
        if budget.iterations is not None:
            return 1
        return min(budget.cores, self.searches or max(1, budget.cores // 2))

    def refuses(self, instance: Instance) -> str | None:
        if any(PLAIN[name].why_not(instance) is None for name in listed(self.backends)):
            return None
        return f"none of {self.backends} takes it"

    def run(self, instance: Instance, session: Session) -> Outcome:
        assert isinstance(instance, Mip)
        if (known := at_once(instance, session)) is not None:
            return known
        able = [name for name in listed(self.backends) if PLAIN[name].why_not(instance) is None]
        space = MipSpace(instance)
        if not space.discrete.any():
            return PLAIN[able[0]].run(instance, session)
        search = Search(self, space, able, session)
        try:
            return search.run()
        finally:
            search.close()
