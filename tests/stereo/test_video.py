"""Videos: the right frames in spite of B frames and key frames far apart, chapters, damage, and no PyAV."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from dpt_bench.core.errors import FormatError, UsageError
from dpt_bench.stereo.video import chapters_s, decode_frames


def numbers(video: Path, wanted, **options) -> list[tuple[int, int]]:
    """(number, frame number that the picture shows)."""
    return [(number, round(int(frame[0, 0, 0]) / 5)) for number, frame in decode_frames(video, wanted, **options)]


@pytest.mark.parametrize("lossless", [True, False])
def test_frames_are_those_that_the_numbers_say(make_video, numbered_pictures, lossless: bool) -> None:
    video = make_video("a.mkv", numbered_pictures, lossless=lossless)
    assert numbers(video, [3, 0, 17, 39]) == [(0, 0), (3, 3), (17, 17), (39, 39)]


def test_pixels_survive_in_rgb_order(make_video) -> None:
    pictures = list(np.random.default_rng(0).integers(0, 256, (4, 16, 32, 3)).astype(np.uint8))
    video = make_video("a.mkv", pictures)
    for number, frame in decode_frames(video, range(4)):
        np.testing.assert_array_equal(frame, pictures[number])


def test_frames_beyond_the_end_are_not_there(make_video, numbered_pictures) -> None:
    video = make_video("a.mkv", numbered_pictures[:5])
    assert numbers(video, [4, 5, 400]) == [(4, 4)]
    assert numbers(video, []) == []


@pytest.mark.parametrize("lossless", [True, False])
def test_chapters_count_from_their_own_start(make_video, numbered_pictures, lossless: bool) -> None:
    video = make_video("a.mkv", numbered_pictures, lossless=lossless, chapters_s=[0, 0.5, 1.25])
    assert chapters_s(video) == [0, 0.5, 1.25]
    assert numbers(video, [0, 2], start_s=0.5) == [(0, 12), (2, 14)]
    assert numbers(video, [0, 9, 10], start_s=1.25) == [(0, 30), (9, 39)]
    between = 0.51  # as ffmpeg seeks: the first frame at or after the time
    assert numbers(video, [0], start_s=between) == [(0, 13)]


def test_a_video_without_chapters(make_video, numbered_pictures) -> None:
    assert chapters_s(make_video("a.mkv", numbered_pictures[:2])) == []


def test_what_is_no_video_is_a_format_error(tmp_path: Path, make_video) -> None:
    (tmp_path / "a.mp4").write_bytes(b"nonsense" * 100)
    for call in (lambda: list(decode_frames(tmp_path / "a.mp4", [0])), lambda: chapters_s(tmp_path / "a.mp4")):
        with pytest.raises(FormatError) as raised:
            call()
        assert raised.value.where == str(tmp_path / "a.mp4")


def test_a_missing_video_is_a_wrong_call(tmp_path: Path, make_video) -> None:
    with pytest.raises(UsageError, match="not found"):
        list(decode_frames(tmp_path / "a.mp4", [0]))


def test_without_pyav_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(UsageError) as raised:
        list(decode_frames(tmp_path / "a.mp4", [0]))
    assert "PyAV" in raised.value.what
    assert raised.value.fix == "pip install 'dpt-bench[video]'"
