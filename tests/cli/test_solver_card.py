"""``combopt info SOLVER``: every option of every solver is there, with its meaning."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal

import pytest

from combopt import registry
from combopt.cli import main
from combopt.cli.solver_card import card, meant, options


@pytest.mark.parametrize("name", registry.SOLVERS.names())
def test_every_option_has_a_meaning_and_its_default(name: str) -> None:
    found = card(name)
    solver = registry.SOLVERS.load(name)()
    assert {option["name"]: option["default"] for option in found["options"]} == solver.options()
    for option in found["options"]:
        assert option["meaning"], option["name"]
        assert ":mod:" not in option["meaning"]
        assert "``" not in option["meaning"]


def test_meanings_are_read_from_numpy_docstrings() -> None:
    doc = """First line.

    Parameters
    ----------
    a, b
        Two of them,
        on two lines; see :class:`~x.y.Z`.
    c : int
        ``One``.

    Raises
    ------
    d
        No option.
    """
    assert meant(doc) == {"a": "Two of them, on two lines; see x.y.Z.", "b": "Two of them, on two lines; see x.y.Z.",
                          "c": "One."}  # fmt: skip
    assert meant("No such section.") == {}


def test_values_are_in_the_words_of_the_command_line() -> None:
    @dataclass(frozen=True)
    class Made:
        """Parameters
        ----------
        a
            A.
        """

        a: Literal["x", "y"] = "x"
        b: bool = True
        c: int | None = None

    made = {option["name"]: option for option in options(Made)}  # type: ignore[arg-type]
    assert [made[name]["values"] for name in "abc"] == ["x | y", "true | false", "whole number"]


def test_the_command_prints_text_and_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", "balans"]) == 0
    text = capsys.readouterr().out
    assert "local_branching_patience" in text
    assert "share of the discrete columns" in " ".join(text.lower().split())
    assert main(["info", "scip", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["options"][0]["name"] == "emphasis"
