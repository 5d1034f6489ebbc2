"""Bad calls: one readable error each, exit 1 or 2, no traceback, nothing half-written."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest


def refused(result, *words: str) -> None:
    assert result.returncode in (1, 2), f"exit {result.returncode}: {result.stdout}\n{result.stderr}"
    assert "Traceback" not in result.stderr + result.stdout
    assert "error:" in result.stderr, result.stderr
    for word in words:
        assert word in result.stderr, f"{word!r} is not in:\n{result.stderr}"


def test_a_missing_raw_folder(tmp_path: Path, dpt_bench_cli) -> None:
    refused(dpt_bench_cli("build-mix6", "--raw", tmp_path / "none", "--out", tmp_path / "out", code=2), "none")
    assert not (tmp_path / "out").exists()


def test_missing_members_are_listed_with_how_to_obtain_them(world: Path, tmp_path: Path, dpt_bench_cli) -> None:
    result = dpt_bench_cli("build-mix6", "--raw", world / "raw", "--out", tmp_path / "out", "--short-side", 64, code=1)
    assert "wsvd" in result.stderr + result.stdout
    assert "Traceback" not in result.stderr


def test_an_unknown_dataset(world: Path, tmp_path: Path, dpt_bench_cli) -> None:
    result = dpt_bench_cli(
        "build-mix6", "--raw", world / "raw", "--out", tmp_path / "out", "--datasets", "megadept", code=2
    )
    refused(result, "megadept", "did you mean", "megadepth")
    assert not (tmp_path / "out").exists()


def test_a_raw_tree_of_the_wrong_dataset(world: Path, tmp_path: Path, dpt_bench_cli) -> None:
    shutil.copytree(world / "raw" / "redweb", tmp_path / "raw" / "megadepth")
    result = dpt_bench_cli(
        "build-mix6", "--raw", tmp_path / "raw", "--out", tmp_path / "out", "--datasets", "megadepth", code=2
    )
    refused(result, str(tmp_path / "raw" / "megadepth"))
    assert not list((tmp_path / "out").rglob("*.tar"))


def test_an_empty_dataset(tmp_path: Path, dpt_bench_cli) -> None:
    (tmp_path / "raw" / "redweb").mkdir(parents=True)
    refused(
        dpt_bench_cli(
            "build-mix6", "--raw", tmp_path / "raw", "--out", tmp_path / "out", "--datasets", "redweb", code=2
        ),
        "redweb",
    )


def test_a_read_only_output(world: Path, shards: Path, checkpoint: Path, tmp_path: Path, dpt_bench_cli) -> None:
    locked = tmp_path / "locked"
    locked.mkdir()
    locked.chmod(0o555)
    try:
        raw = world / "raw"
        refused(
            dpt_bench_cli("build-mix6", "--raw", raw, "--out", locked / "s", "--datasets", "redweb", code=None),
            "locked",
        )
        refused(dpt_bench_cli("train", "demo", "--shards", shards, "--out", locked / "r", code=None), "locked")
        refused(
            dpt_bench_cli(
                "zeroshot", "--model", "baseline:ramp", "--data", world / "eval", "--out", locked / "z", code=None
            ),
            "locked",
        )
        refused(dpt_bench_cli("sample-data", locked / "w", "--datasets", "redweb", code=None), "locked")
        refused(dpt_bench_cli("leaderboard", locked / "none", "--out", locked / "site", code=None), "locked")
    finally:
        locked.chmod(0o755)
    assert not list(locked.iterdir())


@pytest.mark.parametrize("damage", ["truncated", "empty", "text"])
def test_a_corrupt_checkpoint(damage: str, checkpoint: Path, world: Path, tmp_path: Path, dpt_bench_cli) -> None:
    content = {"truncated": checkpoint.read_bytes()[:5000], "empty": b"", "text": b"<html>404</html>"}[damage]
    broken = tmp_path / "broken.pt"
    broken.write_bytes(content)
    refused(
        dpt_bench_cli("zeroshot", "--model", broken, "--data", world / "eval", "--out", tmp_path / "r", code=1),
        "broken.pt",
    )
    assert not (tmp_path / "r" / "leaderboard.csv").exists()


def test_a_missing_checkpoint(world: Path, tmp_path: Path, dpt_bench_cli) -> None:
    refused(
        dpt_bench_cli(
            "zeroshot", "--model", tmp_path / "none.pt", "--data", world / "eval", "--out", tmp_path / "r", code=2
        ),
        "none.pt",
    )


def test_an_unknown_predictor(world: Path, tmp_path: Path, dpt_bench_cli) -> None:
    refused(
        dpt_bench_cli(
            "zeroshot", "--model", "baseline:rampe", "--data", world / "eval", "--out", tmp_path / "r", code=2
        ),
        "ramp",
    )


def test_evaluation_data_that_are_not_there(tmp_path: Path, dpt_bench_cli) -> None:
    refused(
        dpt_bench_cli(
            "zeroshot", "--model", "baseline:ramp", "--data", tmp_path / "none", "--out", tmp_path / "r", code=2
        ),
        "none",
    )
    assert not (tmp_path / "r").exists()


def test_an_unknown_suite_and_preset(world: Path, shards: Path, tmp_path: Path, dpt_bench_cli) -> None:
    refused(
        dpt_bench_cli(
            "zeroshot", "--model", "baseline:ramp", "--suite", "midass", "--data", world / "eval", code=2, cwd=tmp_path
        ),
        "did you mean 'midas'",
    )
    refused(dpt_bench_cli("train", "dmo", "--shards", shards, code=2, cwd=tmp_path), "demo")
    assert not list(tmp_path.iterdir())


def test_a_wrong_setting(shards: Path, tmp_path: Path, dpt_bench_cli) -> None:
    refused(
        dpt_bench_cli("train", "demo", "--shards", shards, "--out", tmp_path / "r", "--set", "stepss=3", code=2),
        "stepss",
        "steps",
    )
    refused(
        dpt_bench_cli("train", "demo", "--shards", shards, "--out", tmp_path / "r", "--set", "steps=many", code=2),
        "steps",
        "many",
    )
    assert not (tmp_path / "r").exists()


def test_shards_that_are_not_there(tmp_path: Path, dpt_bench_cli) -> None:
    refused(dpt_bench_cli("train", "demo", "--shards", tmp_path / "none", "--out", tmp_path / "r", code=2), "none")
    refused(dpt_bench_cli("verify", tmp_path / "none", code=2), "none")


def test_other_options_into_the_same_shards(world: Path, shards: Path, dpt_bench_cli) -> None:
    before = sorted((file, file.stat().st_mtime_ns) for file in shards.rglob("*") if file.is_file())
    result = dpt_bench_cli(
        "build-mix6", "--raw", world / "raw", "--out", shards, "--datasets", "redweb", "--short-side", 80, code=2
    )
    refused(result, "short_side")
    assert sorted((file, file.stat().st_mtime_ns) for file in shards.rglob("*") if file.is_file()) == before


def test_the_sample_world_overwrites_nothing(world: Path, dpt_bench_cli) -> None:
    refused(dpt_bench_cli("sample-data", world, "--datasets", "redweb", code=2), "redweb")


def test_results_that_are_not_there(tmp_path: Path, dpt_bench_cli) -> None:
    refused(dpt_bench_cli("leaderboard", tmp_path / "none", "--out", tmp_path / "site", code=2), "none")
    assert not (tmp_path / "site").exists()
