"""A folder of stored predictions as a predictor."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dpt_bench.core.errors import SampleError, UsageError
from dpt_bench.core.kinds import DepthKind
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
