"""How much a plan will take on disk: the mean of a few items, converted."""

from __future__ import annotations

import numpy as np

from dpt_bench.conversion.convert_item import Source, convert_item
from dpt_bench.conversion.options import SampleOptions
from dpt_bench.conversion.plan import DatasetPlan
from dpt_bench.core.errors import SampleError

_NUM_PROBES = 5
TYPICAL_BYTES = 400_000
"""A 384 x 512 image and its inverse depth, where no item could be read: 130 kB of JPEG, 270 kB of 16-bit depth."""
_TAR_OVERHEAD = 3 * 768
"""Of three members: a header of 512 bytes each, and half a block of padding on average."""


def estimate_bytes(plan: DatasetPlan, source: Source, options: SampleOptions) -> int:
    """Bytes of all shards of a plan, from items spread evenly over it."""
    count = plan.table.num_rows
    rows = sorted(set(np.linspace(0, max(count - 1, 0), _NUM_PROBES).astype(int).tolist())) if count else []
    sizes = [size for row in rows if (size := _size_of(plan, row, source, options)) is not None]
    return int(count * (sum(sizes) / len(sizes) if sizes else TYPICAL_BYTES))


def _size_of(plan: DatasetPlan, row: int, source: Source, options: SampleOptions) -> int | None:
    (item,) = plan.table.slice(row, 1).to_pylist()
    if item["problem"] is not None:
        return None
    try:
        _, members = convert_item(source, item, options)
    except SampleError:
        return None
    return sum(map(len, members.values())) + _TAR_OVERHEAD
