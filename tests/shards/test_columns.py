"""Columns from buffers are those that arrow itself would make, down to the bytes of a parquet file."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from dpt_bench.shards.columns import table_of
from dpt_bench.shards.index import encode_table

SCHEMA = pa.schema(
    [
        ("text", pa.string()),
        ("texts", pa.list_(pa.string())),
        ("whole", pa.int64()),
        ("short", pa.int32()),
        ("real", pa.float64()),
    ]
)
TEXTS = st.sampled_from(["", "a", "a/b.png", "Stra\u00dfe", "\u5317\u4eac", "\U0001f3d4 peak", "x" * 300])
ROWS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "text": st.none() | TEXTS,
            "texts": st.none() | st.lists(TEXTS, max_size=3),
            "whole": st.none() | st.integers(-(2**63), 2**63 - 1),
            "short": st.none() | st.integers(-(2**31), 2**31 - 1),
            "real": st.none() | st.floats(allow_nan=False),
        },
    ),
    max_size=20,
)


@settings(deadline=None)  # the first call imports pandas
@given(ROWS)
def test_arrow_makes_the_same_columns(rows: list[dict[str, Any]]) -> None:
    ours, theirs = table_of(rows, SCHEMA), pa.Table.from_pylist(rows, SCHEMA)
    ours.validate(full=True)
    assert ours.equals(theirs)
    assert encode_table(ours) == encode_table(theirs)


def test_a_ledger_is_written_and_read_without_pandas() -> None:
    """Nor without what loads it: a worker of a build starts in half the time."""
    program = (
        "import sys, dpt_bench.conversion.worker; from dpt_bench.shards import index;"
        "record = index.LedgerRecord(schema_version=1, job_sha256='', samples=0, rejected=0, num_bytes=0, sha256='');"
        "row = dict.fromkeys(('key', 'split', 'shard', 'scene', 'status'), 'a') | {'sources': ['b']};"
        "print(len(index.encode_ledger([row], record)) > 0, *{'pandas', 'jinja2', 'pyarrow.compute', 'torch'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True"]
