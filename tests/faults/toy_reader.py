"""The reader of the dataset that tests/faults disturbs: <split>/<name>.png with a float32 depth in metres beside it.

inf is sky, 0 and NaN are holes. `more.txt`, where it exists, lists further items of the training split: key, tab, file without ending.
"""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

from dpt_bench.core.errors import UsageError
from dpt_bench.core.sample import DepthMap, Sample
from dpt_bench.formats import images, npy


class Reader:
    def list(self, root, recipe, split):
        if not (root / "train").is_dir():
            raise UsageError("this is not a toy tree: train/ is missing", where=root)
        found = [(f"{split}/{file.stem}", f"{split}/{file.stem}") for file in sorted((root / split).glob("*.png"))]
        more = root / "more.txt"
        if split == "train" and more.is_file():
            found += [line.split("\t") for line in more.read_text().splitlines()]
        return pa.table(
            {
                "key": pa.array([key for key, _ in found], pa.string()),
                "scene": pa.array([key.split("_")[0] for key, _ in found], pa.string()),
                "files": pa.array([[f"{stem}.png", f"{stem}.npy"] for _, stem in found], pa.list_(pa.string())),
            }
        )

    def read(self, root, recipe, row):
        disturb(root, row["key"])
        image_file, depth_file = row["files"]
        image = images.decode_rgb((root / image_file).read_bytes())
        depth = npy.decode((root / depth_file).read_bytes()).astype(np.float32)
        sky = np.isposinf(depth)
        valid = (depth > 0) | sky
        values = np.where(valid & ~sky, depth, np.nan).astype(np.float32)
        return Sample(row["key"], image, DepthMap(values, recipe.target.kind, valid, sky), (image_file, depth_file))


def disturb(root: Path, key: str) -> None:
    """Do what a test has written down, as many times as it asks for: files count them, whichever process it is.

    "die"; "wait" for some seconds; "hold" until the test takes the wish back or kills the process.
    """
    folder = root.parents[1]
    wish = folder / "disturbance.json"
    if not wish.is_file():
        return
    what, where, times, seconds = json.loads(wish.read_text())
    if where not in (key, "anywhere"):
        return
    for number in range(times):
        try:
            (folder / f"happened_{number}").touch(exist_ok=False)
        except FileExistsError:
            continue
        if what == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if what == "hold":
            while wish.is_file():
                time.sleep(0.05)
        time.sleep(seconds)
        return
