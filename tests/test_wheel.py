from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.mark.slow
def test_the_wheel_carries_the_data_folders_and_works_from_any_folder(tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", str(tmp_path), str(REPOSITORY)], check=True)
    (wheel,) = tmp_path.glob("dpt_bench-*.whl")
    site = tmp_path / "site"
    subprocess.run([*pip, "install", "--no-deps", "--target", str(site), str(wheel)], check=True)
    code = (
        "from dpt_bench.core.resources import data_folder as f; from dpt_bench.core.catalog import RECIPES, SUITES\n"
        "print(f('data_recipes')); print(f('leaderboards')); print(*RECIPES.names()); print(*SUITES.names())\n"
        "from dpt_bench.training.config import preset_names; print(*preset_names())\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(site)}
    shown = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True, capture_output=True, text=True
    ).stdout.splitlines()
    assert shown[0] == str(site / "dpt_bench" / "_data" / "data_recipes")
    assert shown[1] == str(site / "dpt_bench" / "_data" / "leaderboards")
    assert {"kitti", "nyu", "tum", "megadepth", "redweb", "tartanair"} <= set(shown[2].split())
    assert "midas" in shown[3].split()
    assert "demo" in shown[4].split()
