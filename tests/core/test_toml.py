from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

from dpt_bench.core.errors import UsageError
from dpt_bench.core.toml import Strict, load_toml


class Inner(Strict):
    size: int = 1
    side: Literal["longer", "shorter"] = "longer"


class Outer(Strict):
    name: str
    version: int
    resize: Inner = Inner()
    parts: tuple[Inner, ...] = ()


def write(folder: Path, text: str) -> Path:
    file = folder / "thing.toml"
    file.write_text(text)
    return file


def test_a_valid_file_is_read(tmp_path: Path) -> None:
    assert load_toml(write(tmp_path, "version = 2\n[resize]\nsize = 5"), Outer, name="thing") == Outer(
        name="thing", version=2, resize=Inner(size=5)
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("versoin = 2", ["unknown key 'versoin'", "did you mean 'version'", "missing key 'version'"]),
        ("version = 2\n[resize]\nsizes = 5", ["unknown key 'resize.sizes'", "did you mean 'size'"]),
        ("version = 2\n[[parts]]\nsid = 'longer'", ["unknown key 'parts.0.sid'", "did you mean 'side'"]),
        ("version = 2\n[resize]\nside = 'wide'", ["'resize.side' is 'wide'", "'longer' or 'shorter'"]),
        ("version = 'two'", ["'version' is 'two'", "integer"]),
        ("version = 2\nname = 'other'", ["'name' is set by the file's name"]),
        ("version = ", ["not valid TOML"]),
    ],
)
def test_a_wrong_file_is_explained(tmp_path: Path, text: str, words: list[str]) -> None:
    file = write(tmp_path, text)
    with pytest.raises(UsageError) as caught:
        load_toml(file, Outer, name="thing")
    for word in words:
        assert word in str(caught.value)
    assert str(file) in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="file not found"):
        load_toml(tmp_path / "none.toml", Outer)


def test_a_file_that_is_not_text(tmp_path: Path) -> None:
    file = tmp_path / "thing.toml"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="cannot be read"):
        load_toml(file, Outer)
