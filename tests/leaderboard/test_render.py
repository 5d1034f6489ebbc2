from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dpt_bench.core.errors import UnknownNameError, UsageError
from dpt_bench.leaderboard import FORMATS, render


def names(out: Path) -> set[str]:
    return {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}


def test_all_formats_by_default_index_first(tmp_path: Path, write_results: Callable[..., Path]) -> None:
    results = write_results(tmp_path / "results", {"A": {"kitti": 0.1}})
    written = render([results], tmp_path / "out")
    assert written[0] == tmp_path / "out" / "index.html"
    assert names(tmp_path / "out") == {
        "index.html",
        "suites/midas-v1.html",
        "models/A.html",
        "midas-v1.csv",
        "midas-v1.md",
        "midas-v1.tex",
    }
    assert set(written) == {tmp_path / "out" / name for name in names(tmp_path / "out")}


@pytest.mark.parametrize(
    ("format_", "file"), [("csv", "midas-v1.csv"), ("markdown", "midas-v1.md"), ("latex", "midas-v1.tex")]
)
def test_one_format(tmp_path: Path, write_results: Callable[..., Path], format_: str, file: str) -> None:
    render([write_results(tmp_path / "results", {"A": {"kitti": 0.1}})], tmp_path / "out", formats=[format_])
    assert names(tmp_path / "out") == {file}


def test_the_same_input_gives_the_same_bytes(tmp_path: Path, write_results: Callable[..., Path]) -> None:
    results = write_results(tmp_path / "results", {"A": {"kitti": 0.1, "nyu": 0.2}, "B": {"kitti": 0.3}}, pictures=True)
    for out in ("1", "2"):
        render([results], tmp_path / out)
    assert names(tmp_path / "1") == names(tmp_path / "2")
    for name in names(tmp_path / "1"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()


def test_without_results_all_published_suites_are_shown(tmp_path: Path) -> None:
    render([], tmp_path)
    assert {"midas-v1.csv", "nyu-eigen-v1.csv", "kitti-eigen-v2.csv", "depth-anything-v1.csv"} <= names(tmp_path)


def test_from_memory(tmp_path: Path) -> None:
    render([], tmp_path / "no", suites=["marigold"])
    render([], tmp_path / "yes", suites=["marigold"], from_memory=True)
    shown, asked = ((tmp_path / name / "marigold-v1.csv").read_text() for name in ("no", "yes"))
    assert "scannet" not in shown
    assert "scannet" in asked
    assert "from memory" in (tmp_path / "yes" / "index.html").read_text()


def test_reference(tmp_path: Path) -> None:
    render([], tmp_path, suites=["midas", "nyu-eigen"], reference="DPT-Hybrid", formats=["markdown"])
    assert "Improvement over DPT-Hybrid" in (tmp_path / "midas-v1.md").read_text()
    with pytest.raises(UnknownNameError, match="did you mean 'DPT-Hybrid'"):
        render([], tmp_path, suites=["midas"], reference="DPT-Hybridd")


def test_wrong_calls(tmp_path: Path, write_results: Callable[..., Path]) -> None:
    with pytest.raises(UnknownNameError, match="csv, html, latex, markdown"):
        render([], tmp_path, formats=["pdf"])
    with pytest.raises(UsageError, match="no results summary here"):
        render([tmp_path / "none"], tmp_path / "out")
    assert not (tmp_path / "out").exists()
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot be written"):
        render([], tmp_path / "file")
    assert FORMATS == ("csv", "markdown", "latex", "html")


def test_fifty_models_on_six_datasets_stand_on_one_page(tmp_path: Path, write_results: Callable[..., Path]) -> None:
    datasets = dict.fromkeys(("diw", "eth3d", "sintel", "kitti", "nyu", "tum"), 0.2)
    render([write_results(tmp_path / "results", {f"model {index}": datasets for index in range(50)})], tmp_path / "out")
    assert (tmp_path / "out" / "index.html").read_text().count('class="own"') == 50
