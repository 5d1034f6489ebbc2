from __future__ import annotations

import errno
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pytest

from dpt_bench.conversion import shard_job, storage_errors, write_shard
from dpt_bench.conversion.options import BuildOptions
from dpt_bench.conversion.plan import plan_dataset
from dpt_bench.conversion.shard_job import ShardJob, encode_items, run_job
from dpt_bench.core.errors import DataError, UsageError
from dpt_bench.core.mix import Member
from dpt_bench.core.recipe import load_recipe
from dpt_bench.shards import ShardStore, iterate_shard
from dpt_bench.shards.index import read_ledger
from dpt_bench.shards.temporary import is_temporary


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage_errors, "PAUSES_S", (0.0, 0.0, 0.0))


@pytest.fixture
def job(toy: Any, tmp_path: Path) -> ShardJob:
    """All seven training items of the toy in one shard."""
    return job_of(toy, tmp_path / "out")


def job_of(toy: Any, out: Path) -> ShardJob:
    options = BuildOptions()
    plan = plan_dataset(load_recipe(toy.recipe), toy.root, Member(recipe="toy"), options)
    return ShardJob(
        dataset="toy",
        recipe=str(toy.recipe),
        recipe_sha256=plan.identity.recipe_sha256,
        raw=str(toy.root),
        out=str(out),
        split="train",
        number=0,
        items=encode_items(plan.items(plan.shards[0])),
        options=options.sample,
    )


def _rows(job: ShardJob) -> dict[str, dict[str, Any]]:
    ledger = read_ledger(ShardStore.at(job.out), "toy", job.shard)
    return {row["key"]: row for row in ledger.table.to_pylist()}


def _tar(job: ShardJob) -> Path:
    return Path(job.out) / "toy" / job.shard


def test_a_job_commits_its_shard(job: ShardJob) -> None:
    report = run_job(job)
    assert report.error is None
    assert (report.samples, report.rejections, report.reused) == (7, {}, False)
    assert report.num_bytes == _tar(job).stat().st_size
    samples = list(iterate_shard(ShardStore.at(job.out), f"toy/{job.shard}"))
    rows = list(_rows(job).values())
    assert [sample.key for sample in samples] == [row["key"] for row in rows]
    assert rows[0]["sky_fraction"] == 5 / 40
    assert rows[0]["lo"] == 0
    assert sorted(path.name for path in _tar(job).parent.iterdir()) == ["train-00000.parquet", "train-00000.tar"]


def test_a_second_run_keeps_the_shard(job: ShardJob) -> None:
    first = run_job(job)
    stamp = _tar(job).stat().st_mtime_ns
    second = run_job(job)
    assert second.reused
    assert replace(second, reused=False, seconds=0) == replace(first, seconds=0)
    assert _tar(job).stat().st_mtime_ns == stamp


def test_a_shard_without_a_ledger_is_made_again(job: ShardJob) -> None:
    run_job(job)
    data = _tar(job).read_bytes()
    _tar(job).with_suffix(".parquet").unlink()
    _tar(job).write_bytes(b"half")
    assert not run_job(job).reused
    assert _tar(job).read_bytes() == data


def test_a_truncated_shard_is_made_again(job: ShardJob) -> None:
    run_job(job)
    data = _tar(job).read_bytes()
    _tar(job).write_bytes(data[:5000])
    assert not run_job(job).reused
    assert _tar(job).read_bytes() == data


def test_a_shard_of_other_options_is_made_again(job: ShardJob) -> None:
    run_job(job)
    data = _tar(job).read_bytes()
    other = replace(job, options=replace(job.options, jpeg_quality=50))
    assert not run_job(other).reused
    assert len(_tar(job).read_bytes()) < len(data)


def test_a_shard_whose_reader_says_something_else_is_made_again(job: ShardJob) -> None:
    items = pa.ipc.open_stream(job.items).read_all()
    for swapped in (False, True):
        turned = items.append_column("swapped", pa.array([swapped] * items.num_rows))
        assert not run_job(replace(job, items=encode_items(turned))).reused
        assert run_job(replace(job, items=encode_items(turned))).reused


def _truncate_image(toy: Any) -> None:
    path = toy.file("train/a_000", "png")
    path.write_bytes(path.read_bytes()[:-200])


def _empty_image(toy: Any) -> None:
    toy.file("train/a_000", "png").write_bytes(b"")


def _shape_mismatch(toy: Any) -> None:
    np.save(toy.file("train/a_000", "npy"), np.ones((40, 51), np.float32))


def _all_invalid(toy: Any) -> None:
    np.save(toy.file("train/a_000", "npy"), np.zeros((40, 52), np.float32))


def _flat(toy: Any) -> None:
    np.save(toy.file("train/a_000", "npy"), np.full((40, 52), 2, np.float32))


def _remove_depth(toy: Any) -> None:
    toy.file("train/a_000", "npy").unlink()


def _folder_instead_of_a_file(toy: Any) -> None:
    toy.file("train/a_000", "npy").unlink()
    toy.file("train/a_000", "npy").mkdir()


def _reader_with_a_bug(toy: Any) -> None:
    path = toy.folder / "toy_reader.py"
    bug = '        if row["key"] == "train/a_000":\n            raise KeyError("bug")\n        image ='
    path.write_text(path.read_text().replace("        image =", bug))


def _reader_that_trusts_nan(toy: Any) -> None:
    path = toy.folder / "toy_reader.py"
    path.write_text(path.read_text().replace("valid = (depth > 0) | sky", "valid = depth != 0"))
    depth = np.load(toy.file("train/a_000", "npy"))
    depth[20, 20] = np.nan
    np.save(toy.file("train/a_000", "npy"), depth)


def _reader_that_renames(toy: Any) -> None:
    path = toy.folder / "toy_reader.py"
    path.write_text(path.read_text().replace('key=row["key"]', 'key=row["key"].replace("a_000", "a_999")'))


def _unicode_key(toy: Any) -> None:
    for ending in ("png", "npy"):
        toy.file("train/a_000", ending).rename(toy.file("train/a_\u00e4", ending))


def _key_with_dots(toy: Any) -> None:
    for ending in ("png", "npy"):
        toy.file("train/a_000", ending).rename(toy.file("train/a_0.0", ending))


def _key_too_long(toy: Any) -> None:
    for ending in ("png", "npy"):
        toy.file("train/a_000", ending).rename(toy.file("train/" + "x" * 90, ending))


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (_truncate_image, "corrupt-file"),
        (_empty_image, "corrupt-file"),
        (_shape_mismatch, "shape-mismatch"),
        (_all_invalid, "too-few-valid"),
        (_flat, "flat"),
        (_remove_depth, "missing-file"),
        (_folder_instead_of_a_file, "unreadable-file"),
        (_reader_with_a_bug, "unexpected-error"),
        (_reader_that_trusts_nan, "non-finite"),
        (_reader_that_renames, "bad-key"),
        (_unicode_key, "bad-key"),
        (_key_with_dots, "bad-key"),
        (_key_too_long, "bad-key"),
    ],
)
def test_a_bad_item_is_a_row_and_the_others_are_kept(
    make_toy: Callable[..., Any], tmp_path: Path, fault: Callable[[Any], None], reason: str
) -> None:
    toy = make_toy("faulty", name="toy")
    if fault is _remove_depth or fault is _folder_instead_of_a_file:
        job = job_of(toy, tmp_path / "out")
        fault(toy)
    else:
        fault(toy)
        job = job_of(toy, tmp_path / "out")
    report = run_job(job)
    assert report.error is None
    assert report.rejections == {reason: 1}
    assert report.samples == 6
    rows = _rows(job)
    (rejected,) = [row for row in rows.values() if row["status"] == "rejected"]
    assert rejected["sources"][0].startswith("train/")
    assert rejected["offset"] is None
    assert rejected["message"]
    assert str(tmp_path) not in rejected["message"]
    assert len(list(iterate_shard(ShardStore.at(job.out), f"toy/{job.shard}"))) == 6


def test_the_place_of_the_raw_tree_leaves_no_trace(make_toy: Callable[..., Any], tmp_path: Path) -> None:
    ledgers = []
    for place in ("here", "there"):
        toy = make_toy(place)
        _remove_depth_later = job_of(toy, tmp_path / f"out_{place}")
        toy.file("train/a_000", "npy").unlink()
        run_job(_remove_depth_later)
        ledgers.append(_tar(_remove_depth_later).with_suffix(".parquet").read_bytes())
    assert ledgers[0] == ledgers[1]


def test_retry_rejected_converts_mended_files(toy: Any, tmp_path: Path) -> None:
    good = toy.file("train/a_000", "png").read_bytes()
    whole = job_of(toy, tmp_path / "whole")
    run_job(whole)
    _truncate_image(toy)
    job = job_of(toy, tmp_path / "out")
    assert run_job(job).samples == 6
    toy.file("train/a_000", "png").write_bytes(good)
    assert run_job(job).reused
    assert run_job(replace(job, retry_rejected=True)).samples == 7
    assert _tar(job).read_bytes() == _tar(whole).read_bytes()
    assert run_job(replace(job, retry_rejected=True)).reused


def test_a_worker_with_another_recipe_makes_nothing(job: ShardJob) -> None:
    report = run_job(replace(job, recipe_sha256="0" * 64))
    assert isinstance(report.error, DataError)
    assert "recipe" in report.error.what
    assert not _tar(job).exists()


def test_a_raw_folder_that_has_gone_makes_no_rejections(toy: Any, job: ShardJob) -> None:
    toy.root.rename(toy.raw / "elsewhere")
    report = run_job(job)
    assert isinstance(report.error, DataError)
    assert "gone" in report.error.what
    assert not _tar(job).exists()


def _breaking(number: int, times: int) -> Callable[..., Any]:
    """A stand-in for the conversion of an item that fails with an OSError the first `times` times."""
    convert = write_shard.convert_item
    left = [times]

    def broken(*arguments: Any) -> Any:
        left[0] -= 1
        if left[0] >= 0:
            raise OSError(number, os.strerror(number))
        return convert(*arguments)

    return broken


def test_the_ledger_of_a_build_that_was_faster_is_kept(job: ShardJob, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be reading the ledger already, to finish the dataset."""
    seen = []

    def other_build_is_faster(store: ShardStore, dataset: str, shard: str) -> Any:
        monkeypatch.setattr(shard_job, "read_ledger", read_ledger)
        with pytest.raises(FileNotFoundError) as missing:
            read_ledger(store, dataset, shard)
        assert not run_job(job).reused
        ledger = _tar(job).with_suffix(".parquet")
        seen.append((ledger, ledger.stat().st_mtime_ns))
        raise missing.value

    monkeypatch.setattr(shard_job, "read_ledger", other_build_is_faster)
    assert run_job(job).reused
    ((ledger, stamp),) = seen
    assert ledger.stat().st_mtime_ns == stamp


def test_a_hiccup_of_the_storage_is_survived(job: ShardJob, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write_shard, "convert_item", _breaking(errno.ESTALE, 2))
    assert run_job(job).samples == 7


def test_a_failed_upload_does_not_convert_again(job: ShardJob, monkeypatch: pytest.MonkeyPatch) -> None:
    put, tries, converted = ShardStore.put_atomic, [], []
    convert = write_shard.convert_item

    def hiccup(store: ShardStore, local: Path, name: str) -> None:
        tries.append(name)
        if len(tries) in (1, 2, 4):
            raise OSError(errno.ECONNABORTED, "the connection was cut")
        put(store, local, name)

    monkeypatch.setattr(ShardStore, "put_atomic", hiccup)
    monkeypatch.setattr(write_shard, "convert_item", lambda *facts: (converted.append(1), convert(*facts))[1])
    assert run_job(job).samples == 7
    assert [name.rpartition(".")[2] for name in tries] == ["tar", "tar", "tar", "parquet", "parquet"]
    assert len(converted) == 7


@pytest.mark.parametrize(
    ("number", "kind", "fatal"),
    [(errno.ESTALE, DataError, False), (errno.ENOSPC, DataError, True), (errno.EROFS, UsageError, True)],
)
def test_lasting_trouble_of_the_storage_is_told(
    job: ShardJob, monkeypatch: pytest.MonkeyPatch, number: int, kind: type[Exception], fatal: bool
) -> None:
    monkeypatch.setattr(write_shard, "convert_item", _breaking(number, 99))
    report = run_job(job)
    assert isinstance(report.error, kind)
    assert report.fatal == fatal
    assert report.error.fix
    assert list(_tar(job).parent.iterdir()) == []


def test_what_a_dead_worker_left_is_removed(job: ShardJob) -> None:
    _tar(job).parent.mkdir(parents=True)
    (_tar(job).parent / f".{job.shard}.{'0' * 32}.tmp").write_bytes(b"half")
    run_job(job)
    assert not [path for path in _tar(job).parent.iterdir() if is_temporary(path.name)]


def test_opencv_runs_on_one_thread_in_a_job_only(job: ShardJob, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    convert = write_shard.convert_item
    monkeypatch.setattr(
        write_shard, "convert_item", lambda *arguments: (seen.append(cv2.getNumThreads()), convert(*arguments))[1]
    )
    before = cv2.getNumThreads()
    cv2.setNumThreads(2)
    try:
        run_job(job)
        assert cv2.getNumThreads() == 2
    finally:
        cv2.setNumThreads(before)
    assert set(seen) == {1}


def test_jobs_are_written_to_any_file_system(toy: Any, tmp_path: Path) -> None:
    job = replace(job_of(toy, tmp_path), out="memory://shard_job")
    local = job_of(toy, tmp_path / "local")
    assert run_job(job).samples == 7
    run_job(local)
    assert ShardStore.at("memory://shard_job").read_bytes(f"toy/{job.shard}") == _tar(local).read_bytes()
    assert run_job(job).reused
