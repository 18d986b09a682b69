"""Runs of training: that they learn, and that nothing is lost when they are cut, killed, or run out of memory."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from combopt.cli import main
from combopt.errors import InputError, SolverError, UsageError
from combopt.learned import checkpoint
from combopt.learned.decoding import Decoder, greedy
from combopt.learned.network import Policy
from combopt.learned.problems.base import Labels
from combopt.learned.problems.tsp import TspProcess
from combopt.learned.run import Report, device_named
from combopt.learned.schedule import Plan
from combopt.learned.training import Trainer
from tests.learned.conftest import CPU, NODES, toy_plan


def trainer_of(solved: Labels[Any], **changes: Any) -> Trainer:
    return Trainer(toy_plan(**changes), solved, solved.take(torch.arange(8)))


def state(trainer: Trainer) -> dict[str, torch.Tensor]:
    """All that a step depends on."""
    found = {f"policy.{k}": v for k, v in trainer.network.state_dict().items()}
    found |= {f"average.{k}": v for k, v in trainer.average.state_dict().items()}
    for number, values in trainer.optimiser.state_dict()["state"].items():
        found |= {f"{number}.{name}": value for name, value in values.items()}
    return {name: tensor.clone() for name, tensor in found.items()}


def same(one: dict[str, torch.Tensor], two: dict[str, torch.Tensor]) -> bool:
    return one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


def test_a_toy_learns(process: TspProcess, solved: Labels[Any], trained: Trainer) -> None:
    """It beats random tours by far, the network it began with clearly, and taking the nearest node too."""
    torch.manual_seed(trained.plan.seed)
    fresh = Policy(trained.plan.network, process)
    best = float(process.cost(solved.instances, solved.codes.to(torch.int64)).mean())
    costs = []
    for policy in (trained.average, fresh):
        found = greedy(Decoder(policy, process), solved.instances)
        assert found is not None
        costs.append(float(found.cost.mean()) / best)
    drawn = torch.rand(256, NODES, generator=torch.Generator().manual_seed(0)).argsort(dim=1)
    assert costs[0] < 1.08
    assert costs[0] < costs[1] - 0.05
    assert costs[0] < float(process.cost(solved.instances, drawn).mean()) / best - 0.5
    assert trained.gaps[-1]["gap"] == pytest.approx(costs[0] - 1, abs=1e-5)
    assert trained.step == 150


def test_a_run_that_was_cut_goes_on_to_the_same_bits(tmp_path: Path, solved: Labels[Any]) -> None:
    whole = trainer_of(solved, steps=12)
    assert whole.run(tmp_path / "whole")
    first = trainer_of(solved, steps=12)
    assert not first.run(tmp_path / "cut", steps=5)
    found = checkpoint.latest(tmp_path / "cut")
    assert found is not None
    second = Trainer.resume(found, solved, solved.take(torch.arange(8)))
    assert second.step == 5
    assert same(state(first), state(second))
    assert second.run(tmp_path / "cut")
    assert same(state(whole), state(second))
    assert (whole.samples, whole.read) == (second.samples, second.read)
    assert not same(state(first), state(second))


def test_a_run_that_is_killed_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "combopt", "train", "bq", "--size", "8", "--steps", "60", "--threads", "1",
               "--tokens", "512", "--save-every", "0.02", "--judged", "4", "-q", "--device", "cpu",
               "--resume"]  # fmt: skip
    killed = tmp_path / "killed"
    process = subprocess.Popen([*command, "-o", str(killed)], stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while len(list(killed.glob("checkpoint-*.json"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    found = checkpoint.latest(killed)
    assert found is not None
    assert 0 < checkpoint.read_account(found)["step"] < 60  # it was under way
    for folder in (killed, tmp_path / "whole"):
        assert main([*command[3:], "-o", str(folder)]) == 0
    ends = [checkpoint.read(folder / "checkpoint-0000000060.json") for folder in (killed, tmp_path / "whole")]
    assert same(ends[0][0], ends[1][0])
    assert ends[0][1]["samples"] == ends[1][1]["samples"]
    rows = [json.loads(line)["step"] for line in (killed / "metrics.jsonl").read_text().splitlines()]
    assert rows == sorted(set(rows))
    assert rows[-1] == 60


def test_only_the_last_two_checkpoints_are_kept(tmp_path: Path, solved: Labels[Any]) -> None:
    trainer = trainer_of(solved, steps=10)
    for step in (1, 2, 3):
        trainer.run(tmp_path, steps=step)
    names = sorted(p.name for p in tmp_path.iterdir())
    assert names == [f"checkpoint-000000000{k}.{e}" for k in (2, 3) for e in ("json", "safetensors")]
    (tmp_path / "checkpoint-0000000009.safetensors").write_bytes(b"of a run that was killed before it wrote the rest")
    trainer.run(tmp_path, steps=4)
    assert sorted(p.stem for p in tmp_path.glob("*.safetensors")) == ["checkpoint-0000000003", "checkpoint-0000000004"]


def test_large_states_are_split_into_files(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(checkpoint, "PART", 1000)
    tensors = {f"t{k}": torch.full((100,), float(k)) for k in range(5)} | {"large": torch.ones(2000)}
    paths = checkpoint.write(tmp_path / "x", tensors, {"note": 1})
    assert len(paths) == 5
    found, account = checkpoint.read(tmp_path / "x.json")
    assert same(found, tensors)
    assert account["note"] == 1


def test_damaged_checkpoints_are_told(tmp_path: Path, solved: Labels[Any]) -> None:
    trainer_of(solved, steps=1).run(tmp_path)
    found = checkpoint.latest(tmp_path)
    assert found is not None
    data = bytearray(found.with_suffix(".safetensors").read_bytes())
    data[-1] ^= 1
    found.with_suffix(".safetensors").write_bytes(data)
    with pytest.raises(InputError, match="SHA-256"):
        Trainer.resume(found, solved, solved)
    found.with_suffix(".safetensors").unlink()
    with pytest.raises(InputError, match="cannot be opened"):
        Trainer.resume(found, solved, solved)
    found.write_text("{}")
    with pytest.raises(InputError, match="no list of tensor files"):
        Trainer.resume(found, solved, solved)


def test_a_loss_that_is_no_number_ends_the_run(tmp_path: Path, solved: Labels[Any]) -> None:
    trainer = trainer_of(solved, steps=10)
    trainer.run(tmp_path, steps=3)
    good = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    with torch.no_grad():
        trainer.network.layers[0].read.weight.fill_(math.nan)
    with pytest.raises(SolverError, match="a weight is not a number after step 3"):
        trainer.run(tmp_path, save_every=0.0)
    with pytest.raises(SolverError, match="the loss is nan after step 4") as caught:
        trainer.run(tmp_path)
    assert "resume" in caught.value.remedy
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == good


def test_without_memory_the_batch_is_halved(solved: Labels[Any], monkeypatch: Any) -> None:
    plain, short = trainer_of(solved), trainer_of(solved)
    forward, sizes = Policy.forward, []

    def limited(self: Policy, tokens: Any) -> torch.Tensor:
        sizes.append(len(tokens.nodes))
        if len(tokens.nodes) > 40:
            raise torch.OutOfMemoryError("not enough")
        result: torch.Tensor = forward(self, tokens)
        return result

    plain.advance()
    monkeypatch.setattr(Policy, "forward", limited)
    short.advance()
    assert short.parts > 1
    assert max(sizes) > 40 >= sizes[-1]
    one, two = state(plain), state(short)
    means = [name for name in one if name.endswith("exp_avg")]  # a tenth of the gradients
    assert len(means) > 10
    assert all(torch.allclose(one[name], two[name], rtol=1e-3, atol=1e-7) for name in means)
    assert short.samples == plain.samples


def test_a_single_example_that_does_not_fit_is_an_error(solved: Labels[Any], monkeypatch: Any) -> None:
    def never(self: Policy, tokens: Any) -> torch.Tensor:
        raise torch.OutOfMemoryError("not enough")

    monkeypatch.setattr(Policy, "forward", never)
    with pytest.raises(torch.OutOfMemoryError):
        trainer_of(solved).advance()


def test_the_step_size_warms_up_stays_and_decays() -> None:
    plan = toy_plan(steps=1000, warm_up=10, rate=1.0, decay=0.2)
    sizes = [plan.step_size(step, plan.progress(step, 0.0)) for step in range(1001)]
    assert sizes[:10] == pytest.approx([(k + 1) / 10 for k in range(10)])
    assert sizes[10:800] == [1.0] * 790
    assert sizes[900] == pytest.approx(0.5)
    assert sizes[1000] == 0.0
    timed = replace(plan, steps=None, seconds=100.0)
    assert timed.step_size(500, timed.progress(500, 90.0)) == pytest.approx(0.5)
    longer = replace(plan, steps=2000)
    assert [longer.step_size(k, longer.progress(k, 0.0)) for k in range(800)] == sizes[:800]


@pytest.mark.parametrize(
    "changes",
    [{"steps": None}, {"seconds": 5.0}, {"tokens": 0}, {"rate": -1.0}, {"precision": "int8"}, {"decay": 0.0}],
)
def test_plans_that_make_no_sense(changes: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        toy_plan(**changes)


def test_plans_survive_being_stored() -> None:
    plan = toy_plan(seed=7)
    assert Plan.from_dict(json.loads(json.dumps(plan.to_dict()))) == plan


def test_reports(tmp_path: Path, solved: Labels[Any]) -> None:
    told: list[Report] = []
    trainer_of(solved, steps=6).run(tmp_path, report=told.append)
    last = told[-1]
    assert last.step == 6
    assert last.gap is not None
    assert last.progress == 1
    assert last.left == 0
    assert last.samples_per_second > 0
    assert 0 < last.loss < 5


def test_low_precision_learns_too(tmp_path: Path, solved: Labels[Any]) -> None:
    told: list[Report] = []
    trainer = trainer_of(solved, steps=40, precision="bfloat16")
    first = float(trainer.advance())
    trainer.run(tmp_path, report=told.append)
    assert told[-1].loss < first


def test_ranks_keep_the_same_weights(tmp_path: Path) -> None:
    """Two processes with half of the tokens each: equal weights at the end, and other examples."""
    code = (
        "import sys, torch\n"
        "torch.set_num_threads(1)\n"
        "from tests.learned.conftest import CPU, toy_plan\n"
        "from combopt.learned import labels\n"
        "from combopt.learned.parallel import Ranks\n"
        "from combopt.learned.problems import find\n"
        "from combopt.learned.training import Trainer\n"
        "from pathlib import Path\n"
        "ranks = Ranks.join(CPU)\n"
        "solved = labels.made(find('tsp'), 8, 32, 5, CPU)\n"
        "trainer = Trainer(toy_plan(steps=4), solved, solved, ranks)\n"
        "examples = trainer.source.batch(0).state.points.sum()\n"
        "trainer.run(Path(sys.argv[1]))\n"
        "total = sum(p.double().abs().sum() for p in trainer.network.parameters())\n"
        "print(repr(float(total)), float(examples), trainer.samples)\n"
        "ranks.leave()\n"
    )
    place = {**os.environ, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(20000 + os.getpid() % 20000),
             "WORLD_SIZE": "2", "OMP_NUM_THREADS": "1"}  # fmt: skip
    runs = [
        subprocess.Popen([sys.executable, "-W", "ignore", "-c", code, str(tmp_path)], env={**place, "RANK": str(rank)},
                         stdout=subprocess.PIPE, text=True)
        for rank in range(2)
    ]  # fmt: skip
    said = [run.communicate(timeout=60)[0].split() for run in runs]
    assert said[0][0] == said[1][0]
    assert said[0][1] != said[1][1]
    assert said[0][2] == said[1][2]
    assert len(list(tmp_path.glob("checkpoint-*.json"))) == 1


def test_devices(monkeypatch: Any) -> None:
    assert device_named("cpu") == CPU
    with pytest.raises(UsageError, match="tpu"):
        device_named("tpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert device_named("auto") == CPU
    with pytest.raises(UsageError, match="no GPU"):
        device_named("cuda")


def test_training_needs_no_solver_package() -> None:
    """A run on a bare machine with numpy and torch alone: any other package of the project is an error."""
    code = (
        "import sys\n"
        "class Bare:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] in {'scipy', 'numba', 'ortools', 'pyscipopt', 'highspy', 'pyvrp',\n"
        "                                      'fast_tsp', 'hygese', 'elkai', 'ray', 'matplotlib'}:\n"
        "            raise ImportError('bare machine: ' + name)\n"
        "sys.meta_path.insert(0, Bare())\n"
        "from combopt.cli import main\n"
        "sys.exit(main(['train', 'bq', '--size', '6', '--steps', '2', '--judged', '2', '--threads', '1', '-q',\n"
        "               '--tokens', '64', '-o', sys.argv[1]]))\n"
    )
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run([sys.executable, "-c", code, folder], capture_output=True, text=True, timeout=100)
        assert run.returncode == 0, run.stderr
        assert Path(folder, "bq-tsp-tiny.json").exists()
    assert TspProcess.teaches == 20
