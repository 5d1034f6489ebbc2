from __future__ import annotations

import json
import pickle
import shutil
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import dpt_bench
from dpt_bench.conversion import BuildFailed, BuildOptions, BuildReport, build, shard_job
from dpt_bench.conversion.claims import claim_place
from dpt_bench.core.errors import DataError, UnknownNameError, UsageError
from dpt_bench.core.mix import Member, Mix
from dpt_bench.formats import npy_zst
from dpt_bench.shards import ShardStore, open_shards, verify
from dpt_bench.shards.records import read_dataset_record

SMALL = BuildOptions(shard_size=3)


def _build(toy: Any, out: Path | str, options: BuildOptions = SMALL, **arguments: Any) -> BuildReport:
    return build(toy.recipe, toy.raw, out, options=options, **{"executor": "serial", **arguments})


def _files(out: Path) -> dict[str, bytes]:
    return {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}


def _mix(*members: Member) -> Mix:
    return Mix(name="toys", version=2, title="", citation="", members=members)


def test_a_build_from_raw_to_shards(toy: Any, tmp_path: Path) -> None:
    report = _build(toy, tmp_path / "out")
    assert report.complete
    assert report.coverage == "1 of 1"
    (row,) = report.rows
    assert (row.dataset, row.status, row.samples, row.shards) == ("toy", "built", {"train": 7, "val": 2}, 4)
    assert report.table()[1][:3] == ("toy", "built", "7 train + 2 val")
    assert verify(tmp_path / "out").ok
    shards = open_shards(tmp_path / "out")
    assert shards.index("toy", "train").num_rows == 7
    assert shards.index("toy", "val").num_rows == 2
    first = shards.index("toy", "train").to_pylist()[0]
    sample = shards.read("toy", first)
    assert sample.key == first["key"]
    assert sample.meta["camera"]["fx"] == 100


@pytest.mark.parametrize("executor", ["processes", "ray"])
def test_all_executors_write_the_same_bytes(
    executor: str, request: pytest.FixtureRequest, toy: Any, tmp_path: Path
) -> None:
    if executor == "ray":
        request.getfixturevalue("ray_cluster")
    _build(toy, tmp_path / "serial")
    _build(toy, tmp_path / executor, executor=executor, workers=2)
    assert _files(tmp_path / "serial") == _files(tmp_path / executor)
    assert len(_files(tmp_path / "serial")) == 12


def test_building_again_changes_nothing(toy: Any, tmp_path: Path) -> None:
    _build(toy, tmp_path / "out")
    before = _files(tmp_path / "out")
    stamps = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.tar")}
    report = _build(toy, tmp_path / "out")
    assert report.complete
    assert _files(tmp_path / "out") == before
    assert {path: path.stat().st_mtime_ns for path in stamps} == stamps


def test_a_build_that_goes_on_after_a_change_of_encoding_mixes_nothing(
    toy: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as older:
        older.setattr(shard_job, "ENCODING_VERSION", 0)
        older.setattr(npy_zst, "_LEVEL", 19)
        _build(toy, tmp_path / "out")
    old = _files(tmp_path / "out")
    (tmp_path / "out" / "toy" / "train-00001.parquet").unlink()
    _build(toy, tmp_path / "out")
    _build(toy, tmp_path / "new")
    found, expected = _files(tmp_path / "out"), _files(tmp_path / "new")
    assert found == expected
    assert all(old[name] != found[name] for name in found if name.endswith((".tar", "-00000.parquet")))


def test_a_build_mends_what_verify_names(toy: Any, tmp_path: Path) -> None:
    _build(toy, tmp_path / "out")
    before = _files(tmp_path / "out")
    shard = tmp_path / "out" / "toy" / "train-00001.tar"
    shard.write_bytes(before["toy/train-00001.tar"][:-1] + b"\1")
    assert verify(tmp_path / "out").rerun == ["toy/train-00001.tar"]
    shard.with_suffix(".parquet").unlink()
    _build(toy, tmp_path / "out")
    assert _files(tmp_path / "out") == before


@pytest.mark.parametrize("name", ["manifest.json", "toy/dataset.json"])
def test_a_damaged_record_is_made_again_and_the_shards_are_kept(name: str, toy: Any, tmp_path: Path) -> None:
    out = tmp_path / "out"
    _build(toy, out)
    before = _files(out)
    stamps = {path: path.stat().st_mtime_ns for path in out.rglob("*.tar")}
    (out / name).write_bytes(before[name][:100])
    with pytest.raises(DataError, match="delete it and build again"):
        _build(toy, out)
    (out / name).unlink()
    _build(toy, out)
    assert _files(out) == before
    assert {path: path.stat().st_mtime_ns for path in stamps} == stamps


def test_an_object_store_holds_the_same_bytes(toy: Any, tmp_path: Path) -> None:
    url = f"memory://{uuid.uuid4().hex}/shards"
    assert _build(toy, url).complete
    _build(toy, tmp_path / "out")
    assert verify(url).ok
    store, local = open_shards(url).store, open_shards(tmp_path / "out").store
    for name in local.list("toy"):
        assert store.read_bytes(f"toy/{name}") == local.read_bytes(f"toy/{name}")


def test_the_public_function_is_this_one() -> None:
    assert dpt_bench.build is build


def test_what_is_missing_is_told_with_how_to_obtain_it(toy: Any, tmp_path: Path) -> None:
    mix = _mix(Member(recipe="no_such_dataset"), Member(recipe=str(toy.recipe), weight=2), Member(recipe="redweb"))
    arguments = {"executor": "serial", "options": SMALL}
    report = build(mix, toy.raw, tmp_path / "out", **arguments)
    assert not report.complete
    assert report.coverage == "1 of 3"
    assert set(report.missing) == {"no_such_dataset", "redweb"}
    assert "not readable by this version" in report.missing["no_such_dataset"]
    assert str(toy.raw / "redweb") in report.missing["redweb"]
    manifest = open_shards(tmp_path / "out").manifest
    assert manifest.coverage == "1 of 3"
    assert manifest.missing == report.missing
    assert manifest.weight("toy") == 2
    assert build(mix, toy.raw, tmp_path / "out", **arguments, datasets=["toy"]).complete
    lenient = replace(SMALL, allow_missing=True)
    assert build(mix, toy.raw, tmp_path / "out", executor="serial", options=lenient).complete


def test_the_report_notes_what_the_raw_tree_lacks(toy: Any, tmp_path: Path) -> None:
    toy.recipe.write_text(toy.recipe.read_text().replace("[splits.val]", "[splits.val]\nimages = 400\n"))
    for dry_run in (True, False):
        (row,) = _build(toy, tmp_path / "out", replace(SMALL, dry_run=dry_run)).rows
        assert row.note == "val: 2 images, the release has 400"


def test_what_a_killed_build_left_is_swept(toy: Any, tmp_path: Path) -> None:
    _build(toy, tmp_path / "out")
    before = _files(tmp_path / "out")
    names = ("manifest.json", "toy/dataset.json", "toy/train-00000.tar")
    for path in [tmp_path / "out" / name for name in names]:
        path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp").write_bytes(b"half")
    assert len(verify(tmp_path / "out").problems) == len(names)
    _build(toy, tmp_path / "out")
    assert _files(tmp_path / "out") == before


def test_the_place_of_a_mix_that_has_begun_is_not_anothers(toy: Any, tmp_path: Path) -> None:
    """Nothing is finished there, and the manifest lists no dataset; but who has begun may be at work."""
    other = Member(recipe="redweb")
    mine, larger = _mix(Member(recipe=str(toy.recipe)), other), _mix(other, Member(recipe=str(toy.recipe)))
    arguments = {"raw": toy.raw, "out": tmp_path / "out", "executor": "serial", "datasets": ["toy"]}
    (tmp_path / "out").mkdir()
    claim_place(ShardStore.at(tmp_path / "out"), mine, SMALL)
    with pytest.raises(UsageError, match="are of toys, with redweb, which toy has not") as raised:
        _build(toy, tmp_path / "out")
    assert "delete manifest.json" in str(raised.value.fix)
    assert build(larger, options=SMALL, **arguments).complete
    assert [member.dataset for member in open_shards(tmp_path / "out").manifest.members] == ["redweb", "toy"]
    (tmp_path / "out" / "manifest.json").unlink()
    assert _build(toy, tmp_path / "out").complete
    assert open_shards(tmp_path / "out").manifest.mix == "toy"


def test_a_dataset_asked_for_by_name_must_be_there(toy: Any, tmp_path: Path) -> None:
    mix = _mix(Member(recipe=str(toy.recipe)), Member(recipe="redweb"))
    with pytest.raises(UsageError, match="redweb: nothing at"):
        build(mix, toy.raw, tmp_path / "out", datasets=["toy", "redweb"], executor="serial")
    assert not (tmp_path / "out").exists()


def test_no_data_at_all_is_a_wrong_call(toy: Any, tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    with pytest.raises(UsageError, match="no dataset of toy"):
        build(toy.recipe, tmp_path / "raw", tmp_path / "out", options=replace(SMALL, allow_missing=True))
    assert not (tmp_path / "out").exists()


def test_wrong_calls_write_nothing(toy: Any, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="executor"):
        _build(toy, tmp_path / "out", executor="slurm")
    with pytest.raises(UnknownNameError, match="toyy"):
        _build(toy, tmp_path / "out", datasets=["toyy"])
    with pytest.raises(UsageError, match="raw folder"):
        build(toy.recipe, tmp_path / "nosuch", tmp_path / "out")
    (toy.root / "train").rename(toy.root / "training")
    with pytest.raises(UsageError, match="not a toy tree"):
        _build(toy, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_output_that_is_a_file_is_a_wrong_call(toy: Any, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(UsageError, match="cannot be written"):
        _build(toy, tmp_path / "out")


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"jpeg_quality": 90}, "jpeg_quality: 95 there, 90 asked for"),
        ({"shard_size": 4}, "shard_size: 3 there, 4 asked for"),
        ({"short_side": "native"}, "short_side: 384 there, native asked for"),
        ({"seed": 1}, "seed: 0 there, 1 asked for"),
    ],
)
def test_other_options_are_refused(toy: Any, tmp_path: Path, change: dict[str, Any], key: str) -> None:
    _build(toy, tmp_path / "out")
    before = _files(tmp_path / "out")
    with pytest.raises(UsageError, match=key):
        _build(toy, tmp_path / "out", replace(SMALL, **change))
    assert _files(tmp_path / "out") == before


def test_another_recipe_stride_or_raw_tree_is_refused(toy: Any, tmp_path: Path) -> None:
    _build(toy, tmp_path / "out")
    mix = _mix(Member(recipe=str(toy.recipe), stride=2))
    with pytest.raises(UsageError, match=r"options\.stride: 1 there, 2 asked for"):
        build(mix, toy.raw, tmp_path / "out", executor="serial", options=SMALL)
    toy.file("train/a_000", "png").unlink()
    with pytest.raises(UsageError, match=r"items\.train\.count: 7 there, 6 asked for"):
        _build(toy, tmp_path / "out")
    toy.recipe.write_text(toy.recipe.read_text().replace("version = 1", "version = 2"))
    with pytest.raises(UsageError, match="recipe_version: 1 there, 2 asked for"):
        _build(toy, tmp_path / "out")


def test_options_that_change_no_byte_are_free(toy: Any, tmp_path: Path) -> None:
    _build(toy, tmp_path / "out")
    assert _build(toy, tmp_path / "out", replace(SMALL, max_rejected=0.5, allow_missing=True)).complete


@pytest.mark.parametrize(
    "wrong", [{"shard_size": 0}, {"max_rejected": 2.0}, {"short_side": 3}, {"jpeg_quality": 0}], ids=str
)
def test_impossible_options(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=next(iter(wrong))):
        BuildOptions(**wrong)


def _spoil(toy: Any, count: int) -> None:
    for number in range(count):
        toy.file(f"train/{'ab'[number % 2]}_{number:03d}", "png").write_bytes(b"")


def test_every_item_is_in_a_shard_or_rejected(toy: Any, tmp_path: Path) -> None:
    _spoil(toy, 1)
    report = _build(toy, tmp_path / "out", replace(SMALL, max_rejected=0.2))
    assert report.rows[0].rejections == {"corrupt-file": 1}
    shards = open_shards(tmp_path / "out")
    rejected = shards.rejected("toy").to_pylist()
    assert [row["key"] for row in rejected] == ["train/a_000"]
    assert rejected[0]["sources"] == ["train/a_000.png", "train/a_000.npy"]
    listed = {f"{path.parent.name}/{path.stem}" for path in toy.root.rglob("*.png")}
    assert {*shards.index("toy")["key"].to_pylist(), "train/a_000"} == listed
    assert verify(tmp_path / "out").ok


def test_too_many_rejections_fail_the_dataset_after_the_others(
    toy: Any, make_toy: Callable[..., Any], tmp_path: Path
) -> None:
    other = make_toy("other", name="zoo")
    shutil.move(other.root, toy.raw / "zoo")
    _spoil(toy, 3)
    mix = _mix(Member(recipe=str(toy.recipe)), Member(recipe=str(other.recipe)))
    with pytest.raises(BuildFailed, match="toy: 3 of 9 items were rejected") as failure:
        build(mix, toy.raw, tmp_path / "out", executor="serial", options=SMALL)
    assert failure.value.exit_code == 1
    assert "--max-rejected" in str(failure.value)
    report = pickle.loads(pickle.dumps(failure.value)).report
    assert [row.status for row in report.rows] == ["failed", "built"]
    assert not report.complete
    assert open_shards(tmp_path / "out").datasets == ("zoo",)
    assert "3 corrupt-file" in open_shards(tmp_path / "out").manifest.missing["toy"]
    rejected = tmp_path / "out" / "toy" / "rejected.parquet"
    assert rejected.exists()
    lenient = replace(SMALL, max_rejected=0.5)
    assert build(mix, toy.raw, tmp_path / "out", executor="serial", options=lenient).complete
    assert open_shards(tmp_path / "out").datasets == ("toy", "zoo")


def test_a_training_split_without_a_sample_fails(toy: Any, tmp_path: Path) -> None:
    _spoil(toy, 7)
    with pytest.raises(BuildFailed, match="7 of 9"):
        _build(toy, tmp_path / "out", replace(SMALL, max_rejected=1.0))


def test_mended_files_are_tried_again_on_demand(toy: Any, tmp_path: Path) -> None:
    _build(toy, tmp_path / "whole")
    good = toy.file("train/a_000", "png").read_bytes()
    _spoil(toy, 1)
    lenient = replace(SMALL, max_rejected=0.5)
    _build(toy, tmp_path / "out", lenient)
    toy.file("train/a_000", "png").write_bytes(good)
    assert _build(toy, tmp_path / "out", lenient).rows[0].samples["train"] == 6
    assert _build(toy, tmp_path / "out", replace(lenient, retry_rejected=True)).rows[0].samples["train"] == 7
    assert _files(tmp_path / "out") == _files(tmp_path / "whole")


def test_a_dry_run_writes_nothing_and_knows_the_size(toy: Any, tmp_path: Path) -> None:
    report = _build(toy, tmp_path / "out", replace(SMALL, dry_run=True))
    assert not (tmp_path / "out").exists()
    (row,) = report.rows
    assert (row.status, row.samples, row.shards) == ("planned", {"train": 7, "val": 2}, 4)
    assert report.free_bytes is not None
    true_size = _build(toy, tmp_path / "out").rows[0].num_bytes
    assert row.num_bytes == pytest.approx(true_size, rel=0.25)


def test_finished_shards_outlive_their_raw_tree(toy: Any, make_toy: Callable[..., Any], tmp_path: Path) -> None:
    _build(toy, tmp_path / "out")
    other = make_toy("other", name="zoo")
    mix = _mix(Member(recipe=str(toy.recipe)), Member(recipe=str(other.recipe)))
    report = build(mix, other.raw, tmp_path / "out", executor="serial", options=SMALL)
    assert [row.status for row in report.rows] == ["present", "built"]
    assert report.complete
    assert open_shards(tmp_path / "out").manifest.coverage == "2 of 2"


def test_the_manifest_grows_with_each_dataset(toy: Any, make_toy: Callable[..., Any], tmp_path: Path) -> None:
    other = make_toy("other", name="zoo")
    shutil.move(other.root, toy.raw / "zoo")
    mix = _mix(Member(recipe=str(toy.recipe)), Member(recipe=str(other.recipe)))
    build(mix, toy.raw, tmp_path / "out", datasets=["zoo"], executor="serial", options=SMALL)
    manifest = open_shards(tmp_path / "out").manifest
    assert (manifest.coverage, manifest.missing) == ("1 of 2", {"toy": "not built"})
    build(mix, toy.raw, tmp_path / "out", datasets=["toy"], executor="serial", options=SMALL)
    assert open_shards(tmp_path / "out").manifest.coverage == "2 of 2"
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["provenance"]["python"]


def test_a_finished_record_tells_all(toy: Any, tmp_path: Path) -> None:
    _build(toy, tmp_path / "out")
    record = read_dataset_record(open_shards(tmp_path / "out").store, "toy")
    assert record is not None
    assert record.complete
    assert record.identity.options == {
        "short_side": 384,
        "jpeg_quality": 95,
        "shard_size": 3,
        "seed": 0,
        "stride": 1,
        "max_images": None,
    }
    assert sum(shard.num_bytes for shard in record.shards) == sum(
        path.stat().st_size for path in (tmp_path / "out" / "toy").glob("*.tar")
    )


def test_progress_counts_items(toy: Any, tmp_path: Path) -> None:
    class Listener:
        def __init__(self) -> None:
            self.totals: dict[str, int | None] = {}
            self.done: dict[str, int] = {}

        def start(self, task: str, total: int | None = None) -> None:
            self.totals[task] = total

        def advance(self, task: str, steps: int = 1, note: str = "") -> None:
            self.done[task] = self.done.get(task, 0) + steps

        def finish(self, task: str) -> None: ...

        def message(self, text: str) -> None: ...

    listener = Listener()
    _build(toy, tmp_path / "out", progress=listener)
    assert listener.totals == listener.done == {"plan": 1, "convert": 9}
