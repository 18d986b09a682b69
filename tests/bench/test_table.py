"""The columnar view holds what the store holds, each run once."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from combopt.bench.execute import unread
from combopt.bench.origin import generated_origin
from combopt.bench.runs import Failure, Reference
from combopt.bench.store import Store
from combopt.bench.table import FAILURE, STATUS, STOPPED, Table, distinct
from combopt.errors import InputError
from combopt.model import Sense
from combopt.result import Status, StoppedBy
from tests.bench.tables import Sweep, load, random_sweep


def test_the_columns_are_those_of_the_runs(tmp_path):
    path = random_sweep(tmp_path / "r.db", 1).store()
    table = load(path)
    with Store(path, readonly=True) as store:
        runs = list(store.runs())
        rows = list(store.instances())
    assert table.runs == len(runs) == 54
    assert list(zip(table.instances, table.references, strict=True)) == rows
    for r, run in enumerate(runs):
        assert table.instances[table.instance[r]].digest == run.key.instance
        assert table.configurations[table.configuration[r]] == run.label
        assert table.seed[r] == run.key.seed
        assert (table.seconds[r], table.limit[r]) == (run.seconds, 10.0)
        assert STATUS[table.status[r]] is run.status
        assert STOPPED[table.stopped[r]] is run.stopped_by
        assert FAILURE[table.failure[r]] is run.failure
        if run.objective is None:
            assert math.isnan(table.objective[r])
            assert not table.whole[r]
        else:
            assert table.objective[r] == run.objective
            assert table.whole[r] == isinstance(run.objective, int)
        assert [(a, b) for a, b, _ in table.points(r).tolist()] == [(p.seconds, p.objective) for p in run.trace]
        assert np.isnan(table.points(r)[:, 2]).all()
    assert {p.shape[0] for p in map(table.points, range(table.runs))} > {0, 1}
    assert table.run_id.tolist() == list(range(1, 55))


def test_an_empty_store_is_an_empty_table(tmp_path):
    Store(tmp_path / "r.db").close()
    table = load(tmp_path / "r.db")
    assert (table.runs, table.configurations, table.trace.shape) == (0, (), (0, 3))
    assert Table.load().runs == 0


def test_no_time_limit_is_infinity_and_huge_integers_are_not_called_exact(tmp_path):
    sweep = Sweep(tmp_path / "r.db").run("x", "a", 3**50, limit=math.inf).run("x", "b", 2**53, bound=2**53 + 1)
    table = sweep.table()
    assert table.limit.tolist() == [math.inf, 10.0]
    assert table.objective.tolist() == [float(3**50), float(2**53)]
    assert table.whole.tolist() == [False, True]
    assert table.bound_whole.tolist() == [False, False]


def test_stores_are_merged_and_equal_keys_count_once(tmp_path):
    a = Sweep(tmp_path / "a.db").on("x", 5).run("x", "s", 7).run("y", "s", 1)
    b = Sweep(tmp_path / "b.db").on("z").on("y").run("z", "t", 2).run("y", "s", 99).run("y", "s", 3, seed=1)
    table = load(a.store(), b.store())
    # the key (y, s, seed 0) is in both: what the first store says counts
    assert [row.name for row in table.instances] == ["x", "y", "z"]
    assert table.configurations == ("s", "t")
    rows = list(zip(table.instance, table.configuration, table.seed, table.objective, table.store, table.run_id,
                    strict=True))  # fmt: skip
    assert rows == [(0, 0, 0, 7, 0, 1), (1, 0, 0, 1, 0, 2), (2, 1, 0, 2, 1, 1), (1, 0, 1, 3, 1, 3)]
    assert load(a.store(), a.store()).runs == 2


def test_an_instance_that_one_store_could_not_read_is_that_of_the_other(tmp_path):
    origin = generated_origin("knapsack", 1, {"n": 10})
    b = Sweep(tmp_path / "b.db").run("x", "t", 5)
    b.instances["x"] = replace(b.instances["x"], origin=origin)
    nameless = Sweep(tmp_path / "a.db")
    nameless.instances["x"] = unread(origin)
    nameless.run("x", "s", failure=Failure.LOST)
    for paths in ((nameless.store(), b.store()), (b.store(), nameless.store())):
        table = load(*paths)
        assert table.instances == (b.instances["x"],)
        assert table.instance.tolist() == [0, 0]
    assert load(nameless.store()).instances == (unread(origin),)


@pytest.mark.parametrize(
    ("sense", "first", "second", "kept"),
    [
        (Sense.MIN, Reference(value=9), Reference(value=8), 8),
        (Sense.MAX, Reference(value=9), Reference(value=8), 9),
        (Sense.MIN, Reference(value=9, proven=True), Reference(value=8), 9),
        (Sense.MIN, Reference(value=8), Reference(value=9, proven=True), 9),
        (Sense.MIN, None, Reference(value=9), 9),
        (Sense.MIN, Reference(value=9), None, 9),
    ],
)
def test_of_two_references_the_firmer_counts(tmp_path, sense, first, second, kept):
    paths = []
    for name, reference in (("a.db", first), ("b.db", second)):
        sweep = Sweep(tmp_path / name).on("x", sense=sense).run("x", "s", 1)
        if reference is not None:
            sweep.references["x"] = reference
        paths.append(sweep.store())
    (reference,) = load(*paths).references
    assert reference is not None
    assert reference.value == kept


def test_labels_are_told_apart_by_what_differs(tmp_path):
    sweep = Sweep(tmp_path / "r.db").run("x", "s", 1).run("x", "t", 1)
    sweep.run("x", "s", 1, version="2").run("x", "s", 1, limit=3)
    table = sweep.table()
    # versions 1, 2, 1; with the version appended the first and last still clash, so the budget follows
    assert table.configurations == ("s 1 10s", "t", "s 2 10s", "s 1 3s")
    other = (
        Sweep(tmp_path / "s.db").run("x", "s", 1).run("x", "s", 2, machine="big").run("x", "s", 3, options={"k": 1})
    )
    assert other.table().configurations == ("s {} m", "s {} big", 's {"k":1} m')


def test_distinct_names_are_distinct_even_if_all_words_agree():
    assert distinct([["a", "x"], ["a", "x"], ["a #2", "x"], ["b", "y"]]) == ("a", "a #2", "a #2 #2", "b")


def test_instances_of_the_same_name_are_told_apart(tmp_path):
    sweep = Sweep(tmp_path / "r.db").on("x", kind="tsp").run("x", "s", 1)
    twin = replace(sweep.instances["x"], digest="0123456789")
    sweep.instances["y"] = twin
    sweep.run("y", "s", 1)
    assert sweep.table().names == ("x tsp:x", "x 01234567")
    # the name of the file or the generator says more than a digest
    sweep.instances["y"] = replace(twin, origin=generated_origin("tsp", 7, {"n": 10}))
    assert sweep.table().names == ("x", "tsp-10-s7")


def test_selecting_runs_keeps_their_traces(tmp_path):
    table = random_sweep(tmp_path / "r.db", 2).table()
    keep = table.seed == 1
    part = table.select(keep)
    assert part.runs == 18
    for r, whole in enumerate(np.flatnonzero(keep)):
        assert part.run_id[r] == table.run_id[whole]
        assert np.array_equal(part.points(r), table.points(whole), equal_nan=True)


def test_a_kind_has_its_own_instances(tmp_path):
    table = random_sweep(tmp_path / "r.db", 2).table()
    part = table.of_kind("mip")
    assert table.kinds == ("mip", "tsp")
    assert [row.name for row in part.instances] == ["i1", "i3", "i5"]
    assert part.configurations == table.configurations
    assert {part.instances[k].name for k in part.instance} == {"i1", "i3", "i5"}
    assert part.runs == 27


def test_a_table_whose_columns_do_not_fit_is_refused(tmp_path):
    table = Sweep(tmp_path / "r.db").run("x", "s", 1).table()
    columns = {**table.__dict__, "seed": np.zeros(2, dtype=np.int64)}
    with pytest.raises(ValueError, match="column seed"):
        Table(**{name: columns[name] for name in Table.__dataclass_fields__})


def test_a_damaged_file_is_one_clear_message(tmp_path):
    path = random_sweep(tmp_path / "r.db", 3, instances=40).store()
    data = bytearray(path.read_bytes())
    data[4096 * 8 :] = b"\xff" * len(data[4096 * 8 :])
    path.write_bytes(data)
    with pytest.raises(InputError, match="damaged"):
        load(path)


@pytest.mark.parametrize(
    "change", ["status = 'perfect'", "trace = x'0011'", "objective = 'many'", "failure = 'none at all'"]
)
def test_cells_that_make_no_sense_are_one_clear_message(tmp_path, change):
    path = Sweep(tmp_path / "r.db").run("x", "s", 1).store()
    with Store(path) as store:
        store.connection.execute(f"UPDATE run SET {change}")
    with pytest.raises(InputError, match="damaged"):
        load(path)


def test_unfinished_status_and_failures_are_read(tmp_path):
    table = Sweep(tmp_path / "r.db").run("x", "s", failure=Failure.LOST, status=Status.INFEASIBLE).table()
    assert FAILURE[table.failure[0]] is Failure.LOST
    assert STATUS[table.status[0]] is Status.INFEASIBLE
    assert STOPPED[table.stopped[0]] is StoppedBy.FINISHED
