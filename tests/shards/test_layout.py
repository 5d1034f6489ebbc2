from __future__ import annotations

import stat
import uuid
from pathlib import Path

import pytest

from dpt_bench.core.errors import UsageError
from dpt_bench.shards.layout import ShardStore, ledger_name, shard_name, shard_of


def test_names() -> None:
    assert shard_name("train", 42) == "train-00042.tar"
    assert shard_name("train", 123456) == "train-123456.tar"
    assert ledger_name("val-00001.tar") == "val-00001.parquet"
    assert shard_of("val-00001.parquet") == shard_of("val-00001.tar") == "val-00001.tar"
    assert shard_of("test-clean-00001.tar") == "test-clean-00001.tar"
    assert shard_of("index.parquet") is None
    assert shard_of("train-1.tar") is None
    assert shard_of(".train-00000.tar.x.tmp") is None


@pytest.fixture(params=["local", "file", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ShardStore:
    urls = {"local": tmp_path / "out", "file": f"file://{tmp_path}/out", "memory": f"memory://{uuid.uuid4().hex}/out"}
    return ShardStore.at(urls[request.param])


def test_put_read_list_remove(store: ShardStore) -> None:
    assert store.list() == {}
    assert store.list("d") == {}
    store.put_bytes("d/x.bin", b"0123456789")
    store.put_bytes("top.json", b"{}")
    assert store.read_bytes("d/x.bin") == b"0123456789"
    assert store.read_range("d/x.bin", 3, 4) == b"3456"
    assert store.read_range("d/x.bin", 8, 4) == b"89"
    assert store.size("d/x.bin") == 10
    assert store.list("d") == {"x.bin": 10}
    assert store.list() == {"d": None, "top.json": 2}
    with store.open("d/x.bin") as stream:
        assert stream.read(2) == b"01"
    store.put_bytes("d/x.bin", b"new")
    assert store.read_bytes("d/x.bin") == b"new"
    store.remove("d/x.bin")
    store.remove("d/x.bin")
    assert not store.exists("d/x.bin")
    assert store.size("d/x.bin") is None


def test_exclusive_creation_happens_once(store: ShardStore) -> None:
    store.put_exclusive("d/dataset.json", b"first")
    with pytest.raises(FileExistsError):
        store.put_exclusive("d/dataset.json", b"second")
    assert store.read_bytes("d/dataset.json") == b"first"
    assert store.list("d") == {"dataset.json": 5}


def test_a_temporary_file_that_is_not_put_leaves_nothing(store: ShardStore) -> None:
    with store.temporary("d/x.tar") as local:
        local.write_bytes(b"half")
    assert store.list("d") == {}


def test_a_folder_of_files_as_readable_as_the_umask_says(tmp_path: Path) -> None:
    store = ShardStore.at(tmp_path)
    store.put_bytes("x", b"1")
    (tmp_path / "plain").write_bytes(b"1")
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)


def test_a_relative_path_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert ShardStore.at("shards").url == str(tmp_path / "shards")
    assert ShardStore.at("shards").local_root == tmp_path / "shards"
    assert ShardStore.at("memory://x").local_root is None
    assert ShardStore.at("memory://x/").address("a/b") == "memory://x/a/b"


def test_free_space_of_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    free = ShardStore.at(tmp_path / "a" / "b").free_bytes()
    assert free is not None
    assert free > 0
    assert ShardStore.at("memory://x").free_bytes() is None


def test_an_unknown_protocol_is_a_wrong_call() -> None:
    with pytest.raises(UsageError, match="nosuch"):
        ShardStore.at("nosuch://bucket/x")
