"""The plan: which item goes into which shard, the same on every machine, made before anything is converted."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from dpt_bench.conversion.convert_item import recipe_sha256
from dpt_bench.conversion.options import BuildOptions
from dpt_bench.core.errors import UsageError
from dpt_bench.core.mix import Member
from dpt_bench.core.recipe import Recipe
from dpt_bench.readers._contract import ITEM_FIELDS, REMARKS, Reader, load_reader
from dpt_bench.readers._example import MARKER
from dpt_bench.shards.codec import KEY_PATTERN
from dpt_bench.shards.layout import shard_name
from dpt_bench.shards.records import Identity, ItemsRecord

_UNSAFE_PATH = r"^/|(^|/)\.\.(/|$)"


@dataclass(frozen=True)
class PlannedShard:
    """Rows start..stop of the plan's table."""

    split: str
    number: int
    start: int
    stop: int

    @property
    def name(self) -> str:
        return shard_name(self.split, self.number)


@dataclass(frozen=True)
class DatasetPlan:
    """The plan of one dataset.

    table: the reader's columns, and `split`, `shard`, `problem` (a reason to reject the item unread, or null); rows in
        the order in which they are written. remarks: what the raw tree lacks, or holds and is in no row, for people.
    """

    identity: Identity
    table: pa.Table
    shards: tuple[PlannedShard, ...]
    remarks: tuple[str, ...] = ()

    @property
    def dataset(self) -> str:
        return self.identity.dataset

    def items(self, shard: PlannedShard) -> pa.Table:
        """The rows of one shard."""
        return self.table.slice(shard.start, shard.stop - shard.start)


def required_split(recipe: Recipe) -> str:
    """The split that must not be empty: "train", or the first of a recipe without one."""
    return "train" if "train" in recipe.splits else next(iter(recipe.splits))


def plan_dataset(recipe: Recipe, root: Path, member: Member, options: BuildOptions) -> DatasetPlan:
    """List every split of the raw tree, thin the training split out as the mix asks, shuffle, and cut into shards.

    Raises:
        UsageError: `root` does not hold this dataset, or its training split is empty.
    """
    reader = load_reader(recipe)
    required = required_split(recipe)
    tables: list[pa.Table] = []
    shards: list[PlannedShard] = []
    records: dict[str, ItemsRecord] = {}
    told: dict[str, list[str]] = {}
    for split in [required, *(name for name in recipe.splits if name != required)]:
        items = _list(reader, root, recipe, split, may_be_empty=split != required)
        told[split] = _remarks(items, root, recipe.splits[split].images)
        items = items.replace_schema_metadata()  # it would travel with every job
        if split == required:
            items = thin_out(items, member)
        records[split] = ItemsRecord(count=items.num_rows, sha256=hash_items(items))
        start = sum(table.num_rows for table in tables)
        shards += _cut(split, start, items.num_rows, options.shard_size)
        tables.append(_with_plan_columns(shuffle(items, recipe.name, split, options.seed), split, options.shard_size))
    identity = Identity(
        dataset=recipe.name,
        recipe_version=recipe.version,
        recipe_sha256=recipe_sha256(recipe),
        options=options.of_member(member),
        items=records,
    )
    table = pa.concat_tables(tables, promote_options="permissive")
    return DatasetPlan(identity, table, tuple(shards), _merged(told))


def thin_out(items: pa.Table, member: Member) -> pa.Table:
    """Every `stride`-th frame of each scene, then at most `max_images` of them, evenly spread over the sorted keys."""
    if member.stride > 1:
        _, codes = np.unique(_codes(items["scene"]), return_inverse=True)
        items = items.filter(pa.array(_position_within(codes) % member.stride == 0))
    if member.max_images is not None and items.num_rows > member.max_images:
        wanted = np.arange(member.max_images) * items.num_rows // member.max_images
        items = items.take(pa.array(wanted))
    return items


def shuffle(items: pa.Table, dataset: str, split: str, seed: int) -> pa.Table:
    """Order by a hash of each key: it mixes scenes, and unlike a random generator never changes with a library."""
    prefix = hashlib.blake2b(f"{seed}\0{dataset}\0{split}\0".encode(), digest_size=8)
    order = np.empty(items.num_rows, np.uint64)
    for row, key in enumerate(items["key"].to_pylist()):
        digest = prefix.copy()
        digest.update(key.encode("utf-8", "surrogateescape"))
        order[row] = int.from_bytes(digest.digest(), "big")
    return items.take(pa.array(np.argsort(order, kind="stable")))


def hash_items(items: pa.Table) -> str:
    """Identity of a listing: over each item's key, scene and source files, and the columns of the reader's own."""
    own = sorted(set(items.column_names) - {field.name for field in ITEM_FIELDS})
    digest = hashlib.sha256()
    for batch in items.to_batches(max_chunksize=10_000):
        columns = batch.to_pydict()
        facts = [[f"{name}={value!r}" for value in columns[name]] for name in own]
        rows = zip(columns["key"], columns["scene"], columns["files"], *facts, strict=True)
        lines = "".join("\0".join([key, scene, *files, *more]) + "\n" for key, scene, files, *more in rows)
        digest.update(lines.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def problems(items: pa.Table) -> pa.Array:
    """Reason by which an item is rejected before it is read, or null: "bad-key", "duplicate-key", "unsafe-path"."""
    reasons = np.full(items.num_rows, None, dtype=object)
    parents = pc.list_parent_indices(items["files"].combine_chunks())
    unsafe = pc.match_substring_regex(pc.list_flatten(items["files"].combine_chunks()), _UNSAFE_PATH)
    reasons[np.asarray(parents)[np.asarray(unsafe.to_numpy(zero_copy_only=False), bool)]] = "unsafe-path"
    codes = _codes(items["key"])
    first = np.unique(codes, return_index=True)[1]
    later = np.ones(items.num_rows, bool)
    later[first] = False
    reasons[later] = "duplicate-key"  # two samples of one key would melt into one in the tar
    fits = pc.match_substring_regex(items["key"].combine_chunks(), f"^({KEY_PATTERN})$")
    reasons[~np.asarray(fits.to_numpy(zero_copy_only=False), bool)] = "bad-key"
    return pa.array(reasons, pa.string())


def _list(reader: Reader, root: Path, recipe: Recipe, split: str, *, may_be_empty: bool) -> pa.Table:
    try:
        items = reader.list(root, recipe, split)
    except UsageError:
        if not may_be_empty:
            raise
        # the required split of the same tree was listed before, so this one is empty rather than the tree wrong
        return reader.list(root, recipe, required_split(recipe)).slice(0, 0).replace_schema_metadata()
    if items.num_rows == 0 and not may_be_empty:
        raise UsageError(
            f"{recipe.name}: the split {split!r} is empty",
            where=root,
            fix=recipe.obtain,
        )
    return items


def _remarks(items: pa.Table, root: Path, official: int | None) -> list[str]:
    """What the reader has to say of a split, and how it compares with the release."""
    lines: list[str] = (items.schema.metadata or {}).get(REMARKS.encode(), b"").decode().splitlines()
    if official is not None and items.num_rows != official and not (root / MARKER).exists():
        lines.append(f"{items.num_rows:,} images, the release has {official:,}")
    return lines


def _merged(told: Mapping[str, list[str]]) -> tuple[str, ...]:
    """Remarks with the splits that they are of, which is not said where it is all of them."""
    splits: dict[str, list[str]] = defaultdict(list)
    for split, lines in told.items():
        for line in lines:
            splits[line].append(split)
    return tuple(line if len(names) == len(told) else f"{', '.join(names)}: {line}" for line, names in splits.items())


def _cut(split: str, start: int, count: int, size: int) -> Iterator[PlannedShard]:
    for number, first in enumerate(range(0, count, size)):
        yield PlannedShard(split, number, start + first, start + min(first + size, count))


def _with_plan_columns(items: pa.Table, split: str, shard_size: int) -> pa.Table:
    numbers = np.arange(items.num_rows) // shard_size
    names = np.array([shard_name(split, number) for number in range(int(numbers[-1]) + 1)] if len(numbers) else [""])
    columns = {
        "split": pa.array([split] * items.num_rows, pa.string()),
        "shard": pa.array(names[numbers], pa.string()),
        "problem": problems(items),
    }
    for name, values in columns.items():
        items = items.append_column(pa.field(name, pa.string()), values)
    return items


def _codes(column: pa.ChunkedArray) -> NDArray[np.int32]:
    """One integer a distinct string, numbered by first appearance."""
    encoded = column.combine_chunks().dictionary_encode()
    return np.asarray(encoded.indices.to_numpy(zero_copy_only=False), np.int32)


def _position_within(codes: NDArray[np.integer]) -> NDArray[np.int64]:
    """For each row how many rows of the same code came before it."""
    order = np.argsort(codes, kind="stable")
    ordered = codes[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(ordered) else np.empty(0, np.int64)
    runs = np.repeat(starts, np.diff(np.r_[starts, len(ordered)]))
    positions = np.empty(len(codes), np.int64)
    positions[order] = np.arange(len(codes)) - runs
    return positions
