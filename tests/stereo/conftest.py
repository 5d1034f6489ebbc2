"""Rendered stereo pairs with exact flow, flow made by hand, and small videos."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from dpt_bench.scenes import Scene, scenes_for
from dpt_bench.stereo import Rules

MakeVideo = Callable[..., Path]


@pytest.fixture(scope="session")
def stereo_scenes() -> list[Scene]:
    return list(scenes_for("movies", 6, seed=3))


@pytest.fixture
def movie_rules() -> Rules:
    return Rules(2.0, 0.1, 10.0, 2.0, 0.7)


@pytest.fixture
def good_flow() -> tuple[np.ndarray, np.ndarray]:
    """Forward and backward flow (40, 100, 2) of a plane that slants away: disparity 2 to 22 px, consistent."""
    columns = np.broadcast_to(np.arange(100, dtype=np.float64), (40, 100))
    forward, backward = np.zeros((2, 40, 100, 2), np.float32)
    forward[..., 0] = -(2 + 0.2 * columns)
    backward[..., 0] = 2 + 0.2 * (columns + 2) / 0.8  # x' = x - 2 - 0.2 x
    return forward, backward


@pytest.fixture
def make_video(tmp_path: Path) -> MakeVideo:
    """Writes RGB pictures as a video: lossless, or H.264 with B frames and few key frames."""
    av = pytest.importorskip("av")

    def write(
        name: str, pictures: Sequence[np.ndarray], *, lossless: bool = True, chapters_s: Sequence[float] = ()
    ) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with av.open(str(path), "w") as container:
            if chapters_s:
                ends = [*chapters_s[1:], len(pictures) / 24]
                container.set_chapters(
                    [
                        {
                            "id": number,
                            "start": round(1000 * start),
                            "end": round(1000 * end),
                            "time_base": Fraction(1, 1000),
                            "metadata": {},
                        }
                        for number, (start, end) in enumerate(zip(chapters_s, ends, strict=True))
                    ]
                )
            codec = ("ffv1", {}, "bgr0") if lossless else ("libx264", {"bf": "3", "g": "12", "qp": "0"}, "yuv444p")
            stream = container.add_stream(codec[0], rate=24, options=codec[1])
            stream.height, stream.width = pictures[0].shape[:2]
            stream.pix_fmt = codec[2]
            for picture in pictures:
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            container.mux(stream.encode(None))
        return path

    return write


@pytest.fixture
def numbered_pictures() -> list[np.ndarray]:
    """40 side-by-side pictures (32, 96, 3): the left half is 5 times the frame's number, the right half 3 more."""
    pictures = []
    for number in range(40):
        picture = np.full((32, 96, 3), 5 * number, np.uint8)
        picture[:, 48:] += 3
        pictures.append(picture)
    return pictures
