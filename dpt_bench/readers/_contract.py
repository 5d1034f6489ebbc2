"""The contract of a reader: raw tree <-> samples. A module of this package holds one class named `Reader`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from dpt_bench.core.catalog import load_plugin
from dpt_bench.core.errors import UsageError
from dpt_bench.core.recipe import Recipe
from dpt_bench.core.sample import Sample
from dpt_bench.scenes.scene import Scene

ITEM_FIELDS = [
    pa.field("key", pa.string(), nullable=False),
    pa.field("scene", pa.string(), nullable=False),
    pa.field("files", pa.list_(pa.string()), nullable=False),
]
"""Columns every item table has: `key` as in Sample.key; `scene`, what a split must not cut through; `files`, POSIX
paths below the root, image first. A reader may add columns of its own. Rows are sorted by key."""

REMARKS = "remarks"
"""Key of the table's metadata under which a reader tells people, a line each, what it has found and left out, or looked
for and not found: what is in a row is never lost without a word, so what is in none should not be either."""

Row = Mapping[str, Any]


class Reader(Protocol):
    """Turns a raw tree into samples according to a recipe, and writes a small tree in the same native format."""

    def list(self, root: Path, recipe: Recipe, split: str) -> pa.Table:
        """One row an item of the split, from the file system alone, without decoding an image.

        Raises:
            UsageError: `root` does not hold this dataset, or the split is empty; says what was looked for and where.
        """
        ...

    def read(self, root: Path, recipe: Recipe, row: Row) -> Sample:
        """Decode one item.

        Raises:
            SampleError: with a reason that the ledger counts by.
        """
        ...

    def write_example(self, root: Path, recipe: Recipe, scenes: Iterable[Scene]) -> None:
        """Write rendered scenes as a raw tree in the dataset's true native format, for every split of the recipe."""
        ...


def load_reader(recipe: Recipe) -> Reader:
    """The reader that a recipe names.

    Raises:
        UnknownNameError, UsageError: no such reader, or the file defines no class `Reader`.
    """
    module = load_plugin("dpt_bench.readers", recipe.reader, kind="reader", relative_to=recipe.path.parent)
    if not hasattr(module, "Reader"):
        raise UsageError(
            "the reader's file defines no class named Reader",
            where=recipe.reader,
            fix="see CONTRIBUTING.md, 'Add a dataset'",
        )
    reader: Reader = module.Reader()
    return reader
