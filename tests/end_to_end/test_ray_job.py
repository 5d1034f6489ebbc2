"""`ray job submit` as the README writes it: the package travels as its unpacked wheel."""

from __future__ import annotations

import os
import re
import secrets
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
SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_raylet_start_wait_time_s": "120",
    "RAY_AUTH_MODE": "token",  # newer versions ask for one; this cluster has its own
    "RAY_AUTH_TOKEN": secrets.token_hex(32),
}


@pytest.fixture
def head(tmp_path: Path) -> Iterator[str]:
    """Address of the dashboard of a Ray head that knows nothing of this checkout, and of which no other Ray knows."""
    folder = tempfile.mkdtemp(prefix="ray_", dir="/tmp")  # short, because sockets lie there
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "RAY_ADDRESS")}
    environment |= SETTINGS
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
    """The page is there before the agent that runs jobs is: until one is accepted, nothing is ready."""
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {SETTINGS['RAY_AUTH_TOKEN']}"}
    probe = urllib.request.Request(page, b'{"entrypoint": "true"}', headers)
    deadline = time.monotonic() + 240
    while True:
        try:
            urllib.request.urlopen(probe, timeout=30).close()
            return
        except (urllib.error.URLError, ConnectionError, TimeoutError) as error:
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"{error}\n{log.read_text()}")
            time.sleep(1)


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
    environment = {**os.environ, "PATH": binaries, **SETTINGS}
    done = subprocess.run(
        ["bash", "-euc", script], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=400
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 of 10 datasets" in done.stdout
    assert verify(tmp_path / "shards", workers=1).ok
