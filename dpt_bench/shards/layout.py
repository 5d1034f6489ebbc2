"""Names of the files below a shard URL, and the store that reads and atomically writes them through fsspec."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any

import fsspec

from dpt_bench.core.errors import UsageError
from dpt_bench.shards.remote import OBJECT_STORES, check_bucket, os_errors
from dpt_bench.shards.temporary import locked_temporary

SCHEMA_VERSION = 1
MANIFEST = "manifest.json"
DATASET = "dataset.json"
INDEX = "index.parquet"
REJECTED = "rejected.parquet"
_READ_AHEAD = 8 << 20
_NUMBERED = re.compile(r"(?P<stem>(?P<split>.+)-\d{5,})\.(?P<ending>tar|parquet)")


def shard_name(split: str, number: int) -> str:
    """`train-00042.tar`: the name of a shard within its dataset's folder."""
    return f"{split}-{number:05d}.tar"


def ledger_name(shard: str) -> str:
    """The ledger that lies beside a shard."""
    return shard.removesuffix(".tar") + ".parquet"


def shard_of(name: str) -> str | None:
    """The shard that a tar or a ledger belongs to; None for any other file name."""
    match = _NUMBERED.fullmatch(name)
    return f"{match['stem']}.tar" if match else None


@dataclass(frozen=True)
class ShardStore:
    """Files below one URL; names are relative to it, with "/" between folder and file. Cheap to send to a worker."""

    url: str

    @classmethod
    def at(cls, url: str | Path) -> ShardStore:
        """The store at a URL or at a local path, which becomes absolute because workers have other working folders.

        Raises:
            UsageError: no installed file system knows the URL's protocol.
        """
        text = str(url)
        if "://" not in text:
            return cls(str(Path(text).expanduser().absolute()))
        try:
            fsspec.get_filesystem_class(text.partition("://")[0])
        except (ValueError, ImportError) as error:
            fix = 'check the URL, or install what it needs: pip install "dpt-bench[s3]" for s3://'
            raise UsageError(f"a URL that cannot be read: {error}", where=text, fix=fix) from error
        return cls(text.rstrip("/"))

    @cached_property
    def _place(self) -> tuple[Any, str]:
        # a cached listing would hide what other workers have written since
        file_system, root = fsspec.core.url_to_fs(self.url, use_listings_cache=False)
        return file_system, str(root).rstrip("/")

    @cached_property
    def _protocols(self) -> set[str]:
        protocol = self._place[0].protocol
        return {protocol} if isinstance(protocol, str) else set(protocol)

    @cached_property
    def local_root(self) -> Path | None:
        """The folder on this machine, None on an object store."""
        return Path(self._place[1]) if self._protocols & {"file", "local"} else None

    def check(self) -> None:
        """Pass where the store can be reached: early, because the bucket's name and the keys to it are often wrong.

        Raises:
            UsageError: there is no such bucket, or the credentials are missing or wrong.
            DataError: the server does not answer.
        """
        if self._protocols & OBJECT_STORES:
            check_bucket(*self._place, self.url)

    def path(self, name: str) -> str:
        """Full path as the file system knows it."""
        return f"{self._place[1]}/{name}" if name else self._place[1]

    def address(self, name: str) -> str:
        """The URL of a file, as people should read it in messages."""
        return f"{self.url}/{name}"

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """The file for reading.

        Raises:
            OSError: as the file system says; FileNotFoundError where there is none.
        """
        with os_errors(), self._place[0].open(self.path(name), "rb", block_size=_READ_AHEAD) as stream:
            yield stream

    def read_bytes(self, name: str) -> bytes:
        """All bytes of a file."""
        with os_errors():
            data: bytes = self._place[0].cat_file(self.path(name))
        return data

    def read_range(self, name: str, offset: int, length: int) -> bytes:
        """`length` bytes from `offset`, in one request; fewer where the file ends before."""
        if self.local_root is not None:  # without the layers of fsspec, whose overhead is a tenth of loading a sample
            descriptor = os.open(self.path(name), os.O_RDONLY)
            try:
                return os.pread(descriptor, length, offset)
            finally:
                os.close(descriptor)
        try:
            with os_errors():
                data: bytes = self._place[0].cat_file(self.path(name), start=offset, end=offset + length)
        except OSError:
            if (size := self.size(name)) is None or offset < size:
                raise
            return b""  # what local files give; an object store calls such a range invalid
        return data

    def exists(self, name: str) -> bool:
        with os_errors():
            return bool(self._place[0].exists(self.path(name)))

    def size(self, name: str) -> int | None:
        """Bytes of a file, None where there is none."""
        try:
            with os_errors():
                return int(self._place[0].size(self.path(name)))
        except FileNotFoundError:
            return None

    def list(self, folder: str = "") -> dict[str, int | None]:
        """Entries of a folder, sorted: file name -> bytes, or None for a folder. Empty where the folder is absent."""
        path = self.path(folder)
        try:
            with os_errors():
                entries = self._place[0].ls(path, detail=True)
        except FileNotFoundError:
            return {}
        found = {
            str(entry["name"]).rstrip("/").rsplit("/", 1)[-1]: None if entry["type"] == "directory" else entry["size"]
            for entry in entries
            if str(entry["name"]).rstrip("/") != path  # consoles of object stores mark a folder by an empty object
        }
        return dict(sorted(found.items()))

    @contextmanager
    def temporary(self, name: str) -> Iterator[Path]:
        """A local file to write `name` into before `put_atomic`; removed at the end if it is still there."""
        if self.local_root is None:
            with tempfile.TemporaryDirectory(prefix="dpt_bench_") as folder:
                yield Path(folder) / name.rsplit("/", 1)[-1]
        else:  # in the target's own folder: a rename is atomic only within one file system
            with locked_temporary(self.local_root / name) as path:
                yield path

    def put_atomic(self, local: Path, name: str) -> None:
        """Publish a finished local file under `name`: renamed on a local disk, put as one object elsewhere.

        Raises:
            OSError: disk full, not writable, or the object arrived with another size.
        """
        if self.local_root is not None:
            _rename_durably(local, self.local_root / name)
            return
        with os_errors():
            self._place[0].put_file(str(local), self.path(name))
        if self.size(name) != local.stat().st_size:
            raise OSError(f"{self.address(name)} has another size than the file that was put there")

    def put_bytes(self, name: str, data: bytes) -> None:
        """Publish `data` under `name` atomically, replacing what was there."""
        with self.temporary(name) as local:
            local.write_bytes(data)
            self.put_atomic(local, name)

    def put_exclusive(self, name: str, data: bytes) -> None:
        """Create `name` with `data`, whole or not at all.

        Raises:
            FileExistsError: somebody else has created it.
        """
        if self.local_root is None:
            self._create(name, data)
            return
        with self.temporary(name) as local:
            local.write_bytes(data)
            _fsync(local)
            os.link(local, self.local_root / name)  # unlike a rename, fails where the name is taken

    def _create(self, name: str, data: bytes) -> None:
        # a conditional write where the object store knows it (S3: If-None-Match), else exists-then-write
        try:
            with os_errors():
                self._place[0].pipe_file(self.path(name), data, mode="create")
        except FileExistsError:
            raise
        except OSError as error:  # not every store's refusal is known for what it is
            if self.exists(name):
                raise FileExistsError(error.errno, f"{self.address(name)} exists") from error
            raise

    def remove(self, name: str) -> None:
        """Delete a file; nothing happens where there is none."""
        with os_errors(), suppress(FileNotFoundError):
            if self.exists(name):
                self._place[0].rm_file(self.path(name))

    def free_bytes(self) -> int | None:
        """Free space where the files will lie, None on an object store."""
        if self.local_root is None:
            return None
        place = next(folder for folder in (self.local_root, *self.local_root.parents) if folder.is_dir())
        return shutil.disk_usage(place).free


def _rename_durably(local: Path, target: Path) -> None:
    _fsync(local)
    target.parent.mkdir(parents=True, exist_ok=True)
    local.replace(target)
    _fsync(target.parent)  # the name itself must survive a power cut, or a ledger could outlive its shard


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
