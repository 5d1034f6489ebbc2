"""`dpt-bench speed`: the counts are exact, the table fits a terminal, the files hold what it shows."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
import torch
from torch import nn

from dpt_bench.cli import _speed_measure
from dpt_bench.cli._speed import SpeedCall, run_speed
from dpt_bench.cli._speed_measure import Network, Setting, count_flops, peak_bytes, take_turns
from dpt_bench.core.errors import UsageError

CPU = Setting(torch.device("cpu"), bf16=False)


@pytest.fixture(autouse=True)
def _small_matrices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(_speed_measure._MATRIX, "cpu", 64)


def call(out: Path, *models: str, **changes: object) -> SpeedCall:
    facts = {"size": "64", "runs": 3, "warm_up": 1, "batch_size": 2, "device": "cpu", "precision": "fp32"}
    return SpeedCall(models, out, compiled=False, **(facts | changes))  # type: ignore[arg-type]


def test_table_and_files(tmp_path: Path, capsys, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    run_speed(call(tmp_path, "dpt-tiny", "dpt-small"))
    shown = capsys.readouterr().out
    assert "torch" in shown.splitlines()[0], "the machine is named first"
    assert "input: 2 x 3 x 64 x 64, fp32" in shown
    assert all(len(line) <= 80 for line in shown.splitlines() if str(tmp_path) not in line)
    with (tmp_path / "speed.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["model"] for row in rows] == ["dpt-tiny", "dpt-small"]
    for row in rows:
        assert float(row["median_ms"]) > 0
        assert float(row["memory_mb"]) > 4 * float(row["parameters_m"]), "weights and activations"
        assert f"{float(row['parameters_m']):.1f}" in shown
        assert f"| {row['model']} | {float(row['parameters_m']):.1f} |" in (tmp_path / "speed.md").read_text()
    assert float(rows[0]["gflops"]) < float(rows[1]["gflops"])


def test_flops_count_products_and_attention() -> None:
    class Attention(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return nn.functional.scaled_dot_product_attention(x, x, x)

    linear, attention = nn.Linear(8, 16), Attention()
    assert count_flops(Network("linear", linear, linear), torch.zeros(4, 8)) == 2 * 4 * 8 * 16
    assert count_flops(Network("attention", attention, attention), torch.zeros(1, 2, 10, 8)) == 2 * (
        2 * 2 * 10 * 10 * 8
    )


def test_memory_is_what_is_alive_at_once() -> None:
    class Net(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            first = x * 2
            second = first + 1
            del first
            return second.view(-1) * 3

    assert peak_bytes(Network("net", Net(), Net()), torch.zeros(1000), CPU) == 2 * 4000
    linear = nn.Linear(10, 10)
    assert peak_bytes(Network("linear", linear, linear), torch.zeros(1, 10), CPU) == 4 * (110 + 10)


def test_networks_take_turns() -> None:
    order: list[str] = []
    networks = [Network(name, nn.Identity(), lambda x, name=name: order.append(name)) for name in "ab"]
    times = take_turns(networks, torch.zeros(1), CPU, 2)
    assert order == ["a", "b", "a", "b"]
    assert [len(series) for series in times] == [2, 2]


def test_a_folder_of_transformers(tmp_path: Path) -> None:
    import transformers

    config = transformers.DPTConfig(
        hidden_size=32, num_hidden_layers=4, num_attention_heads=2, intermediate_size=48, image_size=64, patch_size=16,
        backbone_out_indices=[0, 1, 2, 3], neck_hidden_sizes=[8, 8, 16, 16], fusion_hidden_size=16,
    )  # fmt: skip
    transformers.DPTForDepthEstimation(config).save_pretrained(tmp_path / "net")
    transformers.DPTImageProcessor().save_pretrained(tmp_path / "net")
    run_speed(call(tmp_path / "out", f"hf:{tmp_path / 'net'}", "dpt-tiny"))
    assert "| net |" in (tmp_path / "out" / "speed.md").read_text()


@pytest.mark.parametrize(
    ("changes", "words"), [({"size": "100"}, "multiple of 32"), ({"precision": "int8"}, "unknown precision")]
)
def test_wrong_calls(changes, words, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=words):
        run_speed(call(tmp_path, "dpt-tiny", **changes))
    with pytest.raises(UsageError, match="only networks of torch"):
        run_speed(call(tmp_path, "baseline:ramp"))
