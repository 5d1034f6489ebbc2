from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from dpt_bench.core.errors import UsageError
from dpt_bench.core.progress import Silent
from dpt_bench.model.checkpoint import read_checkpoint
from dpt_bench.training import train
from dpt_bench.training.ray_rank import Mailbox, Posting, Rank, replay

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
    "checkpoints.every": 4,
    "optimiser.warmup": 2,
    "data.workers": 0,
    "device": "cpu",
}
PROGRAM = """
import json
import os
import signal
import sys
from pathlib import Path
from dpt_bench.core.progress import Silent
from dpt_bench.training.ray_launcher import RayOptions, train_on_ray


def ranks():
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cmdline").read_bytes().startswith(b"ray::Rank"):
                found.append(int(process.name))
        except OSError:
            pass
    return found


class Disturbing(Silent):
    steps, said = 0, []

    def message(self, text):
        self.said.append(text)

    def advance(self, task, steps=1, note="", seconds_left=None):
        before, self.steps = self.steps, self.steps + steps * (task == "training")
        if before < at <= self.steps:
            os.kill(os.getpid() if what == "stop" else max(ranks()), signal.SIGTERM if what == "stop" else signal.SIGKILL)


what, at = sys.argv[4], int(sys.argv[5])
listener = Disturbing()
options = {"options": RayOptions(2, cpus=0.5), "overrides": json.loads(sys.argv[3]), "progress": listener}
report = train_on_ray("demo", sys.argv[1], sys.argv[2], resume=True, **options)
left = [pid for pid in ranks() if os.path.exists(f"/proc/{pid}")]
print(json.dumps({"status": report.status, "steps": report.steps, "said": listener.said, "heard": listener.steps}))
"""


class Box(Mailbox):
    """A mailbox that is no actor."""

    @property
    def post(self) -> Any:  # type: ignore[override]
        box = self

        class Method:
            @staticmethod
            def remote(letters: list[Any]) -> None:
                Mailbox.post(box, letters)

        return Method


class Listener(Silent):
    def __init__(self) -> None:
        self.heard: list[tuple[Any, ...]] = []

    def start(self, task: str, total: int | None = None) -> None:
        self.heard.append(("start", task, total))

    def advance(self, task: str, steps: int = 1, note: str = "", seconds_left: float | None = None) -> None:
        self.heard.append(("advance", task, steps, note, seconds_left))

    def finish(self, task: str) -> None:
        self.heard.append(("finish", task))

    def message(self, text: str) -> None:
        self.heard.append(("message", text))


def test_letters_tell_what_was_told_and_gather_fast_steps() -> None:
    box, listener = Box(), Listener()
    posting = Posting(box)
    posting.start("training", 9)
    posting.message("so it begins")
    for number in range(9):
        posting.advance("training", 1, f"loss {number}", 8.0 - number)
    posting.finish("training")
    replay(box.take(), listener)
    assert listener.heard == [
        ("start", "training", 9),
        ("message", "so it begins"),
        ("advance", "training", 9, "loss 8", 0.0),
        ("finish", "training"),
    ]
    assert box.take() == []


def test_a_free_port_is_free() -> None:
    assert 1024 <= Rank().free_port() < 65536


def on_ray(folder: Path, shards: str, out: Path, what: str, at: int, **changes: Any) -> dict[str, Any]:
    program = folder / "program.py"
    program.write_text(PROGRAM)
    call = [sys.executable, str(program), shards, str(out), json.dumps({**EXACT, **changes}), what, str(at)]
    environment = {key: value for key, value in os.environ.items() if key != "RAY_ADDRESS"}
    run = subprocess.run(call, env=environment, capture_output=True, text=True, check=False, timeout=600)
    assert run.returncode == 0, run.stderr
    found: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return found


@pytest.mark.slow
def test_a_worker_that_is_killed_is_replaced_and_nothing_changes(shards_url: str, tmp_path: Path) -> None:
    slow = {"steps": 80, "crop": 96, "validation.every": 40}  # the news of a step take a second to reach the driver
    train("demo", shards_url, tmp_path / "one", overrides={**EXACT, **slow})
    said = on_ray(tmp_path, shards_url, tmp_path / "ray", "kill", 6, **slow)
    assert (said["status"], said["steps"]) == ("done", 80)
    assert any(text.startswith("WARNING: a process was lost") for text in said["said"])
    assert any("going on after step" in text for text in said["said"])
    one, other = (read_checkpoint(tmp_path / name / "latest.pt") for name in ("one", "ray"))
    for key, value in one.weights.items():
        assert torch.allclose(other.weights[key], value, rtol=0, atol=1e-7), key


@pytest.mark.slow
def test_a_signal_to_the_driver_reaches_the_run(shards_url: str, tmp_path: Path) -> None:
    said = on_ray(tmp_path, shards_url, tmp_path / "ray", "stop", 3, steps=100_000)
    assert said["status"] == "interrupted"
    assert said["steps"] < 100_000
    assert read_checkpoint(tmp_path / "ray" / "latest.pt").step == said["steps"]


@pytest.mark.slow
def test_errors_of_the_run_are_those_of_train(shards_url: str, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import sys\nfrom dpt_bench.training.ray_launcher import RayOptions, train_on_ray\n"
        "train_on_ray('demo', *sys.argv[1:3], options=RayOptions(2, cpus=0.5), overrides={'batch_size': 3, 'device': 'cpu'})\n"
    )
    call = [sys.executable, str(program), shards_url, str(tmp_path / "run")]
    run = subprocess.run(call, capture_output=True, text=True, check=False, timeout=300)
    assert run.returncode != 0
    assert UsageError.__name__ in run.stderr
    assert "cannot be shared by 2 processes" in run.stderr


def test_sigusr1_is_what_is_sent() -> None:
    """The trainer's wish to stop listens to it; SIGTERM would end a Ray worker that is not training yet."""
    from dpt_bench.training.signals import SIGNALS

    assert signal.SIGUSR1 in SIGNALS
