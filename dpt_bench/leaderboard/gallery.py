"""Gallery pictures of results folders, and where the site keeps its copies of them."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from dpt_bench.core.errors import DataError
from dpt_bench.results.gallery import Gallery, Panel, read_galleries
from dpt_bench.results.schema import CellId


@dataclass(frozen=True)
class SiteGallery:
    """The pictures of one cell. folder: where they lie now; name: of the folder that the site copies them to."""

    gallery: Gallery
    folder: Path
    name: str

    def href(self, panel: Panel, tile: str) -> str:
        """The copy's path below the site's folder."""
        return f"panels/{self.name}/{panel.files[tile]}"


def collect(folders: Iterable[Path]) -> dict[CellId, SiteGallery]:
    """The galleries of all folders whose pictures exist.

    Raises:
        DataError: a panels.json is damaged, or names a file outside its own folder.
    """
    found = {}
    for results in folders:
        for folder, gallery in read_galleries(results).items():
            for panel in gallery.panels:
                _check(folder, panel)
            found[gallery.cell] = SiteGallery(gallery, folder, folder.name)
    return found


def copy_pictures(galleries: Mapping[CellId, SiteGallery], site: Path) -> None:
    """Copy every picture that the pages show."""
    for entry in galleries.values():
        for panel in entry.gallery.panels:
            for tile, file in panel.files.items():
                target = site / entry.href(panel, tile)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(entry.folder / file, target)


def _check(folder: Path, panel: Panel) -> None:
    for file in panel.files.values():
        if Path(file).name != file or not (folder / file).is_file():
            raise DataError(
                f"the gallery names a picture that is not beside it: {file!r}",
                where=folder / "panels.json",
                fix="remove the folder and evaluate again",
            )
