from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dpt_bench.cli._export import ExportCall, run_export
from dpt_bench.core.errors import UsageError
from dpt_bench.model.build import build_model
from dpt_bench.model.checkpoint import Checkpoint, save_checkpoint
from dpt_bench.model.load import load_with_origin
from dpt_bench.model.variants import VARIANTS


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    path = tmp_path / "ckpt.pt"
    spec = VARIANTS["dpt-tiny"]
    save_checkpoint(path, Checkpoint(spec, build_model(spec).state_dict(), trained_on=("redweb",)))
    return path


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "dpt_bench.cli.main", *map(str, arguments)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def test_a_checkpoint_is_exported_and_loads_again(checkpoint: Path, tmp_path: Path) -> None:
    out = tmp_path / "net.safetensors"
    done = run("export", checkpoint, "--to", "safetensors", out)
    assert (done.returncode, done.stderr) == (0, "")
    assert "net.safetensors: conv_hybrid_tiny, written for safetensors" in done.stdout.replace("\n", "")
    assert load_with_origin(out).trained_on == ("redweb",)
    with pytest.raises(UsageError, match="something already"):
        run_export(ExportCall(checkpoint, "safetensors", out, None, None, force=False))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"target": "hugging"}, "did you mean 'huggingface'"),
        ({"readout": "sum"}, "unknown readout 'sum'"),
        ({"target": "huggingface"}, "transformers|huggingface has no such network"),
    ],
)
def test_wrong_calls_are_explained(change: dict, message: str, checkpoint: Path, tmp_path: Path) -> None:
    call = {"target": "safetensors", "variant": None, "readout": None, "force": False} | change
    with pytest.raises(UsageError, match=message):
        run_export(ExportCall(checkpoint=checkpoint, out=tmp_path / "out", **call))
    assert not (tmp_path / "out").exists()
