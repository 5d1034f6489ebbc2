"""The same pipeline on real dataset files: MegaDepth and TartanAir are trained on; KITTI, NYU and TUM are scored."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest

from dpt_bench.readers.nyu import write_mat, write_splits
from dpt_bench.render.colour import colourise
from dpt_bench.render.montage import montage
from dpt_bench.shards import open_shards

TINY_RUN = (
    "--set",
    "steps=4",
    "--set",
    "batch_size=2",
    "--set",
    "crop=64",
    "--set",
    'data.datasets=["megadepth", "tartanair"]',
)
KITTI_DRIVE, KITTI_FRAMES = "2011_09_26_drive_0002", (6, 9)
"""Two frames of the MiDaS list; the real drive of the sample frames is not recorded."""


@pytest.fixture(scope="module")
def raw(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("real") / "raw"
    shutil.copytree(samples / "megadepth", folder / "megadepth")
    shutil.copytree(samples / "tartanair", folder / "tartanair")
    return folder


@pytest.fixture(scope="module")
def evaluation(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("real_eval")
    shutil.copytree(samples / "tum", folder / "tum")
    for source, frame in zip((5, 50), KITTI_FRAMES, strict=True):
        name = f"{frame:010d}.png"
        rgb = folder / "kitti" / KITTI_DRIVE[:10] / f"{KITTI_DRIVE}_sync" / "image_02" / "data" / name
        depth = (
            folder
            / "kitti"
            / "data_depth_annotated"
            / "val"
            / f"{KITTI_DRIVE}_sync"
            / "proj_depth"
            / "groundtruth"
            / "image_02"
            / name
        )
        for file, kind in ((rgb, "rgb"), (depth, "depth")):
            file.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(samples / "kitti" / kind / f"{source:010d}.png", file)
    frames = [_nyu_frame(samples / "nyu", number) for number in ("00000", "00050")]
    write_mat(folder / "nyu" / "nyu_depth_v2_labeled.mat", [frames[0], *frames])
    write_splits(folder / "nyu" / "splits.mat", train=[0], test=[1, 2])
    return folder


def _nyu_frame(folder: Path, number: str) -> tuple[np.ndarray, np.ndarray]:
    image = cv2.cvtColor(cv2.imread(str(folder / "rgb" / f"rgb_{number}.jpg")), cv2.COLOR_BGR2RGB)
    depth = cv2.imread(str(folder / "depth" / f"sync_depth_{number}.png"), cv2.IMREAD_UNCHANGED)
    return image, (depth / 1000).astype(np.float32)


@pytest.fixture(scope="module")
def shards(raw: Path, dpt_bench_cli) -> Path:
    out = raw.parent / "shards"
    dpt_bench_cli("build-mix6", "--raw", raw, "--out", out, "--datasets", "megadepth,tartanair", "--executor", "serial")
    dpt_bench_cli("verify", out)
    return out


@pytest.fixture(scope="module")
def checkpoint(shards: Path, dpt_bench_cli) -> Path:
    run = shards.parent / "run"
    dpt_bench_cli("train", "demo", "--shards", shards, "--out", run, *TINY_RUN)
    losses = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert any(np.isfinite(entry["loss"]) for entry in losses if "loss" in entry)
    return run / "best.pt"


def test_the_samples_become_shards_whose_depth_matches_the_image(shards: Path, tmp_path: Path) -> None:
    opened = open_shards(str(shards))
    panels = []
    for dataset, count in (("megadepth", 1), ("tartanair", 2)):
        rows = pq.read_table(shards / dataset / "index.parquet").to_pylist()
        assert len(rows) == count
        for row in rows:
            sample = opened.read(dataset, row)
            assert min(sample.image.shape[:2]) == 384
            assert sample.inverse_depth is not None
            assert sample.inverse_depth.shape == sample.image.shape[:2]
            valid = np.isfinite(sample.inverse_depth)
            assert 0 <= np.nanmin(sample.inverse_depth) < 0.02 < 0.98 < np.nanmax(sample.inverse_depth) <= 1
            panels.append([sample.image, colourise(sample.inverse_depth, valid)])
            if dataset == "megadepth":
                assert (
                    0.25 < valid.mean() < 0.5
                )  # 55 to 70 % of the file is invalid, the percentile filter takes 3 % more
            else:
                assert valid.all()
    sky = [row["sky_fraction"] for row in pq.read_table(shards / "tartanair" / "index.parquet").to_pylist()]
    assert max(sky) == pytest.approx(0.016, abs=0.004)
    sheet = tmp_path / "montage.png"
    cv2.imwrite(str(sheet), cv2.cvtColor(montage(panels), cv2.COLOR_RGB2BGR))
    assert sheet.stat().st_size > 50_000


def test_near_is_bright_in_the_hospital(shards: Path) -> None:
    """Frame 0 looks along a wall, nearer on the left, past a door frame; frame 188 down on a floor, nearer below."""
    opened = open_shards(str(shards))
    maps = {
        row["key"][-6:]: opened.read("tartanair", row).inverse_depth for row in opened.index("tartanair").to_pylist()
    }
    wall, floor = maps["000000"], maps["000188"]
    assert wall is not None
    assert floor is not None
    assert np.nanmedian(wall[:, :60]) > np.nanmedian(wall[:, 200:260]) > np.nanmedian(wall[300:, -40:])
    assert np.nanmedian(floor[-40:]) > np.nanmedian(floor[180:220])


def test_real_evaluation_files_are_scored(evaluation: Path, checkpoint: Path, dpt_bench_cli) -> None:
    out = evaluation / "results"
    models = [part for model in (checkpoint, "baseline:constant", "baseline:ramp") for part in ("--model", model)]
    shown = dpt_bench_cli("zeroshot", *models, "--data", evaluation, "--out", out).stdout
    assert "partial" in shown + (out / "summary.csv").read_text()
    with (out / "summary.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["metric"] == "delta_above_1_25"]
    counts = {row["dataset"]: int(row["n_images"]) for row in rows}
    assert counts == {"kitti": 2, "nyu": 2, "tum": 6}
    for row in rows:
        assert 0 < float(row["mean"]) < 1, row
        assert row["label"] == "partial", row
    constant = {row["dataset"]: float(row["mean"]) for row in rows if row["model"] == "baseline:constant"}
    ramp = {row["dataset"]: float(row["mean"]) for row in rows if row["model"] == "baseline:ramp"}
    assert ramp["kitti"] < constant["kitti"], "a road is nearer at the bottom"
