from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from dpt_bench.core.resources import data_folder


@pytest.mark.parametrize("name", ["data_recipes", "leaderboards"])
def test_the_data_folders_are_found_from_any_folder(name: str, tmp_path: Path) -> None:
    code = f"from dpt_bench.core.resources import data_folder; print(data_folder({name!r}))"
    found = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert Path(found.stdout.strip()) == data_folder(name)
    assert any(data_folder(name).iterdir())
