"""CONTRIBUTING's walk, word for word: its code blocks are written as files and its commands are run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from dpt_bench.shards import open_shards

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.mark.slow
def test_a_dataset_of_ones_own(tmp_path: Path) -> None:
    text = (REPOSITORY / "CONTRIBUTING.md").read_text()
    section = text[text.index("### Your own dataset") : text.index("\n## Add a metric")]
    blocks = re.findall(r"^```(\w+)\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)
    files = [re.sub(r"^# (\S+)\n", "", body) for kind, body in blocks if kind != "sh"]
    names = [re.match(r"# (\S+)\n", body)[1] for kind, body in blocks if kind != "sh"]
    assert names == ["rooms.toml", "robot.toml", "robot_reader.py", "stand_in.py", "ours.toml"]
    for name, body in zip(names, files, strict=True):
        (tmp_path / name).write_text(body)
    (commands,) = [body for kind, body in blocks if kind == "sh"]
    done = subprocess.run(["bash", "-euxc", commands], cwd=tmp_path, env=_environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not (tmp_path / "rooms_alone").exists()
    shards = open_shards(tmp_path / "shards")
    assert {name: record.samples for name, record in shards.manifest.datasets.items()} == {
        "rooms": {"train": 24, "val": 6},
        "robot": {"train": 20, "val": 10},
    }
    assert shards.manifest.weight("robot") == 2
    assert "0 problems" in done.stdout
    assert (tmp_path / "inspection" / "index.html").is_file()


def _environment() -> dict[str, str]:
    """`python3` and `dpt-bench` are those of this environment, the package is this checkout."""
    binaries = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": binaries, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
