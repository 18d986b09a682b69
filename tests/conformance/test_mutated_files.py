"""Mutated files: every reader answers with an instance or an error of its own, soon, and within little memory."""

from __future__ import annotations

import os
import resource
import time
import zlib
from pathlib import Path

import numpy as np
import pytest

from combopt import api, registry
from combopt.errors import CombOptError, InputError
from combopt.instances.text import ReadOptions, Source
from combopt.model import Instance
from combopt.solvers import auto
from tests.conformance.cases import KINDS, small
from tests.conformance.mutate import mutate
from tests.test_malformed import CASES

COUNT = int(os.environ.get("COMBOPT_MUTATIONS", "5000"))
SECONDS, MEGABYTES = 2.0, 300


def _seeds(name: str) -> list[str]:
    """Small files of the format: what its writer makes, and the accepted files of the corpus."""
    entry = registry.FORMATS.load(name)
    texts = []
    for kind in KINDS:
        if entry.write is not None and (kind in entry.kinds or "*" in entry.kinds):
            try:
                texts.append(entry.write(api.generate(kind, seed=5, n=6)))
            except CombOptError:
                continue
    for case in CASES:
        if case.code is None and case.instance is None and isinstance(case.text, str):
            source = Source(case.filename, case.text)
            if len(case.text) < 5000 and source.suffix in entry.extensions and entry.sniff(source):
                texts.append(case.text)
    assert texts, f"no seed file for {name}"
    return texts


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", registry.FORMATS.names())
def test_mutated_instances(name: str, tmp_path: Path) -> None:
    entry = registry.FORMATS.load(name)
    seeds = _seeds(name)
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number in range(COUNT):
        data = mutate(seeds[number % len(seeds)], rng)
        kind = entry.kinds[number % len(entry.kinds)]
        path = tmp_path / f"file{entry.extensions[0]}"
        options = ReadOptions(lenient=number % 2 == 1, kind=None if kind == "*" or number % 3 else kind)
        started = time.monotonic()
        try:
            path.write_bytes(data)
            source = Source.open(path, options)
            found = entry.read(source)
            assert isinstance(found, Instance)
            found.size()
        except InputError:
            pass
        except Exception as error:
            raise AssertionError(f"{name} #{number}: {type(error).__name__}: {error}\n{data!r}") from error
        assert time.monotonic() - started < SECONDS, f"{name} #{number}: {data!r}"
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak) / 1024
    assert grown < MEGABYTES, f"{name}: {grown:.0f} MB"


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", registry.FORMATS.names())
def test_recognising_mutated_files_never_fails(name: str, tmp_path: Path) -> None:
    seeds = _seeds(name)
    rng = np.random.default_rng(zlib.crc32(name.encode()) + 1)
    tables = (registry.FORMATS, registry.SOLUTION_FORMATS)
    for number in range(COUNT // 25):
        source = Source("file.txt", mutate(seeds[number % len(seeds)], rng).decode("latin-1"))
        for table in tables:
            for other, entry in table.items():
                try:
                    assert entry.sniff(source) in (True, False)
                except Exception as error:
                    raise AssertionError(f"{other} on {name} #{number}: {error!r}\n{source.text!r}") from error


def _solution_seeds(name: str) -> list[tuple[str, Instance]]:
    entry = registry.SOLUTION_FORMATS.load(name)
    found = []
    for kind in KINDS:
        if entry.write is None or not (kind in entry.kinds or "*" in entry.kinds):
            continue
        for _, instance, best in small(kind, 4):
            if best is None:
                continue
            result = api.solve(instance, auto.choose(instance), isolate=False, time_limit=1.0, threads=1)
            if result.solution is not None:
                found.append((entry.write(result.solution, instance), instance))
                break
    for case in CASES:
        if case.code is None and case.instance is not None and isinstance(case.text, str):
            source = Source(case.filename, case.text)
            if source.suffix in entry.extensions and entry.sniff(source) and case.instance().kind in entry.kinds:
                found.append((case.text, case.instance()))
    assert found, f"no seed file for {name}"
    return found


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", registry.SOLUTION_FORMATS.names())
def test_mutated_solutions(name: str) -> None:
    entry = registry.SOLUTION_FORMATS.load(name)
    seeds = _solution_seeds(name)
    rng = np.random.default_rng(zlib.crc32(name.encode()) + 2)
    for number in range(COUNT):
        text, instance = seeds[number % len(seeds)]
        data = mutate(text, rng).replace(b"\0", b"").decode("latin-1")
        started = time.monotonic()
        try:
            source = Source(f"file{entry.extensions[0]}", data)
            entry.claim(source) if entry.sniff(source) else None
            instance.evaluate(entry.read(source, instance))
        except InputError:
            pass
        except Exception as error:
            raise AssertionError(f"{name} #{number}: {type(error).__name__}: {error}\n{data!r}") from error
        assert time.monotonic() - started < SECONDS, f"{name} #{number}: {data!r}"
