from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dpt_bench.conversion import write_shard as module
from dpt_bench.conversion.convert_item import Source
from dpt_bench.conversion.options import BuildOptions
from dpt_bench.conversion.plan import plan_dataset
from dpt_bench.conversion.write_shard import write_shard
from dpt_bench.core.mix import Member
from dpt_bench.core.recipe import load_recipe
from dpt_bench.shards.writer import TarFacts, TarWriter


def _write(toy: Any, local: Path) -> tuple[list[dict[str, Any]], TarFacts]:
    options = BuildOptions()
    plan = plan_dataset(load_recipe(toy.recipe), toy.root, Member(recipe="toy"), options)
    source = Source.open(str(toy.recipe), plan.identity.recipe_sha256, Path(toy.root))
    return write_shard(local, source, plan.items(plan.shards[0]).to_pylist(), options.sample)


def test_rows_tell_where_samples_lie(toy: Any, tmp_path: Path) -> None:
    rows, facts = _write(toy, tmp_path / "t.tar")
    assert len(rows) == 7
    assert rows[0]["offset"] == 0
    assert [row["offset"] for row in rows[1:]] == [row["offset"] + row["length"] for row in rows[:-1]]
    assert facts.num_bytes == rows[-1]["offset"] + rows[-1]["length"] + 1024 == (tmp_path / "t.tar").stat().st_size
    assert rows[0]["original_height"] == rows[0]["height"] == 40


def _lose_the_end(data: bytes) -> bytes:
    return data[:-512]


def _lose_a_block(data: bytes) -> bytes:
    return data[:512] + data[1024:] + bytes(512)


def _swap_a_header(data: bytes) -> bytes:
    return b"\0" * 512 + data[512:]


@pytest.mark.parametrize("damage", [_lose_the_end, _lose_a_block, _swap_a_header])
def test_a_disk_that_loses_bytes_is_noticed(
    toy: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: Callable[[bytes], bytes]
) -> None:
    class Losing(TarWriter):
        def finish(self) -> TarFacts:
            facts = super().finish()
            path = tmp_path / "t.tar"
            path.write_bytes(damage(path.read_bytes()))
            return facts

    monkeypatch.setattr(module, "TarWriter", Losing)
    with pytest.raises(OSError, match="not what was written"):
        _write(toy, tmp_path / "t.tar")
