"""What the harness costs beside reading the files and running the network."""

from __future__ import annotations

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
