"""`ray job submit` as the README writes it: the package travels as its unpacked wheel."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from dpt_bench.shards import verify

REPOSITORY = Path(__file__).resolve().parents[2]
RAY = str(Path(sys.executable).with_name("ray"))
PORT, DASHBOARD = 26379, 28265


@pytest.fixture
def head(tmp_path: Path) -> Iterator[str]:
    """Address of the dashboard of a Ray head that knows nothing of this checkout, and of which no other Ray knows."""
    folder = tempfile.mkdtemp(prefix="ray_", dir="/tmp")  # short, because sockets lie there
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "RAY_ADDRESS")}
    environment |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_raylet_start_wait_time_s": "120"}
    options = [
        "--num-cpus=2",
        f"--port={PORT}",
        "--dashboard-host=127.0.0.1",
        f"--dashboard-port={DASHBOARD}",
        f"--temp-dir={folder}",
    ]
    command = [RAY, "start", "--head", "--block", "--include-dashboard=true", "--node-ip-address=127.0.0.1", *options]
    with (tmp_path / "head.log").open("w") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
    address = f"http://127.0.0.1:{DASHBOARD}"
    try:
        _wait_for(f"{address}/api/jobs/", process, tmp_path / "head.log")
        yield address
    finally:
        process.terminate()
        process.wait(60)
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(page: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 240
    while True:
        try:
            urllib.request.urlopen(page, timeout=10).close()
            return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(log.read_text())
            time.sleep(0.5)


@pytest.mark.slow
def test_a_job_with_the_package_as_a_wheel(head: str, tmp_path: Path, dpt_bench_cli) -> None:
    dpt_bench_cli("sample-data", tmp_path, "--train-scenes", 12, "--eval-scenes", 1, "--datasets", "redweb")
    readme = (REPOSITORY / "README.md").read_text()
    (block,) = [text for text in re.findall(r"```sh\n(.*?)```", readme, re.DOTALL) if "ray job submit" in text]
    script = block.replace("http://HEAD:8265", head).replace("python3", sys.executable)
    script = script.replace("/data/raw", str(tmp_path / "raw")).replace("s3://bucket/shards", str(tmp_path / "shards"))
    script = script.replace("--executor ray", "--executor ray --datasets redweb --short-side 64 --shard-size 4")
    script = script.replace(" -w dist .", f" -w dist {shlex.quote(str(REPOSITORY))}")
    assert script.count(str(tmp_path)) == 2
    binaries = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": binaries, "RAY_USAGE_STATS_ENABLED": "0"}
    done = subprocess.run(
        ["bash", "-euc", script], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=400
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 of 10 datasets" in done.stdout
    assert verify(tmp_path / "shards", workers=1).ok
