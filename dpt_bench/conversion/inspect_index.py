"""What the tables of a finished dataset say, read in blocks: counts, sizes, fractions, ranges and rejections."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from dpt_bench.shards.index import iterate_rows
from dpt_bench.shards.layout import INDEX, REJECTED, ShardStore

NUMBERS = ("valid_fraction", "sky_fraction", "lo", "hi")
MOST_KEPT = 100_000
"""Values of a column that are kept for quantiles and histograms: all of most datasets, evenly spread ones else."""
SOURCES_SHOWN = 3

_SIZES = (("height", "width"), ("original_height", "original_width"))
_WHERE = ("key", "split", "shard", "offset", "length")
_COLUMNS = [*_WHERE, "kind", *_SIZES[0], *_SIZES[1], *NUMBERS]


@dataclass
class NumberFacts:
    """One column of the index without its nulls. Extremes, mean and counts are of all rows, `kept` of some."""

    count: int = 0
    positive: int = 0
    total: float = 0.0
    low: float = np.inf
    high: float = -np.inf
    blocks: list[NDArray[np.float64]] = field(default_factory=list)

    def add(self, column: pa.ChunkedArray, kept: NDArray[np.int64]) -> None:
        """Add a block of rows; `kept` are the places of those to keep."""
        values = np.asarray(column.cast(pa.float64()).to_numpy(), np.float64)
        known = values[~np.isnan(values)]
        if known.size:
            self.count += known.size
            self.positive += int(np.count_nonzero(known > 0))
            self.total += float(known.sum())
            self.low, self.high = min(self.low, float(known.min())), max(self.high, float(known.max()))
        chosen = values[kept]
        self.blocks.append(chosen[~np.isnan(chosen)])

    @property
    def mean(self) -> float:
        return self.total / self.count

    @property
    def kept(self) -> NDArray[np.float64]:
        return np.concatenate(self.blocks) if self.blocks else np.zeros(0)


@dataclass
class IndexFacts:
    """A dataset's index in numbers. sizes, original_sizes: (height, width) -> samples. picked: rows to decode."""

    samples: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    original_sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    numbers: dict[str, NumberFacts] = field(default_factory=lambda: {name: NumberFacts() for name in NUMBERS})
    picked: list[dict[str, Any]] = field(default_factory=list)

    @property
    def num_samples(self) -> int:
        return self.samples.total()


@dataclass
class Rejection:
    """Items rejected for one reason; `examples` are the source files and the message of the first few."""

    reason: str
    count: int = 0
    examples: list[tuple[list[str], str]] = field(default_factory=list)


def read_index_facts(store: ShardStore, dataset: str, num_samples: int, picks: int, seed: int) -> IndexFacts:
    """Facts of index.parquet in one pass and constant memory, and `picks` evenly spread rows.

    Args:
        store: the shards.
        dataset: its folder.
        num_samples: rows of the index, as dataset.json counts them.
        picks: rows to pick: one at random in each of as many equal stretches of the index.
        seed: of the choice.

    Raises:
        DataError: the index is missing or corrupt.
    """
    facts = IndexFacts()
    picked = spread(num_samples, picks, seed)
    stride = -(-num_samples // MOST_KEPT) or 1
    for start, rows in _blocks(store, f"{dataset}/{INDEX}", _COLUMNS):
        facts.samples.update(_counts(rows, "split"))
        facts.kinds.update(_counts(rows.filter(pc.is_valid(rows["kind"])), "kind"))
        facts.sizes.update(_counts(rows, *_SIZES[0]))
        facts.original_sizes.update(_counts(rows, *_SIZES[1]))
        kept = np.arange(-start % stride, rows.num_rows, stride)
        for name, numbers in facts.numbers.items():
            numbers.add(rows[name], kept)
        here = picked[(picked >= start) & (picked < start + rows.num_rows)] - start
        facts.picked += rows.take(pa.array(here)).to_pylist()
    return facts


def read_rejections(store: ShardStore, dataset: str) -> list[Rejection]:
    """Rejected items by reason, the most frequent first, in constant memory.

    Raises:
        DataError: rejected.parquet is missing or corrupt.
    """
    found: dict[str, Rejection] = {}
    for _, rows in _blocks(store, f"{dataset}/{REJECTED}", ["reason", "message", "sources"]):
        for reason, count in _counts(rows, "reason").items():
            rejection = found.setdefault(reason or "unknown", Rejection(reason or "unknown"))
            rejection.count += count
            wanted = SOURCES_SHOWN - len(rejection.examples)
            for row in rows.filter(pc.equal(rows["reason"], reason)).slice(0, wanted).to_pylist():
                rejection.examples.append((row["sources"], row["message"] or ""))
    return sorted(found.values(), key=lambda rejection: (-rejection.count, rejection.reason))


def spread(total: int, picks: int, seed: int) -> NDArray[np.int64]:
    """min(picks, total) ascending places below `total`, one at random in each of as many equal stretches."""
    number = min(picks, total)
    edges = np.arange(number + 1, dtype=np.int64) * total // max(number, 1)
    return np.random.default_rng(seed).integers(edges[:-1], edges[1:])


def _blocks(store: ShardStore, name: str, columns: list[str]) -> Iterator[tuple[int, pa.Table]]:
    start = 0
    for rows in iterate_rows(store, name, columns):
        yield start, rows
        start += rows.num_rows


def _counts(rows: pa.Table, *columns: str) -> Counter[Any]:
    """How often each value, or each tuple of values of several columns, occurs."""
    grouped = rows.group_by(list(columns)).aggregate([([], "count_all")])
    values = [grouped[column].to_pylist() for column in columns]
    names = values[0] if len(columns) == 1 else list(zip(*values, strict=True))
    return Counter(dict(zip(names, grouped["count_all"].to_pylist(), strict=True)))
