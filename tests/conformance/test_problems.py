"""Every kind of problem keeps the promises of its base class."""

from __future__ import annotations

import contextlib
import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from combopt import api, registry
from combopt.errors import InputError
from combopt.instances import solutions
from combopt.model import Instance, Solution
from combopt.solvers import auto
from tests.conformance.cases import KINDS, small

STRANGERS: list[Solution] = [
    solutions.Tour([0, 1]),
    solutions.Routes(((1,),)),
    solutions.Selection([0]),
    solutions.Assignment([0]),
    solutions.Schedule(((0,),), ((0,),)),
    solutions.Point(("x",), [0.0]),
]


def example(kind: str, seed: int = 3) -> Instance:
    return api.generate(kind, seed=seed, n=8)


@pytest.mark.parametrize("kind", KINDS)
def test_json_keeps_everything(kind: str) -> None:
    for instance in [example(kind), *(i for _, i, _ in small(kind, 10))]:
        data = json.loads(json.dumps(instance.to_dict(), allow_nan=False))
        again = Instance.from_dict(data)
        assert again == instance
        assert again.digest() == instance.digest()


@pytest.mark.parametrize("kind", KINDS)
def test_the_name_is_no_part_of_the_digest(kind: str) -> None:
    data = example(kind).to_dict()
    assert Instance.from_dict({**data, "name": "another"}).digest() == example(kind).digest()


@pytest.mark.parametrize("kind", KINDS)
def test_generators_are_seeded(kind: str) -> None:
    assert example(kind) == example(kind)
    assert example(kind).digest() != example(kind, seed=4).digest()


@pytest.mark.parametrize("kind", KINDS)
def test_instances_survive_pickling(kind: str) -> None:
    assert pickle.loads(pickle.dumps(example(kind))) == example(kind)


@pytest.mark.parametrize("kind", KINDS)
def test_arrays_are_read_only(kind: str) -> None:
    instance = example(kind)
    for name in instance.__dataclass_fields__:  # type: ignore[attr-defined]
        value = getattr(instance, name)
        assert not isinstance(value, np.ndarray) or not value.flags.writeable, name


@pytest.mark.parametrize("kind", KINDS)
def test_solutions_of_other_kinds_are_refused(kind: str) -> None:
    instance = example(kind)
    for stranger in STRANGERS:
        if not isinstance(stranger, instance.solution_type):
            with pytest.raises(InputError) as caught:
                instance.evaluate(stranger)
            assert caught.value.code == "E302"


@pytest.mark.parametrize("kind", KINDS)
def test_nonsense_of_the_right_type_is_never_feasible_by_accident(kind: str) -> None:
    instance = example(kind)
    for stranger in [s for s in STRANGERS if isinstance(s, instance.solution_type)]:
        with contextlib.suppress(InputError):
            evaluation = instance.evaluate(stranger)
            assert all(v.constraint and v.message for v in evaluation.violations)


@pytest.mark.parametrize("kind", KINDS)
def test_size_and_conventions_are_for_people(kind: str) -> None:
    instance = example(kind)
    assert instance.size()
    assert all(isinstance(count, int) for count in instance.size().values())
    assert all(isinstance(text, str) and text for text in instance.conventions())


@pytest.mark.parametrize("kind", KINDS)
def test_auto_finds_a_solver(kind: str) -> None:
    assert auto.choose(example(kind)) in auto.able(example(kind))


def writers() -> list[tuple[str, str]]:
    return [
        (name, kind)
        for name, entry in registry.FORMATS.items()
        for kind in KINDS
        if entry.write is not None and (kind in entry.kinds or "*" in entry.kinds)
    ]


@pytest.mark.parametrize(("name", "kind"), writers())
def test_what_is_written_is_read_back(name: str, kind: str, tmp_path: Path) -> None:
    entry = registry.FORMATS.load(name)
    instance = example(kind)
    path = tmp_path / f"{instance.name}{entry.extensions[0]}"
    try:
        api.write(instance, path, format=name)
    except InputError as error:
        if error.code not in ("E119", "E202"):  # a format may refuse what it cannot express, and nothing else
            raise
        return
    assert content(api.read(path, format=name, kind=kind, **unsaid(instance))) == content(instance)


def content(instance: Instance) -> dict[str, object]:
    """The data without the name; distances count, not whether they come from coordinates or a matrix."""
    data = {key: value for key, value in instance.to_dict().items() if key != "name"}
    if "metric" in data:
        data["metric"] = instance.metric.full().tolist()  # type: ignore[attr-defined]
    return data


def unsaid(instance: Instance) -> dict[str, str]:
    """What the field's files do not say and a user gives by option."""
    return {"min_prize": str(instance.min_prize)} if instance.kind == "pctsp" else {}  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", KINDS)
def test_the_fields_own_format_is_recognised(kind: str, tmp_path: Path) -> None:
    instance = example(kind)
    own = next((f for _, f in registry.FORMATS.items() if f.write is not None and kind in f.kinds), None)
    if own is None:
        pytest.skip("only JSON holds this kind")
    path = tmp_path / f"{instance.name}{own.extensions[0]}"
    api.write(instance, path, format=own.name)
    reading = api.read_with_warnings(path, kind=kind, **unsaid(instance))
    assert (reading.format, reading.instance.kind) == (own.name, kind)
    assert content(reading.instance) == content(instance)
