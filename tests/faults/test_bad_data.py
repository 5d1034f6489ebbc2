"""Raw files that are broken: each is one row of rejected.parquet, the rest of the dataset is as it was."""

from __future__ import annotations

import re
import struct
import subprocess
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dpt_bench.conversion import build
from dpt_bench.core.catalog import RECIPES
from dpt_bench.formats import images
from dpt_bench.readers import load_reader
from dpt_bench.scenes import scenes_for
from dpt_bench.shards import open_shards, verify
from dpt_bench.shards.codec import KEY_PATTERN

BAD = "train/a_004"


def _truncated(trial: Any) -> None:
    path = trial.root / f"{BAD}.png"
    path.write_bytes(path.read_bytes()[:-200])


def _truncated_jpeg(trial: Any) -> None:
    """The pixels decide what a file is, not its name: a JPEG that lost its second half, as after a broken download."""
    path = trial.root / f"{BAD}.png"
    data = images.encode_jpeg(images.decode_rgb(path.read_bytes()))
    path.write_bytes(data[: len(data) // 2])


def _no_bytes(trial: Any) -> None:
    (trial.root / f"{BAD}.png").write_bytes(b"")


def _no_depth_bytes(trial: Any) -> None:
    (trial.root / f"{BAD}.npy").write_bytes(b"")


def _other_shape(trial: Any) -> None:
    np.save(trial.root / f"{BAD}.npy", np.ones((40, 51), np.float32))


def _all_invalid(trial: Any) -> None:
    np.save(trial.root / f"{BAD}.npy", np.zeros((40, 52), np.float32))


def _all_nan(trial: Any) -> None:
    np.save(trial.root / f"{BAD}.npy", np.full((40, 52), np.nan, np.float32))


def _all_infinite(trial: Any) -> None:
    np.save(trial.root / f"{BAD}.npy", np.full((40, 52), np.inf, np.float32))


def _bomb(trial: Any) -> None:
    (trial.root / f"{BAD}.png").write_bytes(png_bomb(32_000))


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (_truncated, "corrupt-file"),
        (_truncated_jpeg, "corrupt-file"),
        (_no_bytes, "corrupt-file"),
        (_no_depth_bytes, "corrupt-file"),
        (_other_shape, "shape-mismatch"),
        (_all_invalid, "too-few-valid"),
        (_all_nan, "too-few-valid"),
        (_all_infinite, "too-few-valid"),
        (_bomb, "too-large"),
    ],
)
def test_one_bad_file(trial: Any, spoil: Callable[[Any], None], reason: str) -> None:
    """It is rejected and told of, a rerun changes nothing; once it is mended, the shards are as if nothing had been."""
    sound = {path: path.read_bytes() for path in trial.root.rglob(f"{Path(BAD).name}.*")}
    spoil(trial)
    trial.build()
    trial.build()
    trial.assert_as_undisturbed()
    (row,) = open_shards(trial.out).rejected("toy").to_pylist()
    assert (row["sources"], row["reason"]) == ([f"{BAD}.png", f"{BAD}.npy"], reason)
    assert row["message"]
    for path, data in sound.items():
        path.write_bytes(data)
    trial.build(options=trial.options(retry_rejected=True))
    trial.assert_as_undisturbed()
    assert open_shards(trial.out).rejected("toy").num_rows == 0


def test_single_pixels_that_are_no_numbers(trial: Any) -> None:
    """NaN and negative depth are holes, inf is what the recipe says: here sky. None of them leaks into a value."""
    depth = np.load(trial.root / f"{BAD}.npy")
    depth[20:24, 20:24], depth[30, 30], depth[31, 31], depth[32, 32] = np.nan, -np.inf, -1, np.inf
    np.save(trial.root / f"{BAD}.npy", depth)
    trial.build()
    trial.assert_as_undisturbed()
    shards = open_shards(trial.out)
    (row,) = [row for row in shards.index("toy").to_pylist() if row["key"] == BAD]
    sample = shards.read("toy", row)
    invalid = np.isnan(sample.inverse_depth)
    np.testing.assert_array_equal(invalid, (depth <= 0) | np.isnan(depth))
    assert sample.inverse_depth[32, 32] == 0
    assert sample.sky[32, 32]
    assert np.isfinite([row["lo"], row["hi"]]).all()


def test_a_picture_of_a_gigapixel_is_refused_by_its_header(trial: Any) -> None:
    """124 kB would become 3 GB: the whole build needs a small part of that."""
    _bomb(trial)
    assert (trial.root / f"{BAD}.png").stat().st_size < 125_000
    with trial.start_build(executor="serial", stdout=subprocess.PIPE) as process:
        peak_kb, errors = trial.words_of(process)
    assert process.returncode == 0, errors
    assert int(peak_kb) < 500 * 1024
    trial.assert_as_undisturbed()


@pytest.mark.parametrize(
    ("key", "file", "reason"),
    [
        ("train/one", "../../secret", "unsafe-path"),
        ("train/one", "train/../../secret", "unsafe-path"),
        ("train/one", "/etc/secret", "unsafe-path"),
        ("train/one", "train/nothing", "missing-file"),
        ("../one", BAD, "bad-key"),
        ("train/a.004.left", BAD, "bad-key"),
        ("train/a 004", BAD, "bad-key"),
        ("train/Stra\u00dfe_\u5317\u4eac", BAD, "bad-key"),
        ("", BAD, "bad-key"),
        (BAD, BAD, "duplicate-key"),
    ],
)
def test_one_bad_name(trial: Any, key: str, file: str, reason: str) -> None:
    """Names come from lists that were downloaded; no file outside the tree is read, no member of the tar is torn."""
    for folder in (trial.raw, trial.folder):
        for ending in ("png", "npy"):
            (folder / f"secret.{ending}").write_bytes((trial.root / f"{BAD}.{ending}").read_bytes())
    (trial.root / "more.txt").write_text(f"{key}\t{file}")
    trial.build()
    trial.build()
    trial.assert_as_undisturbed()
    (row,) = open_shards(trial.out).rejected("toy").to_pylist()
    assert (row["key"], row["sources"][0], row["reason"]) == (key, f"{file}.png", reason)


def png_bomb(side: int) -> bytes:
    """A valid PNG of side x side white pixels, 1 bit each."""
    row = bytes(1 + side // 8)
    packer = zlib.compressobj(9)
    pixels = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", pixels), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def test_names_of_real_trees(tmp_path: Path) -> None:
    """Dots, spaces and letters of the world in file names are no fault of the data: readers turn them into keys."""
    name = "v1.2 Stra\u00dfe \u5317\u4eac"
    recipe = RECIPES.load("redweb")
    root = tmp_path / "raw" / "redweb"
    load_reader(recipe).write_example(root, recipe, scenes_for("redweb", 8, seed=0))
    for folder, ending in (("Imgs", "jpg"), ("RDs", "png")):
        file = sorted((root / "ReDWeb_V1" / folder).iterdir())[0]
        file.rename(file.with_name(f"{name}.{ending}"))
    build("mix6", root.parent, tmp_path / "out", datasets=["redweb"], executor="serial")
    assert verify(tmp_path / "out", workers=1).ok
    rows = open_shards(tmp_path / "out").index("redweb").to_pylist()
    assert len(rows) == 8
    (row,) = [row for row in rows if row["sources"][0].endswith(f"{name}.jpg")]
    assert re.fullmatch(KEY_PATTERN, row["key"])
    with tarfile.open(tmp_path / "out" / "redweb" / row["shard"]) as tar:
        endings = [member.name.partition(".")[2] for member in tar if member.name.startswith(f"{row['key']}.")]
    assert endings == ["jpg", "inverse_depth.npy.zst", "sky.png", "json"]
