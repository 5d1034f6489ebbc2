"""The `midas` protocol from files to rows beside the independent implementation, which decodes the files by itself too.

On the sample world and on real files of KITTI, NYU and TUM, with one folder of predictions, at every batch size and number
of threads.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest

from dpt_bench import evaluate
from dpt_bench.core.catalog import RECIPES
from dpt_bench.evaluation import EvaluationOptions
from dpt_bench.predictors import load_predictor
from dpt_bench.readers import load_reader
from dpt_bench.readers.nyu import write_mat, write_splits
from dpt_bench.results import read_results
from dpt_bench.scenes import scenes_for

DRIVE, FRAMES = "2011_09_26_drive_0002", (6, 9)
LIMITS = {"kitti": (80.0, np.inf), "nyu": (10.0, 10.0), "tum": (10.0, np.inf), "sintel": (72.0, 72.0)}
COUNTS = {"kitti": 2, "nyu": 3, "tum": 3, "sintel": 3}


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world")
    for name, count in COUNTS.items():
        (folder / name).mkdir()
        recipe = RECIPES.load(name)
        load_reader(recipe).write_example(folder / name, recipe, scenes_for(name, count, seed=0))
    return folder


@pytest.fixture(scope="module")
def real(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("real")
    shutil.copytree(samples / "tum", folder / "tum")
    for source, frame in zip((5, 50), FRAMES, strict=True):
        raw = f"{DRIVE[:10]}/{DRIVE}_sync/image_02/data"
        annotated = f"data_depth_annotated/val/{DRIVE}_sync/proj_depth/groundtruth/image_02"
        for kind, place in (("rgb", raw), ("depth", annotated)):
            (folder / "kitti" / place).mkdir(parents=True, exist_ok=True)
            shutil.copy(samples / "kitti" / kind / f"{source:010d}.png", folder / "kitti" / place / f"{frame:010d}.png")
    frames = []
    for number in ("00000", "00050"):
        image = cv2.imread(str(samples / "nyu" / "rgb" / f"rgb_{number}.jpg"))[:, :, ::-1]
        depth = cv2.imread(str(samples / "nyu" / "depth" / f"sync_depth_{number}.png"), cv2.IMREAD_UNCHANGED)
        frames.append((image, (depth / 1000).astype(np.float32)))
    write_mat(folder / "nyu" / "nyu_depth_v2_labeled.mat", frames)
    write_splits(folder / "nyu" / "splits.mat", train=[], test=[0, 1])
    return folder


def targets(data: Path) -> Iterator[tuple[str, str, np.ndarray]]:
    """dataset, key, depth in m with 0 or infinity where there is none: by the formats' descriptions alone."""
    for path in sorted((data / "kitti" / "data_depth_annotated").rglob("*.png")):
        drive = path.parts[-5].removesuffix("_sync")
        codes = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        yield "kitti", f"{drive}/{path.stem}", codes.astype(np.float32) / np.float32(256)
    with h5py.File(data / "nyu" / "nyu_depth_v2_labeled.mat") as file:
        first = 0 if len(file["rawDepths"]) == 2 else 1
        for index in range(first, len(file["rawDepths"])):
            yield "nyu", f"{index:04d}", file["rawDepths"][index].T
    clips = sorted((data / "tum").rglob("*.jpg.h5"))
    for path in clips:
        with h5py.File(path) as file:
            yield "tum", "/".join(path.name.removesuffix(".jpg.h5").rsplit("_", 1)), file["gt/gt_depth"][:]
    for sequence in [] if clips else sorted((data / "tum").glob("rgbd_dataset_*")):
        depths = sorted(sequence.glob("depth/*.png"))
        for image in sorted(sequence.glob("rgb/*.png")):
            nearest = min(depths, key=lambda path: abs(float(path.stem) - float(image.stem)))
            codes = cv2.imread(str(nearest), cv2.IMREAD_UNCHANGED)
            key = f"{sequence.name}/{image.stem.replace('.', '_')}"
            yield "tum", key, codes.astype(np.float32) * np.float32(1 / 5000)
    for path in sorted((data / "sintel" / "training" / "depth").rglob("*.dpt")):
        width, height = np.frombuffer(path.read_bytes()[4:12], "<i4")
        depth_m = np.frombuffer(path.read_bytes()[12:], "<f4").reshape(height, width)
        yield "sintel", f"{path.parent.name}/{path.stem.removeprefix('frame_')}", depth_m


def predict(folder: Path, found: list[tuple[str, str, np.ndarray]], keys: dict[str, list[str]]) -> None:
    """Something like the disparity, noisy, at a network's size; some of it ends up negative after the alignment."""
    generator = np.random.default_rng(0)
    for dataset, key, depth_m in found:
        near = np.where((depth_m > 0) & np.isfinite(depth_m), 1 / np.maximum(depth_m, 0.5), 0.05)
        small = near[:: depth_m.shape[0] // 40, :: depth_m.shape[1] // 60]
        path = folder / dataset / f"{next(one for one in keys[dataset] if one.endswith(key))}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, (900 * small + 200 + generator.normal(0, 40, small.shape)).astype(np.float32))
    (folder / "predictions.toml").write_text('name = "stored"\nkind = "affine_disparity"\n')


@pytest.mark.parametrize("kind", ["rendered", "real"])
def test_every_row_is_that_of_the_independent_implementation(kind: str, request, oracle, tmp_path: Path) -> None:
    data: Path = request.getfixturevalue(kind)
    found = list(targets(data))
    names = [name for name in COUNTS if (data / name).is_dir()]
    options = EvaluationOptions(panels=0, datasets=tuple(names))
    baseline = evaluate(load_predictor("baseline:ramp"), "midas", data, tmp_path / "keys", options=options)
    keys = {name: [] for name in names}
    for row in read_results(baseline.results).to_pylist():
        keys[row["dataset"]].append(row["key"])
    predict(tmp_path / "predictions", found, keys)
    tables = []
    for batch_size, threads in ((1, 1), (2, 3), (8, 2)):
        out = tmp_path / f"{batch_size}-{threads}"
        options = EvaluationOptions(panels=0, datasets=tuple(names), batch_size=batch_size, threads=threads)
        evaluate(load_predictor(f"predictions:{tmp_path / 'predictions'}"), "midas", data, out, options=options)
        tables.append((out / "results.parquet").read_bytes())
    assert len(set(tables)) == 1
    rows = read_results(out).to_pylist()
    assert len(rows) == 3 * len(found)
    negative = 0
    for dataset, key, depth_m in found:
        mine = [row for row in rows if row["dataset"] == dataset and row["key"].endswith(key)]
        assert {row["metric"] for row in mine} == {"absrel", "delta_above_1_25", "rmse"}
        cap_m, farthest_m = LIMITS[dataset]
        prediction = np.load(tmp_path / "predictions" / dataset / f"{mine[0]['key']}.npy")
        expected = oracle.midas_scores(prediction, depth_m, depth_m > 1e-8, cap_m=cap_m, farthest_m=farthest_m)
        for row in mine:
            if expected is None:
                assert row["skipped"] == "no-valid-pixel"
            else:
                assert row["value"] == pytest.approx(expected[row["metric"]], rel=1e-9, abs=1e-9)
        negative += expected is not None and mine[0]["scale"] * prediction.min() + mine[0]["shift"] < 1 / cap_m
    assert negative, "some prediction must need the floor"
