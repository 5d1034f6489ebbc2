"""The pictures beside the results."""

from __future__ import annotations

import numpy as np
import pytest

from dpt_bench import evaluate
from dpt_bench.core.errors import DataError
from dpt_bench.evaluation import EvaluationOptions
from dpt_bench.formats.images import decode_rgb
from dpt_bench.results import read_results
from dpt_bench.results.gallery import TILES, read_galleries

OPTIONS = EvaluationOptions(panels=2)


def test_best_median_and_worst_images(world, make_fake, tmp_path) -> None:
    evaluate(make_fake(name="<script>"), world.suite, world.data, tmp_path, options=OPTIONS)
    galleries = {gallery.dataset: (folder, gallery) for folder, gallery in read_galleries(tmp_path).items()}
    assert set(galleries) == {"inside", "outside"}
    folder, gallery = galleries["inside"]
    assert "script" not in folder.name or "<" not in folder.name
    assert gallery.model == "<script>"
    assert gallery.metric.name == "delta_above_1_25"
    assert [panel.rank for panel in gallery.panels] == ["best", "best", "median", "median", "worst", "worst"]
    values = {
        row["key"]: row["value"]
        for row in read_results(tmp_path).to_pylist()
        if row["dataset"] == "inside" and row["metric"] == "delta_above_1_25"
    }
    assert gallery.panels[0].value == min(values.values())
    assert max(values.values()) in [panel.value for panel in gallery.panels if panel.rank == "worst"]
    for panel in gallery.panels:
        assert panel.value == values[panel.key]
        tiles = {tile: decode_rgb((folder / panel.files[tile]).read_bytes()) for tile in TILES}
        image, depth_m = world.arrays["inside", panel.key]
        np.testing.assert_array_equal(tiles["input"], image)
        assert all(tile.shape == image.shape for tile in tiles.values())
        hole = ~np.isfinite(depth_m)
        assert np.ptp(tiles["target"][hole].astype(int), axis=1).max() == 0, "holes are hatched in grey"
        assert np.ptp(tiles["error"][hole].astype(int), axis=1).max() == 0
    assert decode_rgb((folder / gallery.overview).read_bytes()).shape[2] == 3


def test_a_second_run_keeps_the_pictures_and_predicts_nothing(world, make_fake, tmp_path) -> None:
    evaluate(make_fake(), world.suite, world.data, tmp_path, options=OPTIONS)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "gallery").rglob("*")}
    fake = make_fake()
    evaluate(fake, world.suite, world.data, tmp_path, options=OPTIONS)
    assert fake.asked == []
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "gallery").rglob("*")} == before


def test_few_images_are_shown_once_and_large_ones_reduced(world, make_fake, tmp_path) -> None:
    for key in world.keys("outside"):
        (world.data / "outside" / f"{key}.npz").unlink()
    generator = np.random.default_rng(0)
    depth_m = generator.uniform(1, 50, (500, 900)).astype(np.float32)
    world.add("outside", "large", generator.integers(0, 256, (500, 900, 3), dtype=np.uint8), depth_m)
    evaluate(make_fake(), world.suite, world.data, tmp_path, options=OPTIONS)
    folder, gallery = next(
        (folder, gallery) for folder, gallery in read_galleries(tmp_path).items() if gallery.dataset == "outside"
    )
    assert [panel.key for panel in gallery.panels] == ["large"]
    assert decode_rgb((folder / gallery.panels[0].files["target"]).read_bytes()).shape == (213, 384, 3)


def test_pictures_follow_when_more_images_are_scored(world, make_fake, tmp_path) -> None:
    evaluate(make_fake(), world.suite, world.data, tmp_path, options=EvaluationOptions(panels=2, limit=3))
    evaluate(make_fake(), world.suite, world.data, tmp_path, options=OPTIONS)
    for folder, gallery in read_galleries(tmp_path).items():
        named = {file for panel in gallery.panels for file in panel.files.values()}
        assert {path.name for path in folder.glob("*.png")} == named
        for panel in gallery.panels:
            shown = decode_rgb((folder / panel.files["input"]).read_bytes())
            np.testing.assert_array_equal(shown, world.arrays[gallery.dataset, panel.key][0])


def test_scattered_pixels_are_drawn_thicker(world, make_fake, tmp_path) -> None:
    """Of LiDAR depth hardly a pixel would survive the reduction."""
    key = world.keys("outside")[0]
    depth_m = np.full((400, 800), np.nan, np.float32)
    depth_m[200::12, ::6] = np.linspace(5, 50, 800, dtype=np.float32)[::6]
    world.add("outside", key, np.zeros((400, 800, 3), np.uint8), depth_m)
    evaluate(make_fake(), world.suite, world.data, tmp_path, options=OPTIONS)
    found = {
        panel.key: decode_rgb((folder / panel.files["target"]).read_bytes())
        for folder, gallery in read_galleries(tmp_path).items()
        for panel in gallery.panels
        if gallery.dataset == "outside"
    }
    coloured = np.ptp(found[key].astype(int), axis=2) > 0
    assert coloured[:94].sum() == 0
    assert coloured[100:].mean() > 0.15  # 0.014 otherwise


def test_no_pictures_when_none_are_wanted_or_nothing_was_scored(world, make_fake, tmp_path) -> None:
    evaluate(make_fake(), world.suite, world.data, tmp_path / "a", options=EvaluationOptions(panels=0))
    assert read_galleries(tmp_path / "a") == {}
    broken = make_fake(spoil=lambda query, values: np.full_like(values, np.nan))
    evaluate(broken, world.suite, world.data, tmp_path / "b", options=OPTIONS)
    assert read_galleries(tmp_path / "b") == {}


def test_a_damaged_list_of_pictures_is_named(world, make_fake, tmp_path) -> None:
    evaluate(make_fake(), world.suite, world.data, tmp_path, options=OPTIONS)
    next((tmp_path / "gallery").rglob("panels.json")).write_text("{")
    with pytest.raises(DataError, match="damaged"):
        read_galleries(tmp_path)
