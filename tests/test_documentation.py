from __future__ import annotations

import ast
import re
import shlex
from pathlib import Path

import pytest
import typer

from dpt_bench.cli.main import app
from dpt_bench.core.catalog import SUITES
from dpt_bench.training import load_preset, parse_settings
from dpt_bench.training.tasks._contract import load_task

REPOSITORY = Path(__file__).resolve().parents[1]
ARCHITECTURE = (REPOSITORY / "ARCHITECTURE.md").read_text()


def packages() -> dict[str, str]:
    folders = [folder for folder in (REPOSITORY / "dpt_bench").iterdir() if (folder / "__init__.py").is_file()]
    return {folder.name: ast.get_docstring(ast.parse((folder / "__init__.py").read_text())) or "" for folder in folders}


def test_architecture_describes_every_package_with_its_own_docstring() -> None:
    described = dict(re.findall(r"^\| `dpt_bench/(\w+)/` \| (.+) \|$", ARCHITECTURE, flags=re.MULTILINE))
    assert described == {name: " ".join(text.split()) for name, text in packages().items()}


def test_every_path_that_the_documents_name_exists() -> None:
    for document in ("ARCHITECTURE.md", "CONTRIBUTING.md", "README.md"):
        text = (REPOSITORY / document).read_text()
        paths = re.findall(r"`((?:dpt_bench|data_recipes|leaderboards|tests)/[\w/.]+)`", text)
        for path in paths:
            if "_data" not in path and "foo" not in path:
                assert (REPOSITORY / path).exists(), f"{document} names {path}"


def test_the_layers_in_architecture_are_those_that_lint_enforces() -> None:
    drawn = re.search(r"```\n(cli\n.*?core)\n```", ARCHITECTURE, flags=re.DOTALL)
    assert drawn
    enforced = re.findall(r'^  "([a-z |]+)",$', (REPOSITORY / "pyproject.toml").read_text(), flags=re.MULTILINE)
    assert drawn.group(1).split("\n") == enforced


def readme_blocks(language: str) -> list[str]:
    text = (REPOSITORY / "README.md").read_text()
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)


def readme_calls() -> list[list[str]]:
    """Arguments of every `dpt-bench` call in the README's shell blocks, however it is started."""
    lines = "".join(readme_blocks("sh")).replace("\\\n", " ").splitlines()
    started = re.compile(r"(?:^|\s)(?:dpt-bench|-m dpt_bench\.cli\.main) (?=[a-z])")
    calls = [shlex.split(line[found.end() :], comments=True) for line in lines if (found := started.search(line))]
    assert len(calls) > 15
    return calls


@pytest.mark.parametrize("call", readme_calls(), ids=" ".join)
def test_a_command_of_the_readme_is_one_that_there_is(call: list[str], tmp_path: Path) -> None:
    """Its options exist and its values fit; of a training, the whole preset as it would be run."""
    name, *arguments = call
    command = typer.main.get_command(app).commands[name]
    values = command.make_context(name, arguments).params
    if name == "train":
        (preset,) = readme_blocks("toml")
        (tmp_path / "metric.toml").write_text(preset)
        chosen = tmp_path / values["preset"] if values["preset"].endswith(".toml") else values["preset"]
        resolved = load_preset(chosen, parse_settings(values["settings"] or ()))
        assert load_task(resolved).needs_metric == values["preset"].endswith(".toml")
        resolved.model.resolved(resolved.crop)
    if name == "zeroshot":
        assert {values["suite"]} <= {*SUITES.names()}
