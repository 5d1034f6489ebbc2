"""The page about shards: its numbers are those of the tables, its pictures exist, and it fetches nothing."""

from __future__ import annotations

import os
import re
import shutil
from collections import Counter
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dpt_bench.conversion import BuildFailed, BuildOptions, InspectOptions, build, inspect_index, inspect_shards
from dpt_bench.conversion.inspect_index import read_index_facts, read_rejections, spread
from dpt_bench.conversion.inspect_samples import SKY_COLOUR, measure_samples, picture_of
from dpt_bench.core.errors import DataError, UsageError
from dpt_bench.core.mix import Member, Mix
from dpt_bench.shards import ShardSample, ShardStore, open_shards

HOSTILE = "<script>alert(1)</script>\"'&amp;"
ONE_AT_A_TIME = InspectOptions(workers=1)


class Markup(HTMLParser):
    """Text, links, tags and event handlers of a page, and that every element is closed."""

    VOID = frozenset({"meta", "img", "br", "path"})

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: Counter[str] = Counter()
        self.links: list[str] = []
        self.handlers: list[str] = []
        self.ids: set[str] = set()
        self.open: list[str] = []
        self.words = ""
        self.feed(text)
        self.close()
        assert not self.open, self.open
        self.text = " ".join(self.words.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        self.ids |= {value or "" for name, value in attrs if name == "id"}
        self.handlers += [name for name, _ in attrs if name.startswith("on")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += " " + data


def _shards(toy: Any, out: Path, **options: Any) -> Path:
    missing = Member(recipe=str(toy.recipe.with_name("absent.toml")), weight=1)
    toy.recipe.with_name("absent.toml").write_text(toy.recipe.read_text())
    mix = Mix(
        name="toys", version=2, title="", citation="", members=(Member(recipe=str(toy.recipe), weight=3), missing)
    )
    settings = BuildOptions(**{"shard_size": 3, "max_rejected": 0.5, "allow_missing": True, **options})
    build(mix, toy.raw, out, options=settings, executor="serial")
    return out


def _page(shards: Path, out: Path, options: InspectOptions = ONE_AT_A_TIME) -> Markup:
    return Markup(inspect_shards(shards, out, options).read_text())


def test_numbers_on_the_page_are_those_of_the_tables(toy: Any, tmp_path: Path) -> None:
    toy.file("train/a_002", "png").write_bytes(b"")
    toy.file("train/b_003", "png").write_bytes(toy.file("train/b_003", "png").read_bytes()[:200])
    shards = _shards(toy, tmp_path / "shards")
    text = _page(shards, tmp_path / "page").text
    index = open_shards(shards).index("toy")
    assert index.num_rows == 7
    assert "5 train + 2 val" in text
    assert "Shards of toys" in text
    assert "1 of 2 datasets of the mix toys, version 2" in text
    for column in ("valid_fraction", "sky_fraction"):
        values = np.array(index[column])
        assert f"mean {100 * values.mean():.1f} %" in text
        assert f"lowest {100 * values.min():.1f} %" in text
    assert "7 of 7 samples have sky" in text
    for column in ("lo", "hi"):
        values = np.array(index[column])
        assert f"median {np.median(values):.3g} 1/m" in text
        assert f"lowest {values.min():.3g}, highest {values.max():.3g}" in text
    assert "40 × 52: 7 (100.0 %)" in text
    assert "7 decoded samples" in text
    rejected = open_shards(shards).rejected("toy").to_pylist()
    assert len(rejected) == 2
    for row in rejected:
        assert row["reason"] in text
        assert row["message"] in text
        assert all(source in text for source in row["sources"])
    assert "Rejected: 2" in text
    assert "Missing from the mix" in text
    assert "write it yourself" in text
    assert "short_side = 384" in text
    assert open_shards(shards).manifest.provenance["python"] in text


def test_every_link_leads_to_a_file_or_a_place_on_the_page(toy: Any, tmp_path: Path) -> None:
    page = _page(_shards(toy, tmp_path / "shards"), tmp_path / "page", InspectOptions(pictures=4, workers=2))
    pictures = {link for link in page.links if not link.startswith("#")}
    assert len(pictures) == page.tags["img"] == 4
    for link in pictures:
        picture = cv2.imread(str(tmp_path / "page" / link))
        assert picture.shape == (40, 104, 3)
    assert {link[1:] for link in page.links if link.startswith("#")} <= page.ids
    assert sorted(path.name for path in (tmp_path / "page").iterdir()) == ["index.html", "pictures"]
    assert len(list((tmp_path / "page/pictures").iterdir())) == 4


def test_names_with_markup_are_text_and_nothing_is_fetched(toy: Any, tmp_path: Path) -> None:
    toy.file("train/a_000", "png").write_bytes(b"")
    shards = _shards(toy, tmp_path / "shards")
    name = HOSTILE.replace("/", "")  # a folder's name
    shutil.move(shards / "toy", shards / name)
    manifest = (shards / "manifest.json").read_text()
    escaped = name.replace('"', '\\"')
    (shards / "manifest.json").write_text(manifest.replace('"toy"', f'"{escaped}"').replace("write it", HOSTILE[:8]))
    rejected = pq.read_table(shards / name / "rejected.parquet").to_pylist()
    rejected[0] |= {"reason": HOSTILE, "message": HOSTILE, "sources": [HOSTILE]}
    pq.write_table(pa.Table.from_pylist(rejected), shards / name / "rejected.parquet")
    page = inspect_shards(shards, tmp_path / "page", ONE_AT_A_TIME)
    markup = Markup(page.read_text())
    assert markup.tags["script"] == 1, "the shell's own"
    assert not markup.handlers
    assert markup.text.count(HOSTILE) == 3
    assert name in markup.text
    assert not any(re.match(r"[a-z]+:|//", link) for link in markup.links)
    assert not re.search(r"@import|url\(|src=.?(http|//)|https?:", page.read_text())
    assert "default-src 'none'" in page.read_text()


def test_a_build_that_failed_is_shown_with_what_it_rejected(toy: Any, tmp_path: Path) -> None:
    for frame in ("a_000", "b_001", "a_002"):
        toy.file(f"train/{frame}", "png").write_bytes(b"")
    with pytest.raises(BuildFailed):
        _shards(toy, tmp_path / "shards", max_rejected=0.01)
    text = _page(tmp_path / "shards", tmp_path / "page").text
    assert "No dataset is finished" in text
    assert "not finished" in text
    assert "Rejected: 3" in text


def test_a_dataset_whose_build_was_interrupted_has_no_numbers_yet(toy: Any, tmp_path: Path) -> None:
    shards = _shards(toy, tmp_path / "shards")
    (shards / "toy/index.parquet").unlink()
    with pytest.raises(DataError, match="a table is missing"):
        _page(shards, tmp_path / "page")
    (shards / "manifest.json").unlink()
    record = shards / "toy/dataset.json"
    record.write_text(record.read_text().replace('"complete": true', '"complete": false'))
    page = _page(shards, tmp_path / "page")
    assert "no samples that the index knows" in page.text
    assert "Nothing was rejected" not in page.text
    assert "2 items" in page.text
    assert page.tags["img"] == 0


@pytest.mark.parametrize("content", [False, True])
def test_a_folder_without_shards_is_a_wrong_call(content: bool, tmp_path: Path) -> None:
    (tmp_path / "some").mkdir()
    if content:
        (tmp_path / "some/notes").mkdir()
    with pytest.raises(UsageError, match="no shards here"):
        inspect_shards(tmp_path / "some", tmp_path / "page")
    assert not (tmp_path / "page").exists()


def test_an_output_that_cannot_be_written(toy: Any, tmp_path: Path) -> None:
    shards = _shards(toy, tmp_path / "shards")
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be written"):
        inspect_shards(shards, tmp_path / "file")
    with pytest.raises(UsageError, match="among the shards"):
        inspect_shards(shards, shards / "page")
    if os.geteuid() != 0:
        (tmp_path / "closed").mkdir(mode=0o500)
        with pytest.raises(UsageError, match="cannot be written"):
            inspect_shards(shards, tmp_path / "closed")


def test_damaged_samples_are_counted_and_the_others_shown(toy: Any, tmp_path: Path) -> None:
    shards = _shards(toy, tmp_path / "shards")
    rows = open_shards(shards).index("toy").to_pylist()
    (first, second) = [row for row in rows if row["shard"] == "train-00001.tar"][:2]
    tar = shards / "toy/train-00001.tar"
    data = bytearray(tar.read_bytes())
    data[first["offset"] + 700 : first["offset"] + 900] = bytes(200)
    tar.write_bytes(data[: second["offset"] + 512])
    page = _page(shards, tmp_path / "page", InspectOptions(pictures=9, workers=2))
    lost = [row["key"] for row in rows if row["shard"] == "train-00001.tar"]
    assert f"Damaged: {len(lost)} of 9 decoded" in page.text
    assert "dpt-bench verify" in page.text
    assert all(key in page.text for key in lost)
    assert page.tags["img"] == 9 - len(lost)
    assert f"{9 - len(lost)} decoded samples" in page.text
    for tar in (shards / "toy").glob("*.tar"):
        tar.unlink()
    page = _page(shards, tmp_path / "page")
    assert "Damaged: 9 of 9 decoded" in page.text
    (shards / "toy/rejected.parquet").unlink()
    with pytest.raises(DataError, match="missing"):
        inspect_shards(shards, tmp_path / "page", ONE_AT_A_TIME)


LABELS = """

from dpt_bench.core.sample import LabelMap


class Reader(Toy):
    def read(self, root, recipe, row):
        image = super().read(root, recipe, row).image
        labels = np.zeros(image.shape[:2], np.uint8)
        labels[:, 13:] = 7
        labels[:10] = 255
        return Sample(row["key"], image, LabelMap(labels, 255), tuple(row["files"]))
"""


def test_segmentation_shards(toy: Any, tmp_path: Path) -> None:
    """Classes in the place of inverse depth; what is ignored has no class."""
    reader = (toy.folder / "toy_reader.py").read_text()
    (toy.folder / "toy_reader.py").write_text(reader.replace("class Reader:", "class Toy:") + LABELS)
    facts = toy.recipe.read_text().replace('"metric_depth"', '"labels"\nnum_classes = 8')
    toy.recipe.write_text(facts.replace('format = "npy"', 'format = "png8"').replace('sky_policy = "infinity"', ""))
    page = _page(_shards(toy, tmp_path / "shards"), tmp_path / "page", InspectOptions(pictures=2, workers=1))
    assert "Class indices" in page.text
    assert "Image and labels" in page.text
    assert "inverse depth of the farthest" not in page.text
    assert "Valid pixels mean 75.0 %" in page.text
    assert page.tags["img"] == 2
    store = ShardStore.at(tmp_path / "shards")
    rows = open_shards(tmp_path / "shards").index("toy").to_pylist()
    (sample,) = measure_samples(store, "toy", rows[:1], [0], 1)
    assert sample.is_labels
    assert np.flatnonzero(sample.shares).tolist() == [0, 7]
    np.testing.assert_allclose(sample.shares[[0, 7]], [0.75 * 13 / 52, 0.75 * 39 / 52])


def test_the_same_call_writes_the_same_files(toy: Any, tmp_path: Path) -> None:
    shards = _shards(toy, tmp_path / "shards")
    for folder, workers in (("one", 1), ("two", 3)):
        inspect_shards(shards, tmp_path / folder, InspectOptions(samples=4, pictures=2, workers=workers))
    files = [
        {path.name: path.read_bytes() for path in sorted((tmp_path / folder).rglob("*.*"))} for folder in ("one", "two")
    ]
    assert files[0] == files[1]
    assert len(files[0]) == 3


@pytest.mark.parametrize("rows_in_block", [1, 3, 100])
def test_facts_do_not_depend_on_the_blocks(
    rows_in_block: int, toy: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = ShardStore.at(_shards(toy, tmp_path / "shards"))
    whole = read_index_facts(store, "toy", 9, 4, 0)
    plain = inspect_index.iterate_rows
    monkeypatch.setattr(inspect_index, "iterate_rows", lambda *arguments: plain(*arguments, rows_in_block))
    monkeypatch.setattr(inspect_index, "MOST_KEPT", 5)
    facts = read_index_facts(store, "toy", 9, 4, 0)
    assert (facts.samples, facts.sizes, facts.picked) == (whole.samples, whole.sizes, whole.picked)
    for name, numbers in facts.numbers.items():
        expected = whole.numbers[name]
        assert (numbers.count, numbers.low, numbers.high) == (expected.count, expected.low, expected.high)
        assert numbers.mean == pytest.approx(expected.mean)
        assert numbers.kept.tolist() == expected.kept[::2].tolist()
    assert read_rejections(store, "toy") == []


def test_rejections_name_the_first_few(make_toy: Callable[..., Any], tmp_path: Path) -> None:
    toy = make_toy("many", train=12)
    for frame in range(8):
        toy.file(f"train/{'ab'[frame % 2]}_{frame:03d}", "png").write_bytes(b"")
    store = ShardStore.at(_shards(toy, tmp_path / "shards", max_rejected=0.9))
    (rejection,) = read_rejections(store, "toy")
    assert (rejection.reason, rejection.count, len(rejection.examples)) == ("corrupt-file", 8, 3)


def test_picks_are_spread_over_all() -> None:
    places = spread(1000, 10, 7)
    assert [int(place) // 100 for place in places] == list(range(10))
    assert spread(3, 10, 0).tolist() == [0, 1, 2]
    assert spread(0, 10, 0).size == 0
    assert spread(1000, 10, 7).tolist() == places.tolist() != spread(1000, 10, 8).tolist()


def test_pictures_show_the_mask_and_the_sky() -> None:
    values = np.tile(np.linspace(0, 1, 60, dtype=np.float32), (40, 1))
    values[:, 40:] = np.nan
    sky = np.zeros((40, 60), bool)
    sky[:20, :10] = True
    values[:10, :10] = 0
    values[10:20, :10] = np.nan
    picture = picture_of(ShardSample("a", np.full((40, 60, 3), 9, np.uint8), values, sky))
    assert picture.shape == (40, 120, 3)
    assert (picture[:, :60] == 9).all()
    target = picture[:, 60:]
    assert (target[:10, :10] == SKY_COLOUR).all()
    assert len(np.unique(target[10:20, :10].reshape(-1, 3), axis=0)) == 2, "invalid sky is hatched"
    hole = target[:, 40:]
    assert (hole[..., 0] == hole[..., 2]).all()
    assert len(np.unique(hole)) == 2
    assert len(np.unique(target[30, 10:40].reshape(-1, 3), axis=0)) > 20
