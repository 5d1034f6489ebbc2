"""A stopped run goes on where it was, and ends in the same rows as an undisturbed one."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from dpt_bench import evaluate
from dpt_bench.evaluation import EvaluationOptions
from dpt_bench.predictors import load_predictor
from dpt_bench.results import read_results

QUICK = EvaluationOptions(panels=0, batch_size=2)
TABLES = ("results.parquet", "summary.csv", "leaderboard.csv")


def tables(folder: Path) -> list[bytes]:
    return [(folder / name).read_bytes() for name in TABLES]


class StoppedError(RuntimeError):
    pass


@pytest.mark.parametrize(("after", "kept"), [(0, 0), (1, 0), (4, 4), (9, 9), (10, 9)])
def test_stopped_and_resumed(world, make_fake, tmp_path, after, kept) -> None:
    """In the batches of two, and the fifth image of the first dataset alone, whole ones that were predicted count."""
    evaluate(make_fake(), world.suite, world.data, tmp_path / "whole", options=QUICK)
    calls = []

    def stop(query, values):
        calls.append(query.key)
        if len(calls) > after:
            raise StoppedError
        return values

    with pytest.raises(StoppedError):
        evaluate(make_fake(spoil=stop), world.suite, world.data, tmp_path / "out", options=QUICK)
    fake = make_fake()
    report = evaluate(fake, world.suite, world.data, tmp_path / "out", options=QUICK)
    assert report.n_resumed == kept
    assert len(fake.asked) == report.n_new == len(world.arrays) - report.n_resumed
    assert tables(tmp_path / "out") == tables(tmp_path / "whole")


def test_nothing_is_left_to_do(world, make_fake, tmp_path) -> None:
    evaluate(make_fake(), world.suite, world.data, tmp_path, options=QUICK)
    before = tables(tmp_path)
    again = make_fake()
    report = evaluate(again, world.suite, world.data, tmp_path, options=QUICK)
    assert (again.asked, report.n_new, report.n_resumed) == ([], 0, len(world.arrays))
    assert tables(tmp_path) == before


def test_a_second_model_joins_and_images_are_read_for_it_alone(world, make_fake, tmp_path) -> None:
    first, second = make_fake(), make_fake(name="second", checkpoint_sha256="34" * 32)
    evaluate(first, world.suite, world.data, tmp_path, options=QUICK)
    report = evaluate([make_fake(name="fake"), second], world.suite, world.data, tmp_path, options=QUICK)
    assert (report.n_new, report.n_resumed) == (len(world.arrays), len(world.arrays))
    assert len(second.asked) == len(world.arrays)
    assert {row["model"] for row in read_results(tmp_path).to_pylist()} == {"fake", "second"}


def test_other_weights_under_the_same_name_are_another_model(world, make_fake, tmp_path) -> None:
    evaluate(make_fake(), world.suite, world.data, tmp_path, options=QUICK)
    changed = make_fake(checkpoint_sha256="56" * 32, spoil=lambda query, values: values[::-1].copy())
    report = evaluate(changed, world.suite, world.data, tmp_path, options=QUICK)
    assert report.n_resumed == 0
    assert len((tmp_path / "leaderboard.csv").read_text().splitlines()) == 3


def test_an_unreadable_file_is_tried_again_once_it_is_mended(world, make_fake, tmp_path) -> None:
    key = world.keys("inside")[0]
    path = world.data / "inside" / f"{key}.npz"
    whole = path.read_bytes()
    path.write_bytes(whole[:50])
    evaluate(make_fake(), world.suite, world.data, tmp_path, options=QUICK)
    path.write_bytes(whole)
    fake = make_fake()
    report = evaluate(fake, world.suite, world.data, tmp_path, options=QUICK)
    assert fake.asked == [("inside", key)]
    assert all(row.n_skipped == 0 for row in report.summary)


def _slow_run(suite: Path, data: Path, out: Path) -> None:
    from dpt_bench.predictors.baseline import Baseline

    def draw(height: int, width: int) -> np.ndarray:
        time.sleep(0.05)
        return np.linspace(0, 1, height * width, dtype=np.float32).reshape(height, width)

    evaluate(Baseline("slow", draw), suite, data, out, options=EvaluationOptions(panels=0, batch_size=1))


def test_killed_at_a_random_moment(world, tmp_path) -> None:
    context = multiprocessing.get_context("spawn")
    arguments = (world.suite, world.data, tmp_path / "out")
    victim = context.Process(target=_slow_run, args=arguments)
    victim.start()
    deadline = time.monotonic() + 60
    while not list((tmp_path / "out" / "journal").glob("*.jsonl")) and time.monotonic() < deadline:
        time.sleep(0.005)
    time.sleep(0.12)
    os.kill(victim.pid, signal.SIGKILL)
    victim.join()
    finished = sum(len(path.read_bytes().splitlines()) for path in (tmp_path / "out" / "journal").iterdir())
    assert 0 < finished < len(world.arrays), "the kill must come in the middle"
    _slow_run(*arguments)
    _slow_run(world.suite, world.data, tmp_path / "whole")
    assert tables(tmp_path / "out") == tables(tmp_path / "whole")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_killed_again_and_again(world, tmp_path, seed) -> None:
    """SIGKILL at random moments, also while the tables are written and while another run is at work in the folder."""
    generator = np.random.default_rng(seed)
    context = multiprocessing.get_context("spawn")
    arguments = (world.suite, world.data, tmp_path / "out")
    kills = 0
    while kills < 4:
        runs = [context.Process(target=_slow_run, args=arguments) for _ in range(2)]
        journal = tmp_path / "out" / "journal"
        before = len(list(journal.glob("*.jsonl")))
        for run in runs:
            run.start()
        deadline = time.monotonic() + 120
        while len(list(journal.glob("*.jsonl"))) == before and any(run.is_alive() for run in runs):
            assert time.monotonic() < deadline
            time.sleep(0.002)
        time.sleep(generator.uniform(0, 0.3))
        for run in runs:
            if run.is_alive():
                os.kill(run.pid, signal.SIGKILL)
        for run in runs:
            run.join()
        kills += 1
    _slow_run(*arguments)
    _slow_run(world.suite, world.data, tmp_path / "whole")
    assert tables(tmp_path / "out") == tables(tmp_path / "whole")


def test_stored_predictions_and_live_ones_score_alike(world, make_fake, tmp_path) -> None:
    """The same numbers from a folder of predictions as from the model that made them."""
    folder = tmp_path / "predictions"
    for (dataset, key), (image, _) in world.arrays.items():
        (folder / dataset / key).parent.mkdir(parents=True, exist_ok=True)
        np.save(folder / dataset / f"{key}.npy", make_fake.values(image))
    (folder / "predictions.toml").write_text('name = "stored"\nkind = "affine_disparity"\n')
    models = [make_fake(), load_predictor(f"predictions:{folder}")]
    report = evaluate(models, world.suite, world.data, tmp_path / "out", options=QUICK)
    means = {(row.model, row.dataset, row.metric): row.mean for row in report.summary}
    for (_, dataset, metric), mean in means.items():
        assert mean == means["fake", dataset, metric]
