"""Orienteering in the format of Tsiligirides and Chao."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from combopt import api
from combopt.errors import InputError
from combopt.instances.formats.chao import CHAO
from combopt.instances.metric import Metric
from combopt.instances.op import Op
from combopt.instances.text import Source

POINTS = Metric(rule="EXACT_2D", coordinates=np.array([[0.1, 0.2], [4.6, 7.1], [5.7, 11.4], [4.4, 12.3]]))


@pytest.mark.parametrize("end", [1, 3])
def test_what_is_written_is_read_back(end: int, tmp_path: Path) -> None:
    prize = [0, 15, 10, 20]
    prize[end] = 0
    instance = Op(name="four", metric=POINTS, prize=prize, limit=12.75, end=end)
    path = tmp_path / "four.txt"
    api.write(instance, path)
    reading = api.read_with_warnings(path)
    assert (reading.format, reading.warnings) == ("chao", ())
    assert reading.instance == instance


@pytest.mark.parametrize(
    "change",
    [
        {"end": None},
        {"end": 2},
        {"depot": 2, "end": 3},
        {"prize": [0, 15, 10, 20]},
        {"prize": [0, 0, 10, 0]},
        {"metric": Metric(rule="EUC_2D", coordinates=POINTS.coordinates)},
    ],
)
def test_what_the_format_cannot_hold_is_refused(change: dict[str, object]) -> None:
    fields = {"metric": POINTS, "prize": [0, 15, 10, 0], "limit": 9, "end": 3, **change}
    with pytest.raises(InputError) as caught:
        CHAO.write(Op(**fields))  # type: ignore[arg-type, misc]
    assert caught.value.code == "E119"


@pytest.mark.parametrize(
    "text",
    [
        "5 4\n1 2 0\n2 3 0\n3 4 0\n4 5 0\n",  # a graph with its edges, all weights 0
        "3 2\n0 0 0\n0 0 0\n",
        "5 100\n1 2 0\n2 3 0\n",
        "3 3\n1 2 3\n4 5 6\n7 8 9\n",
        "15 1\n0 0 1\n1 1 0\n2 2 2\n",
        "2\n1 2\n",
        "a b\n1 2 3\n",
    ],
)
def test_other_files_are_not_taken(text: str) -> None:
    assert not CHAO.sniff(Source("a.txt", text))
