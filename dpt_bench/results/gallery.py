"""Which pictures of a results folder show what: gallery/<cell>/panels.json, beside the PNG files it names."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from dpt_bench.core.errors import DataError
from dpt_bench.core.toml import Strict
from dpt_bench.results.atomic import write_atomically
from dpt_bench.results.schema import CellId, MetricFacts

Rank = Literal["best", "median", "worst"]
TILES = ("input", "prediction", "target", "error")


class Panel(Strict):
    """One image. value: in the gallery's metric. files: tile (one of TILES) -> file beside panels.json."""

    rank: Rank
    key: str
    value: float
    files: dict[str, str]


class Gallery(Strict):
    """The panels of a cell, best first; `overview` is one picture of them all."""

    model: str
    checkpoint_sha256: str | None
    suite: str
    suite_version: int
    dataset: str
    metric: MetricFacts
    panels: tuple[Panel, ...]
    overview: str = "overview.jpg"

    @property
    def cell(self) -> CellId:
        return (self.model, self.checkpoint_sha256, self.suite, self.suite_version, self.dataset)


def write_gallery(folder: Path, gallery: Gallery) -> None:
    """Write panels.json last, when all pictures it names exist."""
    write_atomically(folder / "panels.json", gallery.model_dump_json(indent=2).encode() + b"\n")


def read_galleries(results: Path) -> dict[Path, Gallery]:
    """Folder -> gallery, of a results folder; empty where there are no pictures.

    Raises:
        DataError: a panels.json is damaged.
    """
    return {path.parent: read_gallery(path.parent) for path in sorted((results / "gallery").glob("*/panels.json"))}


def read_gallery(folder: Path) -> Gallery:
    """The gallery in one folder; see `read_galleries`."""
    path = folder / "panels.json"
    try:
        return Gallery.model_validate_json(path.read_bytes())
    except (ValidationError, OSError) as error:
        raise DataError(f"damaged: {error}", where=path, fix="remove the folder and evaluate again") from None
