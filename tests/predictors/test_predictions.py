"""A folder of stored predictions as a predictor."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dpt_bench.core.errors import SampleError, UsageError
from dpt_bench.core.kinds import DepthKind
from dpt_bench.formats import exr, images, npz, pfm
from dpt_bench.predictors import Query, load_predictor


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "predictions.toml").write_text('name = "theirs"\nkind = "metric_depth"\ntrained_on = ["nyu"]\n')
    (tmp_path / "kitti" / "drive").mkdir(parents=True)
    np.save(tmp_path / "kitti" / "drive" / "0001.npy", np.arange(12, dtype=np.float64).reshape(3, 4))
    np.save(tmp_path / "kitti" / "flat.npy", np.zeros(5))
    return tmp_path


def query(key: str) -> Query:
    return Query(np.zeros((30, 40, 3), np.uint8), "kitti", key)


def test_arrays_are_found_by_dataset_and_key(folder: Path) -> None:
    predictor = load_predictor(f"predictions:{folder}")
    assert (predictor.name, predictor.kind, predictor.trained_on) == ("theirs", DepthKind.METRIC_DEPTH, ("nyu",))
    prediction = predictor.predict([query("drive/0001")], None)[0]
    assert prediction.values.dtype == np.float32
    assert prediction.values[2, 3] == 11
    assert prediction.input_size == (3, 4)


def test_what_is_missing_or_no_map_concerns_one_image(folder: Path) -> None:
    predictor = load_predictor(f"predictions:{folder}")
    for key, reason in (("drive/0002", "missing-prediction"), ("flat", "bad-prediction")):
        with pytest.raises(SampleError) as caught:
            predictor.predict([query(key)], None)
        assert caught.value.reason == reason


def test_new_files_make_another_predictor(folder: Path) -> None:
    """Trap 22: results of replaced predictions are not taken for theirs."""
    before = load_predictor(f"predictions:{folder}").checkpoint_sha256
    assert load_predictor(f"predictions:{folder}").checkpoint_sha256 == before
    np.save(folder / "kitti" / "flat.npy", np.ones(6))
    assert load_predictor(f"predictions:{folder}").checkpoint_sha256 != before


def test_bad_folders(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such folder"):
        load_predictor(f"predictions:{tmp_path / 'missing'}")
    with pytest.raises(UsageError, match="not found"):
        load_predictor(f"predictions:{tmp_path}")
    (tmp_path / "predictions.toml").write_text('name = "x"\nkind = "metric_dept"\n')
    with pytest.raises(UsageError, match="metric_depth"):
        load_predictor(f"predictions:{tmp_path}")


ARRAY = np.array([[256, 512, 0], [1, 2, 65535]], np.uint16)
ENCODED = {
    "npz": npz.encode(ARRAY.astype(np.float32)),
    "png": images.encode_png(ARRAY),
    "pfm": pfm.encode(ARRAY.astype(np.float32)),
    "exr": exr.encode(ARRAY.astype(np.float32)),
}


@pytest.mark.parametrize("ending", ENCODED)
def test_every_format_with_its_scale_and_invalid_number(ending: str, tmp_path: Path) -> None:
    about = 'name = "x"\nkind = "metric_depth"\nscale = 0.00390625\ninvalid = 0\n'
    (tmp_path / "predictions.toml").write_text(about)
    (tmp_path / "kitti").mkdir()
    (tmp_path / "kitti" / f"a.{ending}").write_bytes(ENCODED[ending])
    values = load_predictor(str(tmp_path)).predict([query("a")], None)[0].values
    expected = ARRAY.astype(np.float32) / 256
    expected[0, 2] = np.nan
    np.testing.assert_array_equal(values, expected)


def test_a_metric_png_needs_a_scale(tmp_path: Path) -> None:
    (tmp_path / "predictions.toml").write_text('name = "x"\nkind = "metric_depth"\n')
    (tmp_path / "kitti").mkdir()
    (tmp_path / "kitti" / "a.png").write_bytes(ENCODED["png"])
    with pytest.raises(UsageError, match="without a scale"):
        load_predictor(f"predictions:{tmp_path}")
    (tmp_path / "predictions.toml").write_text('name = "x"\nkind = "affine_disparity"\n')
    assert load_predictor(f"predictions:{tmp_path}").predict([query("a")], None)[0].values[0, 0] == 256


def test_files_that_hold_no_prediction(folder: Path) -> None:
    (folder / "kitti" / "grey8.png").write_bytes(images.encode_png(ARRAY.astype(np.uint8)))
    (folder / "kitti" / "colour.png").write_bytes(images.encode_png(np.dstack([ARRAY, ARRAY, ARRAY[::-1]])))
    (folder / "kitti" / "damaged.exr").write_bytes(b"v/1")
    (folder / "kitti" / "twice.npz").write_bytes(ENCODED["npz"])
    (folder / "kitti" / "twice.pfm").write_bytes(ENCODED["pfm"])
    about = (folder / "predictions.toml").read_text()
    (folder / "predictions.toml").write_text(about + "scale = 1.0\n")
    predictor = load_predictor(f"predictions:{folder}")
    for key, words in (
        ("grey8", "write 16 bits"),
        ("colour", "grey picture was expected"),
        ("damaged", "OpenEXR"),
        ("twice", "set `format`"),
    ):
        with pytest.raises(SampleError, match=words) as caught:
            predictor.predict([query(key)], None)
        assert caught.value.reason == "bad-prediction"
    (folder / "predictions.toml").write_text(about + 'scale = 1.0\nformat = "pfm"\n')
    assert load_predictor(f"predictions:{folder}").predict([query("twice")], None)[0].values[0, 0] == 256


def test_another_scale_makes_another_predictor(folder: Path) -> None:
    before = load_predictor(f"predictions:{folder}").checkpoint_sha256
    with (folder / "predictions.toml").open("a") as file:
        file.write("scale = 2.0\n")
    assert load_predictor(f"predictions:{folder}").checkpoint_sha256 != before
