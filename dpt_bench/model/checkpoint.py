"""Checkpoints of ours: plain tensors and JSON-able values in one file (DESIGN 4.3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from torch import Tensor

from dpt_bench.core.errors import DataError
from dpt_bench.model.spec import ModelSpec, parse_spec
from dpt_bench.model.tensor_file import read_tensors, write_tensors

FORMAT = "dpt_bench checkpoint"
SCHEMA = 1
Weights = dict[str, Tensor]


@dataclass(frozen=True)
class Checkpoint:
    """What a run needs to continue, and what a reader of its results needs to know.

    weights, ema: state dicts of the network. optimiser, loader, rng: state dicts of tensors and plain values.
    step: optimiser steps done. preset, provenance: JSON-able. trained_on: recipe names.
    """

    spec: ModelSpec
    weights: Weights
    ema: Weights | None = None
    optimiser: dict[str, Any] | None = None
    step: int = 0
    loader: dict[str, Any] | None = None
    rng: dict[str, Any] | None = None
    preset: dict[str, Any] | None = None
    provenance: dict[str, Any] = field(default_factory=dict)
    trained_on: tuple[str, ...] = ()


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write `path` whole or not at all; tensors are stored detached, on the CPU.

    Raises:
        UsageError: the folder cannot be written.
        TypeError: a value is neither a tensor nor plain.
    """
    write_tensors(path, _plain(content_of(checkpoint), "checkpoint"))


def content_of(checkpoint: Checkpoint) -> dict[str, Any]:
    """What a file holds of a checkpoint."""
    content = {item.name: getattr(checkpoint, item.name) for item in fields(checkpoint)}
    content["spec"] = checkpoint.spec.model_dump(mode="json")
    return {"format": FORMAT, "schema": SCHEMA, **content}


def read_checkpoint(path: Path) -> Checkpoint:
    """The checkpoint at `path`, tensors on the CPU.

    Raises:
        UsageError: there is no such file.
        DataError: the file is damaged, holds code (which is not run), or was not written by `save_checkpoint`.
    """
    content = read_tensors(path)
    if not is_ours(content):
        raise DataError(
            "the file is not a dpt_bench checkpoint",
            where=path,
            fix="give a ckpt.pt that `dpt-bench train` wrote; files of other projects cannot be resumed",
        )
    return parse_checkpoint(content, path)


def is_ours(content: Mapping[str, Any]) -> bool:
    """Whether the content of a file says that `save_checkpoint` wrote it."""
    return content.get("format") == FORMAT


def parse_checkpoint(content: Mapping[str, Any], path: Path) -> Checkpoint:
    """The content of a file as a checkpoint.

    Raises:
        DataError: its schema is newer, its spec is unknown to this version, or a part is missing.
    """
    if content.get("schema") != SCHEMA:
        raise DataError(
            f"the checkpoint has schema {content.get('schema')!r}, this version reads {SCHEMA}",
            where=path,
            fix="use the version of dpt-bench that wrote it",
        )
    names = {item.name for item in fields(Checkpoint)}
    wrong = sorted(names - set(content)) or _misshapen(content)
    if wrong:
        raise DataError(
            f"the checkpoint is incomplete: {', '.join(wrong)}",
            where=path,
            fix="go back to an older checkpoint of the same run",
        )
    spec, trained_on = parse_spec(content["spec"], path), tuple(content["trained_on"])
    values = {name: content[name] for name in names} | {"spec": spec, "trained_on": trained_on}
    return Checkpoint(**values)


def _misshapen(content: Mapping[str, Any]) -> list[str]:
    """Names of the parts that are not of their type."""
    mappings = ("ema", "optimiser", "loader", "rng", "preset")
    wrong = [name for name in mappings if not isinstance(content[name], dict | None)]
    wrong += [name for name in ("weights", "provenance") if not isinstance(content[name], dict)]
    wrong += [name for name, kind in (("step", int), ("trained_on", list)) if not isinstance(content[name], kind)]
    tensors = [*content["weights"].values(), *(content["ema"] or {}).values()] if not wrong else []
    return wrong if all(isinstance(value, Tensor) for value in tensors) else ["weights that are not tensors"]


def _plain(value: Any, place: str) -> Any:
    """`value` with its tensors detached and alone in their storage; refuses what could not be read again."""
    if isinstance(value, Tensor):
        return value.detach().cpu().clone()
    if isinstance(value, Mapping):
        return {key: _plain(item, f"{place}.{key}") for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, f"{place}[{index}]") for index, item in enumerate(value)]
    if value is None or type(value) in (bool, int, float, str):
        return value
    raise TypeError(f"{place} is a {type(value).__name__}; a checkpoint holds tensors and plain values alone")
