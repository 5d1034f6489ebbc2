from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from dpt_bench.core.errors import DataError, UsageError
from dpt_bench.model.build import build_model
from dpt_bench.model.checkpoint import Checkpoint, read_checkpoint, save_checkpoint
from dpt_bench.model.load import load_model
from dpt_bench.model.spec import ModelSpec
from dpt_bench.model.tensor_file import read_tensors


@pytest.fixture
def checkpoint(small_spec: ModelSpec) -> Checkpoint:
    model = build_model(small_spec)
    optimiser = torch.optim.AdamW(model.parameters())
    model(torch.randn(1, 3, 32, 32)).sum().backward()
    optimiser.step()
    return Checkpoint(
        spec=small_spec,
        weights=model.state_dict(),
        optimiser=optimiser.state_dict(),
        step=17,
        loader={"position": 3, "streams": [1, 2]},
        rng={"torch": torch.get_rng_state()},
        preset={"name": "demo", "rate": 1e-4},
        provenance={"git_commit": None},
        trained_on=("megadepth", "redweb"),
    )


def test_everything_comes_back(checkpoint: Checkpoint, tmp_path: Path) -> None:
    path = tmp_path / "new" / "ckpt.pt"
    save_checkpoint(path, checkpoint)
    found = read_checkpoint(path)
    assert found.spec == checkpoint.spec
    assert found.trained_on == checkpoint.trained_on
    assert (found.step, found.loader, found.preset) == (17, checkpoint.loader, checkpoint.preset)
    assert found.ema is None
    assert all(torch.equal(found.weights[key], value) for key, value in checkpoint.weights.items())
    assert found.rng is not None
    assert torch.equal(found.rng["torch"], checkpoint.rng["torch"])
    assert found.optimiser is not None
    resumed = torch.optim.AdamW(build_model(found.spec).parameters())
    resumed.load_state_dict(found.optimiser)
    assert resumed.state_dict()["state"][0]["step"] == 1
    assert [file.name for file in path.parent.iterdir()] == ["ckpt.pt"]


def test_a_view_is_stored_without_the_rest_of_its_storage(checkpoint: Checkpoint, tmp_path: Path) -> None:
    weights = {"part": torch.zeros(1_000_000)[:10]}
    save_checkpoint(tmp_path / "ckpt.pt", Checkpoint(checkpoint.spec, weights))
    assert (tmp_path / "ckpt.pt").stat().st_size < 20_000


def test_objects_are_refused_before_anything_is_written(checkpoint: Checkpoint, tmp_path: Path) -> None:
    wrong = replace(checkpoint, loader={"streams": [{"seed": np.int64(3)}]})
    with pytest.raises(TypeError, match=r"checkpoint.loader.streams\[0\].seed is a int64"):
        save_checkpoint(tmp_path / "ckpt.pt", wrong)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_the_old_file(
    checkpoint: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ckpt.pt"
    save_checkpoint(path, checkpoint)
    before = path.read_bytes()

    def full_disk(_: object, file: object) -> None:
        file.write(b"half")  # type: ignore[attr-defined]
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full_disk)
    with pytest.raises(UsageError, match="No space left"):
        save_checkpoint(path, replace(checkpoint, step=18))
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["ckpt.pt"]


def test_a_folder_in_the_way_is_a_usage_error(checkpoint: Checkpoint, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be written"):
        save_checkpoint(tmp_path / "file" / "ckpt.pt", checkpoint)


def test_a_missing_file_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be opened: No such file"):
        read_checkpoint(tmp_path / "ckpt.pt")


@pytest.mark.parametrize("kept", [0.0, 0.001, 0.3, 0.9, 0.999])
def test_truncated_files_are_refused(kept: float, checkpoint: Checkpoint, tmp_path: Path) -> None:
    path = tmp_path / "ckpt.pt"
    save_checkpoint(path, checkpoint)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole))])
    with pytest.raises(DataError, match="empty, truncated or not a checkpoint") as caught:
        read_checkpoint(path)
    assert str(path) in str(caught.value)


def test_overwritten_bytes_never_escape_as_other_errors(checkpoint: Checkpoint, tmp_path: Path) -> None:
    path = tmp_path / "ckpt.pt"
    small = Checkpoint(checkpoint.spec, {"a": torch.zeros(3)})
    save_checkpoint(path, small)
    whole, rng = path.read_bytes(), np.random.default_rng(0)
    refused = 0
    for _ in range(300):
        damaged = bytearray(whole)
        for place in rng.integers(0, len(whole), 8):
            damaged[place] = rng.integers(0, 256)
        path.write_bytes(damaged)
        try:
            read_checkpoint(path)
        except DataError:
            refused += 1
    assert refused > 100


@pytest.mark.parametrize(
    "content", [b"hello world" * 10, b'{"a": 1}', b"\x89PNG\r\n\x1a\n" + bytes(100), b"PK\x03\x04"]
)
def test_foreign_files_are_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "ckpt.pt").write_bytes(content)
    with pytest.raises(DataError):
        read_checkpoint(tmp_path / "ckpt.pt")


class Hostile:
    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (os.environ["DPT_BENCH_TEST_TRAP"],)


@pytest.mark.parametrize("legacy", [False, True])
def test_code_in_a_pickle_is_refused_and_never_run(
    legacy: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trap = tmp_path / "trap"
    monkeypatch.setenv("DPT_BENCH_TEST_TRAP", str(trap))
    path = tmp_path / "ckpt.pt"
    torch.save({"format": Hostile()}, path, _use_new_zipfile_serialization=not legacy)
    for read in (read_checkpoint, load_model):
        with pytest.raises(DataError, match="other Python objects, which were not loaded"):
            read(path)
    assert not trap.exists()


def test_other_tensors_are_not_a_checkpoint(tmp_path: Path) -> None:
    torch.save({"weight": torch.zeros(3)}, tmp_path / "ckpt.pt")
    with pytest.raises(DataError, match="not a dpt_bench checkpoint"):
        read_checkpoint(tmp_path / "ckpt.pt")
    torch.save([torch.zeros(3)], tmp_path / "list.pt")
    with pytest.raises(DataError, match="holds a list"):
        read_checkpoint(tmp_path / "list.pt")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": 2}, "has schema 2, this version reads 1"),
        ({"spec": {"backbone": "vit_base"}}, "model spec is not one of this version"),
        ({"weights": {"a": 3}}, "weights that are not tensors"),
        ({"weights": None}, "incomplete: weights"),
        ({"step": ...}, "incomplete: step"),
        ({"trained_on": 3}, "incomplete: trained_on"),
        ({"ema": [1]}, "incomplete: ema"),
    ],
)
def test_checkpoints_of_other_versions_are_explained(
    change: dict[str, object], message: str, checkpoint: Checkpoint, tmp_path: Path
) -> None:
    save_checkpoint(tmp_path / "ckpt.pt", checkpoint)
    content = {**read_tensors(tmp_path / "ckpt.pt"), **change}
    torch.save({key: value for key, value in content.items() if value is not ...}, tmp_path / "ckpt.pt")
    with pytest.raises(DataError, match=message):
        read_checkpoint(tmp_path / "ckpt.pt")
