"""Runs against each other: what a checked solution of one says about the claims of all others on the same instance.

Objectives were checked when the runs were made, claims (optimal, infeasible, dual bounds) were not.  So a claim that
contradicts an objective of the table is refuted.  Reference values of the literature were not checked either: a
claim that contradicts one is disputed, no more, and a reference that an objective beats is corrected.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from combopt.bench.table import STATUS, Bools, Table
from combopt.model import Floats, Ints, Number, show
from combopt.result import Status
from combopt.solvers.gate import TOLERANCE


class Finding(NamedTuple):
    """Something to tell about an instance: positions of ``instance`` and ``run``, the two values, a sentence."""

    instance: int
    run: int
    reference: Number
    found: Number
    text: str


@dataclass(frozen=True)
class Verdicts:
    """What the comparison found; see :class:`~combopt.bench.analysis.Analysis` for the fields."""

    best: Floats
    exact: Bools
    found: Floats
    finder: Ints
    refuted: Bools
    reasons: dict[int, str]
    improved: tuple[Finding, ...]
    contradicted: tuple[Finding, ...]
    disputed: tuple[Finding, ...]


def crosscheck(table: Table) -> Verdicts:
    """Compare objectives, claims and references of each instance.

    Values differ if they are unequal integers, or numbers further apart than ``1e-6 * max(1, |value|)``, the rule
    by which a single run is judged.
    """
    signs = table.signs()
    sign = signs[table.instance]
    count = len(table.instances)
    cost = np.where(np.isnan(table.objective), np.inf, sign * table.objective)
    found = np.full(count, np.inf)
    np.minimum.at(found, table.instance, cost)
    finder = _first(cost == found[table.instance], table.instance, count, cost)
    has = np.isfinite(cost)
    whole = np.bincount(table.instance[has & ~table.whole], minlength=count) == 0
    known = np.array([np.nan if r is None else float(r.value) for r in table.references]) * signs
    exact = whole & (np.isnan(known) | (known == np.floor(known)))
    slack = TOLERANCE * np.maximum(1.0, np.abs(np.where(np.isfinite(found), found, 0.0)))

    improved = np.isfinite(found) & (found < known - np.where(exact, 0.0, slack))
    proven = np.array([r is not None and r.proven for r in table.references], dtype=bool)

    refuted, reasons = _refute(table, cost, found, np.where(whole, 0.0, slack), slack, finder)
    best = np.fmin(found, known)
    return Verdicts(
        best=signs * np.where(np.isfinite(best), best, np.nan),
        exact=exact,
        found=signs * np.where(np.isfinite(found), found, np.nan),
        finder=finder,
        refuted=refuted,
        reasons=reasons,
        improved=tuple(_beaten(table, k, int(finder[k])) for k in np.flatnonzero(improved & ~proven).tolist()),
        contradicted=tuple(_beaten(table, k, int(finder[k])) for k in np.flatnonzero(improved & proven).tolist()),
        disputed=_dispute(table, known, cost, exact, refuted),
    )


def _first(chosen: Bools, group: Ints, count: int, cost: Floats) -> Ints:
    """The first chosen row of each group with a finite cost, -1 where there is none."""
    rows = np.flatnonzero(chosen & np.isfinite(cost))
    first = np.full(count, -1)
    groups, position = np.unique(group[rows], return_index=True)
    first[groups] = rows[position]
    return first


def _refute(
    table: Table, cost: Floats, found: Floats, own: Floats, slack: Floats, finder: Ints
) -> tuple[Bools, dict[int, str]]:
    """``own`` is the slack between objectives, ``slack`` that between an objective and a bound that is no integer."""
    group = table.instance
    target = found[group]
    known = np.isfinite(target)
    infeasible = known & (table.status == STATUS.index(Status.INFEASIBLE))
    worse = known & (table.status == STATUS.index(Status.OPTIMAL)) & np.isfinite(cost) & (cost > target + own[group])
    bound = table.signs()[group] * table.bound
    # own is 0 exactly where all objectives of the instance are integers
    room = np.where(table.bound_whole & (own[group] == 0), 0.0, slack[group])
    beyond = known & (bound > target + room)
    refuted = infeasible | worse | beyond
    reasons = {}
    for run in np.flatnonzero(refuted).tolist():
        witness = int(finder[group[run]])
        by = f"{table.configurations[table.configuration[witness]]} with seed {table.seed[witness]}"
        fact = f"{show(_value(table, witness))} was found and checked in the run of {by}"
        if infeasible[run]:
            claim = "infeasible"
        elif worse[run]:
            claim = f"optimal at {show(_value(table, run))}"
        else:
            claim = f"a dual bound of {show(float(table.bound[run]))}"
        reasons[run] = f"claims {claim}, but {fact}"
    return refuted, reasons


def _beaten(table: Table, instance: int, run: int) -> Finding:
    reference = table.references[instance]
    assert reference is not None
    value = _value(table, run)
    what = "called optimal" if reference.proven else "best known"
    text = f"{table.names[instance]}: {show(value)} was found and checked, better than {show(reference.value)}, {what}"
    return Finding(instance, run, reference.value, value, text)


def _dispute(table: Table, known: Floats, cost: Floats, exact: Bools, refuted: Bools) -> tuple[Finding, ...]:
    reference = known[table.instance]
    slack = TOLERANCE * np.maximum(1.0, np.abs(reference))
    integers = exact[table.instance]
    optimal = (table.status == STATUS.index(Status.OPTIMAL)) & np.isfinite(cost)
    infeasible = ~np.isnan(reference) & (table.status == STATUS.index(Status.INFEASIBLE))
    worse = optimal & (cost > reference + np.where(integers, 0.0, slack))
    bound = table.signs()[table.instance] * table.bound
    beyond = bound > reference + np.where(integers & table.bound_whole, 0.0, slack)
    findings = []
    for run in np.flatnonzero((infeasible | worse | beyond) & ~refuted).tolist():
        instance = int(table.instance[run])
        value = _value(table, run) if worse[run] else float(table.bound[run])
        claim = (
            "infeasible" if infeasible[run] else ("optimal at " if worse[run] else "a dual bound of ") + show(value)
        )
        row = table.references[instance]
        assert row is not None
        text = (
            f"{table.names[instance]}: {table.configurations[table.configuration[run]]} with seed {table.seed[run]}"
            f" claims {claim}, but {show(row.value)} is the reference"
        )
        findings.append(Finding(instance, run, row.value, value, text))
    return tuple(findings)


def _value(table: Table, run: int) -> Number:
    value = float(table.objective[run])
    return int(value) if table.whole[run] else value
