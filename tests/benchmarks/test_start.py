from __future__ import annotations

import subprocess
import sys


def run(*arguments: str) -> None:
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)


def test_help(compare) -> None:
    """The bar is 0.5 s; the baseline is what the libraries alone cost."""
    ratio = compare(
        "dpt-bench --help",
        lambda: run("-m", "dpt_bench.cli.main", "--help"),
        "import typer, rich",
        lambda: run("-c", "import typer, rich.console, rich.table"),
    )
    assert ratio > 0


def test_import(compare) -> None:
    ratio = compare(
        "import dpt_bench", lambda: run("-c", "import dpt_bench"), "an empty program", lambda: run("-c", "pass")
    )
    assert ratio > 0
