"""The main job on a small world, and what each command leaves behind."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from dpt_bench.shards import open_shards


def test_every_rendered_image_is_in_a_shard_or_in_rejected(world: Path, shards: Path) -> None:
    for name in ("megadepth", "redweb", "tartanair"):
        index = pq.read_table(shards / name / "index.parquet")
        rejected = pq.read_table(shards / name / "rejected.parquet")
        keys = index["key"].to_pylist() + rejected["key"].to_pylist()
        assert len(keys) == len(set(keys))
        assert len(keys) >= 16, name
        assert index.num_rows >= 14, rejected["message"].to_pylist()


def test_the_manifest_says_which_of_the_ten_it_holds(shards: Path) -> None:
    manifest = json.loads((shards / "manifest.json").read_text())
    assert manifest["mix"] == "mix6"
    assert sorted(manifest["datasets"]) == ["megadepth", "redweb", "tartanair"]
    assert sorted(open_shards(str(shards)).datasets) == ["megadepth", "redweb", "tartanair"]


def test_verify_finds_nothing_wrong_and_then_a_torn_shard(
    world: Path, shards: Path, dpt_bench_cli, tmp_path: Path
) -> None:
    import shutil

    dpt_bench_cli("verify", shards)
    copy = tmp_path / "copy"
    shutil.copytree(shards, copy)
    victim = sorted((copy / "redweb").glob("train-*.tar"))[0]
    victim.write_bytes(victim.read_bytes()[:-1024])
    result = dpt_bench_cli("verify", copy, code=1)
    assert victim.name in result.stdout + result.stderr


def test_zeroshot_and_leaderboard(world: Path, checkpoint: Path, dpt_bench_cli) -> None:
    results, site = world / "results", world / "site"
    call = [
        "zeroshot",
        "--model",
        checkpoint,
        "--model",
        "baseline:constant",
        "--model",
        "baseline:ramp",
        "--data",
        world / "eval",
        "--out",
        results,
    ]
    shown = dpt_bench_cli(*call).stdout
    with (results / "leaderboard.csv").open(newline="") as file:
        rows = {row["model"]: row for row in csv.DictReader(file)}
    assert {"baseline:constant", "baseline:ramp"} < set(rows)
    assert len(rows) == 3
    for row in rows.values():
        for dataset in ("kitti", "nyu", "tum"):
            assert 0 <= float(row[dataset]) <= 1
    assert "sample-world" in shown + (results / "summary.csv").read_text()
    assert all(len(line) <= 80 for line in shown.splitlines()), "the table fits a terminal of 80 columns"

    before = (results / "results.parquet").read_bytes()
    dpt_bench_cli(*call)
    assert (results / "results.parquet").read_bytes() == before, "a second run finds everything done"

    dpt_bench_cli("leaderboard", results, "--out", site)
    page = (site / "index.html").read_text()
    assert "baseline:ramp" in page
    assert "sample-world" in page or "sample world" in page
    assert "http://" not in page.replace("http://www.w3.org", "")


def test_training_resumes_where_it_stopped(world: Path, checkpoint: Path, shards: Path, dpt_bench_cli) -> None:
    run = checkpoint.parent
    again = dpt_bench_cli("train", "demo", "--shards", shards, "--out", run, code=2)
    assert "--resume" in again.stderr
    assert json.loads((run / "log.jsonl").read_text().splitlines()[-1])


@pytest.mark.parametrize(
    "arguments",
    [
        ("list", "recipes"),
        ("list", "mixes"),
        ("list", "suites"),
        ("list", "models"),
        ("list", "metrics"),
        ("list", "presets"),
    ],
)
def test_lists_fit_a_terminal(arguments: tuple[str, ...], dpt_bench_cli) -> None:
    shown = dpt_bench_cli(*arguments).stdout.splitlines()
    assert shown
    assert all(len(line) <= 80 for line in shown)


@pytest.mark.parametrize(
    ("kind", "name", "word"),
    [
        ("recipes", "megadepth", "licence"),
        ("mixes", "mix6", "irs"),
        ("suites", "midas", "kitti"),
        ("models", "dpt-base", "vit_base"),
        ("metrics", "absrel", "unit"),
        ("presets", "demo", "steps"),
    ],
)
def test_one_entry_in_full(kind: str, name: str, word: str, dpt_bench_cli) -> None:
    assert word in dpt_bench_cli("list", kind, name).stdout
