from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dpt_bench.conversion.executors import check_executor, num_cores, run
from dpt_bench.conversion.options import BuildOptions
from dpt_bench.conversion.plan import plan_dataset
from dpt_bench.conversion.shard_job import ShardJob, encode_items
from dpt_bench.core.errors import DataError, UnknownNameError
from dpt_bench.core.mix import Member
from dpt_bench.core.recipe import load_recipe


def _jobs(toy: Any, out: Path, drawn: list[str] | None = None) -> Iterator[ShardJob]:
    options = BuildOptions(shard_size=2)
    plan = plan_dataset(load_recipe(toy.recipe), toy.root, Member(recipe="toy"), options)
    for shard in plan.shards:
        if drawn is not None:
            drawn.append(shard.name)
        yield ShardJob(
            dataset="toy",
            recipe=str(toy.recipe),
            recipe_sha256=plan.identity.recipe_sha256,
            raw=str(toy.root),
            out=str(out),
            split=shard.split,
            number=shard.number,
            items=encode_items(plan.items(shard)),
            options=options.sample,
        )


def _files(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((out / "toy").iterdir())}


NAMES = ["train-00000.tar", "train-00001.tar", "train-00002.tar", "train-00003.tar", "val-00000.tar"]


@pytest.fixture(params=["serial", "processes", "ray"])
def executor(request: pytest.FixtureRequest) -> str:
    if request.param == "ray":
        request.getfixturevalue("ray_cluster")
    return str(request.param)


def test_one_contract(executor: str, toy: Any, tmp_path: Path) -> None:
    """Every executor makes every shard once, with the same bytes, and tells what was rejected."""
    path = toy.file("train/a_000", "png")
    path.write_bytes(path.read_bytes()[:100])
    expected = list(run(_jobs(toy, tmp_path / "serial"), "serial"))
    reports = list(run(_jobs(toy, tmp_path / "out"), executor, workers=2))
    assert sorted(report.shard for report in reports) == NAMES
    assert sorted(map(_facts, reports)) == sorted(map(_facts, expected))
    assert sum(report.rejections.get("corrupt-file", 0) for report in reports) == 1
    assert _files(tmp_path / "out") == _files(tmp_path / "serial")


def _facts(report: Any) -> tuple[Any, ...]:
    return report.shard, report.samples, sorted(report.rejections.items()), report.num_bytes


def test_failures_are_reports(executor: str, toy: Any, tmp_path: Path) -> None:
    jobs = [replace(job, recipe_sha256="0" * 64) for job in _jobs(toy, tmp_path / "out")]
    reports = list(run(iter(jobs), executor, workers=2))
    assert len(reports) == 5
    for report in reports:
        assert isinstance(report.error, DataError)
        assert report.error.fix


def test_the_window_is_bounded(executor: str, toy: Any, tmp_path: Path) -> None:
    drawn: list[str] = []
    reports = run(_jobs(toy, tmp_path / "out", drawn), executor, workers=2)
    assert drawn == []
    next(reports)
    assert len(drawn) <= 3
    reports.close()
    assert len(drawn) <= 3


def test_no_jobs_no_reports(executor: str) -> None:
    assert list(run(iter([]), executor, workers=2)) == []


def test_unknown_executors_are_told() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'processes'"):
        check_executor("process")
    assert num_cores() >= 1


def _deadly(toy: Any, signal: str, times: int) -> None:
    """A reader that kills its own process when it reads one item, the first `times` times."""
    path = toy.folder / "toy_reader.py"
    code = (
        '        if row["key"] == "train/a_002":\n'
        "            import os, signal\n"
        '            count = len(list(root.parent.parent.glob("death_*")))\n'
        f"            if count < {times}:\n"
        '                (root.parent.parent / f"death_{count}").touch()\n'
        f"                os.kill(os.getpid(), signal.{signal})\n"
        "        image ="
    )
    path.write_text(path.read_text().replace("        image =", code))


@pytest.mark.slow
def test_a_shard_that_kills_every_worker_is_given_up(make_toy: Callable[..., Any], tmp_path: Path) -> None:
    toy = make_toy("deadly", train=3, val=1)
    _deadly(toy, "SIGKILL", 99)
    reports = {report.shard: report for report in run(_jobs(toy, tmp_path / "out"), "processes", workers=2)}
    (error,) = [report.error for report in reports.values() if report.error]
    assert isinstance(error, DataError)
    assert "SIGKILL" in error.what
    assert len(list(toy.folder.glob("death_*"))) == 3
    assert sum(report.samples for report in reports.values()) + 1 in (3, 4)
    again = {report.shard for report in run(_jobs(toy, tmp_path / "out"), "processes", workers=1) if report.reused}
    assert len(again) == len(reports) - 1


def test_a_worker_that_fails_is_not_tried_again(make_toy: Callable[..., Any], tmp_path: Path) -> None:
    toy = make_toy("u", train=1, val=0)
    text = (toy.folder / "toy_reader.py").read_text()
    leaving = text.replace("        image =", "        raise SystemExit(7)\n        image =")
    (toy.folder / "toy_reader.py").write_text(leaving)
    (report,) = run(_jobs(toy, tmp_path / "out"), "processes", workers=1)
    assert report.fatal
    assert "exit status 7" in str(report.error)


def test_closing_ends_the_workers_and_leaves_nothing_half_written(toy: Any, tmp_path: Path) -> None:
    text = (toy.folder / "toy_reader.py").read_text()
    slow = '        import time\n        time.sleep(0 if row["key"] in ("train/b_001",) else 0.5)\n        image ='
    (toy.folder / "toy_reader.py").write_text(text.replace("        image =", slow))
    reports = run(_jobs(toy, tmp_path / "out"), "processes", workers=2)
    next(reports)
    reports.close()
    names = [path.name for path in (tmp_path / "out" / "toy").iterdir()]
    assert all(name.endswith((".tar", ".parquet")) for name in names), names
    children = subprocess.run(["ps", "--ppid", str(os.getpid()), "-o", "args"], capture_output=True, text=True).stdout
    assert "dpt_bench.conversion.worker" not in children


def test_it_needs_no_main_guard(toy: Any, tmp_path: Path) -> None:
    script = tmp_path / "mine.py"
    script.write_text(
        "import sys, dpt_bench\n"
        "report = dpt_bench.build(sys.argv[1], sys.argv[2], sys.argv[3], executor='processes', workers=2)\n"
        "assert report.complete\n"
    )
    arguments = [str(toy.recipe), str(toy.raw), str(tmp_path / "out")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run([sys.executable, str(script), *arguments], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "manifest.json").exists()


@pytest.mark.slow
def test_ray_is_started_and_ended_when_nobody_gives_one(toy: Any, tmp_path: Path) -> None:
    script = tmp_path / "mine.py"
    script.write_text(
        "import os, sys, dpt_bench\n"
        "report = dpt_bench.build(sys.argv[1], sys.argv[2], sys.argv[3], executor='ray', workers=1)\n"
        "import ray\n"
        "assert report.complete and not ray.is_initialized()\n"
        "assert os.environ['RAY_USAGE_STATS_ENABLED'] == '0'\n"
    )
    arguments = [str(toy.recipe), str(toy.raw), str(tmp_path / "out")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    for name in ("RAY_ADDRESS", "RAY_USAGE_STATS_ENABLED"):
        environment.pop(name, None)
    done = subprocess.run([sys.executable, str(script), *arguments], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
