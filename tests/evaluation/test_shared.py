"""A run shared by workers ends in the rows of a run by one process, whatever becomes of the workers."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dpt_bench.core.errors import UnknownNameError, UsageError
from dpt_bench.evaluation import EvaluationOptions, SharedRun, evaluate_shared
from dpt_bench.evaluation.options import Part
from dpt_bench.evaluation.run import evaluate_part, prepare
from dpt_bench.evaluation.shared import PartJob, _absolute_model
from dpt_bench.predictors import load_predictor
from dpt_bench.predictors._contract import PredictorOptions
from dpt_bench.results.journal import read_journal

QUICK = EvaluationOptions(panels=0, batch_size=2)
TABLES = ("results.parquet", "summary.csv", "leaderboard.csv")


def tables(folder: Path) -> list[bytes]:
    return [(folder / name).read_bytes() for name in TABLES]


@pytest.fixture
def shared(world, make_fake, tmp_path) -> SharedRun:
    """Two models, one of which is a folder of predictions."""
    folder = tmp_path / "predictions"
    for (dataset, key), (image, _) in world.arrays.items():
        (folder / dataset / key).parent.mkdir(parents=True, exist_ok=True)
        np.save(folder / dataset / f"{key}.npy", make_fake.values(image))
    (folder / "predictions.toml").write_text('name = "stored"\nkind = "affine_disparity"\n')
    return SharedRun(
        models=("baseline:ramp", f"predictions:{folder}"),
        suite=str(world.suite),
        data=str(world.data),
        out=tmp_path / "out",
        options=QUICK,
    )


def test_parts_are_disjoint_and_whole(world, tmp_path) -> None:
    models = [load_predictor("baseline:ramp")]
    keys = []
    for index in range(3):
        options = replace(QUICK, part=Part(index, 3), limit=5)
        plan, _ = prepare(models, world.suite, world.data, tmp_path, options=options)
        keys += [(plan.recipe.name, key) for plan in plan.datasets for key in plan.items["key"].to_pylist()]
    assert sorted(keys) == sorted((name, key) for name in ("inside", "outside") for key in world.keys(name)[:5])


def test_a_job_survives_its_journey(shared, tmp_path) -> None:
    options = EvaluationOptions(datasets=("inside",), cache=tmp_path, part=Part(1, 4), predictor_settings={"a": "b"})
    loading = PredictorOptions(device="cuda:1", extra={"x": "y"})
    job = PartJob(models=shared.models, loading=loading, suite="s", data="d", out="o", options=options)
    assert PartJob.model_validate_json(job.model_dump_json()) == job


def test_models_are_found_from_another_folder(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("net.onnx", "mine.py", "ramp"):
        (tmp_path / name).touch()
    (tmp_path / "folder").mkdir()
    meant = {
        "net.onnx": f"{tmp_path}/net.onnx",
        "onnx:net.onnx,kind=metric_depth": f"onnx:{tmp_path}/net.onnx,kind=metric_depth",
        "python:mine.py": f"python:{tmp_path}/mine.py",
        "predictions:folder": f"predictions:{tmp_path}/folder",
        "folder": f"{tmp_path}/folder",
        "hf:OWNER/NAME": "hf:OWNER/NAME",
        "baseline:ramp": "baseline:ramp",
    }
    assert {spec: _absolute_model(spec) for spec in meant} == meant


def test_processes(shared, tmp_path) -> None:
    started = []

    class Heard:
        def start(self, task, total=None):
            started.append(task)

        def advance(self, task, steps=1, note="", seconds_left=None): ...
        def finish(self, task): ...
        def message(self, text):
            pytest.fail(text)

    report = evaluate_shared(replace(shared, executor="processes", workers=2), progress=Heard())
    assert (report.n_new, report.n_resumed) == (2 * 12, 0), "what workers did is new"
    assert len(list((shared.out / "journal").iterdir())) == 2, "they did it all"
    assert started[0] == "results of all workers"
    evaluate_shared(replace(shared, out=tmp_path / "alone"))
    assert tables(shared.out) == tables(tmp_path / "alone")


def test_what_a_lost_worker_left_open_is_done_here(shared, world, tmp_path, monkeypatch) -> None:
    """Workers that die at their start leave everything to the process that started them."""
    monkeypatch.setattr("dpt_bench.evaluation.shared.sys.executable", "/bin/false")
    messages = []

    class Heard:
        def start(self, task, total=None): ...
        def advance(self, task, steps=1, note="", seconds_left=None): ...
        def finish(self, task): ...
        def message(self, text):
            messages.append(text)

    report = evaluate_shared(replace(shared, executor="processes", workers=2), progress=Heard())
    assert report.n_new == 2 * len(world.arrays)
    assert sum("a worker ended with status 1" in text for text in messages) == 2


def test_wrong_calls_are_refused_before_a_worker_starts(shared, tmp_path) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'processes'"):
        evaluate_shared(replace(shared, executor="process"))
    with pytest.raises(UsageError, match="one worker and one device"):
        evaluate_shared(replace(shared, workers=2))
    with pytest.raises(UsageError, match="no device"):
        evaluate_shared(replace(shared, devices=()))
    with pytest.raises(UsageError, match="no such folder of datasets"):
        evaluate_shared(replace(shared, data=str(tmp_path / "nowhere"), executor="processes"))


def test_two_runs_at_once_into_one_folder(shared, world, tmp_path) -> None:
    """Both work at the same images at the same time; every row is there once, and is the right one."""
    failures = []

    def run() -> None:
        try:
            evaluate_shared(shared)
        except BaseException as error:  # noqa: BLE001 - whatever it is, the test must see it
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
        time.sleep(0.01)
    for thread in threads:
        thread.join()
    assert failures == []
    journalled = sum(len(list(read_journal(path))) for path in (shared.out / "journal").iterdir())
    assert journalled >= 2 * len(world.arrays)
    evaluate_shared(replace(shared, out=tmp_path / "alone"))
    assert tables(shared.out) == tables(tmp_path / "alone")


def test_a_part_writes_no_table(shared, world) -> None:
    models = [load_predictor(spec) for spec in shared.models]
    new = evaluate_part(models, shared.suite, shared.data, shared.out, options=replace(QUICK, part=Part(0, 2)))
    assert new == 2 * (4 + 3)
    assert not any((shared.out / name).exists() for name in TABLES)


@pytest.mark.slow
def test_ray(shared, tmp_path) -> None:
    pytest.importorskip("ray")
    report = evaluate_shared(replace(shared, executor="ray", workers=2))
    assert (report.n_new, report.n_resumed) == (2 * 12, 0)
    evaluate_shared(replace(shared, out=tmp_path / "alone"))
    assert tables(shared.out) == tables(tmp_path / "alone")
