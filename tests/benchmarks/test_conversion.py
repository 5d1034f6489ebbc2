"""Conversion against a bare loop that reads, decodes, resizes and encodes with the same OpenCV and zstd calls."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
import zstandard

from dpt_bench.conversion import BuildOptions, build
from dpt_bench.core.catalog import RECIPES
from dpt_bench.readers import load_reader
from dpt_bench.scenes import render_scene, style_for

COUNT = 24


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """TartanAir at its native 640 x 480, the same few scenes again and again."""
    folder = tmp_path_factory.mktemp("bench")
    recipe = RECIPES.load("tartanair")
    style = style_for("tartanair").at_size(480, 640)
    load_reader(recipe).write_example(
        folder / "tartanair", recipe, (render_scene(style, 0, index) for index in range(COUNT))
    )
    return folder


def bare_loop(folder: Path) -> int:
    compressor = zstandard.ZstdCompressor(level=3)
    written = 0
    for file in sorted((folder / "tartanair").rglob("*_left_depth.npy")):
        if file.name.startswith("._"):
            continue
        place = str(file).replace("depth_left", "image_left").replace("_left_depth.npy", "_left.png")
        image_file = Path(place)
        image = cv2.imdecode(np.frombuffer(image_file.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
        image = cv2.resize(image, (512, 384), interpolation=cv2.INTER_AREA)
        inverse = 1.0 / np.load(io.BytesIO(file.read_bytes())).astype(np.float64)
        inverse = cv2.resize(inverse, (512, 384), interpolation=cv2.INTER_NEAREST)
        low, high = inverse.min(), inverse.max()
        codes = (1 + np.round((inverse - low) / (high - low) * 65534)).astype(np.uint16)
        quality = [cv2.IMWRITE_JPEG_QUALITY, 95, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
        jpeg = cv2.imencode(".jpg", image, quality)[1].tobytes()
        raw_npy = io.BytesIO()
        np.save(raw_npy, codes)
        written += len(jpeg) + len(compressor.compress(raw_npy.getvalue()))
    return written


def test_one_core(raw: Path, tmp_path: Path, compare) -> None:
    cv2.setNumThreads(1)
    builds = iter(range(1000))

    def ours() -> None:
        build(
            "mix6",
            raw,
            tmp_path / str(next(builds)),
            datasets=["tartanair"],
            executor="serial",
            options=BuildOptions(shard_size=COUNT),
        )

    ratio = compare(
        f"build, {COUNT} images of 640 x 480, one core",
        ours,
        "decode + resize + encode alone",
        lambda: bare_loop(raw),
        rounds=5,
    )
    assert ratio > 0
