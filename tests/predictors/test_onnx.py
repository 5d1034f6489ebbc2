"""ONNX files as predictors: what they and their users say about them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from dpt_bench.core.errors import DataError, UsageError
from dpt_bench.core.kinds import DepthKind
from dpt_bench.core.suite import ResizeRule
from dpt_bench.model import VARIANTS
from dpt_bench.model.export.onnx import SPEC_KEY
from dpt_bench.predictors import PredictorOptions, Query, load_predictor

FACTS = {"kind": "metric_depth", "mean": "0.485/0.456/0.406", "std": "0.5", "size": "64", "trained_on": "nyu/kitti"}
LONGER = ResizeRule(side="longer")


@pytest.fixture
def make_onnx(tmp_path: Path) -> Callable[..., Path]:
    """A network that returns the mean of its input's channels, squared."""

    def make(
        facts: dict[str, str] | None = None, shape: tuple[int | str, ...] = ("b", 3, "h", "w"), *, keep: int = 0
    ) -> Path:
        nodes = [
            helper.make_node("ReduceMean", ["image", "axes"], ["mean"], keepdims=keep),
            helper.make_node("Mul", ["mean", "mean"], ["depth"]),
        ]
        graph = helper.make_graph(
            nodes,
            "net",
            [helper.make_tensor_value_info("image", TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info("depth", TensorProto.FLOAT, None)],
            [helper.make_tensor("axes", TensorProto.INT64, [1], [1])],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
        for name, value in (FACTS if facts is None else facts).items():
            model.metadata_props.add(key=name, value=value)
        path = tmp_path / "net.onnx"
        onnx.save(model, path)
        return path

    return make


def image(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def expected(picture: np.ndarray) -> np.ndarray:
    """At the picture's own size."""
    return ((picture / 255 - [0.485, 0.456, 0.406]) / 0.5).mean(axis=2) ** 2


def test_metadata_say_what_goes_in_and_comes_out(make_onnx) -> None:
    predictor = load_predictor(f"onnx:{make_onnx()}")
    assert (predictor.name, predictor.kind, predictor.trained_on) == ("net", DepthKind.METRIC_DEPTH, ("nyu", "kitti"))
    picture = image(64, 96)
    prediction = predictor.predict([Query(picture)], None)[0]
    assert prediction.input_size == (64, 96)
    np.testing.assert_allclose(prediction.values, expected(picture), rtol=1e-4, atol=1e-6)


def test_the_number_of_channels_may_have_a_name(make_onnx) -> None:
    path = make_onnx(shape=("batch_size", "num_channels", "height", "width"))
    assert load_predictor(str(path)).predict([Query(image(64, 96))], None)[0].values.shape == (64, 96)


def test_our_own_export_says_all_itself(make_onnx) -> None:
    spec = VARIANTS["dpt-hybrid-nyu"].model_copy(update={"input_size": (64, 96)})
    predictor = load_predictor(str(make_onnx({SPEC_KEY: spec.model_dump_json()})))
    assert predictor.kind is DepthKind.METRIC_DEPTH
    picture = image(64, 96)
    prediction = predictor.predict([Query(picture)], None)[0]
    assert prediction.input_size == (64, 96)
    np.testing.assert_allclose(prediction.values, ((picture / 255 - 0.5) / 0.5).mean(axis=2) ** 2, rtol=1e-4, atol=1e-6)


def test_a_path_needs_no_prefix_and_what_the_user_says_wins(make_onnx) -> None:
    predictor = load_predictor(f"{make_onnx()},kind=affine_depth,size=32x64,multiple_of=16")
    assert predictor.kind is DepthKind.AFFINE_DEPTH
    assert predictor.name == "net (size 32x64, multiple_of 16)"
    assert load_predictor(f"{make_onnx()},name=mine,mean=0.1").name == "mine (mean 0.1)"
    assert predictor.predict([Query(image(32, 96))], None)[0].input_size == (32, 96)
    assert predictor.predict([Query(image(80, 160))], LONGER)[0].input_size == (32, 64)
    assert (
        predictor.input_words(LONGER)
        == "longer 384, multiple of 32, cubic, with 64 x 32 pixels for 384 and multiples of 16"
    )


def test_a_network_of_384_pixels_follows_the_suite(make_onnx) -> None:
    predictor = load_predictor(f"onnx:{make_onnx(FACTS | {'size': '384'})}")
    assert predictor.preprocessing == "suite"
    assert predictor.predict([Query(image(60, 80))], ResizeRule(side="longer", size=96))[0].input_size == (64, 96)
    assert load_predictor(f"onnx:{make_onnx()}").preprocessing == "own"


@pytest.mark.parametrize("keep", [0, 1])
def test_fixed_shapes_are_met(make_onnx, keep) -> None:
    predictor = load_predictor(f"onnx:{make_onnx(shape=(2, 3, 24, 40), keep=keep)}")
    pictures = [image(24, 40, seed) for seed in range(3)]
    found = predictor.predict([Query(one) for one in pictures], LONGER)
    assert predictor.input_words(LONGER) == "squashed to 40 x 24"
    for one, prediction in zip(pictures, found, strict=True):
        np.testing.assert_allclose(prediction.values, expected(one), rtol=1e-4, atol=1e-6)
    assert predictor(image(70, 50)).shape == (70, 50)


@pytest.mark.parametrize(
    ("shape", "seen", "words"),
    [
        ((1, 3, 64, "w"), {(80, 160): (64, 128), (100, 50): (64, 32), (64, 64): (64, 64)}, "height 64, width"),
        (("b", 3, "h", 96), {(80, 160): (32 * 2, 96), (100, 50): (192, 96), (96, 96): (96, 96)}, "width 96, height"),
    ],
)
def test_one_fixed_side_is_met_and_the_other_keeps_the_aspect(make_onnx, shape, seen, words) -> None:
    """The other is the multiple of 32 nearest in aspect: 96 * 80 / 160 = 48 is half way, and goes to the even 64."""
    predictor = load_predictor(f"onnx:{make_onnx(shape=shape)}")
    assert predictor.preprocessing == "own"
    for rule in (None, LONGER):
        assert predictor.input_words(rule).startswith(words)
        found = predictor.predict([Query(image(*size)) for size in seen], rule)
        assert [prediction.values.shape for prediction in found] == list(seen.values())
    picture = image(*list(seen)[-1])
    np.testing.assert_allclose(predictor(picture), expected(picture), rtol=1e-4, atol=1e-6)


def test_one_fixed_side_may_be_squashed_to_on_demand(make_onnx) -> None:
    predictor = load_predictor(f"onnx:{make_onnx(shape=(1, 3, 64, 'w'))},resize=exact,size=64x160")
    assert predictor.predict([Query(image(80, 80))], None)[0].input_size == (64, 160)
    assert predictor.input_words(None) == "squashed to 160 x 64"


@pytest.mark.parametrize(
    ("facts", "declared", "words"),
    [
        ({}, "", "does not say its kind, mean, std"),
        ({"mean": "0.5", "std": "0.5"}, "", "does not say its kind"),
        (FACTS | {"kind": "depth"}, "", "unknown kind of depth 'depth'"),
        (FACTS | {"mean": "0.5/0.5"}, "", "mean must be a number, or 3"),
        (FACTS, ",resize=minimum", "did you mean 'minimal'"),
        (FACTS, ",size=big", "HEIGHTxWIDTH"),
        (FACTS, ",sise=64", "did you mean 'size'"),
    ],
)
def test_what_is_missing_or_wrong(make_onnx, facts, declared, words) -> None:
    with pytest.raises(UsageError, match=words):
        load_predictor(f"onnx:{make_onnx(facts)}{declared}")


def test_files_and_settings_that_do_not_work(make_onnx, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such ONNX file"):
        load_predictor(f"onnx:{tmp_path / 'missing.onnx'}")
    (tmp_path / "bad.onnx").write_bytes(b"not onnx at all")
    with pytest.raises(DataError, match="onnxruntime cannot load the file"):
        load_predictor(f"onnx:{tmp_path / 'bad.onnx'}")
    with pytest.raises(DataError, match=r"must be float32 \(B, 3, H, W\)"):
        load_predictor(f"onnx:{make_onnx(shape=('b', 'h', 'w', 3))}")
    with pytest.raises(UsageError, match="precision of an ONNX file"):
        load_predictor(f"onnx:{make_onnx()}", PredictorOptions(precision="bf16"))
    with pytest.raises(UsageError, match="no CUDA"):
        load_predictor(f"onnx:{make_onnx()}", PredictorOptions(device="cuda"))


def test_without_onnxruntime_the_error_names_the_extra(make_onnx, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_onnx()
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(UsageError, match=r'pip install "dpt-bench\[onnx\]"'):
        load_predictor(f"onnx:{path}")
