"""One file of safetensors that holds a network whole: weights under our names, and its spec in the metadata."""

from __future__ import annotations

from pathlib import Path

from dpt_bench.model.checkpoint import Checkpoint, content_of
from dpt_bench.model.export._contract import Export
from dpt_bench.model.safetensors_file import write_checkpoint

TITLE = "one .safetensors file that dpt_bench loads again"
FOLDER = False


def write(export: Export, out: Path) -> list[str]:
    """Write the file; nothing differs."""
    checkpoint = Checkpoint(
        export.model.spec,
        export.model.state_dict(),
        provenance=export.provenance or {},
        trained_on=export.trained_on,
    )
    write_checkpoint(out, content_of(checkpoint))
    return []
