"""Finds the two data folders, data_recipes/ and leaderboards/, in a checkout or inside the installed wheel."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

from dpt_bench.core.errors import DataError

Folder = Literal["data_recipes", "leaderboards"]


@cache
def data_folder(name: Folder) -> Path:
    """Absolute path of a data folder.

    Raises:
        DataError: the installation is incomplete.
    """
    package = Path(__file__).resolve().parents[1]
    for candidate in (package / "_data" / name, package.parent / name):
        if candidate.is_dir():
            return candidate
    raise DataError(
        f"the data folder {name!r} is missing",
        where=package,
        fix="install dpt-bench again; the wheel carries the folder",
    )
