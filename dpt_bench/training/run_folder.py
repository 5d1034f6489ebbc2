"""The folder of a run: the resolved preset, provenance, log, checkpoints."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from dpt_bench.core.errors import UsageError
from dpt_bench.core.provenance import provenance
from dpt_bench.training.config import Preset

PRESET = "preset.toml"
PROVENANCE = "provenance.json"


def prepare_folder(out: Path, *, resume: bool) -> None:
    """Make the folder of a run.

    Raises:
        UsageError: it holds a run already and `resume` is False, or it cannot be written.
    """
    if (out / PRESET).exists() and not resume:
        raise UsageError(
            "the folder holds a run already", where=out, fix="go on with --resume, or choose another folder"
        )
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / ".writable").touch()
        (out / ".writable").unlink()
    except OSError as error:
        raise UsageError(f"cannot write here: {error.strerror}", where=out, fix="choose another folder") from error


def write_records(out: Path, preset: Preset, facts: dict[str, Any]) -> None:
    """Write preset.toml, which can be trained again by its path, and provenance.json."""
    (out / PRESET).write_text(f"# the resolved preset of this run\n{preset_toml(preset)}", encoding="utf-8")
    record = {**provenance(), "torch": torch.__version__, "cuda": torch.version.cuda, **facts}
    (out / PROVENANCE).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def preset_changes(before: dict[str, Any], now: Preset) -> list[str]:
    """One line a key in which a checkpoint's preset differs: "optimiser.clip: None, now 1.0"."""
    old, new = _flat(before), _flat(now.model_dump(mode="json"))
    keys = sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))
    return [f"{key}: {old.get(key)}, now {new.get(key)}" for key in keys]


def preset_toml(preset: Preset) -> str:
    """The preset as TOML that loads into an equal one."""
    return "\n".join(_lines(preset.model_dump(mode="json", exclude={"name"}, exclude_none=True), "")) + "\n"


def _flat(table: dict[str, Any], place: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in table.items():
        flat |= _flat(value, f"{place}{key}.") if isinstance(value, dict) else {f"{place}{key}": value}
    return flat


def _lines(table: dict[str, Any], place: str) -> list[str]:
    tables = {key: value for key, value in table.items() if isinstance(value, dict) or _holds_tables(value)}
    lines = [f"{key} = {json.dumps(value)}" for key, value in table.items() if key not in tables]
    for key, value in tables.items():
        if isinstance(value, dict) and value:
            lines += ["", f"[{place}{key}]", *_lines(value, f"{place}{key}.")]
        elif value:
            for item in value:
                lines += ["", f"[[{place}{key}]]", *_lines(item, f"{place}{key}.")]
    return lines


def _holds_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)
