from __future__ import annotations

import json
import pickle
import uuid
from pathlib import Path
from typing import Any

import pytest

from dpt_bench.core.errors import DataError, UnknownNameError, UsageError
from dpt_bench.shards import open_shards


def test_what_is_there(folder: Path) -> None:
    shards = open_shards(folder)
    assert shards.datasets == ("toy",)
    assert shards.splits("toy") == ("train", "val")
    assert shards.manifest.missing == {"absent": "not found"}
    assert shards.rejected("toy").num_rows == 3
    rows = shards.index("toy", "val").to_pylist()
    assert [shards.read("toy", row).key for row in rows] == ["v/0"]


def test_every_row_of_the_index_reads_its_own_sample(folder: Path) -> None:
    shards = open_shards(folder)
    for row in shards.index("toy").to_pylist():
        sample = shards.read("toy", row)
        assert sample.key == row["key"]
        assert sample.image.shape[:2] == (row["height"], row["width"])


def test_it_reads_from_any_file_system(making: Any) -> None:
    url = f"memory://{uuid.uuid4().hex}"
    making.folder(url)
    shards = open_shards(url)
    row = shards.index("toy", "train").to_pylist()[4]
    assert shards.read("toy", row).key == "c/0"


def test_it_travels_to_workers(folder: Path) -> None:
    shards = open_shards(folder)
    assert shards.index("toy").num_rows == 6
    copy = pickle.loads(pickle.dumps(shards))
    assert copy.read("toy", copy.index("toy", "val").to_pylist()[0]).key == "v/0"


def test_no_shards_is_a_wrong_call(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "nosuch"):
        with pytest.raises(UsageError, match="no finished shards"):
            open_shards(place)


def test_another_schema_is_told(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | {"schema_version": 99}))
    with pytest.raises(DataError, match="99"):
        open_shards(folder)


def test_an_unknown_dataset_is_told(folder: Path) -> None:
    shards = open_shards(folder)
    for call in (shards.splits, shards.index, shards.rejected):
        with pytest.raises(UnknownNameError, match="toys"):
            call("toys")
