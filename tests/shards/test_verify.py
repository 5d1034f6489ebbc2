from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from dpt_bench.core.errors import UsageError
from dpt_bench.shards.codec import encode_members
from dpt_bench.shards.index import read_ledger
from dpt_bench.shards.layout import ShardStore
from dpt_bench.shards.verify import verify
from dpt_bench.shards.writer import write_tar


def test_whole_shards_have_no_problems(folder: Path) -> None:
    report = verify(folder, workers=2)
    assert report.ok, report.problems
    assert (report.datasets, report.shards, report.samples) == (["toy"], 3, 6)
    assert report.num_bytes == sum(path.stat().st_size for path in folder.glob("toy/*.tar"))
    assert report.rerun == []


def test_it_verifies_any_file_system(making: Any) -> None:
    url = f"memory://{uuid.uuid4().hex}"
    making.folder(url)
    assert verify(url, workers=1).ok


def test_nothing_to_verify_is_a_wrong_call(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no shards"):
        verify(tmp_path)


SHARD = "train-00000.tar"


def _cut_at(place: Callable[[Path], int]) -> Callable[[Path], None]:
    def cut(folder: Path) -> None:
        path = folder / "toy" / SHARD
        path.write_bytes(path.read_bytes()[: place(folder)])

    return cut


def _sample_border(folder: Path) -> int:
    rows = read_ledger(ShardStore.at(folder), "toy", SHARD).table.to_pylist()
    return int(rows[1]["offset"])


def _without_end_blocks(folder: Path) -> int:
    return (folder / "toy" / SHARD).stat().st_size - 1024


def _flip(byte: int) -> Callable[[Path], None]:
    def flip(folder: Path) -> None:
        path = folder / "toy" / SHARD
        data = bytearray(path.read_bytes())
        data[byte] ^= 1
        path.write_bytes(bytes(data))

    return flip


def _flip_padding(folder: Path) -> None:
    """A byte that no decoder reads: only the hash can tell."""
    path = folder / "toy" / SHARD
    data = path.read_bytes()
    border = _sample_border(folder)
    path.write_bytes(data[: border - 1] + b"\1" + data[border:])


def _remove_tar(folder: Path) -> None:
    (folder / "toy" / SHARD).unlink()


def _remove_ledger(folder: Path) -> None:
    (folder / "toy/train-00000.parquet").unlink()


def _remove_both(folder: Path) -> None:
    _remove_tar(folder)
    _remove_ledger(folder)


def _corrupt_ledger(folder: Path) -> None:
    (folder / "toy/train-00000.parquet").write_bytes(b"PAR1")


def _swap_tars(folder: Path) -> None:
    shutil.copy(folder / "toy/train-00001.tar", folder / "toy" / SHARD)


@pytest.mark.parametrize(
    "damage",
    [
        _cut_at(lambda _: 100),
        _cut_at(lambda _: 3000),
        _cut_at(_sample_border),
        _cut_at(_without_end_blocks),
        _flip(0),
        _flip(600),
        _flip_padding,
        _remove_tar,
        _remove_ledger,
        _remove_both,
        _corrupt_ledger,
        _swap_tars,
    ],
    ids=lambda damage: damage.__qualname__,
)
def test_damage_to_a_shard_is_found_and_the_shard_named(folder: Path, damage: Callable[[Path], None]) -> None:
    damage(folder)
    report = verify(folder)
    assert not report.ok
    assert report.rerun == [f"toy/{SHARD}"], report.problems


def test_a_shard_with_a_sample_too_many_is_found(folder: Path, making: Any) -> None:
    keys = ["a/0", "a/1", "b/0", "z/0"]
    samples = [(key, encode_members(making.sample(key, number))) for number, key in enumerate(keys)]
    write_tar(folder / "toy" / SHARD, samples)
    report = verify(folder)
    assert any("z/0" in problem.what for problem in report.problems)


def test_samples_in_another_order_are_found(folder: Path, making: Any) -> None:
    samples = [(key, encode_members(making.sample(key))) for key in ("a/1", "a/0", "b/0")]
    write_tar(folder / "toy" / SHARD, samples)
    assert any("where the ledger has it" in problem.what for problem in verify(folder).problems)


def test_foreign_files_are_found(folder: Path) -> None:
    (folder / "toy/notes.txt").write_text("mine")
    (folder / "readme").write_text("mine")
    (folder / f"toy/.train-00000.tar.{uuid.uuid4().hex}.tmp").write_bytes(b"half")
    files = {problem.file: problem.what for problem in verify(folder).problems}
    assert files["notes.txt"] == files["readme"] == "a foreign file"
    assert len(files) == 3
    assert verify(folder).rerun == []


def test_a_shard_that_the_dataset_does_not_list_is_found(folder: Path) -> None:
    for ending in ("tar", "parquet"):
        shutil.copy(folder / f"toy/train-00001.{ending}", folder / f"toy/train-00002.{ending}")
    assert "a shard that the dataset does not list" in [problem.what for problem in verify(folder).problems]


@pytest.mark.parametrize("name", ["index.parquet", "rejected.parquet"])
def test_tables_must_be_the_sum_of_the_ledgers(folder: Path, name: str) -> None:
    table = pq.read_table(folder / "toy" / name)
    pq.write_table(table.slice(1), folder / "toy" / name)
    assert [problem.file for problem in verify(folder).problems] == [name]
    (folder / "toy" / name).unlink()
    assert [problem.file for problem in verify(folder).problems] == [name]


def test_an_unfinished_dataset_is_told(folder: Path) -> None:
    record = json.loads((folder / "toy/dataset.json").read_text())
    (folder / "toy/dataset.json").write_text(json.dumps(record | {"complete": False}))
    assert "the dataset is not finished" in [problem.what for problem in verify(folder).problems]


@pytest.mark.parametrize("name", ["manifest.json", "toy/dataset.json"])
def test_a_corrupt_record_is_told(folder: Path, name: str) -> None:
    (folder / name).write_text("{")
    assert name.rsplit("/", maxsplit=1)[-1] in [problem.file for problem in verify(folder).problems]


def test_a_manifest_with_other_counts_is_told(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["datasets"]["toy"]["samples"]["train"] = 6
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert any("other counts" in problem.what for problem in verify(folder).problems)
    manifest["datasets"]["gone"] = manifest["datasets"]["toy"]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert any("not here" in problem.what for problem in verify(folder).problems)
    (folder / "manifest.json").unlink()
    assert any("manifest is missing" in problem.what for problem in verify(folder).problems)


def test_progress_is_told(folder: Path) -> None:
    steps: list[str] = []

    class Listener:
        def start(self, task: str, total: int | None = None) -> None:
            steps.append(f"{task} {total}")

        def advance(self, task: str, steps_done: int = 1, note: str = "") -> None:
            steps.append(note)

        def finish(self, task: str) -> None:
            steps.append("end")

        def message(self, text: str) -> None: ...

    verify(folder, progress=Listener())  # type: ignore[arg-type]
    assert steps[0] == "verify 3"
    assert sorted(steps[1:4]) == ["toy/train-00000.tar", "toy/train-00001.tar", "toy/val-00000.tar"]
    assert steps[4] == "end"
