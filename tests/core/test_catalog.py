from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from dpt_bench.core.catalog import MIXES, RECIPES, SUITES, load_plugin, plugin_names
from dpt_bench.core.errors import UnknownNameError, UsageError


@pytest.mark.parametrize("catalog", [RECIPES, MIXES, SUITES], ids=lambda catalog: catalog.kind)
def test_every_entry_loads_under_the_name_of_its_file(catalog) -> None:
    names = catalog.names()
    assert names
    for name in names:
        assert catalog.load(name).name == name


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="unknown recipe 'kiti'") as caught:
        RECIPES.load("kiti")
    assert "kitti" in str(caught.value)


def test_a_path_works_where_a_name_does(tmp_path: Path) -> None:
    copy = tmp_path / "mine.toml"
    copy.write_text(RECIPES.paths()["kitti"].read_text())
    assert RECIPES.load(copy).name == "mine"


def test_listing_plugins_imports_none_of_them() -> None:
    code = (
        "import sys; from dpt_bench.core.catalog import plugin_names; names = plugin_names('dpt_bench.metrics');"
        "assert 'absrel' in names, names; assert '_contract' not in names; assert 'dpt_bench.metrics.absrel' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_plugin_file_outside_the_package(tmp_path: Path) -> None:
    (tmp_path / "my_reader.py").write_text("class Reader:\n    answer = 42\n")
    module = load_plugin("dpt_bench.readers", "my_reader.py", kind="reader", relative_to=tmp_path)
    assert module.Reader.answer == 42


def test_a_missing_plugin_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not found"):
        load_plugin("dpt_bench.readers", "none.py", kind="reader", relative_to=tmp_path)


def test_a_plugin_with_a_mistake_shows_the_mistake_and_is_not_kept(tmp_path: Path) -> None:
    file = tmp_path / "broken.py"
    file.write_text("raise ZeroDivisionError('mine')")
    with pytest.raises(ZeroDivisionError, match="mine"):
        load_plugin("dpt_bench.readers", str(file), kind="reader")
    file.write_text("class Reader: pass")
    assert load_plugin("dpt_bench.readers", str(file), kind="reader").Reader


def test_unknown_plugin() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'absrel'"):
        load_plugin("dpt_bench.metrics", "abs_rel", kind="metric")
    assert "absrel" in plugin_names("dpt_bench.metrics")
