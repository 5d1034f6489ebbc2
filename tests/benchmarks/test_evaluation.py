"""What the harness costs beside reading the files and running the network: time, and memory as a set grows."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dpt_bench.core.catalog import RECIPES, SUITES
from dpt_bench.core.kinds import DepthKind
from dpt_bench.evaluation import EvaluationOptions, evaluate
from dpt_bench.predictors import Prediction, Query
from dpt_bench.readers import load_reader
from dpt_bench.resize import network_size, resize_image
from dpt_bench.scenes import scenes_for

COUNT = 24
NETWORK_SIDE = 1024  # of the matrix whose square stands for the network, about 50 ms on one core


class Busy:
    """A network's worth of arithmetic an image, on the resized input."""

    name = "busy"
    kind = DepthKind.AFFINE_DISPARITY
    preprocessing = "suite"
    checkpoint_sha256 = None
    trained_on = ()
    matrix = np.random.default_rng(0).random((NETWORK_SIDE, NETWORK_SIDE))

    def predict(self, queries: Sequence[Query], size_rule) -> list[Prediction]:
        found = []
        for query in queries:
            size = network_size(*query.image.shape[:2], size_rule)
            small = resize_image(query.image, size, "cubic")
            assert np.isfinite((self.matrix @ self.matrix)[0, 0])
            found.append(Prediction(small.mean(axis=2, dtype=np.float32), size))
        return found

    def input_words(self, size_rule) -> str:
        return "the suite's rule"


def test_harness(tmp_path: Path, compare) -> None:
    """The aim is below 10 %: a ratio above 0.9."""
    recipe = RECIPES.load("kitti")
    reader = load_reader(recipe)
    (tmp_path / "data" / "kitti").mkdir(parents=True)
    reader.write_example(tmp_path / "data" / "kitti", recipe, scenes_for("kitti", COUNT, seed=0))
    rule = next(one.resize for one in SUITES.load("midas").datasets if one.recipe == "kitti")
    rows = reader.list(tmp_path / "data" / "kitti", recipe, "midas161").to_pylist()
    runs = iter(range(1000))

    def bare() -> None:
        for row in rows:
            sample = reader.read(tmp_path / "data" / "kitti", recipe, row)
            Busy().predict([Query(sample.image)], rule)

    def ours() -> None:
        options = EvaluationOptions(datasets=("kitti",), panels=0, threads=1, batch_size=1)
        evaluate(Busy(), "midas", tmp_path / "data", tmp_path / f"out{next(runs)}", options=options)

    assert compare(f"evaluate, {len(rows)} images of KITTI", ours, "reading and predicting alone", bare, rounds=3) > 0


READER = """
import numpy as np
import pyarrow as pa
from dpt_bench.core.kinds import DepthKind
from dpt_bench.core.sample import DepthMap, OrdinalPairs, Sample

IMAGE = np.zeros((375, 500, 3), np.uint8)
DEPTH_M = np.linspace(1, 50, 375 * 500, dtype=np.float32).reshape(375, 500)
PAIR = OrdinalPairs(np.array([[[30.0, 40.0], [200.0, 300.0]]]), np.array([True]))


class Reader:
    def list(self, root, recipe, split):
        count = int((root / "count").read_text())
        keys = [f"{place:06}" for place in range(count)]
        return pa.table({"key": keys, "scene": keys, "files": [[key] for key in keys]})

    def read(self, root, recipe, row):
        map_or_pair = PAIR if recipe.target.kind == DepthKind.ORDINAL else DepthMap(
            DEPTH_M, DepthKind.METRIC_DEPTH, np.ones(DEPTH_M.shape, bool)
        )
        return Sample(row["key"], IMAGE, map_or_pair, tuple(row["files"]))

    def write_example(self, root, recipe, scenes):
        raise NotImplementedError
"""
RECIPE = """
version = 1
title = "in memory"
citation = "none"
licence = "none"
homepage = "none"
obtain = "none"
reader = "in_memory.py"
[target]
kind = "{kind}"
format = "none"
[splits.test]
"""
SUITE = """
version = 1
title = "in memory"
citation = "none"
status = "user"
[[datasets]]
recipe = "set.toml"
split = "test"
metrics = ["{metric}"]
resize = {{ side = "longer", size = 384 }}
{alignment}
"""
RUN = """
import sys, time
import numpy as np
from dpt_bench import evaluate
from dpt_bench.evaluation import EvaluationOptions
from dpt_bench.predictors.baseline import Baseline

ramp = np.linspace(0, 1, 288 * 384, dtype=np.float32).reshape(288, 384)
start = time.perf_counter()
evaluate(Baseline("ramp", lambda height, width: ramp), *sys.argv[1:], options=EvaluationOptions(panels=0))
seconds = time.perf_counter() - start
# of this program alone: getrusage would begin with the memory of the process that started it
peak_kb = next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1]
print(seconds, int(peak_kb) / 1024)
"""


def in_memory(folder: Path, count: int, *, pairs: bool) -> tuple[float, float]:
    """Seconds and peak memory in MB of evaluating `count` images that need no decoding and no network."""
    (folder / "data" / "set").mkdir(parents=True)
    (folder / "data" / "set" / "count").write_text(str(count))
    (folder / "in_memory.py").write_text(READER)
    (folder / "set.toml").write_text(RECIPE.format(kind="ordinal" if pairs else "metric_depth"))
    facts = (
        {"metric": "whdr", "alignment": 'alignment = "none"'}
        if pairs
        else {"metric": "absrel", "alignment": "cap_m = 80.0"}
    )
    (folder / "mine.toml").write_text(SUITE.format(**facts))
    command = [sys.executable, "-c", RUN, *(str(folder / name) for name in ("mine.toml", "data", "out"))]
    seconds, peak_mb = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return float(seconds), float(peak_mb)


def test_pairs_of_a_whole_set(tmp_path: Path) -> None:
    """DIW's 74,441 pairs from decoded images to the tables; the aim is below 2 minutes on 2 cores."""
    seconds, peak_mb = in_memory(tmp_path, 74441, pairs=True)
    print(f"\n74,441 pairs, decoded and predicted at once: {seconds:.1f} s, peak {peak_mb:.0f} MB")


def test_memory_does_not_grow_with_the_set(tmp_path: Path) -> None:
    few, many = (in_memory(tmp_path / str(count), count, pairs=False)[1] for count in (100, 2000))
    print(f"\npeak of 100 images {few:.0f} MB, of 2,000 {many:.0f} MB")
    assert many < 1.15 * few
