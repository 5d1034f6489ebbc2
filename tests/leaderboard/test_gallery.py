from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from dpt_bench.core.errors import DataError
from dpt_bench.leaderboard.gallery import collect, copy_pictures


@pytest.fixture
def results(tmp_path: Path, write_results: Callable[..., Path]) -> Path:
    return write_results(tmp_path / "results", {"A": {"kitti": 0.1}}, pictures=True)


def test_pictures_are_copied_to_where_the_pages_look_for_them(results: Path, tmp_path: Path) -> None:
    galleries = collect([results])
    (entry,) = galleries.values()
    copy_pictures(galleries, tmp_path / "site")
    for panel in entry.gallery.panels:
        for tile, file in panel.files.items():
            copied = tmp_path / "site" / entry.href(panel, tile)
            assert copied.read_bytes() == (entry.folder / file).read_bytes()
    assert [panel.rank for panel in entry.gallery.panels] == ["best", "median", "worst"]


def test_a_folder_without_pictures_has_no_gallery(tmp_path: Path, write_results: Callable[..., Path]) -> None:
    assert collect([write_results(tmp_path, {"A": {"kitti": 0.1}})]) == {}


@pytest.mark.parametrize("file", ["../../summary.csv", "/etc/hostname", "gone.png"])
def test_a_picture_outside_the_gallery_is_refused(results: Path, file: str) -> None:
    (path,) = (results / "gallery").glob("*/panels.json")
    gallery = json.loads(path.read_text())
    gallery["panels"][0]["files"]["input"] = file
    path.write_text(json.dumps(gallery))
    with pytest.raises(DataError, match="not beside it"):
        collect([results])
