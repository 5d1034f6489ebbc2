from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from dpt_bench.core.errors import DataError, DptBenchError, UsageError
from dpt_bench.core.progress import Silent
from dpt_bench.model import load_model
from dpt_bench.model.checkpoint import Checkpoint, read_checkpoint
from dpt_bench.training import TrainReport, load_preset, plan_run, train

TINY: dict[str, Any] = {
    "model.spec.backbone": str(Path(__file__).with_name("micro_backbone.py")),
    "model.spec.hooks": [0, 1],
    "model.spec.widths": [16, 16, 16, 16],
    "model.spec.features": 16,
    "model.spec.batch_norm": False,
    "steps": 12,
    "batch_size": 4,
    "crop": 64,
    "log_every": 1,
    "validation.every": 6,
    "checkpoints.every": 4,
    "checkpoints.keep": 2,
    "data.workers": 0,
    "device": "cpu",
}


class Listener(Silent):
    """Hears everything; `at` does something when so many steps are done."""

    def __init__(self, at: int | None = None, do: Callable[[], None] | None = None) -> None:
        self.said: list[str] = []
        self.steps = 0
        self._at, self._do = at, do

    def message(self, text: str) -> None:
        self.said.append(text)

    def advance(self, task: str, steps: int = 1, note: str = "", seconds_left: float | None = None) -> None:
        self.steps += steps if task == "training" else 0
        if task == "training" and self.steps == self._at and self._do is not None:
            self._do()


class CrashError(Exception):
    pass


def crash() -> None:
    raise CrashError


def run(shards: str, out: Path, listener: Silent | None = None, **overrides: Any) -> TrainReport:
    resume = bool(overrides.pop("resume", False))
    return train("demo", shards, out, overrides={**TINY, **overrides}, resume=resume, progress=listener or Silent())


def losses(out: Path) -> dict[int, float]:
    """Step -> loss; a step that was done twice counts as it was done last."""
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    return {line["step"]: line["loss"] for line in lines if line["event"] == "step"}


def last(out: Path) -> Checkpoint:
    return read_checkpoint(out / "latest.pt")


def same(one: Any, other: Any) -> bool:
    """Bit for bit."""
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def assert_same_run(out: Path, undisturbed: Path) -> None:
    one, other = last(out), last(undisturbed)
    assert one.step == other.step == 12
    for part in ("weights", "ema", "optimiser", "loader", "rng"):
        assert same(getattr(one, part), getattr(other, part)), part
    assert losses(out) == losses(undisturbed)
    assert json.loads((out / "best.json").read_text()) == json.loads((undisturbed / "best.json").read_text())


@pytest.fixture(scope="module")
def undisturbed(shards_url: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "undisturbed"
    run(shards_url, out)
    return out


def test_what_a_run_leaves(shards_url: str, tmp_path: Path) -> None:
    listener = Listener()
    report = run(shards_url, tmp_path / "run", listener)
    assert report.status == "done"
    assert report.exit_code == 0
    assert (report.steps, report.total_steps) == (12, 12)
    assert report.trained_on == "mix6 (2 of 3: redweb, tartanair)"
    assert report.best == tmp_path / "run" / "best.pt"
    assert report.best_score is not None
    assert 0 < report.best_score < 0.5
    assert listener.steps == 12
    kept = sorted(path.name for path in (tmp_path / "run" / "checkpoints").iterdir())
    assert kept == ["step-00000008.pt", "step-00000012.pt"]

    best = read_checkpoint(report.best)
    assert best.trained_on == ("redweb", "tartanair")
    assert best.optimiser is None
    assert best.ema is not None
    assert best.preset is not None
    assert best.preset["steps"] == 12
    assert best.spec.train_size == 64
    assert load_model(report.best)(torch.zeros(1, 3, 64, 96)).shape == (1, 64, 96)

    preset = load_preset(tmp_path / "run" / "preset.toml")
    assert preset == load_preset("demo", TINY).model_copy(update={"name": "preset"})
    record = json.loads((tmp_path / "run" / "provenance.json").read_text())
    assert record["trained_on"] == report.trained_on
    assert record["torch"] == torch.__version__
    lines = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines if line["event"] == "step"] == list(range(1, 13))
    assert [line["step"] for line in lines if line["event"] == "validation"] == [6, 12]
    scores = next(line for line in lines if line["event"] == "validation")
    assert set(scores["by_dataset"]) == {"rmse_disparity", "absrel_disparity_floor_0.05"}
    assert [path.name for path in sorted((tmp_path / "run" / "pictures").iterdir())] == [
        "validation-00000006.png",
        "validation-00000012.png",
    ]
    step = next(line for line in lines if line["step"] == 8)
    assert set(step["loss_by_dataset"]) <= {"redweb", "tartanair"}
    assert {
        "mfu",
        "memory_gib",
        "stage",
        "images_per_second",
        "data_wait_share",
        "gradient_norm",
        "learning_rate",
        "seconds_left",
    } <= set(step)


def test_it_learns(shards_url: str, tmp_path: Path) -> None:
    run(shards_url, tmp_path / "run", **{"steps": 60, "optimiser.warmup": 5, "validation.every": 60, "batch_size": 8})
    found = losses(tmp_path / "run")
    first, final = (sum(found[step] for step in steps) / 5 for steps in (range(1, 6), range(56, 61)))
    assert final < 0.6 * first


@pytest.mark.parametrize("workers", [0, 2])
def test_a_crash_between_checkpoints_costs_nothing_but_time(
    shards_url: str, undisturbed: Path, tmp_path: Path, workers: int
) -> None:
    with pytest.raises(CrashError):
        run(shards_url, tmp_path / "run", Listener(7, crash), **{"data.workers": workers})
    assert last(tmp_path / "run").step == 4
    listener = Listener()
    run(shards_url, tmp_path / "run", listener, resume=True, **{"data.workers": workers})
    assert any("after step 4" in text for text in listener.said)
    assert listener.steps == 8
    assert_same_run(tmp_path / "run", undisturbed)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_a_signal_makes_a_checkpoint_and_asks_to_be_queued_again(
    shards_url: str, undisturbed: Path, tmp_path: Path, number: signal.Signals
) -> None:
    report = run(shards_url, tmp_path / "run", Listener(5, lambda: os.kill(os.getpid(), number)))
    assert report.status == "interrupted"
    assert report.exit_code == 75
    assert report.steps == 5
    assert report.latest is not None
    assert read_checkpoint(report.latest).step == 5
    assert run(shards_url, tmp_path / "run", resume=True).status == "done"
    assert_same_run(tmp_path / "run", undisturbed)


def test_a_signal_at_the_last_step_is_a_finished_run(shards_url: str, tmp_path: Path) -> None:
    report = run(shards_url, tmp_path / "run", Listener(2, lambda: os.kill(os.getpid(), signal.SIGTERM)), steps=2)
    assert report.status == "done"


def test_a_damaged_newest_checkpoint_falls_back_aloud(shards_url: str, undisturbed: Path, tmp_path: Path) -> None:
    out = Path(shutil.copytree(undisturbed, tmp_path / "run", symlinks=True))
    newest = out / "checkpoints" / "step-00000012.pt"
    newest.write_bytes(newest.read_bytes()[:1000])
    listener = Listener()
    run(shards_url, out, listener, resume=True)
    assert any(text.startswith("WARNING") and newest.name in text for text in listener.said)
    assert listener.steps == 4, "from step 8 on"
    assert_same_run(out, undisturbed)


def test_stages_and_multiple_gradient_descent_are_gone_on_with_bit_for_bit(shards_url: str, tmp_path: Path) -> None:
    settings = {
        "multi_objective.method": "mgda",
        "multi_objective.every": 3,
        "stages": [{"name": "first", "steps": 6, "datasets": ["redweb"]}, {"name": "second", "steps": 6}],
        "steps": "none",
    }
    run(shards_url, tmp_path / "whole", **settings)
    with pytest.raises(CrashError):
        run(shards_url, tmp_path / "run", Listener(6, crash), **settings)
    assert last(tmp_path / "run").trained_on == ("redweb",), "what was trained on so far"
    listener = Listener()
    run(shards_url, tmp_path / "run", listener, resume=True, **settings)
    assert "step 6: the stage 'second' begins" in listener.said
    assert_same_run(tmp_path / "run", tmp_path / "whole")
    assert last(tmp_path / "run").trained_on == ("redweb", "tartanair")
    lines = [json.loads(line) for line in (tmp_path / "whole" / "log.jsonl").read_text().splitlines()]
    steps = {line["step"]: line for line in lines if line["event"] == "step"}
    assert [steps[step]["stage"] for step in (6, 7)] == ["first", "second"]
    assert steps[1]["weight"] == {"redweb": 1.0}
    assert "weight" not in steps[2], "solved in every third step"
    both = next(line for line in steps.values() if len(line.get("weight", {})) == 2)
    assert sum(both["weight"].values()) == pytest.approx(1)
    assert set(both["gradient_norm_by_dataset"]) == {"redweb", "tartanair"}
    assert -1 <= both["cosine"]["tartanair"]["redweb"] <= 1


def test_resuming_a_finished_run_does_nothing(shards_url: str, undisturbed: Path, tmp_path: Path) -> None:
    out = Path(shutil.copytree(undisturbed, tmp_path / "run", symlinks=True))
    report = run(shards_url, out, resume=True)
    assert (report.status, report.steps) == ("done", 12)
    assert_same_run(out, undisturbed)


def test_a_run_can_be_made_longer(shards_url: str, undisturbed: Path, tmp_path: Path) -> None:
    out = Path(shutil.copytree(undisturbed, tmp_path / "run", symlinks=True))
    listener = Listener()
    assert run(shards_url, out, listener, resume=True, steps=14).steps == 14
    assert "changed since then: steps: 12, now 14" in listener.said
    assert len([text for text in listener.said if "changed" in text]) == 1
    assert load_preset(out / "preset.toml").steps == 14


def test_what_a_run_has_seen_is_not_forgotten(shards_url: str, undisturbed: Path, tmp_path: Path) -> None:
    out = Path(shutil.copytree(undisturbed, tmp_path / "run", symlinks=True))
    run(shards_url, out, resume=True, steps=13, **{"data.datasets": ["redweb"]})
    assert last(out).trained_on == ("redweb", "tartanair")


def test_a_folder_with_a_run_is_not_overwritten(shards_url: str, undisturbed: Path) -> None:
    before = (undisturbed / "log.jsonl").read_bytes()
    with pytest.raises(UsageError, match="--resume"):
        run(shards_url, undisturbed)
    assert (undisturbed / "log.jsonl").read_bytes() == before


def test_resume_in_an_empty_folder_begins(shards_url: str, tmp_path: Path) -> None:
    listener = Listener()
    assert run(shards_url, tmp_path / "run", listener, resume=True, steps=1).steps == 1
    assert any("the run begins" in text for text in listener.said)


def test_another_network_or_seed_is_not_resumed(shards_url: str, undisturbed: Path) -> None:
    before = (undisturbed / "preset.toml").read_bytes()
    with pytest.raises(UsageError, match="another network"):
        run(shards_url, undisturbed, resume=True, **{"model.spec.features": 32})
    with pytest.raises(DataError, match="seed"):
        run(shards_url, undisturbed, resume=True, seed=4)
    assert (undisturbed / "preset.toml").read_bytes() == before


def test_numbers_that_are_not_finite_stop_the_run_and_save_the_batch(shards_url: str, tmp_path: Path) -> None:
    wild = {
        "optimiser.lr_backbone": 1e30,
        "optimiser.lr_decoder": 1e30,
        "optimiser.clip": "none",
        "optimiser.warmup": 0,
    }
    with pytest.raises(DptBenchError, match="not finite") as caught:
        run(shards_url, tmp_path / "run", **wild)
    (file,) = (tmp_path / "run").glob("not-finite-*.pt")
    assert str(file) in str(caught.value)
    saved = torch.load(file, weights_only=True)
    assert saved["images"].shape == (4, 3, 64, 64)
    assert len(saved["keys"]) == 4
    if (tmp_path / "run" / "latest.pt").exists():
        assert all(value.isfinite().all() for value in last(tmp_path / "run").weights.values())


def test_a_plan_tells_everything(shards_url: str) -> None:
    plan = plan_run("mix6-dpt-base", shards_url, processes=4)
    for words in (
        "dpt-base",
        "mix6 (2 of 3",
        "redweb: 23 samples",
        "8,640,000 steps",
        "120 epochs",
        "GiB",
        "540,000 steps",
        "epoch_unit=images",
    ):
        assert words in plan
    assert "stage        curated3" in plan
    assert "multiple-gradient descent, solved in every step" in plan
    assert "processes    4" in plan
    assert "lr_backbone = 1e-05" in plan, "the resolved preset"


def test_a_plan_fits_a_terminal(shards_url: str) -> None:
    described = plan_run("mix6-dpt-base", shards_url, processes=8).split("\n\n")[0]
    assert max(map(len, described.splitlines())) <= 80


def test_residuals_are_not_ranked_over_several_processes(shards_url: str) -> None:
    settings = {"loss.trim": 0.2, "loss.trim_scope": "batch"}
    assert "processes    1" in plan_run("demo", shards_url, overrides=settings)
    with pytest.raises(UsageError, match="several processes"):
        plan_run("demo", shards_url, processes=2, overrides=settings)


def test_without_a_validation_split_the_last_checkpoint_is_the_best(small_shards: Any, tmp_path: Path) -> None:
    shards = small_shards(tmp_path / "shards", {"redweb": {"train": 6}})
    listener = Listener()
    report = run(str(shards), tmp_path / "run", listener, steps=2)
    assert any("nothing is validated" in text for text in listener.said)
    assert report.best is not None
    assert report.best_score is None
    assert read_checkpoint(report.best).step == 2


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning")
@pytest.mark.parametrize("method", ["uniform", "mgda"])
def test_a_compiled_run_learns_the_same(shards_url: str, tmp_path: Path, method: str) -> None:
    settings = {"steps": 4, "validation.every": 4, "multi_objective.method": method}
    run(shards_url, tmp_path / "eager", **settings)
    torch._dynamo.reset()
    run(shards_url, tmp_path / "compiled", compile=True, **settings)
    assert losses(tmp_path / "compiled") == pytest.approx(losses(tmp_path / "eager"), rel=1e-2)


def test_a_preset_of_your_own(shards_url: str, tmp_path: Path) -> None:
    preset = load_preset("demo", {**TINY, "steps": 1})
    assert train(preset, shards_url, tmp_path / "a", overrides={"steps": "2"}).steps == 2
    assert train(tmp_path / "a" / "preset.toml", shards_url, tmp_path / "b").steps == 2


def test_folders_that_cannot_be_used(shards_url: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot write"):
        run(shards_url, tmp_path / "file" / "run")
    with pytest.raises(UsageError, match="no finished shards"):
        run(str(tmp_path / "none"), tmp_path / "run")
    assert not (tmp_path / "run").exists()


PROGRAM = """
import sys
import torch
from dpt_bench.training import train
torch.set_num_threads(1)
if __name__ == "__main__":
    overrides = dict(setting.split("=", 1) for setting in sys.argv[3:])
    train("demo", sys.argv[1], sys.argv[2], overrides=overrides, resume=True)
"""


def marked(value: str) -> list[str]:
    """Processes in whose environment the value stands."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if f"DPT_BENCH_TEST={value}".encode() in (process / "environ").read_bytes().split(bytes(1)):
                found.append(process.name)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 2])
def test_sigkill_costs_nothing_but_time(shards_url: str, undisturbed: Path, tmp_path: Path, workers: int) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    settings = [f"{key}={json.dumps(value)}" for key, value in {**TINY, "data.workers": workers}.items()]
    call = [sys.executable, str(program), shards_url, str(tmp_path / "run"), *settings]
    mark = {"DPT_BENCH_TEST": str(tmp_path)}
    with subprocess.Popen(call, env={**os.environ, **mark}) as process:
        deadline = time.monotonic() + 120
        while not list((tmp_path / "run").glob("checkpoints/step-*4.pt")) and time.monotonic() < deadline:
            time.sleep(0.02)
        process.kill()
    assert process.returncode == -signal.SIGKILL
    deadline = time.monotonic() + 30
    while marked(str(tmp_path)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not marked(str(tmp_path)), "processes that prepared batches outlived the run"
    subprocess.run(call, check=True, timeout=120)
    assert_same_run(tmp_path / "run", undisturbed)
