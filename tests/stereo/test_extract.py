"""Extraction: whole clips or none, resumed where it stopped, one decoding for all clips of a video."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dpt_bench.core.errors import DataError, UsageError
from dpt_bench.formats import images
from dpt_bench.stereo import ClipJob, extract_clips
from dpt_bench.stereo.clip_folder import PARTIAL, RECORD


def job(video: Path, clip: str, frames: tuple[int, ...], **options) -> ClipJob:
    names = ("{number:06d}_left.png", "{number:06d}_right.png")
    facts = {"packing": "full-sbs", "folders": (f"frames/{clip}", f"frames/{clip}"), "names": names, **options}
    return ClipJob(video=video, frames=frames, **facts)


def tree(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def shown(path: Path) -> int:
    return int(images.decode_rgb(path.read_bytes())[0, 0, 0])


@pytest.fixture
def video(make_video, numbered_pictures) -> Path:
    return make_video("videos/abc.mkv", numbered_pictures)


def test_clips_of_one_video_come_out_of_one_pass(tmp_path: Path, video: Path, monkeypatch) -> None:
    from dpt_bench.stereo import extract

    passes = []
    original = extract.decode_frames
    monkeypatch.setattr(extract, "decode_frames", lambda *a, **k: passes.append(a) or original(*a, **k))
    jobs = [job(video, "abc_0", (3, 4, 9)), job(video, "abc_1", (4, 30)), job(video, "abc_2", (35, 60))]
    reports = extract_clips(tmp_path, jobs)
    assert len(passes) == 1
    assert [(report.extracted, report.missing, report.reused, report.error) for report in reports] == [
        (3, 0, False, None),
        (2, 0, False, None),
        (1, 1, False, None),
    ]
    assert shown(tmp_path / "frames/abc_0/000009_left.png") == 45
    assert shown(tmp_path / "frames/abc_0/000009_right.png") == 48
    assert sorted(path.name for path in (tmp_path / "frames/abc_1").iterdir()) == sorted(
        [RECORD, *(f"{number:06d}_{eye}.png" for number in (4, 30) for eye in ("left", "right"))]
    )
    assert json.loads((tmp_path / "frames/abc_2" / RECORD).read_text())["missing"] == 1


def test_a_second_run_touches_nothing(tmp_path: Path, video: Path) -> None:
    jobs = [job(video, "abc_0", (3,)), job(video, "abc_1", (7,))]
    first = extract_clips(tmp_path, jobs)
    stamps = {path: path.stat().st_mtime_ns for path in (tmp_path / "frames").rglob("*")}
    second = extract_clips(tmp_path, jobs)
    assert [report.reused for report in (*first, *second)] == [False, False, True, True]
    assert [report.extracted for report in second] == [1, 1]
    assert stamps == {path: path.stat().st_mtime_ns for path in (tmp_path / "frames").rglob("*")}


def test_only_what_is_missing_is_decoded_again(tmp_path: Path, video: Path) -> None:
    jobs = [job(video, "abc_0", (3,)), job(video, "abc_1", (7,))]
    extract_clips(tmp_path, jobs[:1])
    assert [report.reused for report in extract_clips(tmp_path, jobs)] == [True, False]


@pytest.mark.parametrize(
    "change", [{"frames": (3, 5)}, {"packing": "half-sbs"}, {"crop": (2, 4)}, {"start_s": 0.5}, {"first_number": 1}]
)
def test_another_job_does_not_overwrite_a_clip(tmp_path: Path, video: Path, change) -> None:
    extract_clips(tmp_path, [job(video, "abc_0", (3,))])
    before = tree(tmp_path / "frames")
    (report,) = extract_clips(tmp_path, [replace(job(video, "abc_0", (3,)), **change)])
    assert isinstance(report.error, UsageError)
    assert "delete the folder" in str(report.error)
    assert tree(tmp_path / "frames") == before


def test_frames_of_the_user_s_own_are_left_alone(tmp_path: Path, video: Path) -> None:
    mine = tmp_path / "frames/abc_0/000003_left.png"
    mine.parent.mkdir(parents=True)
    mine.write_bytes(b"mine")
    (report,) = extract_clips(tmp_path, [job(video, "abc_0", (3,))])
    assert isinstance(report.error, UsageError)
    assert mine.read_bytes() == b"mine"


def test_another_video_under_the_same_name_is_noticed(tmp_path: Path, video: Path) -> None:
    extract_clips(tmp_path, [job(video, "abc_0", (3,))])
    video.write_bytes(video.read_bytes() + b"\0")
    (report,) = extract_clips(tmp_path, [job(video, "abc_0", (3,))])
    assert isinstance(report.error, UsageError)


def test_one_bad_video_or_clip_does_not_stop_the_others(tmp_path: Path, video: Path) -> None:
    broken = tmp_path / "videos/broken.mp4"
    broken.write_bytes(b"nonsense" * 50)
    jobs = [
        job(broken, "broken_0", (0,)),
        job(tmp_path / "videos/absent.mp4", "absent_0", (0,)),
        job(video, "abc_0", (3,), crop=(100, 0)),
        job(video, "abc_1", (3,), packing="half-tb"),
    ]
    messages = []

    class Listener:
        def message(self, text: str) -> None:
            messages.append(text)

        def __getattr__(self, name: str):
            return lambda *_, **__: None

    reports = extract_clips(tmp_path, jobs, progress=Listener())
    assert [report.error is None for report in reports] == [False, False, False, True]
    assert "not found" in str(reports[1].error)
    assert "cannot lose" in str(reports[2].error)
    assert len(messages) == 3
    assert sorted(path.name for path in (tmp_path / "frames").iterdir()) == ["abc_1"]


def test_a_record_that_is_damaged_is_told(tmp_path: Path, video: Path) -> None:
    extract_clips(tmp_path, [job(video, "abc_0", (3,))])
    (tmp_path / "frames/abc_0" / RECORD).write_text("{")
    (report,) = extract_clips(tmp_path, [job(video, "abc_0", (3,))])
    assert isinstance(report.error, DataError)


def test_two_folders_crop_and_numbers_of_3d_movies(tmp_path: Path, make_video) -> None:
    picture = np.zeros((32, 96, 3), np.uint8)
    picture[4:28, 6:42], picture[4:28, 54:90] = 200, 90
    names = ("out{number:08d}.jpg",) * 2
    film = job(
        make_video("videos/exodus.mkv", [picture] * 3), "", (0, 2), crop=(8, 12), names=names, first_number=1,
        folders=("image_left/exodus/chapter2", "image_right/exodus/chapter2"),
    )  # fmt: skip
    (report,) = extract_clips(tmp_path, [film])
    assert report.extracted == 2
    left, right = (tmp_path / folder for folder in film.folders)
    assert sorted(path.name for path in left.iterdir()) == [RECORD, "out00000001.jpg", "out00000003.jpg"]
    for folder, value in ((left, 200), (right, 90)):
        eye = images.decode_rgb((folder / "out00000003.jpg").read_bytes())
        assert eye.shape == (24, 36, 3)
        assert np.abs(eye.astype(int) - value).max() <= 2
    # killed between the renames of the two eyes
    for path in left.iterdir():
        path.unlink()
    left.rmdir()
    assert extract_clips(tmp_path, [film])[0].extracted == 2
    assert left.is_dir()


def test_workers_make_the_same_files(tmp_path: Path, video: Path, make_video, numbered_pictures) -> None:
    other = make_video("videos/def.mkv", numbered_pictures[::-1])
    jobs = [job(video, "abc_0", (3, 4)), job(other, "def_0", (1,)), job(video, "abc_1", (39,))]
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    serial = extract_clips(tmp_path / "one", jobs)
    assert extract_clips(tmp_path / "two", jobs, workers=2) == serial
    assert tree(tmp_path / "one") == tree(tmp_path / "two")


KILLED = """
import os, signal, sys
from pathlib import Path
from dpt_bench.stereo import ClipJob, clip_folder, extract_clips
commit = clip_folder.ClipFolder.commit
def dies(self):
    if self.job.name.endswith("abc_1"):
        os.kill(os.getpid(), signal.SIGKILL)
    return commit(self)
clip_folder.ClipFolder.commit = dies
names = ("{number:06d}_left.png", "{number:06d}_right.png")
jobs = [ClipJob(Path(sys.argv[2]), (n, n + 1), "full-sbs", (f"frames/abc_{n}",) * 2, names) for n in range(3)]
extract_clips(Path(sys.argv[1]), jobs)
"""


def test_a_killed_run_goes_on_where_it_stopped(tmp_path: Path, video: Path) -> None:
    root = tmp_path / "killed"
    root.mkdir()
    ended = subprocess.run([sys.executable, "-c", KILLED, root, video], check=False)
    assert ended.returncode == -signal.SIGKILL
    left_over = sorted(path.name for path in (root / "frames").iterdir())
    assert left_over[-1] == "abc_0"
    assert all(name.startswith(PARTIAL) for name in left_over[:-1])
    assert len(left_over) > 1
    jobs = [job(video, f"abc_{number}", (number, number + 1)) for number in range(3)]
    assert [report.reused for report in extract_clips(root, jobs)] == [True, False, False]
    (tmp_path / "whole").mkdir()
    extract_clips(tmp_path / "whole", jobs)
    assert tree(root) == tree(tmp_path / "whole")


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path, video: Path) -> None:
    (tmp_path / "frames").write_text("a file where a folder should be")
    (report,) = extract_clips(tmp_path, [job(video, "abc_0", (3,))])
    assert isinstance(report.error, DataError)
    assert "cannot be written" in str(report.error)
