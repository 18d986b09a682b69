"""What a suite runs: strict reading, lazy listing, overrides."""

from __future__ import annotations

import json
import tracemalloc
from itertools import islice
from pathlib import Path

import pytest

from combopt import api
from combopt.bench import origin
from combopt.bench.runs import Configuration, Reference
from combopt.bench.sources import Generated
from combopt.bench.suite import Overrides, Suite, configuration
from combopt.errors import InputError, MissingExtraError, UsageError
from combopt.solvers.base import SolverInfo

SUITES = Path(__file__).parent.parent.parent / "benchmarks" / "suites"
GENERATED = '[[instances]]\ngenerate = "knapsack"\nn = 10\n'


def suite(folder: Path, text: str, **overrides: object) -> Suite:
    (folder / "suite.toml").write_text(text)
    return Suite.read(folder / "suite.toml", Overrides(**overrides))


def names(found: Suite) -> list[str]:
    return [origin.name(case.origin) for case in found.cases()]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Two tours, a knapsack, and files that are no instances."""
    (tmp_path / "sub").mkdir()
    for name, n in (("b", 6), ("a", 5)):
        api.write(api.generate("tsp", n=n), tmp_path / f"{name}.tsp")
    api.write(api.generate("knapsack", n=5), tmp_path / "sub" / "k.kp")
    (tmp_path / "notes.md").write_text("no instance\n")
    (tmp_path / ".hidden.tsp").write_text("no instance\n")
    return tmp_path


def test_a_whole_suite(files, monkeypatch):
    monkeypatch.setenv("SOME_FOLDER", str(files))
    found = suite(
        files,
        """
        name = "mine"
        seeds = [4, 7]
        [budget]
        time_limit = 3
        memory = 900
        [[instances]]
        files = "*.tsp"
        root = "SOME_FOLDER"
        kind = "tsp"
        [[instances]]
        generate = "knapsack"
        n = 10
        count = 3
        seed = 2
        [[solvers]]
        solver = "knapsack"
        label = "DP"
        options = { states = 500 }
        kinds = ["knapsack"]
        [[solvers]]
        solver = "auto"
        [references]
        b = 17
        "knapsack-10-s3" = { value = 5, proven = true, source = "me" }
        """,
    )
    dp = Configuration(solver="knapsack", options={"states": 500}, label="DP")
    auto = Configuration(solver="auto")
    assert (found.name, found.seeds, found.configurations) == ("mine", (4, 7), (dp, auto))
    assert (found.budget.time_limit, found.budget.memory, found.budget.threads) == (3.0, 900, 1)
    assert names(found) == ["a", "b", "knapsack-10-s2", "knapsack-10-s3", "knapsack-10-s4"]
    cases = list(found.cases())
    assert [case.reference for case in cases] == [
        None, Reference(value=17), None, Reference(value=5, proven=True, source="me"), None
    ]  # fmt: skip
    assert [case.configurations for case in cases] == [(auto,)] * 2 + [(dp, auto)] * 3
    assert (found.count(), found.runs()) == (5, 16)
    tasks = [task for case in found.cases() for task in found.tasks(case, "m")]
    assert len(tasks) == 16
    assert len({(t.origin, t.configuration.label, t.seed) for t in tasks}) == 16
    assert {(t.budget, t.machine, t.suite) for t in tasks} == {(found.budget, "m", "mine")}
    assert [(t.configuration, t.seed) for t in tasks[4:8]] == [(dp, 4), (dp, 7), (auto, 4), (auto, 7)]


def test_what_is_left_out_has_a_default(tmp_path):
    found = suite(tmp_path, GENERATED)
    assert (found.name, found.seeds, found.count()) == ("suite", (0,), 1)
    assert found.configurations == (Configuration(solver="auto"),)
    assert (found.budget.time_limit, found.budget.threads) == (60.0, 1)
    assert suite(tmp_path, "seeds = 3\n" + GENERATED).seeds == (0, 1, 2)


def test_the_command_line_goes_before_the_suite(files, monkeypatch):
    monkeypatch.delenv("NOT_SET_HERE", raising=False)
    text = """
        seeds = 5
        budget = { time_limit = 3, threads = 2 }
        [[instances]]
        files = "*.tsp"
        root = "NOT_SET_HERE"
        kind = "tsp"
        [[solvers]]
        solver = "dantzig"
        """
    mine = (configuration("external:env {instance}"), configuration("or_opt", {}, "O"))
    found = suite(files, text, root=files, seeds=(9,), budget={"time_limit": 1}, configurations=mine)
    assert (found.seeds, found.configurations, found.count()) == ((9,), mine, 2)
    assert (found.budget.time_limit, found.budget.threads) == (1.0, 2)
    assert mine[0].options == {"command": "env {instance}"}
    with pytest.raises(UsageError, match="the variable NOT_SET_HERE is not set") as caught:
        suite(files, text)
    assert "--root" in str(caught.value)
    with pytest.raises(UsageError, match="is no folder"):
        suite(files, text, root=files / "a.tsp")
    with pytest.raises(UsageError, match="kind with a suite"):
        suite(files, text, root=files, read={"kind": "tsp"})
    with pytest.raises(UsageError, match="'time' is no limit"):
        suite(files, text, root=files, budget={"time": 1})


def test_a_folder_is_a_suite(files):
    found = Suite.read(files)
    assert names(found) == ["a", "b", "k"]
    assert (found.name, found.count(), found.runs()) == (files.name, 3, 3)
    assert all(case.reference is None for case in found.cases())
    (files / "empty").mkdir()
    with pytest.raises(InputError, match="no instance file"):
        Suite.read(files / "empty")
    with pytest.raises(InputError, match="no such suite"):
        Suite.read(files / "none")


def test_a_manifest_says_which_files(files):
    (files / "MANIFEST.csv").write_text("file,best_known,proven_optimal\nsub/k.kp,12,yes\nb.tsp,,\n")
    found = Suite.read(files)
    assert names(found) == ["k", "b"]
    assert [case.reference for case in found.cases()] == [Reference(value=12, proven=True), None]
    # its values also count for a part of its folder, and for a pattern, which may take files that it does not list
    assert [case.reference for case in Suite.read(files / "sub").cases()] == [Reference(value=12, proven=True)]
    pattern = suite(files, '[[instances]]\nfiles = "**/*.*p"\n')
    assert names(pattern) == ["a", "b", "k"]
    (files / "MANIFEST.csv").write_text("file\nmissing.tsp\n")
    with pytest.raises(InputError, match=r"lists missing\.tsp, which is not there"):
        Suite.read(files)


def test_one_file_is_a_suite(tmp_path):
    path = tmp_path / "two[1].txt"
    path.write_text("2\n a\n 10 3 2\n5\n5\n5\n b\n 10 2 1\n5\n5\n")
    found = Suite.read(f"{path}#2", Overrides(read={"kind": "binpacking"}, configurations=(configuration("dantzig"),)))
    (case,) = found.cases()
    assert origin.load(case.origin).size()["items"] == 2
    assert found.configurations == (configuration("dantzig"),)


def test_instances_of_a_file_with_many(tmp_path):
    (tmp_path / "many.txt").write_text("3\n" + "".join(f" u{k}\n 10 {k + 1} 1\n" + "5\n" * (k + 1) for k in range(3)))
    found = suite(tmp_path, '[[instances]]\nfiles = "many.txt"\nselect = ["2-3", "u0"]\n[references]\n"many#2" = 1')
    assert names(found) == ["many#2", "many#3", "many#u0"]
    assert found.count() == 3
    assert [origin.load(case.origin).size()["items"] for case in found.cases()] == [2, 3, 1]
    assert [case.reference for case in found.cases()] == [Reference(value=1), None, None]


def test_files_are_chosen_by_name_and_by_manifest(files):
    (files / "MANIFEST.csv").write_text("file,size,best_known\na.tsp,5,1\nb.tsp,6,2\n")
    entry = '[[instances]]\nfiles = "**/*.*p"\n'
    assert names(suite(files, entry + 'names = ["k", "a"]')) == ["a", "k"]
    assert names(suite(files, entry + "where = { size = 6 }")) == ["b"]
    assert names(suite(files, entry + 'where = { size = ["5", "6"] }')) == ["a", "b"]
    with pytest.raises(InputError, match="is called zz"):
        suite(files, entry + 'names = ["a", "zz"]')
    with pytest.raises(UsageError, match="no column 'sise'"):
        suite(files, entry + "where = { sise = 6 }")
    with pytest.raises(InputError, match=r"no file \*\*"):
        suite(files, entry + "where = { size = 7 }")


REFUSED = [
    ("nonsense = 1\n" + GENERATED, 1, "'nonsense' is no key"),
    (GENERATED + "[budget]\ntime = 3\n", 5, "'time' is no limit"),
    (GENERATED + '[budget]\ntime_limit = "x"\n', 5, "time_limit"),
    (GENERATED + "[budget]\ntime_limit = -1\n", 5, "time_limit = -1"),
    (GENERATED + "[budget]\nseed = 1\n", 5, "'seed' is no limit"),
    (GENERATED + "sise = 3\n", 4, r"'sise' is no key in \[instances\]"),
    (GENERATED + GENERATED + 'files = "x"\n', 4, "one of files and generate"),
    (GENERATED + GENERATED + "sise = 3\n", 7, "'sise'"),
    ("[[instances]]\n", 1, "one of files and generate"),
    ('[[instances]]\ngenerate = "knapsak"\n', 2, "'knapsak' is not among the problems"),
    (GENERATED + "count = 0\n", 4, "0 instances"),
    (GENERATED + "seed = 2147483647\ncount = 2\n", 5, "2 instances from seed"),
    (GENERATED + 'count = "3"\n', 4, "count"),
    ('[[instances]]\nfiles = "*.none"\n', 0, r"no file \*.none"),
    ('[[instances]]\nfiles = "*.toml"\nkind = "tps"\n', 3, "'tps' is not among"),
    ('[[instances]]\nfiles = "*.toml"\nformat = "x"\n', 3, "'x' is not among"),
    ('[[instances]]\nfiles = "*.toml"\nn = 3\n', 3, "'n' is no key"),
    ("[instances]\nn = 3\n", 1, r"instances is one table"),
    ("instances = [1]\n", 1, "found int"),
    ("", 0, r"has no \[\[instances\]\]"),
    (GENERATED + "[[solvers]]\n", 4, "names no solver"),
    (GENERATED + '[[solvers]]\nsolver = "scop"\n', 5, "Maybe scip"),
    (GENERATED + '[[solvers]]\nsolver = "scip"\noption = 1\n', 6, r"'option' is no key in \[solvers\]"),
    (GENERATED + '[[solvers]]\nsolver = "scip"\noptions = { x = 1 }\n', 6, "no option 'x'"),
    (GENERATED + '[[solvers]]\nsolver = "auto"\noptions = { x = 1 }\n', 6, "auto takes no options"),
    (GENERATED + '[[solvers]]\nsolver = "external:x {solution}"\n', 5, "does not name {instance}"),
    (GENERATED + '[[solvers]]\nsolver = "scip"\nkinds = ["tps"]\n', 6, "'tps' is not among"),
    (GENERATED + '[[solvers]]\nsolver = "scip"\nkinds = ["tsp"]\n', 6, "no instance of the suite is of these kinds"),
    (GENERATED + '[[solvers]]\nsolver = "auto"\n' * 2, 0, "the label auto twice"),
    (GENERATED + '[[solvers]]\nsolver = "auto"\n[[solvers]]\nsolver = "auto"\nlabel = "b"\n', 0, "the solver auto"),
    ("seeds = 0\n" + GENERATED, 1, "0 seeds"),
    ("seeds = [1, 1]\n" + GENERATED, 0, "the seed 1 twice"),
    ("seeds = [-1]\n" + GENERATED, 0, "seed = -1"),
    ("seeds = []\n" + GENERATED, 0, "has no seed"),
    ("seeds = 1.5\n" + GENERATED, 1, "seeds: 1.5"),
    ("name = 3\n" + GENERATED, 1, "name: 3"),
    (GENERATED + "[references]\nabc = 3\n", 5, "no instance of the suite is called 'abc'"),
    (GENERATED + '[references]\n"knapsack-10-s0" = "x"\n', 5, "knapsack-10-s0"),
    (GENERATED + '[references]\n"knapsack-10-s0" = { valeu = 1 }\n', 5, "no field 'valeu'"),
    (GENERATED + "x = \n", 4, "not TOML"),
    (GENERATED + "n = 11\n", 4, "not TOML"),
]


@pytest.mark.parametrize(("text", "line", "found"), REFUSED, ids=range(len(REFUSED)))
def test_what_is_refused(tmp_path, text, line, found):
    with pytest.raises((InputError, UsageError), match=found) as caught:
        suite(tmp_path, text)
    place = caught.value.place
    assert place is not None
    assert place.line == line
    assert str(tmp_path) in place.path


def test_kinds_must_be_known(files):
    text = '[[instances]]\nfiles = "*.tsp"\n[[solvers]]\nsolver = "scip"\nkinds = ["tsp"]\n'
    with pytest.raises(InputError, match=r"not all .* say theirs") as caught:
        suite(files, text)
    assert caught.value.place.line == 5


def test_a_solver_that_is_not_installed(tmp_path, monkeypatch):
    def missing(self: SolverInfo) -> str | None:
        return None if self.name == "scip" else "1"

    monkeypatch.setattr(SolverInfo, "version", missing)
    entry = GENERATED + '[[solvers]]\nsolver = "scip"\n'
    with pytest.raises(UsageError, match="'pyscipopt' is not installed") as caught:
        suite(tmp_path, entry)
    assert (caught.value.code, caught.value.place.line) == ("E203", 5)
    assert "pip install" in caught.value.remedy
    found = suite(tmp_path, entry + 'optional = true\n[[solvers]]\nsolver = "dantzig"\n')
    assert [c.solver for c in found.configurations] == ["dantzig"]
    assert len(found.warnings) == 1
    assert "scip is passed over" in found.warnings[0]
    with pytest.raises(UsageError, match="none of the solvers"):
        suite(tmp_path, entry + "optional = true\n")
    outside = '[[solvers]]\nsolver = "external:no-such-program {instance}"\nlabel = "peer"\noptional = true\n'
    found = suite(tmp_path, GENERATED + outside + '[[solvers]]\nsolver = "dantzig"\n')
    assert [c.solver for c in found.configurations] == ["dantzig"]
    assert "peer is passed over: there is no program 'no-such-program'" in found.warnings[0]
    with pytest.raises(MissingExtraError):
        Suite.read(tmp_path / "suite.toml", Overrides(configurations=(configuration("scip"),)))
    assert suite(tmp_path, entry, configurations=(configuration("dantzig"),)).configurations[0].solver == "dantzig"


def test_ten_thousand_instances_cost_no_memory(tmp_path):
    found = suite(tmp_path, GENERATED + "count = 10000\nseed = 5\n")
    assert found.count() == 10_000
    cases = found.cases()
    list(islice(cases, 10))
    tracemalloc.start()
    last = None
    for case in cases:
        last = case
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert json.loads(last.origin)["seed"] == 10_004
    assert peak < 200_000


def test_options_as_text_are_those_options():
    assert configuration("knapsack", {"states": "500"}) == configuration("knapsack", {"states": 500})
    with pytest.raises(UsageError, match="states"):
        configuration("knapsack", {"states": "many"})


def test_parameters_of_generators_are_checked():
    with pytest.raises(UsageError, match="no parameter 'm'"):
        Generated(kind="tsp", parameters={"m": 3})


def test_the_smoke_suite():
    found = Suite.read(SUITES / "smoke.toml")
    assert found.count() >= 10
    assert found.runs() * found.budget.time_limit <= 150
    assert all(case.reference is not None and case.reference.proven for case in found.cases())
    for case in found.cases():
        instance = origin.load(case.origin)
        for entry in case.configurations:
            assert entry.solver == "auto" or api.make_solver(entry.solver, entry.options).accepts(instance)


@pytest.mark.parametrize("path", sorted(SUITES.glob("*.toml")), ids=lambda path: path.stem)
def test_the_suites_load(path, benchmark_files):
    found = Suite.read(path, Overrides(root=benchmark_files))
    assert found.count() == sum(1 for _ in found.cases()) > 0
    assert found.name == path.stem
    first = next(found.cases())
    instance = origin.load(first.origin)
    for entry in first.configurations:
        assert entry.solver == "auto" or api.make_solver(entry.solver, entry.options).accepts(instance)


def test_the_suites_of_the_manual(benchmark_files, tmp_path, monkeypatch):
    text = (SUITES.parent.parent / "docs" / "suites.md").read_text()
    first, second = (block.partition("```")[0] for block in text.split("```toml\n")[1:])
    found = suite(tmp_path, first, root=benchmark_files)
    assert (found.name, found.count(), found.seeds) == ("short tours", 12, (0, 1, 2))
    assert [c.label for c in found.configurations] == ["fast_tsp", "Or-opt"]
    assert [case.reference.value for case in islice(found.cases(), 2)] == [2579, 7542]
    program = tmp_path / "mysolver"
    program.touch(mode=0o755)
    monkeypatch.chdir(tmp_path)
    (own,) = suite(tmp_path, second).configurations
    assert (own.solver, own.label) == ("external", "mine")
