"""The packaged lists say what the published ones say, and broken lists are refused."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpt_bench.core.catalog import EVAL_RECIPES, RECIPES
from dpt_bench.core.errors import UsageError
from dpt_bench.core.provenance import sha256_of_keys
from dpt_bench.readers._splits import decode_runs, load_split_list
from dpt_bench.readers.tum import microseconds

KITTI_SHA256 = {
    "eigen697": "f5b05f5cfefd2bbf11521e8e5afd3c8d7170ead6aaa08642220dbbbd2d06b0c2",
    "eigen652": "b41357503b9dc8ec86d474292121286a2b7ada07a1e3fc8c5e6038137bc575fc",
    "midas161": "d8113a86fc046ceb5dcaea11b5dbbb850abc9d7dc566e136f5a7f5d56e3c863d",
}
NYU_SHA256 = "4469f895541396099e188d00db26dfd35ff8fcf1eb791a6b54c58331c9b10e3b"
TUM_SHA256 = "9d103a7c8c47ff0e8ac66f690c0a1c3c8361259f342533c933d24345f458a0e1"


def lines_sha256(lines: list[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def kitti(split: str) -> list[str]:
    frames = load_split_list(EVAL_RECIPES.load("kitti"), split)
    return sorted(f"{drive} {frame:010d}" for drive, numbers in frames.items() for frame in numbers)


@pytest.mark.parametrize("split", KITTI_SHA256)
def test_kitti_lists(split: str) -> None:
    assert lines_sha256(kitti(split)) == KITTI_SHA256[split]


def test_kitti_lists_nest_and_697_has_45_frames_without_depth(shared_facts: Path) -> None:
    facts = json.loads((shared_facts / "splits" / "eigen_test_frames.json").read_text())
    without = {f"{drive} {frame:010d}" for drive, frames in facts["no_gt"].items() for frame in frames}
    assert set(kitti("eigen697")) - set(kitti("eigen652")) == without
    assert len(without) == 45
    val = set(facts["official_depth_val_drives"])
    assert kitti("midas161") == [line for line in kitti("eigen652") if line.split()[0] in val]


def test_nyu_list() -> None:
    (indices,) = load_split_list(EVAL_RECIPES.load("nyu"), "test").values()
    assert lines_sha256([str(index) for index in indices]) == NYU_SHA256
    assert (indices[0], indices[-1]) == (0, 1448)


def test_tum_list() -> None:
    clips = load_split_list(EVAL_RECIPES.load("tum"), "midas1815")
    names = sorted(f"{clip}_{microseconds(frame)}" for clip, frames in clips.items() for frame in frames)
    assert lines_sha256(names) == TUM_SHA256
    assert {clip: len(frames) for clip, frames in clips.items()} == {
        "ZL1tYG0uZu4": 301, "UWcVzeKcp1Y": 164, "AjJV5tXVHJU": 746, "KDWm2mJrR7s": 253, "JAOQszQe2Ug": 351,
    }  # fmt: skip


def test_the_hashes_of_the_facts_are_those_of_this_file(shared_facts: Path) -> None:
    def read(name: str) -> dict[str, object]:
        facts: dict[str, object] = json.loads((shared_facts / "splits" / name).read_text())
        return facts

    kitti_facts = read("eigen_test_frames.json")["sha256_of_sorted_'drive frame010d'_lines_joined_by_newline"]
    assert kitti_facts == {{"midas161": "kitti161"}.get(name, name): sha for name, sha in KITTI_SHA256.items()}
    assert read("nyu654_indices.json")["sha256_newline_joined"] == NYU_SHA256
    assert read("tum1815_frames.json")["sha256_sorted_clip_tus"] == TUM_SHA256


def listed_keys(recipe: str, split: str) -> list[str]:
    groups = load_split_list(RECIPES.load(recipe), split)
    key = {
        "kitti": lambda drive, frame: f"{drive}/{frame:010d}",
        "nyu": lambda _file, index: f"{index:04d}",
        "tum": lambda clip, frame: f"{clip}/{microseconds(frame)}",
        "eth3d": lambda scene, number: f"{scene}/{number:04d}",
        "sintel": lambda sequence, frame: f"{split}/{sequence}/{frame:04d}",
        "irs": lambda scene, number: f"{scene}/{number:05d}",
    }[recipe]
    return [key(group, number) for group, numbers in groups.items() for number in numbers]


@pytest.mark.parametrize(
    ("recipe", "split"),
    [
        *[("kitti", "midas161"), ("kitti", "eigen652"), ("nyu", "test"), ("tum", "midas1815")],
        *[("eth3d", "dslr454"), ("sintel", "final"), ("sintel", "clean"), ("irs", "val")],
    ],
)
def test_recipes_name_the_checksum_of_their_complete_list(recipe: str, split: str) -> None:
    facts = RECIPES.load(recipe).splits[split]
    keys = listed_keys(recipe, split)
    assert facts.keys_sha256 == sha256_of_keys(keys)
    assert facts.images == len(keys)


def test_a_complete_tree_of_eigen697_is_eigen652() -> None:
    splits = RECIPES.load("kitti").splits
    assert splits["eigen697"].keys_sha256 == splits["eigen652"].keys_sha256
    assert splits["eigen697"].images == 697


def test_eth3d_and_sintel_scenes_have_the_published_counts() -> None:
    """Reference: zeroshot-protocols-and-peers.md, 2.2 and 2.3."""
    eth3d = load_split_list(RECIPES.load("eth3d"), "dslr454")
    assert [len(eth3d[scene]) for scene in sorted(eth3d)] == [38, 44, 45, 76, 31, 15, 26, 14, 38, 31, 31, 23, 42]
    sintel = load_split_list(RECIPES.load("sintel"), "final")
    assert len(sintel) == 23
    assert {len(sintel[name]) for name in ("ambush_2", "ambush_4", "ambush_6", "market_6")} == {21, 33, 20, 40}


@settings(deadline=None, max_examples=50)
@given(st.sets(st.integers(0, 5000), max_size=60))
def test_single_numbers_are_runs(numbers: set[int]) -> None:
    assert decode_runs(" ".join(map(str, sorted(numbers)))) == sorted(numbers)


def test_runs() -> None:
    assert decode_runs("7 10-12 30-60/15") == [7, 10, 11, 12, 30, 45, 60]
    assert decode_runs("") == []


@pytest.mark.parametrize("text", ["3-1x", "a", "5 5", "9 1-3", "1--3", "1-9/0"])
def test_broken_runs_are_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # int, range and ours word it differently
        decode_runs(text)


def test_a_list_whose_count_is_wrong_is_refused(tmp_path: Path) -> None:
    recipe = RECIPES.load("nyu")
    lists = tmp_path / "mine.toml"
    lists.write_text('title = "t"\nsource = "s"\ncount = 4\n[runs]\n"a" = "1-3"\n')
    split = recipe.splits["test"].model_copy(update={"list_file": "mine.toml"})
    own = recipe.model_copy(update={"splits": {"test": split}, "path": tmp_path / "own.toml"})
    with pytest.raises(UsageError, match="count is 4 but the runs hold 3"):
        load_split_list(own, "test")
    lists.write_text(lists.read_text().replace("4", "3"))
    assert load_split_list(own, "test") == {"a": [1, 2, 3]}
