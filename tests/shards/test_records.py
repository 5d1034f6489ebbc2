from __future__ import annotations

from pathlib import Path

import pytest

from dpt_bench.core.errors import DataError
from dpt_bench.shards.layout import ShardStore
from dpt_bench.shards.records import Identity, ItemsRecord, encode_record, read_dataset_record, read_manifest


def _identity(**changes: object) -> Identity:
    facts: dict[str, object] = {
        "dataset": "toy",
        "recipe_version": 1,
        "recipe_sha256": "a",
        "options": {"short_side": 384, "seed": 0},
        "items": {"train": ItemsRecord(count=3, sha256="b")},
    }
    return Identity.model_validate(facts | changes)


def test_differences_name_the_keys_and_both_values() -> None:
    other = _identity(options={"short_side": 512, "seed": 0}, items={"train": ItemsRecord(count=4, sha256="b")})
    assert _identity().differences(other) == [
        "items.train.count: 3 there, 4 asked for",
        "options.short_side: 384 there, 512 asked for",
    ]
    assert _identity().differences(_identity()) == []


def test_records_survive_the_round_trip(folder: Path) -> None:
    store = ShardStore.at(folder)
    record = read_dataset_record(store, "toy")
    assert record is not None
    assert record.samples == {"train": 5, "val": 1}
    assert record.rejections == {"corrupt-file": 3}
    assert [shard.name for shard in record.shards] == ["train-00000.tar", "train-00001.tar", "val-00000.tar"]
    assert encode_record(record) == (folder / "toy/dataset.json").read_bytes()
    manifest = read_manifest(store)
    assert manifest is not None
    assert manifest.coverage == "1 of 2"
    assert manifest.weight("absent") == 3.0
    assert manifest.datasets["toy"].sha256 == record.sha256()


def test_what_is_not_there_is_none(tmp_path: Path) -> None:
    store = ShardStore.at(tmp_path / "nowhere")
    assert read_manifest(store) is None
    assert read_dataset_record(store, "toy") is None


@pytest.mark.parametrize("text", ["", "[]", '{"schema_version": 2}', '{"mix": 1'])
def test_a_foreign_file_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(DataError, match="version") as error:
        read_manifest(ShardStore.at(tmp_path))
    assert "manifest.json" in str(error.value)
