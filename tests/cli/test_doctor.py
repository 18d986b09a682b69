"""The doctor finds every solver package, imports it alone and beside the others."""

from __future__ import annotations

import json

import pytest

from combopt.cli import doctor, main


def test_doctor(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["problems"] == []
    assert {"ortools", "pyscipopt", "highspy", "pyvrp"} <= set(report["packages"])


def test_a_broken_package_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(doctor.MODULES, "pyvrp", "no_such_module")
    assert main(["doctor"]) == 5
    assert "no_such_module" in capsys.readouterr().out
