from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from dpt_bench.cli.main import app
from dpt_bench.core.errors import UsageError
from dpt_bench.stereo import Clip
from dpt_bench.stereo.clips import encode_clips


def run(raw: Path, *arguments: str, catch: bool = False):
    return CliRunner().invoke(app, ["extract-clips", *arguments, "--raw", str(raw)], catch_exceptions=catch)


@pytest.fixture
def raw(tmp_path: Path, make_video) -> Path:
    import numpy as np

    make_video("wsvd/videos/SampleWrld0.mkv", [np.full((32, 64, 3), 9 * number, np.uint8) for number in range(8)])
    clips = [
        Clip(video="SampleWrld0", clip=0, frames=(1, 2)),
        Clip(video="SampleWrld0", clip=1, frames=(7, 8)),
        Clip(video="gone_______", clip=0, frames=(7, 8)),
    ]
    (tmp_path / "wsvd/lists").mkdir()
    (tmp_path / "wsvd/lists/train.jsonl").write_bytes(encode_clips(clips))
    return tmp_path


def test_clips_are_extracted_and_summed_up(raw: Path) -> None:
    result = run(raw, "wsvd")
    assert result.exit_code == 0
    shown = result.stdout
    assert "3 frames of 2 clips (0 were there)" in shown
    assert "1 listed frames of 1 clips lie beyond the end" in shown
    assert "not there: 1" in shown
    assert "videos/gone_______.mp4 was not found" in shown
    assert (raw / "wsvd/frames/train/SampleWrld0_1/000007_right.png").is_file()
    assert "(2 were there)" in run(raw, "wsvd").stdout


def test_a_clip_that_fails_fails_the_command(raw: Path) -> None:
    (raw / "wsvd/videos/gone_______.mp4").write_bytes(b"nonsense" * 100)
    result = run(raw, "wsvd")
    assert result.exit_code == 1
    assert "failed: 1" in result.stdout
    assert "frames/train/gone________0: the video cannot be decoded" in result.stdout
    assert (raw / "wsvd/frames/train/SampleWrld0_0").is_dir()


@pytest.mark.parametrize(("dataset", "words"), [("redweb", "no videos"), ("movies", "folder of movies was not found")])
def test_wrong_calls(raw: Path, dataset: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        run(raw, dataset)
