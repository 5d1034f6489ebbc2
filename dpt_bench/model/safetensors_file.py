"""Files of safetensors: tensors, and for checkpoints of ours what belongs to them as JSON in the file's metadata."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from dpt_bench.model.foreign_file import damaged

METADATA_KEY = "dpt_bench_checkpoint"
"""Under it stands all but `weights` of what `save_checkpoint` would write."""


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
