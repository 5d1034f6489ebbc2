"""Shards on S3: a server in a process of its own, and a proxy before it that answers errors and cuts connections."""

from __future__ import annotations

import http.client
import os
import random
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from dpt_bench.conversion import inspect_shards, storage_errors
from dpt_bench.core.errors import DataError, DptBenchError, UsageError
from dpt_bench.loading import AugmentOptions, Loader, LoaderOptions
from dpt_bench.model.checkpoint import read_checkpoint
from dpt_bench.shards import ShardStore, open_shards, verify


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Address of an S3 server (moto)."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        address = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 300
        while not _answers(f"{address}/moto-api"):
            assert time.monotonic() < deadline, "the S3 server did not start"
            time.sleep(0.1)
        yield address
        process.kill()


def _answers(address: str) -> bool:
    try:
        urllib.request.urlopen(address, timeout=5).close()
    except (urllib.error.URLError, ConnectionError):
        return False
    return True


def ask(method: str, address: str, data: bytes = b"") -> None:
    request = urllib.request.Request(address, data, {"Content-Type": "text/plain"}, method=method)
    urllib.request.urlopen(request, timeout=10).close()


@pytest.fixture
def s3(server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """URL of an empty bucket; every S3 client of this process and its children goes to the server."""
    import s3fs

    ask("POST", f"{server}/moto-api/reset")
    ask("PUT", f"{server}/bucket")
    for name, value in {
        "AWS_ENDPOINT_URL": server,
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1",
    }.items():
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()
    yield "s3://bucket/some/shards"
    s3fs.S3FileSystem.clear_instance_cache()


class Proxy(ThreadingHTTPServer):
    """Passes requests on to the server; a share of them gets 500, 503, or half of its answer, in turn.

    Of those that fail, every other one has been carried out nevertheless.
    """

    def __init__(self, server: str, share: float) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.server, self.share = server.removeprefix("http://"), share
        self.faults = 0
        self.lock, self.dice = threading.Lock(), random.Random(0)

    def next_fault(self) -> int | None:
        with self.lock:
            if self.dice.random() >= self.share:
                return None
            self.faults += 1
            return self.faults


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Proxy

    def handle_any(self) -> None:
        fault = self.server.next_fault()
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        code, headers, answer = self._ask(body) if fault is None or fault % 2 else (500, [], b"")
        if fault is not None and fault % 3 < 2:
            code, headers, answer = (500, 503)[fault % 3], [], b"<Error><Code>SlowDown</Code></Error>"
        self.send_response(code)
        for name, value in headers:
            if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                self.send_header(name, value)
        length = len(answer) or next((value for name, value in headers if name.lower() == "content-length"), "0")
        self.send_header("Content-Length", str(length))
        self.end_headers()
        if fault is not None and fault % 3 == 2:
            self.wfile.write(answer[: len(answer) // 2])
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        elif self.command != "HEAD":
            self.wfile.write(answer)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = handle_any  # noqa: N815  (names of http.server)

    def _ask(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection(self.server.server, timeout=30)
        try:
            connection.request(self.command, self.path, body, dict(self.headers))
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def faulty(s3: str, server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Start a proxy with a share of faults; the client's own retries are switched off, so that every fault arrives here."""
    proxies: list[Proxy] = []

    def start(share: float) -> Proxy:
        proxies.append(Proxy(server, share))
        threading.Thread(target=proxies[0].serve_forever, daemon=True).start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{proxies[0].server_port}")
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
        monkeypatch.setattr(storage_errors, "PAUSES_S", (0.0, 0.0, 0.0))
        return proxies[0]

    yield start
    for proxy in proxies:
        proxy.shutdown()
        proxy.server_close()


def direct(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import s3fs

    monkeypatch.setenv("AWS_ENDPOINT_URL", server)
    s3fs.S3FileSystem.clear_instance_cache()


@pytest.mark.slow
def test_build_resume_verify(trial: Any, s3: str) -> None:
    """Killed or damaged shards are named by verify and made again, as on a disk."""
    trial.build(s3)
    trial.assert_as_undisturbed(s3)
    trial.build(s3)
    trial.assert_as_undisturbed(s3)
    store = ShardStore.at(s3)
    whole = store.read_bytes("toy/train-00001.tar")
    store.put_bytes("toy/train-00001.tar", whole[:5000])
    store.remove("toy/train-00000.tar")
    store.remove("toy/train-00002.parquet")
    assert verify(s3, workers=2).rerun == [f"toy/train-0000{number}.tar" for number in range(3)]
    trial.build(s3)
    trial.assert_as_undisturbed(s3)


def test_a_place_is_claimed_once(s3: str) -> None:
    store = ShardStore.at(s3)
    store.put_exclusive("toy/dataset.json", b"mine")
    with pytest.raises(FileExistsError):
        store.put_exclusive("toy/dataset.json", b"yours")
    assert store.read_bytes("toy/dataset.json") == b"mine"
    store.put_bytes("toy/dataset.json", b"finished")
    assert store.read_bytes("toy/dataset.json") == b"finished"


def test_reading_as_from_a_disk(s3: str, server: str) -> None:
    store = ShardStore.at(s3)
    store.put_bytes("toy/a.tar", b"0123456789")
    ask("PUT", f"{server}/bucket/some/shards/toy/")  # a console's mark of a folder
    assert store.list() == {"toy": None}
    assert store.list("toy") == {"a.tar": 10}
    assert store.list("nothing") == {}
    assert [store.read_range("toy/a.tar", offset, 4) for offset in (0, 8, 10, 99)] == [b"0123", b"89", b"", b""]
    assert (store.size("toy/a.tar"), store.size("toy/b.tar")) == (10, None)
    store.remove("toy/b.tar")
    with pytest.raises(FileNotFoundError), store.open("toy/b.tar") as stream:
        stream.read()
    with pytest.raises(FileNotFoundError):
        store.read_range("toy/b.tar", 0, 4)


def test_training_and_inspection_read_from_it(trial: Any, s3: str, tmp_path: Path) -> None:
    trial.build(s3)
    loader = Loader(open_shards(s3), LoaderOptions(batch_size=4, augment=AugmentOptions(size=32)))
    batch = next(iter(loader))
    assert batch.images.shape == (4, 3, 32, 32)
    page = inspect_shards(s3, tmp_path / "page")
    assert s3 in page.read_text()


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.1, 0.3])
def test_a_server_with_hiccups(trial: Any, faulty: Any, s3: str, server: str, monkeypatch: Any, share: float) -> None:
    proxy = faulty(share)
    for _ in range(10):
        try:
            trial.build(s3)
            break
        except DptBenchError as error:
            assert "again" in str(error), error  # noqa: PT017  (some calls may fail, if they say what to do)
    assert proxy.faults > 2
    direct(server, monkeypatch)
    trial.assert_as_undisturbed(s3)


@pytest.mark.slow
def test_a_server_that_fails_for_good(trial: Any, faulty: Any, s3: str, server: str, monkeypatch: Any) -> None:
    faulty(1)
    with pytest.raises(DataError, match="does not answer"):
        trial.build(s3)
    direct(server, monkeypatch)
    trial.build(s3)
    trial.assert_as_undisturbed(s3)


@pytest.mark.slow
def test_a_killed_driver_and_two_builds_at_once(trial: Any, s3: str) -> None:
    trial.disturb("hold", "train/a_004")
    with trial.start_build(s3) as driver:
        trial.wait_until_it_happens()
        driver.kill()
    trial.calm()
    builds = [trial.start_build(s3) for _ in range(2)]
    for build in builds:
        _, errors = trial.words_of(build)
        assert build.returncode == 0, errors
    trial.assert_as_undisturbed(s3)


def test_a_bucket_that_does_not_exist(trial: Any, s3: str) -> None:
    for work in (trial.build, verify, open_shards):
        with pytest.raises(UsageError, match="no such bucket"):
            work("s3://no-such-bucket/shards")


def test_nothing_in_the_bucket(s3: str) -> None:
    for work in (verify, open_shards):
        with pytest.raises(UsageError, match=r"no .*shards here"):
            work(s3)


def test_wrong_keys(trial: Any, s3: str, server: str) -> None:
    ask("POST", f"{server}/moto-api/reset-auth", b"0")
    try:
        for work in (trial.build, verify, open_shards):
            with pytest.raises(UsageError, match="AWS_ACCESS_KEY_ID"):
                work(s3)
    finally:
        ask("POST", f"{server}/moto-api/reset-auth", b"inf")


def test_no_keys(trial: Any, s3: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    with pytest.raises(UsageError, match="credentials"):
        trial.build(s3)


def test_nobody_answers(trial: Any, s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(DataError, match="does not answer"):
        trial.build(s3)


def test_without_the_extra(trial: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    known = sys.modules["fsspec.registry"]._registry
    for name in ("s3", "s3a"):
        monkeypatch.delitem(known, name, raising=False)
    with pytest.raises(UsageError, match=r"dpt-bench\[s3\]"):
        trial.build("s3://bucket/shards")


@pytest.mark.slow
def test_from_raw_to_a_checkpoint_by_the_commands(s3: str, tmp_path: Path) -> None:
    """Worker processes of the build and of the loader find the server by the environment that they inherit."""
    dpt_bench(tmp_path, "sample-data", ".", "--train-scenes", "12", "--eval-scenes", "1", "--datasets", "redweb")
    sizes = ["--short-side", "64", "--shard-size", "4"]
    dpt_bench(tmp_path, "build-mix6", "--datasets", "redweb", "--out", s3, "--workers", "2", *sizes)
    assert "0 problems" in dpt_bench(tmp_path, "verify", s3)
    dpt_bench(tmp_path, "inspect", s3, "--out", "page")
    assert s3 in (tmp_path / "page" / "index.html").read_text()
    settings = ["steps=2", "batch_size=4", "crop=64", "data.workers=1", "validation.every=2"]
    dpt_bench(tmp_path, "train", "demo", "--shards", s3, "--out", "run", *chain(*(("--set", one) for one in settings)))
    assert read_checkpoint(tmp_path / "run" / "best.pt").step == 2


def dpt_bench(folder: Path, *arguments: str) -> str:
    paths = os.pathsep.join(filter(None, sys.path))
    done = subprocess.run(
        [sys.executable, "-m", "dpt_bench.cli.main", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
