"""Springs every trap of trap_mutants.toml in a copy of the package: its test must pass on the copy and fail on the mutant."""

from __future__ import annotations

import json
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
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[int, tuple[int, str]]:
    """Place in the list (-1: no mutant) -> pytest's exit status and output."""
    folder = tmp_path_factory.mktemp("mutants")
    leave = shutil.ignore_patterns("__pycache__")
    for name in ("dpt_bench", "data_recipes", "leaderboards", "tests/evaluation", "tests/scoring"):
        shutil.copytree(ROOT / name, folder / name, ignore=leave)
    for name in ("pyproject.toml", "tests/conftest.py"):
        shutil.copyfile(ROOT / name, folder / name)
    done = subprocess.run(
        [sys.executable, str(HERE / "spring_mutants.py"), str(folder)], capture_output=True, text=True, check=True
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {line["place"]: (line["status"], line["output"]) for line in lines}


def test_the_copy_itself_passes(outcomes) -> None:
    status, output = outcomes[-1]
    assert status == pytest.ExitCode.OK, output


@pytest.mark.parametrize(
    "place", range(len(MUTANTS)), ids=lambda place: f"{MUTANTS[place]['trap']:02} {MUTANTS[place]['says']}"
)
def test_mutant(place: int, outcomes) -> None:
    status, output = outcomes[place]
    assert status == pytest.ExitCode.TESTS_FAILED, output
    assert "1 failed" in output
