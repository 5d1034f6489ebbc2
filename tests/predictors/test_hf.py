"""Tiny models of every family of transformers, saved in a folder: kind, preprocessing, post-processing."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers

from dpt_bench.core.errors import DataError, DptBenchError, SampleError, UsageError
from dpt_bench.core.kinds import DepthKind
from dpt_bench.predictors import PredictorOptions, Query, load_predictor


def vit(**changes: Any) -> dict[str, Any]:
    return {
        "hidden_size": 32,
        "num_hidden_layers": 4,
        "num_attention_heads": 2,
        "intermediate_size": 48,
        "out_indices": [1, 2, 3, 4],
        "reshape_hidden_states": False,
        **changes,
    }


DECODER = {"neck_hidden_sizes": [8, 8, 16, 16], "fusion_hidden_size": 16}
DINO = {"image_size": 28, "patch_size": 14}


def dpt(**changes: Any) -> Any:
    config = transformers.DPTConfig(
        **(
            {
                "hidden_size": 32,
                "num_hidden_layers": 4,
                "num_attention_heads": 2,
                "intermediate_size": 48,
                "image_size": 32,
                "patch_size": 16,
                "backbone_out_indices": [0, 1, 2, 3],
                **DECODER,
            }
            | changes
        )
    )
    return transformers.DPTForDepthEstimation(config), transformers.DPTImageProcessor(size={"height": 32, "width": 32})


def dpt_on_dinov2() -> Any:
    backbone = transformers.Dinov2Config(**vit(**DINO))
    config = transformers.DPTConfig(backbone_config=backbone, **DECODER, backbone_out_indices=[1, 2, 3, 4])
    return transformers.DPTForDepthEstimation(config), transformers.DPTImageProcessor(size={"height": 28, "width": 28})


def depth_anything(**changes: Any) -> Any:
    config = transformers.DepthAnythingConfig(
        backbone_config=transformers.Dinov2Config(**vit(**DINO)),
        reassemble_hidden_size=32,
        head_hidden_size=8,
        **DECODER,
        **changes,
    )
    processor = transformers.DPTImageProcessor(
        size={"height": 28, "width": 28}, keep_aspect_ratio=True, ensure_multiple_of=14
    )
    return transformers.DepthAnythingForDepthEstimation(config), processor


def zoedepth() -> Any:
    backbone = transformers.BeitConfig(
        **vit(image_size=32, patch_size=16), use_relative_position_bias=True, out_features=None
    )
    config = transformers.ZoeDepthConfig(
        backbone_config=backbone,
        bottleneck_features=16,
        num_relative_features=8,
        bin_embedding_dim=16,
        num_attractors=[4, 2, 2, 1],
        **DECODER,
    )
    return transformers.ZoeDepthForDepthEstimation(config), transformers.ZoeDepthImageProcessor(
        size={"height": 32, "width": 32}, ensure_multiple_of=32
    )


def glpn() -> Any:
    config = transformers.GLPNConfig(
        hidden_sizes=[8, 8, 16, 16], depths=[1, 1, 1, 1], num_attention_heads=[1, 1, 2, 2], decoder_hidden_size=8
    )
    return transformers.GLPNForDepthEstimation(config), transformers.GLPNImageProcessor()


def depth_pro(*, use_fov_model: bool = True) -> Any:
    encoder = {"model_type": "dinov2", "image_size": 32, "patch_size": 16, **vit()}
    for name in ("out_indices", "reshape_hidden_states"):
        encoder.pop(name)
    config = transformers.DepthProConfig(
        patch_size=32,
        fusion_hidden_size=16,
        intermediate_hook_ids=[1, 0],
        intermediate_feature_dims=[16, 16],
        scaled_images_ratios=[0.5, 1.0],
        scaled_images_overlap_ratios=[0.0, 0.2],
        scaled_images_feature_dims=[16, 16],
        merge_padding_value=1,
        use_batch_norm_in_fusion_residual=False,
        use_fov_model=use_fov_model,
        num_fov_head_layers=0,
        image_model_config=encoder,
        patch_model_config=encoder,
        fov_model_config=encoder,
    )
    return transformers.DepthProForDepthEstimation(config), transformers.DepthProImageProcessor(
        size={"height": 64, "width": 64}
    )


FAMILIES: dict[str, tuple[Callable[..., Any], dict[str, Any], DepthKind]] = {
    "dpt": (dpt, {}, DepthKind.AFFINE_DISPARITY),
    "dpt-dinov2": (dpt_on_dinov2, {}, DepthKind.METRIC_DEPTH),
    "depth-anything": (depth_anything, {}, DepthKind.AFFINE_DISPARITY),
    "depth-anything-metric": (
        depth_anything,
        {"depth_estimation_type": "metric", "max_depth": 20},
        DepthKind.METRIC_DEPTH,
    ),
    "zoedepth": (zoedepth, {}, DepthKind.METRIC_DEPTH),
    "glpn": (glpn, {}, DepthKind.METRIC_DEPTH),
    "depth-pro": (depth_pro, {}, DepthKind.METRIC_DEPTH),
    "depth-pro-without-view": (depth_pro, {"use_fov_model": False}, DepthKind.SCALE_INVARIANT_DEPTH),
}


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    found = {}
    for name, (make, changes, _) in FAMILIES.items():
        torch.manual_seed(0)
        model, processor = make(**changes)
        with torch.no_grad():
            for part, parameter in model.named_parameters():  # the usual initial weights give a constant output
                parameter.add_(0.05 * torch.randn_like(parameter))
                if part.startswith("head."):
                    parameter.abs_()  # a last ReLU would leave zeros
            if getattr(model, "fov_model", None) is not None:
                model.fov_model.head.layers[-1].bias.fill_(60.0)  # degrees
        found[name] = tmp_path_factory.mktemp(name) / name
        model.save_pretrained(found[name])
        processor.save_pretrained(found[name])
    return found


def image(height: int, width: int, seed: int = 0) -> np.ndarray:
    coarse = np.random.default_rng(seed).integers(0, 256, (height // 8 + 1, width // 8 + 1, 3), dtype=np.uint8)
    return np.ascontiguousarray(coarse.repeat(8, 0).repeat(8, 1)[:height, :width])


@pytest.mark.parametrize("family", FAMILIES)
def test_kind_and_numbers_are_those_of_the_family(family: str, folders: dict[str, Path]) -> None:
    folder, kind = folders[family], FAMILIES[family][2]
    predictor = load_predictor(f"hf:{folder}")
    assert (predictor.kind, predictor.preprocessing, predictor.name) == (kind, "own", family)
    picture = image(70, 100)
    prediction = predictor.predict([Query(picture)], None)[0]
    assert prediction.values.dtype == np.float32
    if family != "depth-pro-without-view":  # for which transformers' own pipeline fails
        np.testing.assert_allclose(prediction.values, pipeline(folder, picture), rtol=1e-5, atol=1e-6)
    assert np.ptp(prediction.values) > 0
    np.testing.assert_array_equal(predictor(picture), prediction.values)


def pipeline(folder: Path, picture: np.ndarray) -> np.ndarray:
    """What transformers' own depth-estimation pipeline returns."""
    from PIL import Image

    pipe = transformers.pipeline("depth-estimation", model=str(folder), device="cpu")
    return pipe(Image.fromarray(picture))["predicted_depth"].squeeze().numpy()


def test_depth_pro_is_metres_through_its_field_of_view(folders: dict[str, Path]) -> None:
    """Depth = focal length / (width * canonical inverse depth); the network knows no focal length but its own."""
    predictor = load_predictor(f"hf:{folders['depth-pro']}")
    picture = image(48, 64)
    prediction = predictor.predict([Query(picture)], None)[0]
    processor = transformers.AutoImageProcessor.from_pretrained(folders["depth-pro"])
    model = transformers.AutoModelForDepthEstimation.from_pretrained(folders["depth-pro"]).eval()
    with torch.inference_mode():
        output = model(**processor(images=picture, return_tensors="pt", input_data_format="channels_last"))
    focal = 0.5 / np.tan(0.5 * np.deg2rad(output.field_of_view.item()))  # in image widths
    canonical = torch.nn.functional.interpolate(output.predicted_depth[None], size=(48, 64), mode="bilinear")[0, 0]
    expected = 1 / np.clip(canonical.numpy() / focal, 1e-4, 1e4)
    np.testing.assert_allclose(prediction.values, expected, rtol=1e-4)


@pytest.mark.parametrize("family", ["dpt", "zoedepth", "depth-pro"])
def test_batches_of_mixed_sizes_change_nothing(family: str, folders: dict[str, Path]) -> None:
    pictures = [image(*size, seed) for seed, size in enumerate([(70, 100), (64, 64), (100, 70), (70, 100)])]
    spec = f"hf:{folders[family]}"
    alone = [load_predictor(spec)(picture) for picture in pictures]
    together = load_predictor(spec, PredictorOptions(batch_size=3)).predict([Query(one) for one in pictures], None)
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_allclose(one, other.values, rtol=1e-2, atol=1e-5)


def test_input_in_words(folders: dict[str, Path]) -> None:
    words = {
        name: load_predictor(f"hf:{folders[name]}").input_words(None) for name in ("dpt", "depth-anything", "glpn")
    }
    assert words == {
        "dpt": "squashed to 32 x 32",
        "depth-anything": "minimal 28 x 28, multiple of 14",
        "glpn": "each side cut to a multiple of 32",
    }


def test_what_a_user_declares_wins(folders: dict[str, Path]) -> None:
    predictor = load_predictor(f"hf:{folders['dpt']},kind=metric_disparity,trained_on=nyu/kitti,name=mine")
    assert (predictor.kind, predictor.name) == (DepthKind.METRIC_DISPARITY, "mine")
    assert predictor.trained_on == ("nyu", "kitti")
    with pytest.raises(UsageError, match="did you mean 'metric_depth'"):
        load_predictor(f"hf:{folders['dpt']},kind=metric_dept")
    with pytest.raises(UsageError, match="known: kind, name, trained_on"):
        load_predictor(f"hf:{folders['dpt']},size=384")


def test_other_weights_are_another_model(folders: dict[str, Path], tmp_path: Path) -> None:
    model, processor = dpt()
    model.save_pretrained(tmp_path)
    processor.save_pretrained(tmp_path)
    first = load_predictor(f"hf:{folders['dpt']}").checkpoint_sha256
    assert first == load_predictor(str(folders["dpt"])).checkpoint_sha256
    assert first != load_predictor(f"hf:{tmp_path}").checkpoint_sha256


def test_bf16_is_close_and_named(folders: dict[str, Path]) -> None:
    full = load_predictor(f"hf:{folders['dpt']}")
    low = load_predictor(f"hf:{folders['dpt']}", PredictorOptions(precision="bf16"))
    assert low.name == "dpt (bf16)"
    difference = np.abs(full(image(64, 64)) - low(image(64, 64))).max()
    assert 0 < difference < 0.1 * np.abs(full(image(64, 64))).max()


def test_an_image_that_the_processor_refuses_concerns_that_image(folders: dict[str, Path]) -> None:
    with pytest.raises(SampleError, match="8 x 40 pixels"):
        load_predictor(f"hf:{folders['glpn']}").predict([Query(image(40, 8))], None)


def test_models_that_predict_something_else(tmp_path: Path) -> None:
    config = dpt()[0].config
    transformers.DPTForSemanticSegmentation(config).save_pretrained(tmp_path / "classes")
    with pytest.raises(UsageError, match="does not predict depth: DPTForSemanticSegmentation"):
        load_predictor(f"hf:{tmp_path / 'classes'}")
    transformers.BertConfig().save_pretrained(tmp_path / "words")
    with pytest.raises(UsageError, match="unknown family of depth models 'bert'"):
        load_predictor(f"hf:{tmp_path / 'words'}")


def test_a_damaged_folder(folders: dict[str, Path], tmp_path: Path) -> None:
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).write_bytes((folders["dpt"] / name).read_bytes())
    with pytest.raises(DataError, match="transformers cannot load this folder"):
        load_predictor(f"hf:{tmp_path}")
    with pytest.raises(UsageError, match="no such folder"):
        load_predictor(f"hf:{tmp_path / 'missing'}")


def test_without_a_hub_the_error_says_how_to_pass_a_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(DptBenchError, match="pass their folder: hf:FOLDER"):
        load_predictor("hf:nobody/no-such-model")


def test_without_transformers_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(UsageError, match=r'pip install "dpt-bench\[hf\]"'):
        load_predictor(f"hf:{tmp_path}")
