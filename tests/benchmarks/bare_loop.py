"""The loop that conversion is measured against: python bare_loop.py FOLDER FIRST STEP converts every STEP-th frame."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import cv2
import numpy as np
import zstandard


def pairs(folder: str | Path) -> list[tuple[Path, Path]]:
    """Image and depth of every frame."""
    depths = [file for file in sorted(Path(folder).rglob("*_left_depth.npy")) if not file.name.startswith("._")]
    return [
        (Path(str(file).replace("depth_left", "image_left").replace("_depth.npy", ".png")), file) for file in depths
    ]


def bare_loop(files: list[tuple[Path, Path]]) -> int:
    cv2.setNumThreads(1)
    compressor = zstandard.ZstdCompressor(level=3)
    quality = [cv2.IMWRITE_JPEG_QUALITY, 95, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    written = 0
    for image_file, depth_file in files:
        image = cv2.imdecode(np.frombuffer(image_file.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
        image = cv2.resize(image, (512, 384), interpolation=cv2.INTER_AREA)
        inverse = 1.0 / np.load(io.BytesIO(depth_file.read_bytes())).astype(np.float64)
        inverse = cv2.resize(inverse, (512, 384), interpolation=cv2.INTER_NEAREST)
        low, high = inverse.min(), inverse.max()
        codes = (1 + np.round((inverse - low) / (high - low) * 65534)).astype(np.uint16)
        jpeg = cv2.imencode(".jpg", image, quality)[1].tobytes()
        raw_npy = io.BytesIO()
        np.save(raw_npy, codes)
        written += len(jpeg) + len(compressor.compress(raw_npy.getvalue()))
    return written


if __name__ == "__main__":
    bare_loop(pairs(sys.argv[1])[int(sys.argv[2]) :: int(sys.argv[3])])
