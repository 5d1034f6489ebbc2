"""Calls that cannot work end before anything is written."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dpt_bench import evaluate
from dpt_bench.core.catalog import SUITES
from dpt_bench.core.errors import UnknownNameError, UsageError
from dpt_bench.core.kinds import DepthKind
from dpt_bench.evaluation import EvaluationOptions

QUICK = EvaluationOptions(panels=0)


def refused(world, predictors, tmp_path: Path, match: str, suite=None, data=None, **options) -> UsageError:
    with pytest.raises(UsageError, match=match) as caught:
        evaluate(
            predictors, suite or world.suite, data or world.data, tmp_path / "out", options=EvaluationOptions(**options)
        )
    assert not (tmp_path / "out").exists()
    assert caught.value.exit_code == 2
    return caught.value


def test_affine_depth_in_a_disparity_suite(world, make_fake, tmp_path) -> None:
    models = [make_fake(), make_fake(name="weak", kind=DepthKind.AFFINE_DEPTH)]
    refused(world, models, tmp_path, "weak predicts affine_depth, but .* unknown shift")
    assert models[0].asked == []


def test_no_dataset_at_all_names_what_was_looked_for(world, make_fake, tmp_path) -> None:
    (tmp_path / "empty").mkdir()
    error = refused(world, make_fake(), tmp_path, "no dataset of the suite 'mine'", data=tmp_path / "empty")
    assert str(tmp_path / "empty" / "outside") in str(error)
    assert str(tmp_path / "empty" / "inside") in str(error)
    error = refused(world, make_fake(), tmp_path, "no such folder", data=tmp_path / "nowhere")
    assert str(tmp_path / "nowhere" / "inside") in str(error)


def test_a_suite_of_training_sets_says_that_it_wants_raw_trees(make_fake, tmp_path) -> None:
    with pytest.raises(UsageError, match="no dataset of the suite 'curated3-val'") as caught:
        evaluate(make_fake(), "curated3-val", tmp_path, tmp_path / "out")
    assert "training sets: their raw trees" in str(caught.value)
    assert "list recipes hrwsi" in str(caught.value)


def test_an_absent_dataset_is_reported_and_the_rest_evaluated(world, make_fake, tmp_path) -> None:
    shutil.rmtree(world.data / "outside")
    said: list[str] = []

    class Listener:
        def start(self, task, total=None): ...
        def advance(self, task, steps=1, note="", seconds_left=None): ...
        def finish(self, task): ...
        def message(self, text):
            said.append(text)

    report = evaluate(make_fake(), world.suite, world.data, tmp_path / "out", options=QUICK, progress=Listener())
    assert report.evaluated == ("inside",)
    assert report.absent == {"outside": world.data / "outside"}
    assert any("outside" in text for text in said)
    assert "outside" not in (tmp_path / "out" / "leaderboard.csv").read_text()


def test_names_that_do_not_exist(world, make_fake, tmp_path) -> None:
    refused(world, make_fake(), tmp_path, "unknown suite 'midsa'", suite="midsa")
    refused(world, make_fake(), tmp_path, "unknown dataset of suite mine 'insid'", datasets=("insid",))
    text = world.suite.read_text()
    world.suite.write_text(text.replace('split = "test"', 'split = "tset"'))
    refused(world, make_fake(), tmp_path, "unknown split of outside 'tset'")
    world.suite.write_text(text.replace('"absrel"', '"absrell"'))
    with pytest.raises(UnknownNameError, match="did you mean 'absrel'"):
        evaluate(make_fake(), world.suite, world.data, tmp_path / "out")
    world.suite.write_text(text.replace("cap_m = 80.0", ""))
    refused(world, make_fake(), tmp_path, "set cap_m")


def test_a_suite_that_passes_for_a_packaged_one(make_fake, tmp_path) -> None:
    """Its numbers would stand beside the published ones of another protocol."""
    packaged = SUITES.paths()["midas"].read_text()
    own = tmp_path / "midas.toml"
    own.write_text(packaged.replace("cap_m = 80.0", "cap_m = 70.0"))
    with pytest.raises(UsageError, match="not midas version 1") as caught:
        evaluate(make_fake(), own, tmp_path, tmp_path / "out")
    assert "another name" in str(caught.value)
    own.write_text(packaged.replace("cap_m = 80.0", "cap_m = 70.0").replace("version = 1", "version = 7"))
    for text in (own.read_text(), packaged):  # another version, or a plain copy
        own.write_text(text)
        with pytest.raises(UsageError, match="no dataset of the suite 'midas'"):
            evaluate(make_fake(), own, tmp_path, tmp_path / "out")


def test_a_model_given_twice_or_not_at_all(world, make_fake, tmp_path) -> None:
    refused(world, [make_fake(), make_fake()], tmp_path, "given twice")
    refused(world, [], tmp_path, "no predictor")


def test_a_file_in_the_place_of_the_results(world, make_fake, tmp_path) -> None:
    (tmp_path / "file").write_text("precious")
    fake = make_fake()
    with pytest.raises(UsageError, match="cannot be written"):
        evaluate(fake, world.suite, world.data, tmp_path / "file", options=QUICK)
    assert (tmp_path / "file").read_text() == "precious"
    assert fake.asked == []


def test_a_changed_suite_needs_a_new_version_or_folder(world, make_fake, tmp_path) -> None:
    evaluate(make_fake(), world.suite, world.data, tmp_path / "out", options=QUICK)
    text = world.suite.read_text()
    world.suite.write_text(text.replace("cap_m = 80.0", "cap_m = 70.0"))
    fake = make_fake()
    with pytest.raises(UsageError, match=r"suite\.cap_m from 80\.0 to 70\.0"):
        evaluate(fake, world.suite, world.data, tmp_path / "out", options=QUICK)
    assert fake.asked == []
    world.suite.write_text(text.replace("cap_m = 80.0", "cap_m = 70.0").replace("version = 1", "version = 2"))
    report = evaluate(fake, world.suite, world.data, tmp_path / "out", options=QUICK)
    assert report.n_resumed == 0
    recipe = world.folder / "inside.toml"
    recipe.write_text(recipe.read_text().replace('title = "mine"', 'title = "better words"'))
    assert evaluate(fake, world.suite, world.data, tmp_path / "out", options=QUICK).n_new == 0
