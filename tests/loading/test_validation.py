from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from dpt_bench.loading import ValidationLoader, ValidationOptions, WorkerOptions


def keys_of(loader: ValidationLoader) -> list[str]:
    return [key for batch in loader for key in batch.keys]


def test_all_samples_once_in_a_fixed_order(shards_url: str) -> None:
    loader = ValidationLoader(shards_url, ValidationOptions(size=64, batch_size=4))
    keys = keys_of(loader)
    assert keys == [f"redweb/val/{i:04d}" for i in range(6)] + [f"tartanair/val/{i:04d}" for i in range(3)]
    assert keys == keys_of(loader)
    assert loader.sizes == {"redweb": 6, "tartanair": 3}
    first, second = next(iter(loader)), next(iter(loader))
    assert torch.equal(first.images, second.images)
    assert first.images.shape == (4, 3, 64, 64)


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_change_nothing(shards_url: str, workers: int) -> None:
    alone = ValidationLoader(shards_url, ValidationOptions(size=64, batch_size=2))
    helped = ValidationLoader(shards_url, ValidationOptions(size=64, batch_size=2, workers=WorkerOptions(workers)))
    assert keys_of(helped) == keys_of(alone)


def test_ranks_share_the_samples(shards_url: str) -> None:
    parts = [
        keys_of(ValidationLoader(shards_url, ValidationOptions(size=64, rank=rank, num_ranks=4))) for rank in range(4)
    ]
    whole = keys_of(ValidationLoader(shards_url, ValidationOptions(size=64)))
    assert sorted(key for part in parts for key in part) == sorted(whole)
    assert [len(part) for part in parts] == [3, 2, 2, 2]


def test_a_limit_spreads_over_the_index(shards_url: str) -> None:
    loader = ValidationLoader(shards_url, ValidationOptions(size=64, max_images=3))
    assert [key for key in keys_of(loader) if key.startswith("redweb")] == [
        "redweb/val/0000",
        "redweb/val/0002",
        "redweb/val/0004",
    ]
    assert loader.sizes == {"redweb": 3, "tartanair": 3}


def test_a_split_that_nobody_has(shards_url: str) -> None:
    loader = ValidationLoader(shards_url, ValidationOptions(size=64, split="test"))
    assert loader.sizes == {}
    assert keys_of(loader) == []


def test_a_broken_sample_is_left_out_and_named(shards_url: str, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(shards_url, tmp_path / "copy"))
    (copy / "redweb" / "val-00000.tar").write_bytes(b"")
    batches = list(ValidationLoader(copy, ValidationOptions(size=64, batch_size=4)))
    assert next(key for batch in batches for key in batch.keys) == "redweb/val/0005"
    assert sum(len(batch.broken) for batch in batches) == 1, "a batch without an intact sample is not handed out"


@pytest.mark.parametrize("workers", [0, 1])
def test_what_is_left_of_a_batch_is_what_it_was(shards_url: str, tmp_path: Path, workers: int) -> None:
    copy = Path(shutil.copytree(shards_url, tmp_path / "copy"))
    (copy / "redweb" / "val-00000.tar").write_bytes(b"")

    def by_key(url: str | Path) -> dict[str, tuple[list[int], ...]]:
        options = ValidationOptions(size=64, batch_size=7, workers=WorkerOptions(workers))
        return {
            key: (image.flatten().tolist(), codes.flatten().tolist(), [dataset], span.view("uint32").tolist())
            for batch in ValidationLoader(url, options)
            for key, image, codes, dataset, span in zip(
                batch.keys, batch.images, batch.codes, batch.dataset.tolist(), batch.span, strict=True
            )
        }

    whole, left = by_key(shards_url), by_key(copy)
    assert 0 < len(left) < len(whole)
    assert left.items() <= whole.items()
