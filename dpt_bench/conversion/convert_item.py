"""The sample boundary: one item of a plan becomes the members of a sample, or is rejected with a reason."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from dpt_bench.conversion.convert_sample import convert_sample
from dpt_bench.conversion.options import SampleOptions
from dpt_bench.conversion.storage_errors import GO_ON, retrying
from dpt_bench.core.catalog import RECIPES
from dpt_bench.core.errors import DataError, DptBenchError, SampleError
from dpt_bench.core.recipe import Recipe
from dpt_bench.core.sample import Sample
from dpt_bench.readers._contract import Reader, load_reader
from dpt_bench.shards.codec import ShardSample, encode_members

_STORAGE = {
    errno.EIO,
    errno.EAGAIN,
    errno.EBUSY,
    errno.ESTALE,
    errno.ETIMEDOUT,
    errno.ECONNRESET,
    errno.ECONNABORTED,
    errno.ENOTCONN,
    errno.ENETUNREACH,
    errno.EHOSTUNREACH,
    errno.EMFILE,
    errno.ENFILE,
    errno.ENOMEM,
}
"""Errors of the storage. All other OSErrors are the file's: h5py and codecs raise them for corrupt ones."""


@dataclass(frozen=True)
class Source:
    """A raw tree, and how to read it."""

    recipe: Recipe
    reader: Reader
    root: Path

    @classmethod
    def open(cls, recipe: str, recipe_sha256: str, root: Path) -> Source:
        """The tree at `root` by a recipe's name or path, loaded once a process.

        Raises:
            DataError: the recipe here is not the one the plan was made with.
        """
        loaded, reader = _load(recipe, recipe_sha256)
        return cls(loaded, reader, root)


@lru_cache(maxsize=32)
def _load(name: str, sha256: str) -> tuple[Recipe, Reader]:
    recipe = RECIPES.load(name)
    if recipe_sha256(recipe) != sha256:
        fix = "install the same version of the package on every machine, and leave recipes alone while a build runs"
        raise DataError(f"the recipe {name!r} on this worker is not the one of the plan", where=recipe.path, fix=fix)
    return recipe, load_reader(recipe)


def recipe_sha256(recipe: Recipe) -> str:
    """Hash of the recipe's facts and, where its reader is a user's own file, of that file, which has no version."""
    if not recipe.reader.endswith(".py"):
        return recipe.sha256()
    digest = hashlib.sha256(recipe.sha256().encode())
    digest.update((recipe.path.parent / recipe.reader).read_bytes())
    return digest.hexdigest()


def convert_item(
    source: Source, item: Mapping[str, Any], options: SampleOptions
) -> tuple[ShardSample, dict[str, bytes]]:
    """Read, convert and encode one item.

    Raises:
        SampleError: whatever is wrong with the item, with a reason; a bug in a reader becomes "unexpected-error".
        DataError, OSError: the raw tree or its storage is gone; the item may be fine.
    """
    try:
        sample = _read(source, item)
        shard_sample = convert_sample(sample, source.recipe, options)
        return shard_sample, encode_members(shard_sample, jpeg_quality=options.jpeg_quality)
    except (DptBenchError, OSError, MemoryError):
        raise
    except Exception as error:  # the sample boundary: one item never stops the other 1.4 million
        raise SampleError("unexpected-error", f"{type(error).__name__}: {error}") from error


def _read(source: Source, item: Mapping[str, Any]) -> Sample:
    try:
        sample = retrying(lambda: _read_once(source, item))
    except OSError as error:
        if error.errno != errno.EIO:  # a bad sector stays bad; anything else may be back when the build is run again
            raise
        raise SampleError("unreadable-file", f"a source file cannot be read: {error}") from error
    if sample.key != item["key"]:
        raise SampleError("bad-key", f"the reader listed {item['key']!r} but read {sample.key!r}")
    return sample


def _read_once(source: Source, item: Mapping[str, Any]) -> Sample:
    """Only errors of the storage leave this as OSError."""
    try:
        return source.reader.read(source.root, source.recipe, item)
    except FileNotFoundError as error:
        if not source.root.is_dir():
            raise DataError("the raw folder has gone", where=source.root, fix=f"mount it again, {GO_ON}") from error
        raise SampleError("missing-file", f"a source file is missing: {error.filename}") from error
    except OSError as error:
        if error.errno in _STORAGE:
            raise
        raise SampleError("unreadable-file", f"a source file cannot be read: {error}") from error
