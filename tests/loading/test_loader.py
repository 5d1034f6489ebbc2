from __future__ import annotations

import json
import shutil
import time
from collections import Counter
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch

from dpt_bench.core.errors import DataError, UnknownNameError, UsageError
from dpt_bench.loading import AugmentOptions, Batch, Loader, LoaderOptions, PackedBatch, WorkerOptions
from dpt_bench.loading.batch import pack
from dpt_bench.shards import open_shards
from dpt_bench.shards.codec import dequantise

SMALL = AugmentOptions(size=64)


def options(**changes: object) -> LoaderOptions:
    return LoaderOptions(**{"batch_size": 6, "augment": SMALL, "window_shards": 2, **changes})  # type: ignore[arg-type]


def take(loader: Loader, count: int) -> list[Batch]:
    return [unpacked(batch) for batch in islice(loader, count)]


def unpacked(batch: PackedBatch) -> Batch:
    return batch.to(torch.device("cpu"))


def same(first: Batch, second: Batch) -> bool:
    return first.keys == second.keys and all(
        torch.equal(tensor.nan_to_num(-1), second.tensors()[name].nan_to_num(-1))
        for name, tensor in first.tensors().items()
    )


@pytest.fixture(scope="module")
def expected(shards_url: str) -> list[Batch]:
    """The first eight batches, prepared in this process."""
    return take(Loader(shards_url, options()), 8)


def test_what_a_batch_holds(shards_url: str, expected: list[Batch]) -> None:
    batch = expected[0]
    assert batch.images.shape == (6, 3, 64, 64)
    assert batch.images.dtype == torch.uint8
    assert batch.images.is_contiguous(memory_format=torch.channels_last)
    assert batch.target.dtype == torch.float32
    assert batch.valid.dtype == torch.bool
    assert not batch.target.isnan().any()
    assert (batch.target[~batch.valid] == 0).all()
    assert (~batch.valid).any()
    assert batch.target.max() <= 1
    assert batch.names == ("redweb", "tartanair")
    assert [batch.names[number] for number in batch.dataset] == [key.split("/")[0] for key in batch.keys]
    assert len(batch) == 6
    for key, span in zip(batch.keys, batch.span.tolist(), strict=True):
        if key.startswith("tartanair"):
            assert span == pytest.approx([0.1, 1.0 + int(key.rpartition("/")[2])]), "of its own sample"
        else:
            assert np.isnan(span).all(), "not metric"


def test_a_device_unpacks_what_shards_hold() -> None:
    codes = np.arange(65536, dtype=np.uint16)
    images = np.arange(3 * 65536, dtype=np.uint32).astype(np.uint8).reshape(1, 256, 256, 3)
    span, dataset = np.zeros((1, 2), np.float32), np.zeros(1, np.int64)
    memory = pack(images, codes.reshape(1, 256, 256))
    batch = unpacked(PackedBatch(memory, (256, 256), span, dataset, ("a",), ("k",)))
    assert np.array_equal(batch.images.permute(0, 2, 3, 1), images)
    expected = dequantise(codes).reshape(1, 256, 256)
    assert np.array_equal(batch.valid, np.isfinite(expected))
    assert np.array_equal(batch.target, np.nan_to_num(expected)), "bit for bit"


@pytest.mark.parametrize("workers", [1, 3])
def test_workers_change_nothing(shards_url: str, expected: list[Batch], workers: int) -> None:
    batches = take(Loader(shards_url, options(workers=WorkerOptions(workers))), 8)
    assert all(same(one, other) for one, other in zip(batches, expected, strict=True))
    assert batches[0].images.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("num_ranks", [2, 3])
def test_ranks_share_the_batch(shards_url: str, expected: list[Batch], num_ranks: int) -> None:
    ranks = [take(Loader(shards_url, options(rank=rank, num_ranks=num_ranks)), 8) for rank in range(num_ranks)]
    for step, whole in enumerate(expected):
        assert torch.equal(torch.cat([batches[step].images for batches in ranks]), whole.images)
        assert sum((batches[step].keys for batches in ranks), ()) == whole.keys


def test_every_sample_once_before_any_twice(shards_url: str) -> None:
    drawn: dict[str, list[str]] = {"redweb": [], "tartanair": []}
    for batch in take(Loader(shards_url, options()), 20):
        for key in batch.keys:
            drawn[key.split("/")[0]].append(key)
    for name, size in (("redweb", 23), ("tartanair", 7)):
        for start in range(0, len(drawn[name]) - size, size):
            assert len(set(drawn[name][start : start + size])) == size
    assert len(drawn["tartanair"]) > 3 * 7, "several epochs of the small set"


@pytest.mark.parametrize("workers", [0, 2])
def test_a_state_resumes_exactly(shards_url: str, expected: list[Batch], workers: int) -> None:
    first = Loader(shards_url, options(workers=WorkerOptions(workers)))
    stream = iter(first)
    for _ in range(3):
        next(stream)
    state = json.loads(json.dumps(first.state_dict()))
    stream.close()  # type: ignore[attr-defined]
    assert state["step"] == 3, "batches that workers prepared ahead do not count"
    second = Loader(shards_url, options(workers=WorkerOptions(2 - workers)))
    second.load_state_dict(state)
    assert all(same(one, other) for one, other in zip(take(second, 5), expected[3:], strict=True))


def test_a_restore_with_another_batch_size_and_ranks_loses_no_sample(shards_url: str) -> None:
    first = Loader(shards_url, options())
    seen = Counter(key for batch in take(first, 4) for key in batch.keys)
    ranks = [Loader(shards_url, options(batch_size=8, rank=rank, num_ranks=2)) for rank in range(2)]
    for rank in ranks:
        rank.load_state_dict(first.state_dict())
    for rank in ranks:
        seen.update(key for batch in take(rank, 4) for key in batch.keys)
    for name, size in (("redweb", 23), ("tartanair", 7)):
        counts = [count for key, count in seen.items() if key.startswith(name)]
        passes = sum(counts) // size
        assert set(counts) <= {passes, passes + 1}
        assert len(counts) == size or passes == 0


def test_a_position_far_along_is_restored_in_less_than_a_second(shards_url: str) -> None:
    loader = Loader(shards_url, options())
    began = time.monotonic()
    loader.load_state_dict({"step": 4_000_000, "seed": 0, "counts": {"redweb": 12_000_007, "tartanair": 12_000_001}})
    batch = next(iter(loader))
    assert time.monotonic() - began < 1
    assert len(batch) == 6
    assert loader.epochs()["redweb"] > 500_000


def test_another_seed_is_another_order(shards_url: str, expected: list[Batch]) -> None:
    other = Loader(shards_url, options(seed=1))
    assert take(other, 1)[0].keys != expected[0].keys
    with pytest.raises(DataError, match="seed"):
        other.load_state_dict(Loader(shards_url, options()).state_dict())


def test_a_dataset_can_be_chosen(shards_url: str) -> None:
    batch = take(Loader(shards_url, options(datasets=("tartanair",))), 1)[0]
    assert {key.split("/")[0] for key in batch.keys} == {"tartanair"}
    with pytest.raises(UnknownNameError, match="tartanair"):
        Loader(shards_url, options(datasets=("tartanaire",)))


def test_a_batch_that_ranks_cannot_share_is_refused(shards_url: str) -> None:
    with pytest.raises(UsageError, match="cannot be shared"):
        Loader(shards_url, options(num_ranks=4))


def damaged(shards_url: str, folder: Path, rows: int) -> str:
    """A copy in which the first samples of tartanair are overwritten."""
    copy = Path(shutil.copytree(shards_url, folder / "damaged"))
    table = open_shards(copy).index("tartanair", "train")
    for row in table.to_pylist()[:rows]:
        with (copy / "tartanair" / row["shard"]).open("r+b") as file:
            file.seek(row["offset"] + 600)
            file.write(bytes(row["length"] - 600))
    return str(copy)


@pytest.mark.parametrize("workers", [0, 2])
def test_broken_samples_are_replaced_from_their_dataset_and_counted(
    shards_url: str, expected: list[Batch], tmp_path: Path, workers: int
) -> None:
    loader = Loader(damaged(shards_url, tmp_path, 1), options(workers=WorkerOptions(workers)))
    packed = list(islice(loader, 8))
    batches = [unpacked(batch) for batch in packed]
    bad = "tartanair/train/0000"
    assert any(bad in batch.keys for batch in expected)
    assert not any(bad in batch.keys for batch in batches)
    for batch, broken, whole in zip(batches, (one.broken for one in packed), expected, strict=True):
        assert torch.equal(batch.dataset, whole.dataset), "the mixture is what it was"
        kept = [place for place, key in enumerate(whole.keys) if key != bad]
        assert torch.equal(batch.images[kept], whole.images[kept])
        assert len(broken) == whole.keys.count(bad)
    assert loader.broken == {"redweb": 0, "tartanair": sum(whole.keys.count(bad) for whole in expected)}


@pytest.mark.parametrize("workers", [0, 1])
def test_too_many_broken_samples_fail_the_run(shards_url: str, tmp_path: Path, workers: int) -> None:
    loader = Loader(damaged(shards_url, tmp_path, 6), options(max_broken=0.002, workers=WorkerOptions(workers)))
    with pytest.raises(DataError, match="could not be read") as caught:
        take(loader, 50)
    assert "tartanair" in str(caught.value)
    assert "verify" in str(caught.value)


@pytest.mark.parametrize("workers", [0, 1])
def test_a_dataset_without_an_intact_sample_fails_the_run(shards_url: str, tmp_path: Path, workers: int) -> None:
    loader = Loader(damaged(shards_url, tmp_path, 7), options(max_broken=1.0, workers=WorkerOptions(workers)))
    with pytest.raises(DataError, match="in a row"):
        take(loader, 3)


def test_a_missing_shard_counts_as_broken_samples(shards_url: str, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(shards_url, tmp_path / "copy"))
    (copy / "tartanair" / "train-00001.tar").unlink()
    loader = Loader(copy, options())
    take(loader, 6)
    assert loader.broken["tartanair"] > 0


def test_parts_of_a_batch(expected: list[Batch]) -> None:
    part = expected[0].part(4, 8)
    assert len(part) == 2
    assert torch.equal(part.target, expected[0].target[4:])
    assert part.keys == expected[0].keys[4:]


def test_the_mixture_follows_the_weights(shards_url: str) -> None:
    loader = Loader(shards_url, options(batch_size=60, weights={"redweb": 9.0, "tartanair": 1.0}))
    share = np.mean([float((batch.dataset == 1).double().mean()) for batch in take(loader, 3)])
    assert 0.02 < share < 0.2
