"""A network as a predictor: its size rule, its input, its facts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from dpt_bench.core.errors import UsageError
from dpt_bench.core.kinds import DepthKind
from dpt_bench.core.provenance import sha256_of_file
from dpt_bench.core.suite import ResizeRule
from dpt_bench.model import load_model
from dpt_bench.predictors import PredictorOptions, Query, load_predictor
from dpt_bench.predictors.checkpoint import CheckpointPredictor

LONGER = ResizeRule(side="longer", size=384, multiple_of=32)
SHORTER = ResizeRule(side="shorter", size=384, multiple_of=32)


def image(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_facts(make_checkpoint) -> None:
    path = make_checkpoint(trained_on=("redweb", "megadepth"))
    predictor = load_predictor(str(path))
    assert predictor.checkpoint_sha256 == sha256_of_file(path)
    assert predictor.trained_on == ("redweb", "megadepth")
    assert predictor.kind is DepthKind.AFFINE_DISPARITY


def test_a_file_that_every_run_has_is_named_with_its_folder(make_checkpoint) -> None:
    path = make_checkpoint("best.pt")
    assert load_predictor(str(path)).name == f"{path.parent.name}/best"


def test_a_network_trained_at_384_follows_the_suite(make_checkpoint) -> None:
    predictor = load_predictor(str(make_checkpoint(train_size=384)))
    assert predictor.preprocessing == "suite"
    assert predictor.rule(SHORTER) == SHORTER
    rule = ResizeRule(side="longer", size=96)
    prediction = predictor.predict([Query(image(48, 64))], rule)[0]
    assert prediction.input_size == (64, 96)  # 72 rounds to 64: half to even of 2.25


def test_a_network_trained_at_another_size_keeps_the_rule_but_for_its_size(make_checkpoint) -> None:
    predictor = load_predictor(str(make_checkpoint(train_size=96)))
    assert predictor.preprocessing == "own"
    assert predictor.rule(SHORTER) == SHORTER.model_copy(update={"size": 96})
    queries = [Query(image(48, 64))]
    assert predictor.predict(queries, LONGER)[0].input_size == (64, 96)
    assert predictor.predict(queries, SHORTER)[0].input_size == (96, 128)
    assert predictor.predict(queries, SHORTER)[0].values.shape == (96, 128)


def test_without_a_suite_the_released_rule_holds(make_checkpoint) -> None:
    predictor = load_predictor(str(make_checkpoint(train_size=96)))
    assert predictor.rule(None) == ResizeRule(side="minimal", size=96)
    values = predictor(image(50, 70))
    assert values.shape == (50, 70)
    assert values.dtype == np.float32
    with pytest.raises(UsageError, match="RGB uint8"):
        predictor(image(50, 70)[..., 0])


@pytest.mark.parametrize("batch_size", [1, 2, 8])
def test_predictions_keep_the_order_of_the_queries_at_every_batch_size(make_checkpoint, batch_size) -> None:
    path = str(make_checkpoint(train_size=64))
    images = [image(*size, seed) for seed, size in enumerate([(40, 60), (60, 40), (40, 60), (41, 60), (60, 40)])]
    alone = [load_predictor(path).predict([Query(one)], LONGER)[0] for one in images]
    predictor = load_predictor(path, PredictorOptions(batch_size=batch_size))
    together = predictor.predict([Query(one) for one in images], LONGER)
    assert [one.input_size for one in together] == [one.input_size for one in alone]
    for ours, theirs in zip(together, alone, strict=True):
        np.testing.assert_allclose(ours.values, theirs.values, rtol=1e-4, atol=1e-5)
    assert not np.allclose(together[0].values, together[2].values, rtol=1e-3)


def test_the_network_sees_what_the_released_code_shows_it(make_checkpoint, shared_golden: Path) -> None:
    golden = np.load(shared_golden / "preprocess.npz")
    for name, side, changes in (
        ("dpt", "minimal", {}),
        ("midas", "upper_bound", {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}),
    ):
        path = make_checkpoint(train_size=384, **changes)
        seen: list[torch.Tensor] = []
        model = load_model(path)
        model.register_forward_pre_hook(lambda module, inputs, into=seen: into.append(inputs[0]))
        rule = ResizeRule(side=side, size=384)
        CheckpointPredictor("x", model, PredictorOptions()).predict([Query(golden["img_uint8_rgb"])], rule)
        shown = seen[0][0].numpy()
        assert shown.shape == tuple(golden[f"{name}/shape"])
        np.testing.assert_allclose(shown[:, ::8, ::8], golden[f"{name}/sub8"], atol=2e-5)


def test_bf16_is_close_and_returns_float32(make_checkpoint) -> None:
    path = str(make_checkpoint(train_size=64))
    queries = [Query(image(64, 64))]
    full = load_predictor(path).predict(queries, LONGER)[0].values
    low = load_predictor(path, PredictorOptions(precision="bf16")).predict(queries, LONGER)[0].values
    assert low.dtype == np.float32
    assert 0 < np.abs(low - full).max() < 0.1 * max(1.0, np.abs(full).max())


@pytest.mark.parametrize("device", ["cuda", "no-such-device"])
def test_devices_that_are_not_there(make_checkpoint, device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UsageError, match="device"):
        load_predictor(str(make_checkpoint()), PredictorOptions(device=device))


def test_a_segmentation_network_predicts_no_depth(make_checkpoint) -> None:
    with pytest.raises(UsageError, match="classes"):
        load_predictor(str(make_checkpoint(head="segmentation", num_classes=5)))
