"""One small sample world, converted and trained once, through the commands that a user types."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

TRAINING = "megadepth,redweb,tartanair"
EVALUATION = "kitti,nyu,tum"
Call = Callable[..., subprocess.CompletedProcess[str]]
CAP_DAC_OVERRIDE, PR_CAPBSET_DROP = 1, 24


def _respect_permissions() -> None:
    """Take the superuser's right to write into read-only folders from the child, which stays able to read its Python."""
    if os.geteuid() == 0 and ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0):
        raise OSError("cannot drop CAP_DAC_OVERRIDE")


def _call(*arguments: object, cwd: Path | None = None, code: int | None = 0) -> subprocess.CompletedProcess[str]:
    run = subprocess.run(
        [sys.executable, "-m", "dpt_bench.cli.main", *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "RAY_USAGE_STATS_ENABLED": "0", "COLUMNS": "80"},
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=_respect_permissions,
    )
    assert code is None or run.returncode == code, f"exit {run.returncode}\n{run.stdout}\n{run.stderr}"
    return run


@pytest.fixture(scope="session")
def dpt_bench_cli() -> Call:
    """Runs `dpt-bench` with arguments in a process of its own and checks its exit code (`code`, None: any)."""
    return _call


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with raw/ and eval/."""
    folder = tmp_path_factory.mktemp("world")
    _call("sample-data", folder, "--train-scenes", 16, "--eval-scenes", 4, "--datasets", f"{TRAINING},{EVALUATION}")
    return folder


@pytest.fixture(scope="session")
def shards(world: Path) -> Path:
    """Shards of the three training sets, by the processes executor."""
    out = world / "shards"
    _call(
        "build-mix6",
        "--raw",
        world / "raw",
        "--out",
        out,
        "--datasets",
        TRAINING,
        "--short-side",
        96,
        "--shard-size",
        8,
    )
    return out


@pytest.fixture(scope="session")
def checkpoint(world: Path, shards: Path) -> Path:
    """A checkpoint of the demo's network after a few steps."""
    run = world / "runs" / "demo"
    _call("train", "demo", "--shards", shards, "--out", run, *TINY_RUN)
    return run / "best.pt"


TINY_RUN = ("--set", "steps=4", "--set", "batch_size=4", "--set", "crop=64", "--set", "validation.every=2")
