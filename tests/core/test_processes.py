from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dpt_bench.core.processes import settle_local_ray

PROGRAM = """
import os, time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from dpt_bench.core.processes import leave_with_parent

if __name__ == "__main__":
    with ProcessPoolExecutor(1, get_context("spawn"), leave_with_parent) as pool:
        print(pool.submit(os.getpid).result(), flush=True)
        time.sleep(600)
"""


def is_running(process: int) -> bool:
    """Not gone, nor a zombie that waits to be asked for its exit status."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_an_idle_worker_leaves_when_its_parent_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    parent = subprocess.Popen([sys.executable, path], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    with parent.stdout as said:
        worker = int(said.readline())
        assert is_running(worker)
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
        deadline = time.monotonic() + 30
        while is_running(worker) and time.monotonic() < deadline:
            time.sleep(0.05)
    assert not is_running(worker)


def test_what_a_user_has_set_for_ray_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    niceness, statistics = "RAY_worker_niceness", "RAY_USAGE_STATS_ENABLED"
    for name in (niceness, statistics):
        monkeypatch.setenv(name, "7")
    monkeypatch.delenv(statistics)
    settle_local_ray()
    assert (os.environ[niceness], os.environ[statistics]) == ("7", "0")
    monkeypatch.delenv(niceness)
    settle_local_ray()
    assert os.environ[niceness] == "0"
