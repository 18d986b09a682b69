"""A small policy that is trained once for all tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from combopt.learned import labels
from combopt.learned.network import NetworkConfig, Policy
from combopt.learned.problems import find
from combopt.learned.problems.base import Labels
from combopt.learned.problems.tsp import TspProcess
from combopt.learned.schedule import Plan
from combopt.learned.training import Trainer

CPU = torch.device("cpu")
NODES = 10
TOY = NetworkConfig(width=32, layers=2, heads=1, hidden=64)


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def process() -> TspProcess:
    found = find("tsp")
    assert isinstance(found, TspProcess)
    return found


@pytest.fixture(scope="session")
def solved(process: TspProcess) -> Labels[Any]:
    """256 instances of ten nodes with short tours."""
    return labels.made(process, NODES, 256, 5, CPU)


@pytest.fixture
def policy(process: TspProcess) -> Policy:
    """A policy with random weights, large enough for logits to differ clearly."""
    torch.manual_seed(3)
    policy = Policy(NetworkConfig(width=32, layers=2, heads=2, hidden=48), process)
    with torch.no_grad():
        for parameter in policy.parameters():
            parameter.add_(0.2 * torch.randn(parameter.shape))
    return policy.eval()


def toy_plan(**changes: Any) -> Plan:
    given: dict[str, Any] = {"steps": 150, "tokens": 1024, "warm_up": 20, "rate": 3e-3, "average": 0.95, "made": 512}
    return Plan(problem="tsp", size=NODES, network=TOY, **(given | changes))


@pytest.fixture(scope="session")
def trained(process: TspProcess, solved: Labels[Any], tmp_path_factory: pytest.TempPathFactory) -> Trainer:
    """A run that is over."""
    plan = toy_plan()
    trainer = Trainer(plan, labels.made(process, NODES, plan.made, 0, CPU), solved)
    folder: Path = tmp_path_factory.mktemp("toy")
    assert trainer.run(folder)
    return trainer
