"""Files of tensors: written atomically, read without running the code that a pickle may carry."""

from __future__ import annotations

import os
import pickle
import struct
import warnings
from pathlib import Path
from typing import Any

import torch

from dpt_bench.core.errors import DataError, UsageError
from dpt_bench.model.foreign_file import PICKLE, ZIP, damaged, refuse_foreign
from dpt_bench.model.safetensors_file import is_safetensors, read_safetensors

# What torch.load raises for truncated, overwritten and foreign bytes; found by feeding it such files.
_DAMAGE = (
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    OverflowError,
    struct.error,
)


def write_tensors(path: Path, content: dict[str, Any]) -> None:
    """Write `path` whole or not at all: a temporary file beside it, flushed to the disk, then renamed.

    Raises:
        UsageError: the folder cannot be written, or the disk is full.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("wb") as file:
                torch.save(content, file)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        _flush_folder(path.parent)
    except (OSError, RuntimeError) as error:  # torch reports a full disk as RuntimeError
        raise UsageError(
            f"the file cannot be written: {error}",
            where=path,
            fix="make the folder writable and leave room on its disk, or choose another folder",
        ) from error


def read_tensors(path: Path, *, mapped: bool = False) -> dict[str, Any]:
    """The mapping that a file of torch or safetensors holds, on the CPU. Pickled code is refused, never run.

    mapped: the tensors are the file's own pages, read when they are first touched, where the format allows it. Then the
        file must not be overwritten in place while they live (it may be deleted, or replaced by renaming another).

    Raises:
        UsageError: there is no such file, or it cannot be opened.
        DataError: the file is empty, damaged, holds code or compressed data, or something else than a mapping.
    """
    try:
        with path.open("rb") as file:
            head = file.read(512)
    except OSError as error:
        raise UsageError(
            f"the checkpoint cannot be opened: {error.strerror}", where=path, fix="check the path"
        ) from error
    if is_safetensors(head):  # before its first bytes, which are a number, are taken for another format's
        return read_safetensors(path, mapped=mapped)
    refuse_foreign(path, head)
    if path.suffix == ".safetensors":
        raise damaged(path)
    with warnings.catch_warnings(action="ignore"):  # it warns of pickles that it then refuses
        try:
            content = torch.load(path, map_location="cpu", weights_only=True, mmap=mapped and head.startswith(ZIP))
        except pickle.UnpicklingError as error:
            if not head.startswith((ZIP, PICKLE)):
                raise damaged(path) from error
            raise DataError(
                "the file is not a checkpoint of plain tensors: it holds other Python objects, which were not loaded",
                where=path,
                fix="give a file of weights alone; only if you trust its author, re-save its tensors yourself",
            ) from error
        except _DAMAGE as error:
            raise damaged(path) from error
    if not isinstance(content, dict):
        raise DataError(f"the file holds a {type(content).__name__}, not a checkpoint", where=path)
    return content


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
