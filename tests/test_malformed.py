"""Every file of the corpus gets its golden verdict: the error code and the line, or acceptance."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

import pytest

import tests.malformed
from combopt import api
from combopt.errors import InputError
from tests.malformed.case import Case

CASES: list[Case] = []
for module in pkgutil.iter_modules(tests.malformed.__path__):
    if module.name != "case":
        CASES += importlib.import_module(f"tests.malformed.{module.name}").CASES


def _read(case: Case, folder: Path, **options: object) -> tuple[object, list[str]]:
    path = folder / case.filename
    path.write_bytes(case.text if isinstance(case.text, bytes) else case.text.encode())
    if case.instance is not None:
        return api.read_solution(path, case.instance()), []
    reading = api.read_with_warnings(path, **{**case.options, **options})
    return reading.instance, [w.code for w in reading.warnings]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.filename}-{case.name}")
def test_golden_verdict(case: Case, tmp_path: Path) -> None:
    if case.code is None:
        found, _ = _read(case, tmp_path)
        if case.check is not None:
            case.check(found)
        return
    with pytest.raises(InputError) as caught:
        _read(case, tmp_path)
    place = caught.value.place
    assert (caught.value.code, place.line if place else 0) == (case.code, case.line), str(caught.value)
    assert place is not None
    assert case.filename in place.path


@pytest.mark.parametrize("case", [c for c in CASES if c.lenient], ids=lambda case: f"{case.filename}-{case.name}")
def test_lenient_reading_warns(case: Case, tmp_path: Path) -> None:
    found, warnings = _read(case, tmp_path, lenient=True)
    assert case.lenient in warnings
    if case.check is not None:
        case.check(found)


def test_names_are_unique() -> None:
    names = [(case.filename, case.name) for case in CASES]
    assert len(names) == len(set(names))
