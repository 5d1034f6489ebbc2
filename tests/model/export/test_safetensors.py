from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError, safe_open

from dpt_bench.core.errors import DataError, UnknownNameError, UsageError
from dpt_bench.model.build import build_model
from dpt_bench.model.export import Export, export_model
from dpt_bench.model.load import load_with_origin
from dpt_bench.model.spec import ModelSpec


def test_the_file_holds_the_network_and_its_origin(small_spec: ModelSpec, tmp_path: Path) -> None:
    model = build_model(small_spec).eval()
    export = Export(model, trained_on=("redweb", "hrwsi"), provenance={"git_commit": "abc"})
    assert export_model(export, "safetensors", tmp_path / "deep" / "net.safetensors") == []
    loaded = load_with_origin(tmp_path / "deep" / "net.safetensors")
    assert loaded.model.spec == small_spec
    assert loaded.trained_on == ("redweb", "hrwsi")
    assert loaded.provenance == {"git_commit": "abc"}
    assert all(torch.equal(value, loaded.model.state_dict()[key]) for key, value in model.state_dict().items())
    images = torch.randn(1, 3, 64, 96)
    torch.testing.assert_close(loaded.model(images), model(images), rtol=1e-5, atol=1e-6)
    with safe_open(tmp_path / "deep" / "net.safetensors", framework="pt") as file:
        assert set(file.keys()) == set(model.state_dict())


def test_a_file_is_replaced_only_on_demand_and_may_be_its_own_source(small_spec: ModelSpec, tmp_path: Path) -> None:
    out = tmp_path / "net.safetensors"
    export_model(Export(build_model(small_spec).eval()), "safetensors", out)
    loaded = load_with_origin(out)
    with pytest.raises(UsageError, match="something already"):
        export_model(Export(loaded.model), "safetensors", out)
    export_model(Export(loaded.model, trained_on=("redweb",)), "safetensors", out, force=True)
    again = load_with_origin(out)
    assert again.trained_on == ("redweb",)
    assert all(torch.equal(value, again.model.state_dict()[key]) for key, value in loaded.model.state_dict().items())
    assert [item.name for item in tmp_path.iterdir()] == ["net.safetensors"]


def test_a_folder_is_never_replaced_by_a_file(small_spec: ModelSpec, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    with pytest.raises(UsageError, match="left as it is: a folder"):
        export_model(Export(build_model(small_spec)), "safetensors", tmp_path / "home", force=True)
    assert (tmp_path / "home").is_dir()


def test_a_failure_leaves_the_old_file_and_nothing_else(
    small_spec: ModelSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "net.safetensors"
    out.write_bytes(b"old")

    def full_disk(_: object, path: Path, **__: object) -> None:
        Path(path).write_bytes(b"half")
        raise SafetensorError("No space left on device")

    monkeypatch.setattr("dpt_bench.model.safetensors_file.save_file", full_disk)
    with pytest.raises(UsageError, match="cannot be written: No space left"):
        export_model(Export(build_model(small_spec)), "safetensors", out, force=True)
    assert out.read_bytes() == b"old"
    assert [item.name for item in tmp_path.iterdir()] == ["net.safetensors"]


def test_an_unknown_target_is_named(small_spec: ModelSpec, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'onnx'"):
        export_model(Export(build_model(small_spec)), "onxx", tmp_path / "x")


@pytest.mark.parametrize("kept", [0, 5, 40, 0.5, 0.999])
def test_truncated_files_are_refused(kept: float, small_spec: ModelSpec, tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    export_model(Export(build_model(small_spec)), "safetensors", path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept if isinstance(kept, int) else kept * len(whole))])
    with pytest.raises(DataError, match="truncated or not a checkpoint"):
        load_with_origin(path)
