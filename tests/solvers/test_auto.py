"""The table of ``auto`` is complete and names only what exists."""

from __future__ import annotations

import pytest

from combopt import api, registry
from combopt.errors import UnsupportedError
from combopt.solvers import auto
from tests.conformance.cases import KINDS


def test_rules_name_registered_things() -> None:
    for rule in auto.RULES:
        assert rule.kind in KINDS
        assert rule.solver in registry.SOLVERS.names()
        assert rule.why


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_rule_for_any_ordinary_size(kind: str) -> None:
    rules = [rule for rule in auto.RULES if rule.kind == kind]
    for n in (6, 20, 60):
        assert any(rule.when(api.generate(kind, n=n).size()) for rule in rules)


def test_auto_never_takes_what_is_not_free_for_all() -> None:
    for rule in auto.RULES:
        assert "non-commercial" not in registry.SOLVERS.load(rule.solver).info.licence.lower()


def test_insisting_lists_those_that_could() -> None:
    with pytest.raises(UnsupportedError) as caught:
        auto.insist(api.make_solver("nearest_neighbour"), api.generate("knapsack", n=8))
    assert "cpsat" in caught.value.expected
