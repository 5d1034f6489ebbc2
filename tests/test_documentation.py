from __future__ import annotations

import ast
import re
from pathlib import Path

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
