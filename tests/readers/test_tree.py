"""Finding files, naming items, reading bytes, and what is said of a wrong tree."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpt_bench.core.catalog import RECIPES
from dpt_bench.core.errors import SampleError, UnknownNameError, UsageError
from dpt_bench.readers._tree import (
    check_tree,
    files_below,
    image_and_target,
    item_table,
    legal_key,
    read_decoded,
    read_source,
    wrong_tree,
)


def test_hidden_files_and_apple_doubles_are_no_files(put, tmp_path: Path) -> None:
    for name in ("a/b.png", "a/._b.png", ".git/x", "c.txt"):
        put(name, "x")
    assert sorted(files_below(tmp_path)) == ["a/b.png", "c.txt"]


def test_links_are_followed_and_a_loop_ends(put, tmp_path: Path) -> None:
    put("data/real/x.png", "x")
    (tmp_path / "data/link").symlink_to(tmp_path / "data/real")
    (tmp_path / "data/real/up").symlink_to(tmp_path / "data")
    found = sorted(files_below(tmp_path))
    assert {"data/link/x.png", "data/real/x.png"} <= set(found)
    assert len(found) < 10


def test_a_name_that_is_not_utf8_is_told(tmp_path: Path) -> None:
    try:
        (tmp_path / os.fsdecode(b"caf\xe9.png")).touch()
    except OSError:
        return  # this file system takes UTF-8 alone
    with pytest.raises(UsageError, match="not UTF-8"):
        list(files_below(tmp_path))


@settings(deadline=None, max_examples=80)
@given(st.text(min_size=1), st.text(min_size=1))
def test_keys_are_legal_and_two_names_stay_two(first: str, second: str) -> None:
    keys = [legal_key(name) for name in (first, second) if name.isprintable()]
    assert all(set(key) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-/") for key in keys)
    assert len(set(keys)) == len({name for name in (first, second) if name.isprintable()})


def test_a_legal_name_is_its_own_key() -> None:
    assert legal_key("0000/dense0/3382618227_2324fb96c2_o") == "0000/dense0/3382618227_2324fb96c2_o"
    assert legal_key("02. Cafe/a b") == f"02__Cafe/a_b-{legal_key('02. Cafe/a b')[-8:]}"


def test_rows_are_sorted_by_key() -> None:
    table = item_table(["b", "a"], ["s", "t"], [["b.png", "b.npy"], ["a.png"]], {"index": [7, 8]}, {"listed": "9"})
    assert table.to_pylist() == [
        {"key": "a", "scene": "t", "files": ["a.png"], "index": 8},
        {"key": "b", "scene": "s", "files": ["b.png", "b.npy"], "index": 7},
    ]
    assert table.schema.metadata == {b"listed": b"9"}


@pytest.mark.parametrize("path", ["../outside", "/etc/hostname", "a/../../b"])
def test_a_path_that_leaves_the_root_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(SampleError) as raised:
        read_source(tmp_path, path)
    assert raised.value.reason == "unsafe-path"


def test_missing_and_empty_files_are_told_apart(put, tmp_path: Path) -> None:
    put("empty.png", "")
    for name, reason in (("absent.png", "missing-file"), ("empty.png", "empty-file"), ("empty.png/x", "missing-file")):
        with pytest.raises(SampleError) as raised:
            read_source(tmp_path, name)
        assert raised.value.reason == reason


def test_an_error_of_the_format_names_the_file(put, tmp_path: Path) -> None:
    def fail(data: bytes) -> bytes:
        raise SampleError("corrupt-file", "no")

    put("broken.png", "x")
    with pytest.raises(SampleError) as raised:
        read_decoded(tmp_path, "broken.png", fail)
    assert raised.value.where == "broken.png"


def test_an_image_without_a_target_is_a_rejection() -> None:
    with pytest.raises(SampleError) as raised:
        image_and_target({"key": "a", "files": ["a.png"]})
    assert (raised.value.reason, raised.value.where) == ("missing-target", "a.png")


def test_a_wrong_tree_says_what_was_looked_for_and_what_is_there(put, tmp_path: Path) -> None:
    for number in range(8):
        put(f"holiday_{number}.txt", "x")
    error = str(wrong_tree(tmp_path, RECIPES.load("redweb"), ["Imgs/<name>.jpg"]))
    assert "looked for Imgs/<name>.jpg" in error
    assert "holiday_0.txt" in error
    assert "and 2 more" in error
    assert RECIPES.load("redweb").obtain in error


def test_unknown_splits_and_missing_folders(tmp_path: Path) -> None:
    recipe = RECIPES.load("redweb")
    with pytest.raises(UnknownNameError, match="trian"):
        check_tree(tmp_path, recipe, "trian")
    with pytest.raises(UsageError, match="was not found"):
        check_tree(tmp_path / "absent", recipe, "train")
