"""Files of safetensors: tensors, and for checkpoints of ours what belongs to them as JSON in the file's metadata."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from dpt_bench.model.foreign_file import damaged

_LONGEST_HEADER = 100_000_000
"""In bytes: what the format allows."""
METADATA_KEY = "dpt_bench_checkpoint"
"""Under it stands all but `weights` of what `save_checkpoint` would write."""


def is_safetensors(head: bytes) -> bool:
    """Whether a file that begins so is of safetensors: the length of a header in JSON, then the header."""
    return head[8:9] == b"{" and int.from_bytes(head[:8], "little") <= _LONGEST_HEADER


def read_safetensors(path: Path, *, mapped: bool) -> dict[str, Any]:
    """The file's tensors by name, or the content of a checkpoint of ours; `mapped` as in `read_tensors`.

    Raises:
        DataError: the file is damaged.
    """
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {key: file.get_tensor(key) for key in list(file.keys())}  # these are mapped
            metadata = file.metadata() or {}
        rest = json.loads(metadata[METADATA_KEY]) if METADATA_KEY in metadata else None
    except (SafetensorError, ValueError, OSError, RecursionError) as error:
        raise damaged(path) from error
    tensors = tensors if mapped else {key: value.clone() for key, value in tensors.items()}
    return {**rest, "weights": tensors} if isinstance(rest, dict) else tensors


def write_checkpoint(path: Path, content: Mapping[str, Any]) -> None:
    """Write a checkpoint's `content` as `save_checkpoint` lays it out: its weights as tensors, the rest as metadata.

    Raises:
        TypeError: the rest is not JSON-able, as an optimiser's state is not.
        SafetensorError, OSError: the file cannot be written.
    """
    rest = {key: value for key, value in content.items() if key != "weights"}
    weights = {key: value.detach().cpu().contiguous() for key, value in content["weights"].items()}
    save_file(weights, path, metadata={"format": "pt", METADATA_KEY: json.dumps(rest)})
