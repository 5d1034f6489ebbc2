"""What `dpt-bench export` does once its arguments are read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import cast, get_args

from dpt_bench.core.catalog import plugin_names
from dpt_bench.core.errors import UnknownNameError
from dpt_bench.model.export import Export, export_model
from dpt_bench.model.load import load_with_origin
from dpt_bench.model.spec import Readout


@dataclass(frozen=True)
class ExportCall:
    """The arguments of the command."""

    checkpoint: Path
    target: str
    out: Path
    variant: str | None
    readout: str | None
    force: bool


def run_export(call: ExportCall) -> list[str]:
    """Export; the lines to show.

    Raises:
        UnknownNameError: no such target, variant or readout.
        UsageError: a path is wrong or taken, or the target has no such network.
        DataError: the checkpoint is damaged or foreign.
    """
    targets = plugin_names("dpt_bench.model.export")
    if call.target not in targets:
        raise UnknownNameError("export target", call.target, targets)
    if call.readout not in (None, *get_args(Readout)):
        raise UnknownNameError("readout", str(call.readout), get_args(Readout))
    loaded = load_with_origin(call.checkpoint, call.variant, cast("Readout | None", call.readout))
    export = Export(loaded.model, loaded.trained_on, loaded.provenance)
    notes = export_model(export, call.target, call.out, force=call.force)
    return [
        f"{call.out}: {loaded.model.spec.backbone}, written for {call.target}",
        *(f"note: {note}" for note in notes),
    ]
