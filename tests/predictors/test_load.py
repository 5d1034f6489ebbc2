"""What a user may type after --model, and what the errors say."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import dpt_bench
from dpt_bench.core.catalog import load_plugin, plugin_names
from dpt_bench.core.errors import DataError, UnknownNameError, UsageError
from dpt_bench.predictors import load_predictor


@pytest.mark.parametrize("prefix", plugin_names("dpt_bench.predictors"))
def test_every_origin_has_a_documented_load(prefix) -> None:
    module = load_plugin("dpt_bench.predictors", prefix, kind="predictor")
    assert list(inspect.signature(module.load).parameters) == ["argument", "options"]
    assert "Raises:" in module.load.__doc__


def test_prefix_and_argument() -> None:
    assert load_predictor("baseline:constant").name == "baseline:constant"
    assert dpt_bench.load_predictor("baseline:ramp").name == "baseline:ramp"


def test_a_path_is_a_checkpoint(make_checkpoint) -> None:
    path = make_checkpoint()
    assert load_predictor(str(path)).name == load_predictor(f"checkpoint:{path}").name == "mine"


@pytest.mark.parametrize(
    ("spec", "hint"),
    [
        ("baselin:constant", "did you mean 'baseline'"),
        ("baseline:constnat", "did you mean 'constant'"),
        ("baseline", "write baseline:WHAT"),
        ("baseline:", "write baseline:WHAT"),
        ("baseline-ramp", "did you mean 'baseline:ramp'"),
        ("", "baseline:"),
    ],
)
def test_misspelt(spec, hint) -> None:
    with pytest.raises(UsageError, match=hint):
        load_predictor(spec)


def test_a_missing_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no such checkpoint file: .*missing\.pt"):
        load_predictor(str(tmp_path / "missing.pt"))


def test_a_misspelt_checkpoint_without_its_ending(make_checkpoint) -> None:
    path = make_checkpoint()
    with pytest.raises(UsageError, match=r"did you mean '.*mine\.pt'"):
        load_predictor(str(path.with_suffix("")))
    with pytest.raises(UsageError, match=r"no such model"):
        load_predictor(str(path.parent))


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04" + b"\0" * 100])
def test_a_corrupt_checkpoint(content, tmp_path: Path) -> None:
    (tmp_path / "ckpt.pt").write_bytes(content)
    with pytest.raises(DataError):
        load_predictor(str(tmp_path / "ckpt.pt"))


def test_a_truncated_checkpoint(make_checkpoint, tmp_path: Path) -> None:
    data = make_checkpoint().read_bytes()
    (tmp_path / "cut.pt").write_bytes(data[: len(data) // 2])
    with pytest.raises(DataError):
        load_predictor(str(tmp_path / "cut.pt"))


def test_unknown_prefix_lists_what_there_is() -> None:
    with pytest.raises(UnknownNameError, match="baseline, checkpoint, hf, onnx, predictions, python"):
        load_predictor("nothing:here")


def test_the_package_is_imported_without_torch() -> None:
    code = "import sys, dpt_bench.predictors; dpt_bench.predictors.load_predictor('baseline:ramp'); print('torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
