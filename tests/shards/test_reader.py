from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dpt_bench.core.errors import DataError
from dpt_bench.shards import ShardStore, iterate_shard, read_sample
from dpt_bench.shards.codec import encode_members
from dpt_bench.shards.writer import write_tar


def _write(folder: Path, making: Any) -> tuple[ShardStore, list[Any]]:
    samples = [making.sample(f"k/{number}", number) for number in range(4)]
    spans = write_tar(folder / "t.tar", [(sample.key, encode_members(sample)) for sample in samples])
    return ShardStore.at(folder), spans


def test_one_range_gives_one_sample(tmp_path: Path, making: Any) -> None:
    store, spans = _write(tmp_path, making)
    for number in (2, 0, 3):
        sample = read_sample(store, "t.tar", spans[number].offset, spans[number].length)
        assert sample.key == f"k/{number}"
        assert np.nanmax(np.abs(sample.inverse_depth - making.sample("x", number).inverse_depth)) < 1e-5


def test_iterating_gives_all_in_order(tmp_path: Path, making: Any) -> None:
    store, spans = _write(tmp_path, making)
    assert [sample.key for sample in iterate_shard(store, "t.tar")] == [span.key for span in spans]


def test_every_truncation_is_found(tmp_path: Path, making: Any) -> None:
    store, spans = _write(tmp_path, making)
    data = (tmp_path / "t.tar").read_bytes()
    borders = [span.offset + span.length for span in spans]
    member_border = spans[1].offset + 512 + len(encode_members(making.sample("k/1", 1))["jpg"])
    member_border += -member_border % 512
    for cut in [0, 100, 512, 700, member_border, *borders, len(data) - 1024, len(data) - 512, len(data) - 1]:
        (tmp_path / "t.tar").write_bytes(data[:cut])
        with pytest.raises(DataError):
            list(iterate_shard(store, "t.tar"))


def test_more_after_the_end_is_found(tmp_path: Path, making: Any) -> None:
    store, _ = _write(tmp_path, making)
    (tmp_path / "t.tar").write_bytes((tmp_path / "t.tar").read_bytes() + bytes(512))
    with pytest.raises(DataError, match="end-of-archive"):
        list(iterate_shard(store, "t.tar"))


def test_a_range_that_is_no_sample_is_told(tmp_path: Path, making: Any) -> None:
    store, spans = _write(tmp_path, making)
    with pytest.raises(DataError, match="header"):
        read_sample(store, "t.tar", 512, spans[0].length)
    with pytest.raises(DataError, match="2"):
        read_sample(store, "t.tar", 0, spans[0].length + spans[1].length)
    with pytest.raises(DataError, match="too early"):
        read_sample(store, "t.tar", spans[3].offset, spans[3].length + 100_000)
    with pytest.raises(DataError, match="cut off"):
        read_sample(store, "t.tar", 0, spans[0].length - 512)


def test_a_damaged_member_names_shard_and_sample(tmp_path: Path, making: Any) -> None:
    store, spans = _write(tmp_path, making)
    data = bytearray((tmp_path / "t.tar").read_bytes())
    data[spans[1].offset + 512] ^= 255  # the first byte of the JPEG
    (tmp_path / "t.tar").write_bytes(bytes(data))
    with pytest.raises(DataError, match="k/1") as error:
        read_sample(store, "t.tar", spans[1].offset, spans[1].length)
    assert "t.tar" in str(error.value)


def test_a_missing_shard_is_told(tmp_path: Path) -> None:
    store = ShardStore.at(tmp_path)
    with pytest.raises(DataError, match="missing"):
        read_sample(store, "t.tar", 0, 512)
    with pytest.raises(DataError, match="missing"):
        list(iterate_shard(store, "t.tar"))
