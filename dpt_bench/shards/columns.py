"""Python rows -> arrow columns from their buffers.

`pa.array` would do, but it first imports pandas, to ask whether a list is one of its series: a third of a second that
every worker of a build would spend on its first ledger.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


def table_of(rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> pa.Table:
    """What `pa.Table.from_pylist(rows, schema)` gives, for strings, lists of them and numbers; absent keys are null."""
    columns = [array_of([row.get(field.name) for row in rows], field.type) for field in schema]
    return pa.Table.from_arrays(columns, schema=schema)


def array_of(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """What `pa.array(values, kind)` gives."""
    is_there = np.array([value is not None for value in values], np.bool_)
    validity = None if is_there.all() else pa.py_buffer(np.packbits(is_there, bitorder="little"))
    if pa.types.is_list(kind):
        parts = [value or () for value in values]
        child = array_of([part for value in parts for part in value], kind.value_type)
        return pa.Array.from_buffers(kind, len(values), [validity, _offsets(parts)], children=[child])
    if pa.types.is_string(kind):
        texts = [(value or "").encode() for value in values]
        return pa.Array.from_buffers(kind, len(values), [validity, _offsets(texts), pa.py_buffer(b"".join(texts))])
    assert pa.types.is_integer(kind) or pa.types.is_floating(kind), f"no column of {kind} is needed"
    numbers: NDArray[Any] = np.array([0 if value is None else value for value in values], kind.to_pandas_dtype())
    return pa.Array.from_buffers(kind, len(values), [validity, pa.py_buffer(numbers)])


def _offsets(parts: Sequence[Sequence[Any] | bytes]) -> pa.Buffer:
    """Where each part begins, and where the last one ends."""
    ends = np.cumsum([0, *map(len, parts)])
    assert ends[-1] <= np.iinfo(np.int32).max, "a column of one shard is far below 2 GiB"
    return pa.py_buffer(ends.astype(np.int32))
