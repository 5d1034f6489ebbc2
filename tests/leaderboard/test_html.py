from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from dpt_bench.leaderboard import render
from dpt_bench.leaderboard.html import model_page

HOSTILE = "<script>window.hit = 1</script>\"'&amp;"


class Markup(HTMLParser):
    """Tags, links and text of a page, and that every element is closed."""

    VOID = frozenset({"meta", "img", "input", "br", "path", "rect"})

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: Counter[str] = Counter()
        self.links: list[str] = []
        self.handlers: list[str] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        self.handlers += [name for name, _ in attrs if name.startswith("on")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, write_results: Callable[..., Path]) -> Path:
    folder = tmp_path_factory.mktemp("site")
    models = {"plain": {"kitti": 0.1, "nyu": 0.2}, HOSTILE: {"kitti": 0.3, "nyu": 0.1}, "on kitti": {"kitti": 0.2}}
    results = write_results(folder / "results", models, world=True, pictures=True)
    render([results], folder / "out", suites=("nyu-eigen",))
    return folder / "out"


def pages(site: Path) -> dict[str, str]:
    return {str(path.relative_to(site)): path.read_text() for path in site.rglob("*.html")}


def test_there_is_an_index_a_page_a_suite_and_a_page_a_model(site: Path) -> None:
    found = pages(site)
    assert {"index.html", "suites/midas-v1.html", "suites/nyu-eigen-v1.html", "models/plain.html"} <= set(found)
    assert len([name for name in found if name.startswith("models/")]) == 3


def test_every_page_is_well_formed_and_every_link_leads_to_a_file(site: Path) -> None:
    for name, text in pages(site).items():
        page = Markup(text)
        for link in page.links:
            assert not re.match(r"[a-z]+:|//", link), f"{name} links out: {link}"
            target = link.split("#")[0]
            assert not target or (site / name).parent.joinpath(target).resolve().is_file(), f"{name}: {link}"


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    for text in pages(site).values():
        assert not re.search(
            r"@import|url\(|<link|<iframe|<base|srcset|fetch\(|XMLHttpRequest|http-equiv=.refresh", text
        )
        assert "default-src 'none'" in text


def test_markup_in_names_is_text(site: Path) -> None:
    found = pages(site)
    hostile = model_page((HOSTILE, None))
    for name in ("index.html", "suites/midas-v1.html", hostile):
        page = Markup(found[name])
        assert page.tags["script"] == 1, name
        assert not page.handlers
        assert HOSTILE in page.text
    assert re.fullmatch(r"models/[A-Za-z0-9_-]+\.html", hostile)


def test_names_that_differ_only_in_odd_letters_have_two_pages() -> None:
    names = [("a/b", None), ("a b", None), ("a-b", None), ("a-b", "12" * 32), ("../a", None), ("é" * 300, None)]
    assert len({model_page(name) for name in names}) == len(names)
    assert all(re.fullmatch(r"models/[A-Za-z0-9_-]{1,120}\.html", model_page(name)) for name in names)


def test_published_rows_stand_in_the_first_table_and_rendered_worlds_in_the_second(site: Path) -> None:
    first, second = pages(site)["index.html"].split('aria-label="This board&#39;s own runs"')
    assert "DPT-Large" in first
    assert "DPT-Large" not in second.split("<article")[0]
    assert second.count('<span class="tag warn">sample-world</span>') >= 3
    assert 'class="own"' not in first


def test_trained_on_cells_are_marked(site: Path) -> None:
    row = re.search(r"on kitti</a>.*?</tr>", pages(site)["index.html"], flags=re.DOTALL)
    assert row
    assert 'class="number seen"' in row.group()
    assert "†" in row.group()


def test_a_model_page_has_distributions_counts_and_pictures(site: Path) -> None:
    text = pages(site)["models/plain.html"]
    page = Markup(text)
    assert text.count('class="area"') == 4  # two datasets, two metrics
    assert page.tags["img"] == 2 * 3 * 4  # datasets, ranks, tiles
    assert "1 (corrupt-file:1)" in text
    assert "1 (negative-scale:1)" in text
    assert re.search(r"95 % interval \d", text)


def test_a_suite_page_states_the_protocol_and_shows_all_metrics(site: Path) -> None:
    text = pages(site)["suites/midas-v1.html"]
    assert "For each image a scale and a shift are fitted by least squares" in text
    assert 'data-column="kitti_absrel"' in text
    assert 'data-column="kitti_absrel"' not in pages(site)["index.html"]


def test_the_tables_lie_beside_the_index_and_are_linked(site: Path) -> None:
    text = pages(site)["index.html"]
    for file in ("midas-v1.csv", "midas-v1.md", "midas-v1.tex", "nyu-eigen-v1.csv"):
        assert f'href="{file}"' in text
        assert (site / file).stat().st_size > 100
