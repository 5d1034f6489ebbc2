"""Files that must not be trusted: code, bombs, wrong shapes, other formats. Refused by name, with nothing executed."""

from __future__ import annotations

import os
import resource
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from dpt_bench.core.errors import DataError
from dpt_bench.model.build import build_model
from dpt_bench.model.layouts import hugging_face, released
from dpt_bench.model.load import load_model
from dpt_bench.model.spec import ModelSpec
from dpt_bench.model.tensor_file import read_tensors

GIGABYTE = 1 << 30


class Hostile:
    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (os.environ["DPT_BENCH_TEST_TRAP"],)


@pytest.fixture
def trap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DPT_BENCH_TEST_TRAP", str(tmp_path / "trap"))
    return tmp_path / "trap"


def rewritten(source: Path, target: Path, change: Callable[[str, bytes], bytes], compression: int) -> None:
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", compression) as new:
        for member in old.infolist():
            new.writestr(member.filename, change(member.filename, old.read(member)))


@pytest.mark.parametrize("name", ["dpt_large-midas-2f21e586.pt", "pytorch_model.bin", "mine.safetensors"])
@pytest.mark.parametrize("legacy", [False, True])
def test_code_among_right_keys_is_never_run(name: str, legacy: bool, trap: Path, tmp_path: Path) -> None:
    content = {"scratch.layer1_rn.weight": torch.zeros(3), "neck.convs.0.weight": Hostile()}
    torch.save(content, tmp_path / name, _use_new_zipfile_serialization=not legacy)
    with pytest.raises(DataError):
        load_model(tmp_path / name)
    assert not trap.exists()


def test_code_in_a_folder_of_transformers_is_never_run(trap: Path, tmp_path: Path) -> None:
    torch.save({"neck.convs.0.weight": Hostile()}, tmp_path / "pytorch_model.bin")
    (tmp_path / "config.json").write_text('{"model_type": "dpt", "auto_map": {"AutoModel": "evil.py"}}')
    (tmp_path / "evil.py").write_text(f"import os; os.mkdir({str(trap)!r})")
    with pytest.raises(DataError, match="which were not loaded"):
        load_model(tmp_path)
    assert not trap.exists()


@pytest.mark.parametrize("member", ["data.pkl", "data/0"])
def test_a_zip_bomb_is_refused_before_it_expands(member: str, tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(1000)}, tmp_path / "plain.pt")
    zeros = bytes(64 << 20)

    def swell(name: str, data: bytes) -> bytes:
        return data + zeros if name.endswith(member) else data

    rewritten(tmp_path / "plain.pt", tmp_path / "bomb.pt", swell, zipfile.ZIP_DEFLATED)
    assert (tmp_path / "bomb.pt").stat().st_size < 1 << 20
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(DataError, match="compressed or overlap"):
        load_model(tmp_path / "bomb.pt")
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown_kib < 32 << 10


def test_members_that_overlap_are_refused(tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(100_000)}, tmp_path / "plain.pt")
    whole = bytearray((tmp_path / "plain.pt").read_bytes())
    with zipfile.ZipFile(tmp_path / "plain.pt") as archive:
        size = archive.getinfo("plain/data/0").file_size
        version = archive.getinfo("plain/version").file_size
    directory = whole.rindex(b"PK\x01\x02", 0, whole.rindex(b"plain/version"))
    assert int.from_bytes(whole[directory + 24 : directory + 28], "little") == version
    for place in (directory + 20, directory + 24):  # the table now says that this member is as long as the tensor
        whole[place : place + 4] = size.to_bytes(4, "little")
    (tmp_path / "overlap.pt").write_bytes(whole)
    with pytest.raises(DataError):
        load_model(tmp_path / "overlap.pt")


def test_a_tensor_that_claims_more_than_its_file_holds_is_refused(tmp_path: Path) -> None:
    torch.save({"a": torch.arange(1000.0)}, tmp_path / "plain.pt")

    def boast(name: str, data: bytes) -> bytes:
        return data.replace(b"M\xe8\x03", b"J\xff\xff\xff\x7f") if name.endswith("data.pkl") else data

    rewritten(tmp_path / "plain.pt", tmp_path / "boast.pt", boast, zipfile.ZIP_STORED)
    for mapped in (False, True):
        with pytest.raises(DataError, match="truncated"):
            read_tensors(tmp_path / "boast.pt", mapped=mapped)


WRONG: dict[str, Callable[[Tensor], Tensor]] = {
    "another shape": lambda value: torch.zeros(3, 3),
    "no dimension": lambda value: torch.zeros(()),
    "integers": lambda value: value.to(torch.int32),
    "sparse": lambda value: value.to_sparse(),
    "without values": lambda value: value.to("meta"),
    "complex": lambda value: value.to(torch.complex64),
}


@pytest.mark.parametrize("layout", ["released", "hugging_face"])
@pytest.mark.parametrize("wrong", WRONG)
def test_right_keys_with_wrong_tensors_are_refused(
    layout: str, wrong: str, micro: dict[str, ModelSpec], tmp_path: Path
) -> None:
    module = {"released": released, "hugging_face": hugging_face}[layout]
    model = build_model(micro["micro"])
    weights = module.LAYOUT.theirs(model.spec, model.state_dict())
    torch.save(weights, tmp_path / "good.pt")
    assert load_model(tmp_path / "good.pt").spec.backbone == micro["micro"].backbone
    key = next(key for key in weights if weights[key].shape == (128, 24, 3, 3))
    weights[key] = WRONG[wrong](weights[key])
    torch.save(weights, tmp_path / "wrong.pt")
    with pytest.raises(DataError) as caught:
        load_model(tmp_path / "wrong.pt")
    assert key in str(caught.value) or "neither a dpt_bench checkpoint" in str(caught.value)


def test_the_boundary_between_networks_is_each_single_key(micro: dict[str, ModelSpec], tmp_path: Path) -> None:
    """Property: a file fits if and only if no key is missing, misshapen or too many."""
    model = build_model(micro["micro"])
    weights = released.LAYOUT.theirs(model.spec, model.state_dict())
    for key in list(weights)[:: len(weights) // 12]:
        without = {name: value for name, value in weights.items() if name != key}
        assert released.LAYOUT.misfits(model.spec, without) == [f"{key} is missing"]
        longer = weights | {key: torch.zeros(*weights[key].shape, 2)}
        assert released.LAYOUT.misfits(model.spec, longer) == [
            f"{key} is {(*weights[key].shape, 2)}, not {tuple(weights[key].shape)}"
        ]
        assert released.LAYOUT.misfits(model.spec, weights | {f"{key}.more": torch.zeros(1)}) == [
            f"{key}.more is unexpected"
        ]
    assert released.LAYOUT.misfits(model.spec, weights) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12\n", "Git LFS pointer"),
        (b"\n <!DOCTYPE html><html>404</html>", "web page"),
        (b'{"error": "not found"}', "JSON text"),
        (b"\x89HDF\r\n\x1a\n" + bytes(64), "HDF5"),
        (b"\x89PNG\r\n\x1a\n" + bytes(64), "PNG image"),
        (b"\x1f\x8b\x08" + bytes(64), "gzip"),
        (b"GGUF" + bytes(64), "GGUF"),
        (b"Access denied.\nSign in first.\n", "text: 'Access denied.'"),
        (b"", "empty, truncated or not a checkpoint"),
        (bytes(200), "empty, truncated or not a checkpoint"),
        (b"\x80\x02}q\x00.", "empty, truncated or not a checkpoint"),
    ],
)
def test_foreign_files_are_named(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "file.pt").write_bytes(content)
    with pytest.raises(DataError, match=message):
        load_model(tmp_path / "file.pt")


@pytest.mark.parametrize(
    ("members", "message"),
    [
        (["program/data.pkl", "program/constants.pkl", "program/code/__torch__.py"], "TorchScript program"),
        (["readme.txt"], "did not write"),
    ],
)
def test_programs_and_archives_are_named(members: list[str], message: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "file.pt", "w") as archive:
        for name in members:
            archive.writestr(name, "hello")
    with pytest.raises(DataError, match=message):
        load_model(tmp_path / "file.pt")


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_a_real_torchscript_file_is_named(tmp_path: Path) -> None:
    """Its code is compressed, which a checkpoint's parts never are."""
    torch.jit.script(torch.nn.Linear(3, 3)).save(str(tmp_path / "dpt_large-midas.pt"))
    with pytest.raises(DataError, match="TorchScript program"):
        load_model(tmp_path / "dpt_large-midas.pt")


@pytest.mark.parametrize("version", [4, 8, 10, 13])
@pytest.mark.parametrize("producer", ["", "pytorch"])
def test_onnx_under_another_ending_is_named(version: int, producer: str, tmp_path: Path) -> None:
    graph = onnx.helper.make_graph([], "network", [], [])
    model = onnx.helper.make_model(graph, ir_version=version, producer_name=producer)
    (tmp_path / "file.pt").write_bytes(model.SerializeToString())
    with pytest.raises(DataError, match="ONNX model") as caught:
        load_model(tmp_path / "file.pt")
    assert "--model onnx:" in str(caught.value)


@pytest.mark.parametrize("content", [{1: torch.zeros(3)}, {"scratch.a": torch.zeros(3), 7: torch.zeros(3)}, {}])
@pytest.mark.parametrize("wrapped", [False, True])
def test_keys_that_are_no_names_are_refused(content: dict, wrapped: bool, tmp_path: Path) -> None:
    torch.save({"model": content} if wrapped else content, tmp_path / "file.pt")
    with pytest.raises(DataError, match="neither a dpt_bench checkpoint"):
        load_model(tmp_path / "file.pt")


def test_damaged_safetensors_never_escape_as_other_errors(small_spec: ModelSpec, tmp_path: Path) -> None:
    path = tmp_path / "file.safetensors"
    save_file({"a": torch.zeros(3), "b": torch.ones(2, 2)}, path, metadata={"dpt_bench_checkpoint": "{}"})
    whole, rng = path.read_bytes(), np.random.default_rng(0)
    refused = 0
    for _ in range(200):
        damaged = bytearray(whole)
        for place in rng.integers(0, len(whole), 4):
            damaged[place] = rng.integers(0, 256)
        path.write_bytes(damaged)
        try:
            read_tensors(path)
        except DataError:
            refused += 1
    assert refused > 100


def test_the_length_of_a_safetensors_header_is_not_taken_for_text(tmp_path: Path) -> None:
    """15,392 bytes are b" <" as the file's first two, which is how a web page may begin."""
    path, padding = tmp_path / "file.safetensors", 15_000
    for _ in range(2):
        save_file({"a": torch.ones(3)}, path, metadata={"note": "x" * padding})
        padding += 15_392 - int.from_bytes(path.read_bytes()[:8], "little")
    assert path.read_bytes().startswith(b" <")
    assert torch.equal(read_tensors(path)["a"], torch.ones(3))


def test_a_huge_number_in_config_json_is_refused(micro: dict[str, ModelSpec], tmp_path: Path) -> None:
    model = build_model(micro["micro"])
    torch.save(hugging_face.LAYOUT.theirs(model.spec, model.state_dict()), tmp_path / "pytorch_model.bin")
    hooks = [0, 1, 2, GIGABYTE]
    (tmp_path / "config.json").write_text(f'{{"model_type": "dpt", "backbone_out_indices": {hooks}}}')
    with pytest.raises(DataError, match="backbone_out_indices cannot be"):
        load_model(tmp_path)
