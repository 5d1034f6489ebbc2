"""The file is the registration: TOML files and plug-in modules are found by their names.

Listing never imports a plug-in. A user's own file outside the package works wherever a name does.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Generic, TypeVar

from dpt_bench.core.errors import UnknownNameError, UsageError
from dpt_bench.core.mix import Mix, load_mix
from dpt_bench.core.recipe import Recipe, load_recipe
from dpt_bench.core.resources import data_folder
from dpt_bench.core.suite import Suite, load_suite

Entry = TypeVar("Entry")


@dataclass(frozen=True)
class TomlCatalog(Generic[Entry]):
    """TOML files of one kind below data_recipes/."""

    kind: str
    folders: tuple[str, ...]
    read: Callable[[Path], Entry]

    def paths(self) -> dict[str, Path]:
        """Name -> file, sorted by name."""
        root = data_folder("data_recipes")
        files = [file for folder in self.folders for file in (root / folder).glob("*.toml")]
        return {file.stem: file for file in sorted(files, key=lambda file: file.stem)}

    def names(self) -> list[str]:
        return list(self.paths())

    def load(self, name_or_path: str | Path) -> Entry:
        """The entry of this name, or the file at this path (anything that ends in .toml).

        Raises:
            UnknownNameError: no entry has the name.
            UsageError: the file is missing or breaks its schema.
        """
        if str(name_or_path).endswith(".toml"):
            return self.read(Path(name_or_path))
        known = self.paths()
        if str(name_or_path) not in known:
            raise UnknownNameError(self.kind, str(name_or_path), known)
        return self.read(known[str(name_or_path)])


RECIPES: TomlCatalog[Recipe] = TomlCatalog("recipe", ("train", "eval", "segmentation"), load_recipe)
TRAIN_RECIPES: TomlCatalog[Recipe] = TomlCatalog("training recipe", ("train",), load_recipe)
EVAL_RECIPES: TomlCatalog[Recipe] = TomlCatalog("evaluation recipe", ("eval",), load_recipe)
MIXES: TomlCatalog[Mix] = TomlCatalog("mix", ("mixes",), load_mix)
SUITES: TomlCatalog[Suite] = TomlCatalog("suite", ("suites",), load_suite)


def plugin_names(package: str) -> list[str]:
    """Names of the plug-in modules in a package such as "dpt_bench.metrics", without importing any of them."""
    spec = importlib.util.find_spec(package)
    assert spec is not None, f"no package {package}"
    assert spec.submodule_search_locations is not None, f"{package} is not a package"
    files = (file for place in spec.submodule_search_locations for file in Path(place).glob("*.py"))
    return sorted(file.stem for file in files if not file.stem.startswith("_"))


def load_plugin(package: str, name: str, *, kind: str, relative_to: Path | None = None) -> ModuleType:
    """The module `name` of `package`, or the Python file at that path (anything that ends in .py).

    Raises:
        UnknownNameError: no module has the name.
        UsageError: the Python file is missing.
    """
    if name.endswith(".py"):
        return _load_file((relative_to or Path()) / name, kind)
    if name not in plugin_names(package):
        raise UnknownNameError(kind, name, plugin_names(package))
    return importlib.import_module(f"{package}.{name}")


def _load_file(path: Path, kind: str) -> ModuleType:
    file = path.resolve()
    if not file.is_file():
        raise UsageError(
            f"the {kind}'s Python file was not found",
            where=file,
            fix="check the path; it is relative to the file that names it",
        )
    name = f"dpt_bench_user_{file.stem}_{sha256(str(file).encode()).hexdigest()[:8]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
