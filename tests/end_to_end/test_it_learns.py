from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from dpt_bench.loading import Loader, LoaderOptions
from dpt_bench.shards import open_shards

PROGRAM = Path(__file__).with_name("learns.py")


def test_the_shuffled_rival_sees_the_same_images_with_targets_of_others(shards: Path) -> None:
    """Through the loader, as training does: once it read past the shuffling, and the rival was the learned network."""
    plain = open_shards(shards)
    others = runpy.run_path(str(PROGRAM.with_name("shuffled_labels.py")))["shuffled"](plain)
    mine, theirs = (next(iter(Loader(source, LoaderOptions(batch_size=12)))) for source in (plain, others))
    assert mine.keys == theirs.keys
    assert mine.images.equal(theirs.images)
    assert not any(one.equal(other) for one, other in zip(mine.codes, theirs.codes, strict=True))


@pytest.mark.slow
def test_ten_minutes_of_training_beat_all_that_needs_no_learning(tmp_path: Path) -> None:
    """About 40 minutes on 2 quiet cores; DPT_BENCH_LEARNS may name a folder that holds a world, or keeps the result."""
    folder = Path(os.environ.get("DPT_BENCH_LEARNS") or tmp_path)
    subprocess.run([sys.executable, str(PROGRAM), "--folder", str(folder)], check=False)
    found = json.loads((folder / "learns.json").read_text())
    assert {one["dataset"] for one in found} == {"diw", "eth3d", "sintel", "kitti", "nyu", "tum"}
    assert len({one["rival"] for one in found}) == 5
    for one in found:
        assert one["learned_error"] <= 0.8 * one["rival_error"], one
        assert one["high"] < 0, f"not resolved: {one}"
