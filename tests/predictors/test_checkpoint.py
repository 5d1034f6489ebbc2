"""A network as a predictor: its size rule, its input, its facts."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from dpt_bench.core.catalog import MIXES
from dpt_bench.core.errors import UsageError
from dpt_bench.core.kinds import DepthKind
from dpt_bench.core.provenance import sha256_of_file
from dpt_bench.core.suite import ResizeRule
from dpt_bench.model import VARIANTS, load_model
from dpt_bench.predictors import PredictorOptions, Query, load_predictor
from dpt_bench.predictors._sizes import InputSize
from dpt_bench.predictors.checkpoint import CheckpointPredictor
from dpt_bench.resize import network_size

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
    assert predictor.input_size.rule(SHORTER) == SHORTER
    rule = ResizeRule(side="longer", size=96)
    prediction = predictor.predict([Query(image(48, 64))], rule)[0]
    assert prediction.input_size == (64, 96)  # 72 rounds to 64: half to even of 2.25


def test_a_network_trained_at_another_size_keeps_the_rule_but_for_its_size(make_checkpoint) -> None:
    predictor = load_predictor(str(make_checkpoint(train_size=96)))
    assert predictor.preprocessing == "own"
    assert predictor.input_size.rule(SHORTER) == SHORTER.model_copy(update={"size": 96})
    queries = [Query(image(48, 64))]
    assert predictor.predict(queries, LONGER)[0].input_size == (64, 96)
    assert predictor.predict(queries, SHORTER)[0].input_size == (96, 128)
    assert predictor.predict(queries, SHORTER)[0].values.shape == (96, 128)


def test_without_a_suite_the_released_rule_holds(make_checkpoint) -> None:
    predictor = load_predictor(str(make_checkpoint(train_size=96)))
    assert predictor.input_size.rule(None) == ResizeRule(side="minimal", size=96)
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
        np.testing.assert_allclose(shown[:, ::8, ::8], golden[f"{name}/sub8"], atol=1e-6)


@pytest.mark.parametrize(
    ("variant", "sizes", "words"),
    [
        ("dpt-large", {(480, 640): (384, 512), (375, 1242): (384, 1280)}, "longer 384, multiple of 32, cubic"),
        ("midas-v21", {(480, 640): (288, 384), (375, 1242): (128, 384)}, "longer 384, multiple of 32, cubic"),
        ("dpt-hybrid-nyu", {(480, 640): (480, 640), (240, 320): (480, 640)}, "longer 384, multiple of 32, cubic, with 640 x 480 pixels for 384"),
        ("dpt-hybrid-kitti", {(352, 1216): (352, 1216), (375, 1242): (352, 1216)}, "longer 384, multiple of 32, cubic, with 1216 x 352 pixels for 384"),
        ("dpt-large-ade20k", {(480, 640): (480, 640)}, "longer 384, multiple of 32, cubic, with 480 pixels for 384"),
    ],
)  # fmt: skip
def test_every_released_network_sees_its_own_sizes(variant, sizes, words) -> None:
    """The released run scripts; MiDaS v2.1 by the rule of its own repository."""
    spec = VARIANTS[variant]
    rule = InputSize(spec.input_size or (spec.train_size, spec.train_size), spec.input_rule)
    for (height, width), seen in sizes.items():
        assert rule.of(image(height, width), None) == seen
    assert rule.words(LONGER) == words
    assert rule.follows_suite == (words == LONGER.words)


@pytest.mark.parametrize("wanted", [(384, 384), (512, 512), (480, 640)])
def test_rules_that_bring_an_image_to_other_pixels_have_other_words(wanted) -> None:
    """The cache of predictions tells inputs apart by these words."""
    rules = [
        LONGER,
        SHORTER,
        ResizeRule(side="native"),
        ResizeRule(side="minimal"),
        LONGER.model_copy(update={"interpolation": "area"}),
    ]
    size = InputSize(wanted)
    assert len({size.words(rule) for rule in rules}) == len(rules)


@pytest.mark.parametrize("side", ["exact", "minimal", "upper_bound", "lower_bound", "longer", "shorter", "native"])
def test_a_network_that_follows_the_suite_takes_its_size_too(side) -> None:
    rule = ResizeRule(side=side, size=512)
    assert InputSize((384, 384)).of(image(600, 900), rule) == network_size(600, 900, rule)


def test_a_rectangular_network_under_the_rules_of_suites(make_checkpoint) -> None:
    predictor = load_predictor(str(make_checkpoint(input_size=(64, 96))))
    assert predictor.preprocessing == "own"
    picture = [Query(image(80, 160))]
    native = ResizeRule(side="native")
    for rule, seen in ((LONGER, (64, 96)), (SHORTER, (64, 128)), (native, (64, 160)), (None, (64, 128))):
        if rule is LONGER:
            seen = (32 * round(48 / 32), 96)
        assert predictor.predict(picture, rule)[0].input_size == seen


def test_out_of_memory_falls_back_to_smaller_batches(make_checkpoint, monkeypatch: pytest.MonkeyPatch, caplog) -> None:
    path = str(make_checkpoint(train_size=64))
    queries = [Query(image(64, 64, seed)) for seed in range(4)]
    expected = load_predictor(path).predict(queries, LONGER)
    predictor = load_predictor(path)
    forward, seen = predictor.model.forward, []

    def limited(images: torch.Tensor) -> torch.Tensor:
        seen.append(len(images))
        if len(images) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return forward(images)

    monkeypatch.setattr(predictor.model, "forward", limited)
    found = predictor.predict(queries, LONGER)
    assert seen == [4, 2, 2]
    assert "out of memory" in caplog.text
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one.values, other.values, rtol=1e-4, atol=1e-5)


def test_what_a_user_declares_is_part_of_the_name(make_checkpoint) -> None:
    path = make_checkpoint()
    assert load_predictor(f"{path},trained_on=nyu/kitti").trained_on == ("nyu", "kitti")
    assert load_predictor(f"{path},name=theirs").name == "theirs"
    assert load_predictor(str(path), PredictorOptions(precision="bf16")).name == "mine (bf16)"
    assert load_predictor(f"{path},name=theirs", PredictorOptions(precision="bf16")).name == "theirs (bf16)"
    with pytest.raises(UsageError, match="says itself what it is"):
        load_predictor(f"{path},readout=add")
    with pytest.raises(UsageError, match="says itself what it is"):
        load_predictor(str(path), PredictorOptions(variant="dpt-large"))
    with pytest.raises(UsageError, match="known: name, readout, trained_on, variant"):
        load_predictor(f"{path},kind=metric_depth")


def test_numbers_that_are_not_finite_are_handed_on(make_checkpoint) -> None:
    predictor = load_predictor(str(make_checkpoint(train_size=64)))
    with torch.no_grad():
        predictor.model.head.layers[-2].bias.fill_(torch.nan)
    assert not np.isfinite(predictor.predict([Query(image(64, 64))], LONGER)[0].values).any()


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


def test_a_released_file_without_readout_weights_is_told_how_to_read(tmp_path: Path, shared_facts: Path) -> None:
    keys = json.loads((shared_facts / "checkpoints" / "dpt_base-add.keys.json").read_text())
    path = tmp_path / "base.pt"
    torch.save({key: torch.zeros(()).expand(shape) for key, (shape, _) in keys.items()}, path)
    assert load_predictor(f"{path},readout=add").name == "base (readout add)"
    with pytest.raises(UsageError, match="did you mean 'add'"):
        load_predictor(f"{path},readout=ad")


@pytest.mark.parametrize(
    ("file", "tuned_on"), [("dpt_hybrid_nyu-2ce69ec7", ("nyu",)), ("dpt_hybrid-midas-501f0c75", ())]
)
def test_a_released_file_says_by_its_mark_what_it_was_trained_on(
    file: str, tuned_on: tuple[str, ...], tmp_path: Path, shared_facts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mark stands in the name, and is the beginning of the checksum, which a renamed file keeps."""
    name, _, mark = file.rpartition("-")
    keys = json.loads((shared_facts / "checkpoints" / f"{name}.keys.json").read_text())
    path = tmp_path / f"{file}.pt"
    torch.save({key: torch.zeros(()).expand(shape) for key, (shape, _) in keys.items()}, path)
    expected = {member.recipe for member in MIXES.load("mix6").members} | set(tuned_on)
    assert set(load_predictor(str(path)).trained_on) == expected
    assert load_predictor(f"{path},trained_on=nyu/tum").trained_on == ("nyu", "tum"), "the user knows better"
    renamed = path.rename(tmp_path / "weights.pt")
    assert load_predictor(str(renamed)).trained_on == ()
    monkeypatch.setattr("dpt_bench.predictors.checkpoint.sha256_of_file", lambda _: mark + 56 * "0")
    assert set(load_predictor(str(renamed)).trained_on) == expected
