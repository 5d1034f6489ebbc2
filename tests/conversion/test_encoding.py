"""What a shard holds is pinned together with ENCODING_VERSION, whatever version OpenCV, zstd and NumPy have.

Compressed bytes are the libraries' own, and so is the header of an NPY file, which NumPy writes. In their place stands what
we ask of them: pixels, numbers and options.
"""

from __future__ import annotations

import hashlib
import io
import struct
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import zstandard

from dpt_bench.conversion import convert_sample as conversion
from dpt_bench.conversion.convert_sample import convert_sample
from dpt_bench.conversion.options import SampleOptions
from dpt_bench.core.kinds import DepthKind
from dpt_bench.core.recipe import Recipe
from dpt_bench.core.sample import Camera, DepthMap, LabelMap, Sample
from dpt_bench.formats import images, npy_zst
from dpt_bench.resize import resize_image
from dpt_bench.shards import codec, writer
from dpt_bench.shards.codec import ENCODING_VERSION, encode_members
from dpt_bench.shards.writer import TarWriter

PINNED = {1: "6dd3b9f894d18b7e614c0a8eb12f9f3179326aa2e43adc762391e2d1952f2742"}
"""ENCODING_VERSION -> digest. A change of bytes adds a line and raises the version; no line is ever edited."""


def _told(array: np.ndarray[Any, Any], *facts: object) -> bytes:
    pixels = np.ascontiguousarray(array)
    return repr((pixels.dtype.str, pixels.shape, *facts)).encode() + pixels.tobytes()


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def _imencode(ending: str, array: np.ndarray[Any, Any], options: Any) -> tuple[bool, np.ndarray[Any, Any]]:
    """A file that holds the call; a PNG has chunks, for we change its header."""
    told = _told(array, ending, list(options))
    if ending == ".png":
        header = struct.pack(">IIBBBBB", array.shape[1], array.shape[0], 8, 0, 0, 0, 0)
        told = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", told) + _chunk(b"IEND", b"")
    return True, np.frombuffer(told, np.uint8)


class _Compressor:
    def __init__(self, **options: Any) -> None:
        self.options = sorted(options.items())

    def compress(self, data: bytes) -> bytes:
        return _told(np.load(io.BytesIO(data), allow_pickle=False), self.options)


@pytest.fixture
def resizes(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The libraries write down what they are asked for; calls of `cv2.resize`, which does resize, are kept here."""
    calls: list[Any] = []
    resize = cv2.resize

    def noted(array: np.ndarray[Any, Any], size: tuple[int, int], **options: Any) -> Any:
        calls.append((array.shape, size, sorted(options.items())))
        return resize(array, size, **options)

    monkeypatch.setattr(cv2, "imencode", _imencode)
    monkeypatch.setattr(cv2, "resize", noted)
    monkeypatch.setattr(zstandard, "ZstdCompressor", _Compressor)
    return calls


def _samples() -> list[Sample]:
    """A metric depth with sky, hole and camera, a disparity without sky, and labels: 80 x 96, in blocks of 2 x 2.

    All filters that average give a block its own colour when the size is halved, so no rounding of OpenCV's is pinned.
    """
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (40, 48, 3), np.uint8).repeat(2, axis=0).repeat(2, axis=1)
    numbers = rng.integers(1, 1000, (80, 96)).astype(np.float32) / 8
    sky, hole = np.zeros((2, 80, 96), bool)
    sky[:12], hole[20:40, 10:26] = True, True
    depth = np.where(sky | hole, np.float32(np.nan), numbers)
    camera = Camera(fx=100.0, fy=96.0, cx=47.5, cy=39.5, baseline_m=0.25)
    metric = DepthMap(depth, DepthKind.METRIC_DEPTH, ~hole, sky)
    affine = DepthMap(np.where(hole, np.float32(np.nan), numbers - 20), DepthKind.AFFINE_DISPARITY, ~hole)
    labels = LabelMap(rng.integers(0, 9, (80, 96), np.uint8))
    return [
        Sample("scene/0", image, metric, ("a.png", "a.npy"), camera, {"sky": "seen"}),
        Sample("scene/1", image, affine, ("b.png",)),
        Sample("scene/2", image[::-1], labels, ("c.jpg", "c.png")),
    ]


def _recipe(kind: object, policy: str) -> Recipe:
    about = dict.fromkeys(("title", "citation", "licence", "homepage", "obtain", "reader"), "")
    target = {"kind": kind, "format": "npy", "sky_policy": policy, "num_classes": 9}
    return Recipe.model_validate({"name": "toy", "version": 1, **about, "target": target, "splits": {"train": {}}})


def _digest(folder: Path, resizes: list[Any]) -> str:
    """Of a tar of the samples under every sky policy, at half and at full size, and of how they were resized."""
    resizes.clear()
    tar = TarWriter(folder / "shard.tar")
    for short_side in (40, 80):
        for policy in ("infinity", "minimum", "invalid"):
            for sample in _samples():
                if policy == "infinity" and "b.png" in sample.sources:
                    continue  # an affine disparity may be negative, and has no infinity
                recipe = _recipe(getattr(sample.target, "kind", "labels"), policy)
                converted = convert_sample(sample, recipe, SampleOptions(short_side))
                tar.add(f"{policy}/{short_side}/{converted.key}", encode_members(converted))
    tar.finish()
    return hashlib.sha256((folder / "shard.tar").read_bytes() + repr(resizes).encode()).hexdigest()


def test_bytes_change_only_with_the_version(resizes: list[Any], tmp_path: Path) -> None:
    assert max(PINNED) == ENCODING_VERSION
    digest = _digest(tmp_path, resizes)
    assert PINNED[ENCODING_VERSION] == digest, (
        "the bytes of shards have changed: raise ENCODING_VERSION, pin the digest"
    )


CHANGES: dict[str, tuple[Any, str, Any]] = {
    "zstd level": (npy_zst, "_LEVEL", 4),
    "steps": (codec, "STEPS", 65533),
    "JPEG of another shape": (cv2, "IMWRITE_JPEG_SAMPLING_FACTOR_444", 0x211111),
    "order of members": (writer, "MEMBER_ORDER", codec.MEMBER_ORDER[::-1]),
    "mask of 8 bits": (images, "encode_mask", lambda mask: images.encode_png(mask.astype(np.uint8))),
    "size of the image": (conversion, "output_size", lambda *_: (60, 72)),
    "filter": (conversion, "resize_image", lambda image, size, _: resize_image(image, size, "linear")),
    "camera": (conversion, "scale_camera", lambda camera, _: camera),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_seen(change: str, resizes: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(*CHANGES[change])
    assert _digest(tmp_path, resizes) != PINNED[ENCODING_VERSION]
