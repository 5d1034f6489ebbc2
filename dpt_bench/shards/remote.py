"""Object stores: their libraries' errors as OSErrors, which the rest of the package knows, and as words for people."""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dpt_bench.core.errors import DataError, UsageError

OBJECT_STORES = frozenset({"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss"})
"""Protocols whose URLs begin with a bucket, which a build uses and never creates."""

_FOREIGN = (("botocore.exceptions", "BotoCoreError"), ("aiohttp", "ClientError"))
_ABOUT_KEYS = ("Credential", "Token", "Profile")


@contextmanager
def os_errors() -> Iterator[None]:
    """Turn what an object store's library raises of its own into an OSError: PermissionError where keys are missing."""
    try:
        yield
    except _foreign_errors() as error:
        about_keys = any(word in type(error).__name__ for word in _ABOUT_KEYS)
        raise OSError(errno.EACCES if about_keys else errno.ECONNABORTED, str(error)) from error


def _foreign_errors() -> tuple[type[Exception], ...]:
    """Only of libraries that are loaded: what is not cannot have raised."""
    return tuple(getattr(sys.modules[module], name) for module, name in _FOREIGN if module in sys.modules)


def check_bucket(file_system: Any, root: str, url: str) -> None:
    """Pass where the bucket of an object store can be listed, with or without shards in it.

    Raises:
        UsageError: there is no such bucket, or the credentials are missing or wrong.
        DataError: the server does not answer.
    """
    try:
        with os_errors():
            _list_bucket(file_system, root)
    except FileNotFoundError as error:
        raise UsageError("there is no such bucket", where=url, fix="create it, or check the URL") from error
    except PermissionError as error:
        fix = "check the credentials (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_PROFILE) and the bucket's policy"
        raise UsageError(f"the bucket cannot be read: {error.strerror or error}", where=url, fix=fix) from error
    except OSError as error:
        fix = "check the network, the address of the server (AWS_ENDPOINT_URL) and the region, then try again"
        raise DataError(f"the object store does not answer: {error.strerror or error}", where=url, fix=fix) from error


def _list_bucket(file_system: Any, root: str) -> None:
    try:
        file_system.ls(root, detail=False)
    except FileNotFoundError:  # nothing there yet, or no bucket
        file_system.ls(root.strip("/").partition("/")[0], detail=False)
