"""Errors of object stores' libraries as OSErrors; tests/faults/test_object_store.py has a real server."""

from __future__ import annotations

import errno
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from dpt_bench.core.errors import DataError, UsageError
from dpt_bench.shards.remote import check_bucket, os_errors


class BotoCoreError(Exception):
    pass


class NoCredentialsError(BotoCoreError):
    pass


class EndpointConnectionError(BotoCoreError):
    pass


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "botocore.exceptions", SimpleNamespace(BotoCoreError=BotoCoreError))


@pytest.mark.parametrize(
    ("error", "kind", "number"),
    [
        (NoCredentialsError("no keys"), PermissionError, errno.EACCES),
        (EndpointConnectionError("nobody"), OSError, None),
    ],
)
def test_foreign_errors_become_errors_of_the_system(
    library: None, error: Exception, kind: type[OSError], number: int | None
) -> None:
    with pytest.raises(kind, match=str(error)) as told, os_errors():
        raise error
    assert told.value.__cause__ is error
    assert number in (None, told.value.errno)


def test_other_errors_pass(library: None) -> None:
    with pytest.raises(ZeroDivisionError), os_errors():
        raise ZeroDivisionError
    with pytest.raises(FileNotFoundError), os_errors():
        raise FileNotFoundError


def test_without_the_library_nothing_is_foreign(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("botocore.exceptions", "aiohttp"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    with pytest.raises(NoCredentialsError), os_errors():
        raise NoCredentialsError


class Bucket:
    """A file system on which listing a path raises what is given for it."""

    def __init__(self, **errors: Exception) -> None:
        self.errors, self.asked = errors, []

    def ls(self, path: str, *, detail: bool) -> list[Any]:
        self.asked.append(path)
        raise self.errors.get(path.replace("/", "_"), AssertionError(path))


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (FileNotFoundError("NoSuchBucket"), UsageError, "no such bucket"),
        (PermissionError("Forbidden"), UsageError, "Forbidden"),
        (TimeoutError("read timed out"), DataError, "does not answer: read timed out"),
        (NoCredentialsError("no keys"), UsageError, "no keys"),
    ],
)
def test_what_is_wrong_with_a_bucket(library: None, error: Exception, kind: type[Exception], words: str) -> None:
    bucket = Bucket(b_shards=FileNotFoundError(), b=error)
    with pytest.raises(kind, match=words) as told:
        check_bucket(bucket, "b/shards", "s3://b/shards")
    assert bucket.asked == ["b/shards", "b"]
    assert "s3://b/shards" in str(told.value)
    assert told.value.fix
