"""Raw trees: finding files, naming items, reading bytes, and saying what is wrong with a tree."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import TypeVar

import pyarrow as pa

from dpt_bench.core.errors import SampleError, UnknownNameError, UsageError
from dpt_bench.core.recipe import Recipe
from dpt_bench.readers._contract import ITEM_FIELDS, REMARKS, Row

Decoded = TypeVar("Decoded")
ILLEGAL = re.compile(r"[^A-Za-z0-9_/-]")


def files_below(root: Path) -> Iterator[str]:
    """POSIX paths, relative to `root`, of all files below it, unordered; hidden files and `._` twins are left out.

    Links are followed; a linked folder is entered once, so a link to a parent does no harm.

    Raises:
        UsageError: a folder cannot be read, or a name is not UTF-8.
    """
    pending, links_entered = [""], set()
    while pending:
        folder = pending.pop()
        for entry in _entries(root / folder):
            if entry.name.startswith("."):
                continue
            path = f"{folder}{entry.name}"
            if not entry.is_dir():
                yield path
            elif not entry.is_symlink():
                pending.append(f"{path}/")
            elif (real := os.path.realpath(entry.path)) not in links_entered:
                links_entered.add(real)
                pending.append(f"{path}/")


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as scan:
            entries = list(scan)
    except OSError as error:
        raise UsageError(f"folder cannot be read: {error.strerror}", where=folder) from error
    for entry in entries:
        if not entry.name.isascii() and entry.name != entry.name.encode(errors="replace").decode():
            raise UsageError(
                "a file name is not UTF-8", where=os.fsencode(entry.path), fix="rename the file, or set a UTF-8 locale"
            )
    return entries


def legal_key(name: str) -> str:
    """`name` as a sample key; where characters must go, eight hex digits of its SHA-1 keep two names apart."""
    cleaned = ILLEGAL.sub("_", name)
    if cleaned == name:
        return name
    return f"{cleaned}-{hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()[:8]}"


def item_table(
    keys: Sequence[str],
    scenes: Sequence[str],
    files: Sequence[Sequence[str]],
    columns: Mapping[str, Sequence[object]] | None = None,
    metadata: Mapping[str, str] | None = None,
) -> pa.Table:
    """The table of the reader contract, sorted by key; `columns` adds a reader's own, `metadata` remarks."""
    schema = pa.schema(ITEM_FIELDS)
    table = pa.table(
        [pa.array(keys, pa.string()), pa.array(scenes, pa.string()), pa.array(files, schema[2].type)], schema
    )
    for name, values in (columns or {}).items():
        table = table.append_column(name, pa.array(values))
    assert len(set(keys)) == len(keys), "keys are unique"
    return table.sort_by("key").replace_schema_metadata(metadata)


def pair_table(images: Mapping[str, str], targets: Mapping[str, str], scenes: Mapping[str, str]) -> pa.Table:
    """One row an image; one without a target is listed too, and rejected when it is read: nothing vanishes.

    A target without an image is no item, so a remark tells of it.
    """
    files = [(image, targets[key]) if key in targets else (image,) for key, image in images.items()]
    remark = without_image([path for key, path in targets.items() if key not in images])
    return item_table(list(images), [scenes[key] for key in images], files, metadata=remarks(remark))


def remarks(*lines: str) -> dict[str, str]:
    """Metadata of an item table with these remarks; empty ones are left out."""
    kept = "\n".join(filter(None, lines))
    return {REMARKS: kept} if kept else {}


def count(number: int, what: str) -> str:
    """The remark "12 frames without flow", none where the number is 0."""
    return f"{number:,} {what}" if number else ""


def without_image(targets: Sequence[str]) -> str:
    """The remark on targets whose image was not found."""
    return count(len(targets), f"targets without an image, such as {min(targets, default='')}")


def check_tree(root: Path, recipe: Recipe, split: str) -> None:
    """Refuse an unknown split and a root that is no folder.

    Raises:
        UsageError: either of the two.
    """
    if split not in recipe.splits:
        raise UnknownNameError(f"split of {recipe.name}", split, recipe.splits)
    if not root.is_dir():
        raise UsageError(
            f"the folder of {recipe.name} was not found", where=root, fix=f"obtain the data: {recipe.obtain}"
        )


def wrong_tree(root: Path, recipe: Recipe, looked_for: Iterable[str]) -> UsageError:
    """The error for a tree that does not hold the dataset: what was looked for, and what is there."""
    names = sorted(entry.name for entry in _entries(root))
    there = ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "") if names else "nothing"
    return UsageError(
        f"this is not a tree of {recipe.name} ({recipe.title}): looked for {' and '.join(looked_for)}",
        where=f"{root} (holds {there})",
        fix=f"point to the folder that holds it, or obtain the data: {recipe.obtain}",
    )


def empty_split(root: Path, recipe: Recipe, split: str) -> UsageError:
    """The error for a tree of the right dataset without an image of the split."""
    return UsageError(
        f"split {split!r} of {recipe.name} is empty in this tree",
        where=root,
        fix=f"the split is: {recipe.splits[split].note or 'see the recipe'}; obtain the data: {recipe.obtain}",
    )


def read_source(root: Path, relative: str) -> bytes:
    """Bytes of a raw file. Other errors of the file system pass through: they may be transient.

    Raises:
        SampleError: the path leaves the root, or the file is missing or empty.
    """
    path = PurePosixPath(relative)
    if path.is_absolute() or ".." in path.parts:
        raise SampleError("unsafe-path", "a path in a list leaves the dataset's folder", where=relative)
    try:
        data = (root / path).read_bytes()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        raise SampleError("missing-file", "the file is missing", where=relative) from None
    if not data:
        raise SampleError("empty-file", "the file has zero bytes", where=relative)
    return data


def read_decoded(root: Path, relative: str, decode: Callable[[bytes], Decoded]) -> Decoded:
    """`decode` of a raw file's bytes; an error of the format says which file it was.

    Raises:
        SampleError: as `read_source` and `decode`.
    """
    try:
        return decode(read_source(root, relative))
    except SampleError as error:
        error.where = error.where or relative
        raise


def image_and_target(row: Row) -> tuple[str, str]:
    """The first two files of a row.

    Raises:
        SampleError: the image has no target.
    """
    files = row["files"]
    if len(files) < 2:
        raise SampleError("missing-target", "the image has no target file", where=files[0])
    return files[0], files[1]
