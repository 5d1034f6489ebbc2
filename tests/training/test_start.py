"""Fine-tuning: a relative network's weights, metric depth and Eigen's log loss."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from dpt_bench.core.errors import UsageError
from dpt_bench.loading import Batch
from dpt_bench.model.checkpoint import read_checkpoint
from dpt_bench.training import train
from dpt_bench.training.config import load_preset
from dpt_bench.training.run_folder import preset_toml
from dpt_bench.training.tasks._contract import load_task
from dpt_bench.training.trainer import resolve

MICRO: dict[str, Any] = {
    "model.spec.backbone": str(Path(__file__).with_name("micro_backbone.py")),
    "model.spec.hooks": [0, 1],
    "model.spec.widths": [16, 16, 16, 16],
    "model.spec.features": 16,
    "crop": 32,
    "batch_size": 4,
    "device": "cpu",
    "data.workers": 0,
    "log_every": 1,
    "optimiser.warmup": 2,
    "validation.every": 1000,
    "checkpoints.every": 1000,
}
METRIC: dict[str, Any] = {
    "task": "metric_depth",
    "model.spec.kind": "metric_depth",
    "model.spec.invert": True,
    "model.spec.shift": 0.05,
    "data.datasets": ["tartanair"],
}


@pytest.fixture(scope="module")
def relative(shards_url: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "relative"
    train("demo", shards_url, out, overrides={**MICRO, "steps": 3, "data.datasets": ["redweb"]})
    return out / "best.pt"


def losses(out: Path) -> list[float]:
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    return [line["loss"] for line in lines if line["event"] == "step"]


def test_a_relative_network_learns_metres(shards_url: str, relative: Path, tmp_path: Path) -> None:
    settings = {**MICRO, **METRIC, "model.start": str(relative), "steps": 40}
    report = train("demo", shards_url, tmp_path / "run", overrides=settings)
    found = losses(tmp_path / "run")
    assert sum(found[-5:]) < 0.5 * sum(found[:5])
    assert report.best is not None
    best = read_checkpoint(report.best)
    assert best.spec.kind == "metric_depth"
    assert set(best.trained_on) == {"redweb", "tartanair"}, "what it began with counts too"
    validation = [line for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines() if "validation" in line]
    assert set(json.loads(validation[-1])["by_dataset"]) == {"absrel", "rmse_m"}
    relative.rename(relative.with_suffix(".gone"))
    try:
        train("demo", shards_url, tmp_path / "run", overrides={**settings, "steps": 41}, resume=True)
    finally:
        relative.with_suffix(".gone").rename(relative)


def test_a_run_begins_with_the_weights_that_it_is_given(shards_url: str, relative: Path, tmp_path: Path) -> None:
    still = {"optimiser.lr_backbone": 1e-30, "optimiser.lr_decoder": 1e-30, "optimiser.weight_decay": 0.0}
    train("demo", shards_url, tmp_path / "run", overrides={**MICRO, **still, "model.start": str(relative), "steps": 1})
    wanted, got = read_checkpoint(relative), read_checkpoint(tmp_path / "run" / "best.pt")
    assert wanted.ema is not None
    parameters = {name for name in wanted.ema if "running" not in name and "num_batches" not in name}
    assert all(torch.equal(got.weights[name], wanted.ema[name]) for name in parameters)


@pytest.mark.parametrize("key", ["model.start", "model.pretrained"])
def test_a_relative_path_means_the_same_in_another_folder(
    key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Workers of a cluster start elsewhere; so may whoever trains a run's preset.toml again."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/somebody")
    preset = load_preset("demo")
    for given, wanted in (("a/b.pt", tmp_path / "a/b.pt"), ("~/b.pt", Path("/home/somebody/b.pt"))):
        for found in (resolve("demo", {key: given}), resolve(preset, {key: given})):
            assert found.model.files() == {key.removeprefix("model."): wanted}
            (tmp_path / "preset.toml").write_text(preset_toml(found))
            assert load_preset(tmp_path / "preset.toml").model == found.model
    assert resolve(preset, {}) == preset


def test_what_does_not_fit_is_refused(shards_url: str, relative: Path, tmp_path: Path) -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({**METRIC, "data.datasets": ["redweb", "tartanair"]}, "redweb: no depth in metres"),
        ({**METRIC, "model.spec.kind": "affine_disparity"}, "affine_disparity"),
        ({"model.start": str(relative), "model.spec.features": 32}, "another one"),
        ({"model.start": str(relative), "model.pretrained": True}, "pretrained"),
        ({"model.start": str(tmp_path / "none.pt")}, "none.pt"),
    ]
    for changes, words in cases:
        with pytest.raises(UsageError) as caught:
            train("demo", shards_url, tmp_path / words[:5], overrides={**MICRO, "steps": 1, **changes})
        assert words in str(caught.value)


def test_metres_and_their_errors_by_hand() -> None:
    target = torch.tensor([[[0.0, 0.5, 1.0, 0.7]], [[0.0, 0.5, 1.0, 0.7]]])
    valid = torch.tensor([True, True, True, False]).expand(2, 1, 4)
    span = torch.tensor([[0.0, 2.0], [float("nan"), float("nan")]])
    images = torch.zeros(2, 3, 1, 4, dtype=torch.uint8)
    batch = Batch(images, target, valid, span, torch.tensor([0, 0]), ("a",), ("k", "l"))
    task = load_task(load_preset("demo", {**MICRO, **METRIC}))
    prediction = torch.full((2, 1, 4), 2.0, requires_grad=True)
    absrel, rmse = task.scores(prediction.detach(), batch)[0].tolist()  # 1 m and 0.5 m; the first pixel is sky
    assert absrel == pytest.approx((1 / 1 + 1.5 / 0.5) / 2)
    assert rmse == pytest.approx(((1**2 + 1.5**2) / 2) ** 0.5)
    assert task.scores(prediction.detach(), batch)[1].isnan().all(), "not metric: not scored"
    assert task.informative(batch).tolist() == [True, False]
    d = torch.tensor([2.0, 4.0]).log()
    found = task.losses(prediction, batch)
    assert found.tolist() == pytest.approx([float(d.square().mean() - 0.5 * d.mean() ** 2), 0.0])
    found.sum().backward()
    assert prediction.grad is not None
    assert prediction.grad.isfinite().all()
    assert prediction.grad[1].count_nonzero() == 0
