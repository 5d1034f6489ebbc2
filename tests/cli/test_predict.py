"""`dpt-bench predict`: what it writes, how it resumes, and what it says about bad images."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from dpt_bench.cli._predict import PredictCall, run_predict
from dpt_bench.cli._predict_inputs import find_sources
from dpt_bench.cli._predict_outputs import as_uint16, near_is_bright
from dpt_bench.core.errors import DptBenchError, UsageError
from dpt_bench.core.kinds import DepthKind
from dpt_bench.formats import images, npy

MODEL = """
import numpy as np
KIND = "{kind}"
def predict(image):
    LOG.write_text(LOG.read_text() + "x")
    if image.shape[0] == 13:
        return np.full((4, 4), np.nan)
    return image[..., 0].astype(float)
from pathlib import Path
LOG = Path(__file__).with_name("log")
"""


@pytest.fixture
def predict(tmp_path: Path) -> Callable[..., int]:
    """Runs the command; returns how many images the model saw."""

    def run(*inputs: Path, kind: str = "affine_disparity", **changes: object) -> int:
        model, log = tmp_path / f"{kind}.py", tmp_path / "log"
        model.write_text(MODEL.format(kind=kind))
        log.write_text("")
        facts = {"write": "png,npy,colour", "every": 1, "variant": None, "device": "cpu", "precision": "fp32"}
        facts |= {"model": str(model), "inputs": inputs, "out": tmp_path / "out", "batch_size": 2, "force": False}
        try:
            run_predict(PredictCall(**(facts | changes)))  # type: ignore[arg-type]
        finally:
            saw = len(log.read_text())
        return saw

    return run


def image(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(1, 256, (height, width, 3), dtype=np.uint8)


def write(path: Path, picture: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(images.encode_png(picture))
    return path


def outputs(folder: Path) -> list[str]:
    return sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*/*") if file.is_file())


def test_three_files_an_image_and_again_only_what_is_missing(predict, tmp_path: Path, capsys) -> None:
    folder, out = tmp_path / "photos", tmp_path / "out"
    pictures = {name: image(*size) for name, size in {"a": (20, 30), "sub/a": (30, 20), "b": (20, 30)}.items()}
    for name, picture in pictures.items():
        write(folder / f"{name}.png", picture)
    assert predict(folder) == 3
    expected = sorted(part.format(name) for part in ("colour/{}.png", "npy/{}.npy", "png/{}.png") for name in pictures)
    assert outputs(out) == expected
    for name, picture in pictures.items():
        values = npy.decode((out / "npy" / f"{name}.npy").read_bytes())
        np.testing.assert_array_equal(values, picture[..., 0].astype(np.float32))
        data = (out / "png" / f"{name}.png").read_bytes()
        text, numbers = images.png_text(data), images.decode_gray(data)
        low, high = float(text["low"]), float(text["high"])
        assert (text["kind"], text["model"]) == ("affine_disparity", "affine_disparity")
        np.testing.assert_allclose(low + numbers / 65535 * (high - low), values, atol=(high - low) / 65535)
        assert images.decode_rgb((out / "colour" / f"{name}.png").read_bytes()).shape == picture.shape
    assert "3 images in" in (shown := capsys.readouterr().out)
    assert "images/s" in shown
    assert predict(folder) == 0
    assert "0 images; 3 were there" in capsys.readouterr().out
    (out / "npy" / "b.npy").unlink()
    assert predict(folder) == 1
    assert predict(folder, force=True) == 3
    assert predict(tmp_path) == 3, "below another name, and without the outputs of earlier runs"


def test_files_of_another_model_are_not_taken_for_its_own(predict, tmp_path: Path) -> None:
    photo = write(tmp_path / "photo.png", image(20, 30))
    assert predict(photo) == 1
    with pytest.raises(UsageError, match="predictions of 'affine_disparity' are there already"):
        predict(photo, kind="metric_depth")
    assert predict(photo, kind="metric_depth", force=True) == 1
    with pytest.raises(UsageError, match="predictions of 'metric_depth' are there already"):
        predict(photo)


def test_a_bad_image_is_one_line_and_the_rest_is_done(predict, tmp_path: Path, capsys) -> None:
    folder = tmp_path / "photos"
    write(folder / "good.png", image(20, 30))
    write(folder / "nan.png", image(13, 30))
    (folder / "bad.jpg").write_bytes(b"\xff\xd8\xff not a picture")
    (folder / "empty.webp").write_bytes(b"")
    with pytest.raises(DptBenchError, match="3 of 4 images or videos were not predicted") as caught:
        predict(folder)
    assert caught.value.exit_code == 1
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(lines) == 3
    assert any("bad.jpg: the JPEG file is truncated" in line for line in lines)
    assert any("empty.webp: the webp file cannot be decoded" in line for line in lines)
    assert any("nan: 390 of 390 predicted numbers are not finite, nothing is written" in line for line in lines)
    assert [name for name in outputs(tmp_path / "out") if name.startswith("npy")] == ["npy/good.npy"]


def test_frames_of_a_video(predict, make_video, tmp_path: Path) -> None:
    pictures = [image(32, 48, seed) for seed in range(5)]
    video = make_video("clip.mkv", pictures)
    assert predict(video, every=2, write="npy") == 3
    assert outputs(tmp_path / "out") == [f"npy/clip/{number:06}.npy" for number in (0, 2, 4)]
    values = npy.decode((tmp_path / "out" / "npy" / "clip" / "000002.npy").read_bytes())
    np.testing.assert_array_equal(values, pictures[2][..., 0].astype(np.float32))
    assert predict(video, every=1, write="npy") == 2


def test_a_damaged_video_is_one_line(predict, tmp_path: Path, capsys) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"nothing of a video")
    good = write(tmp_path / "good.png", image(20, 30))
    with pytest.raises(DptBenchError, match="1 of 2"):
        predict(tmp_path / "clip.mp4", good)
    assert "clip.mp4: the video cannot be" in capsys.readouterr().err


def test_the_rotation_that_viewers_show_is_obeyed(predict, tmp_path: Path) -> None:
    """EXIF orientation 6: the stored picture is shown turned by 90 degrees."""
    data = images.encode_jpeg(np.full((20, 30, 3), 90, np.uint8))
    tag = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(data[:2] + b"\xff\xe1" + (len(tag) + 2).to_bytes(2, "big") + tag + data[2:])
    predict(photo, write="npy")
    assert npy.decode((tmp_path / "out" / "npy" / "photo.npy").read_bytes()).shape == (30, 20)


def test_names_are_unique(tmp_path: Path) -> None:
    files = [
        write(tmp_path / name, image(4, 4))
        for name in ("one/a.png", "one/sub/a.png", "two/a.png", "two/a.jpg", "b.png")
    ]
    sources = find_sources([tmp_path / "one", tmp_path / "two", *files[-1:]], tmp_path / "out")
    assert {source.path.relative_to(tmp_path).as_posix(): source.name for source in sources} == {
        "one/a.png": "one/a_png",
        "one/sub/a.png": "sub/a",
        "two/a.jpg": "a_jpg",
        "two/a.png": "two/a_png",
        "b.png": "b",
    }
    again = find_sources([tmp_path / "one", tmp_path / "one" / "a.png"], tmp_path / "out")
    assert [source.name for source in again] == ["a", "sub/a"], "a file given twice is predicted once"


def test_inputs_that_do_not_work(tmp_path: Path, predict) -> None:
    (tmp_path / "a.txt").write_text("")
    for given, words in ((tmp_path / "a.txt", "neither a picture"), (tmp_path / "none", "no such file")):
        with pytest.raises(UsageError, match=words):
            find_sources([given], tmp_path / "out")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no picture and no video"):
        find_sources([tmp_path / "empty"], tmp_path / "out")
    picture = write(tmp_path / "a.png", image(4, 4))
    with pytest.raises(UsageError, match="did you mean 'colour'"):
        predict(picture, write="npy,color")
    with pytest.raises(UsageError, match="unknown precision"):
        predict(picture, precision="fp16")


def test_other_picture_formats(predict, tmp_path: Path) -> None:
    picture = image(6, 8)
    for ending in ("bmp", "webp", "tiff"):
        quality = [cv2.IMWRITE_WEBP_QUALITY, 101] if ending == "webp" else []
        cv2.imwrite(str(tmp_path / f"{ending}.{ending}"), picture[..., ::-1], quality)
        predict(tmp_path / f"{ending}.{ending}", write="npy")
        values = npy.decode((tmp_path / "out" / "npy" / f"{ending}.npy").read_bytes())
        np.testing.assert_array_equal(values, picture[..., 0].astype(np.float32))


def test_metres_in_a_png_and_near_is_bright() -> None:
    depth_m = np.array([[0.0001, 1.0, 80.0, 1000.0]], np.float32)
    numbers, text = as_uint16(depth_m, DepthKind.METRIC_DEPTH)
    assert numbers.tolist() == [[1, 256, 20480, 65535]]
    assert float(text["scale"]) == 1 / 256
    flat, _ = as_uint16(np.ones((2, 2), np.float32), DepthKind.AFFINE_DEPTH)
    assert not flat.any()
    ramp = np.linspace(1, 9, 20, dtype=np.float32)[None].repeat(4, 0)
    for kind in DepthKind:
        brightness = near_is_bright(ramp, kind).sum(axis=2)[0].astype(int)
        assert (brightness[-1] > brightness[0]) == kind.is_disparity, kind
