"""A function of the user's as a predictor, and the example of the documentation."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from dpt_bench.core.errors import UsageError
from dpt_bench.core.kinds import DepthKind
from dpt_bench.predictors import PredictorOptions, Query, load_predictor
from dpt_bench.predictors import python as module

REPOSITORY = Path(__file__).resolve().parents[2]


def image(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def write(folder: Path, code: str, name: str = "mine.py") -> Path:
    (folder / name).write_text(code)
    return folder / name


@pytest.mark.parametrize(
    "text", [module.__doc__ or "", (REPOSITORY / "README.md").read_text()], ids=["module", "README"]
)
def test_the_example_of_the_documentation_runs(text: str, tmp_path: Path) -> None:
    examples = [code for code in re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL) if "KIND =" in code]
    assert len(examples) == 1
    path = write(tmp_path, examples[0], "my_model.py")
    predictor = load_predictor(str(path))
    assert (predictor.kind, predictor.name) == (DepthKind.AFFINE_DISPARITY, "my_model")
    picture = image(20, 30)
    np.testing.assert_allclose(predictor(picture), picture.mean(axis=2) / 255, rtol=1e-6)


def test_tensors_devices_and_files(tmp_path: Path) -> None:
    code = """
import torch
KIND = "metric_depth"
TRAINED_ON = ("nyu",)
FILES = ("weights.bin",)
def predict_batch(images, device):
    assert len({one.shape for one in images}) == 1
    SEEN.append(len(images))
    return [torch.full(one.shape[:2], float(one[0, 0, 0]), device=device, requires_grad=True) for one in images]
SEEN = []
"""
    path = write(tmp_path, code)
    (tmp_path / "weights.bin").write_bytes(b"1")
    predictor = load_predictor(f"python:{path},trained_on=kitti/nyu", PredictorOptions(batch_size=2))
    assert predictor.trained_on == ("kitti", "nyu")
    pictures = [image(*size, seed) for seed, size in enumerate([(8, 9), (9, 8), (8, 9), (8, 9)])]
    found = predictor.predict([Query(one) for one in pictures], None)
    assert [one.values[0, 0] for one in found] == [float(one[0, 0, 0]) for one in pictures]
    assert [one.values.shape for one in found] == [one.shape[:2] for one in pictures]
    before = predictor.checkpoint_sha256
    (tmp_path / "weights.bin").write_bytes(b"2")
    assert load_predictor(f"python:{path}").checkpoint_sha256 != before, "other weights, another model"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("def predict(image): return image", "does not say what its numbers mean"),
        ('KIND = "affine"\ndef predict(image): return image', "unknown kind of depth 'affine'"),
        ('KIND = "ordinal"', "must define predict or predict_batch, found neither"),
        ('KIND = "ordinal"\npredict = predict_batch = len', "found predict and predict_batch"),
        ('KIND = "ordinal"\nFILES = ("w.pt",)\npredict = len', "FILES names was not found"),
    ],
)
def test_files_that_do_not_say_enough(code: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=words):
        load_predictor(f"python:{write(tmp_path, code)}")


@pytest.mark.parametrize(
    ("returned", "words"),
    [("image", r"numbers \(h, w\), got uint8 \(4, 5, 3\)"), ("'no'", "got <U2"), ("None", "got object")],
)
def test_functions_that_return_no_map(returned: str, words: str, tmp_path: Path) -> None:
    path = write(tmp_path, f'KIND = "ordinal"\ndef predict(image): return {returned}')
    with pytest.raises(UsageError, match=words):
        load_predictor(f"python:{path}")(image(4, 5))


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not found"):
        load_predictor(f"python:{tmp_path / 'none.py'}")
    with pytest.raises(UsageError, match=r"ends in \.py"):
        load_predictor("python:module")
