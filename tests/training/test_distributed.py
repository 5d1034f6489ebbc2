from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from dpt_bench.core.errors import UsageError
from dpt_bench.model.checkpoint import Checkpoint, read_checkpoint
from dpt_bench.training import train
from dpt_bench.training.distributed import World, joined_world

EXACT: dict[str, Any] = {
    "model.spec.backbone": str(Path(__file__).with_name("micro_backbone.py")),
    "model.spec.hooks": [0, 1],
    "model.spec.widths": [16, 16, 16, 16],
    "model.spec.features": 16,
    "model.spec.batch_norm": False,
    "steps": 20,
    "batch_size": 4,
    "crop": 32,
    "precision": "fp64",
    "log_every": 1,
    "validation.every": 10,
    "checkpoints.every": 10,
    "optimiser.warmup": 2,
    "data.workers": 0,
    "device": "cpu",
}
PROGRAM = """
import json
import os
import signal
import sys
import torch
from dpt_bench.core.progress import Silent
from dpt_bench.training import train


class Stopping(Silent):
    steps = 0

    def advance(self, task, steps=1, note="", seconds_left=None):
        self.steps += task == "training"
        if self.steps == stop_at:
            os.kill(os.getpid(), signal.SIGUSR1)


torch.set_num_threads(1)
runs, stop_at = json.loads(sys.argv[2]), int(sys.argv[3])
for out, settings in runs.items():
    report = train("demo", sys.argv[1], out, overrides=settings, resume=True, progress=Stopping())
    print(json.dumps({"rank": os.environ["RANK"], "status": report.status, "steps": report.steps}), flush=True)
"""
METHODS: dict[str, dict[str, Any]] = {
    "uniform": {},
    "mgda": {"multi_objective.method": "mgda"},
    "sums over the batch": {"loss.reduction": "batch", "loss.gradient_denominator": "scale"},
    "mgda now and then on a part": {
        "multi_objective.method": "mgda",
        "multi_objective.every": 3,
        "multi_objective.parameters": ["head.", "fusion."],
    },
}


def torchrun(folder: Path, shards: str, out: Path, stop_at: int = 0, **changes: Any) -> list[dict[str, Any]]:
    """Two processes under torchrun; what each of them says at its end."""
    program = folder / "program.py"
    program.write_text(PROGRAM)
    call = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(program)]
    run = subprocess.run(
        [*call, shards, json.dumps({str(out): {**EXACT, **changes}}), str(stop_at)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert run.returncode == 0, run.stderr
    return said(run.stdout)


def said(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


@pytest.fixture(scope="module")
def pairs(shards_url: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Below it, the runs of two processes by every method, without a launcher."""
    folder = tmp_path_factory.mktemp("pairs")
    program = folder / "program.py"
    program.write_text(PROGRAM)
    runs = {str(folder / name): {**EXACT, **changes} for name, changes in METHODS.items()}
    with socket.create_server(("localhost", 0)) as free:
        port = free.getsockname()[1]
    with contextlib.ExitStack() as stack:
        ranks = []
        for rank in range(2):
            place = {"RANK": str(rank), "WORLD_SIZE": "2", "MASTER_ADDR": "localhost", "MASTER_PORT": str(port)}
            call = [sys.executable, str(program), shards_url, json.dumps(runs), "0"]
            environment = {**os.environ, "OMP_NUM_THREADS": "1", **place}
            process = stack.enter_context(subprocess.Popen(call, env=environment, stdout=subprocess.PIPE))
            stack.callback(process.kill)
            ranks.append(process)
        for rank, process in enumerate(ranks):
            text = process.communicate(timeout=300)[0].decode()
            assert process.returncode == 0
            assert said(text) == [{"rank": str(rank), "status": "done", "steps": 20}] * len(METHODS)
    return folder


def last(out: Path) -> Checkpoint:
    return read_checkpoint(out / "latest.pt")


def losses(out: Path) -> list[float]:
    """Of every step; one that was done twice counts as it was done last."""
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    return list({line["step"]: line["loss"] for line in lines if line["event"] == "step"}.values())


def assert_close(one: Checkpoint, other: Checkpoint) -> None:
    assert one.step == other.step
    assert one.loader == other.loader
    for key, value in other.weights.items():
        assert torch.allclose(one.weights[key], value, rtol=0, atol=1e-9), key


@pytest.mark.parametrize("method", METHODS)
def test_two_processes_learn_what_one_does(shards_url: str, tmp_path: Path, pairs: Path, method: str) -> None:
    train("demo", shards_url, tmp_path / "one", overrides={**EXACT, **METHODS[method]})
    assert_close(last(pairs / method), last(tmp_path / "one"))
    assert losses(pairs / method) == pytest.approx(losses(tmp_path / "one"), abs=1e-9)
    scores = [json.loads((folder / "best.json").read_text()) for folder in (tmp_path / "one", pairs / method)]
    assert scores[0]["step"] == scores[1]["step"]
    assert scores[0]["score"] == pytest.approx(scores[1]["score"], abs=1e-9)


@pytest.mark.slow
def test_sigkill_under_torchrun_costs_nothing_but_time(shards_url: str, tmp_path: Path) -> None:
    changes = {"checkpoints.every": 2, "multi_objective.method": "mgda", "multi_objective.every": 3}
    torchrun(tmp_path, shards_url, tmp_path / "undisturbed", **changes)
    program = tmp_path / "program.py"
    runs = json.dumps({str(tmp_path / "killed"): {**EXACT, **changes}})
    call = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(program)]
    with subprocess.Popen(
        [*call, shards_url, runs, "0"], env={**os.environ, "OMP_NUM_THREADS": "1"}, start_new_session=True
    ) as launcher:
        deadline = time.monotonic() + 200
        while not list((tmp_path / "killed").glob("checkpoints/step-*[2468].pt")) and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(random.uniform(0, 0.5))
        for process in children(launcher.pid) | {launcher.pid}:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
    assert last(tmp_path / "killed").step >= 2
    torchrun(tmp_path, shards_url, tmp_path / "killed", **changes)
    one, other = last(tmp_path / "killed"), last(tmp_path / "undisturbed")
    assert one.step == other.step == 20
    assert one.loader == other.loader
    assert one.optimiser is not None
    assert other.optimiser is not None
    assert one.optimiser["multi_objective"] == other.optimiser["multi_objective"]
    for key, value in other.weights.items():
        assert torch.equal(one.weights[key], value), key
    assert losses(tmp_path / "killed") == losses(tmp_path / "undisturbed")


def children(parent: int) -> set[int]:
    """Processes that a process started, and those that they did."""
    found: set[int] = set()
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            number, _, rest = status.read_text().partition(" (")
            if int(rest.rpartition(") ")[2].split()[1]) == parent:
                found |= {int(number)} | children(int(number))
    return found


@pytest.mark.slow
def test_two_nodes_of_one_process_train_together(shards_url: str, tmp_path: Path) -> None:
    """Two agents of torchrun meet on the loopback, as on two machines."""
    train("demo", shards_url, tmp_path / "one", overrides=EXACT)
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    with socket.create_server(("localhost", 0)) as free:
        port = free.getsockname()[1]
    call = [sys.executable, "-m", "torch.distributed.run", "--nnodes", "2", "--nproc-per-node", "1"]
    call += ["--rdzv-backend", "c10d", "--rdzv-id", "test", "--rdzv-endpoint", f"localhost:{port}", str(program)]
    call += [shards_url, json.dumps({str(tmp_path / "two"): EXACT}), "0"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with contextlib.ExitStack() as stack:
        agents = [
            stack.enter_context(subprocess.Popen(call, env=environment, stdout=subprocess.PIPE, text=True))
            for _ in range(2)
        ]
        for agent in agents:
            stack.callback(agent.kill)
        texts = [agent.communicate(timeout=400)[0] for agent in agents]
    assert [agent.returncode for agent in agents] == [0, 0]
    assert sorted(line["rank"] for text in texts for line in said(text)) == ["0", "1"]
    assert_close(last(tmp_path / "two"), last(tmp_path / "one"))


@pytest.mark.slow
def test_a_signal_to_one_process_stops_both_and_the_run_goes_on(shards_url: str, tmp_path: Path) -> None:
    train("demo", shards_url, tmp_path / "one", overrides=EXACT)
    ends = torchrun(tmp_path, shards_url, tmp_path / "two", stop_at=7)
    assert {(line["status"], line["steps"]) for line in ends} == {("interrupted", 7)}
    torchrun(tmp_path, shards_url, tmp_path / "two", accumulate=2)
    assert_close(last(tmp_path / "two"), last(tmp_path / "one"))


def test_alone_nothing_is_exchanged() -> None:
    with joined_world("cpu") as world:
        assert world == World(0, 1, torch.device("cpu"))
        assert world.is_main
        assert world.any(flag=True)
        assert not world.any(flag=False)
        assert world.from_main({"a": 1}) == {"a": 1}
        assert torch.equal(world.sum(torch.tensor([1.0, 2.0])), torch.tensor([1.0, 2.0]))
        layer = torch.nn.Linear(2, 2)
        assert world.parallel(layer) is layer


def test_errors_of_rank_0_are_everybodys() -> None:
    def fail() -> None:
        raise UsageError("no")

    with joined_world("cpu") as world, pytest.raises(UsageError, match="no"):
        world.on_main(fail)


def test_a_gpu_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UsageError, match="sees none"), joined_world("cuda"):
        pass
