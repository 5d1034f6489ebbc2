"""Springs every trap of trap_mutants.toml in a copy of the package: its test must fail there, and pass on the copy."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
MUTANTS = tomllib.loads((HERE / "trap_mutants.toml").read_text())["mutants"]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mutants")
    leave = shutil.ignore_patterns("__pycache__")
    for name in ("dpt_bench", "data_recipes", "leaderboards", "tests/evaluation", "tests/scoring"):
        shutil.copytree(ROOT / name, folder / name, ignore=leave)
    for name in ("pyproject.toml", "tests/conftest.py"):
        shutil.copyfile(ROOT / name, folder / name)
    return folder


def run(folder: Path, chosen: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "tests/evaluation/test_protocol_traps.py", "-q", "-x", "-k", chosen]
    return subprocess.run(
        [*command, "-p", "no:cacheprovider"], cwd=folder, env=environment, capture_output=True, text=True
    )


def test_the_copy_itself_passes(copy: Path) -> None:
    done = run(copy, "test_trap")
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.parametrize(
    "mutant", MUTANTS, ids=lambda mutant: f"{mutant['trap']:02}-{mutant['says'].replace(' ', '-')}"
)
def test_mutant(mutant: dict[str, str], copy: Path) -> None:
    file = copy / mutant["file"]
    whole = file.read_text()
    assert mutant["old"] in whole, "the mutant has no place in the code any more"
    try:
        file.write_text(whole.replace(mutant["old"], mutant["new"]))
        done = run(copy, f"test_trap_{mutant['trap']:02}")
    finally:
        file.write_text(whole)
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout[-3000:]
    assert "1 failed" in done.stdout
