"""Texts about catalog entries: one line for a list, everything for one entry."""

from __future__ import annotations

import ast
import importlib.util
import shutil
import textwrap
from collections.abc import Callable
from pathlib import Path

from dpt_bench.core.catalog import MIXES, RECIPES, SUITES, TomlCatalog, plugin_names
from dpt_bench.core.errors import UnknownNameError, UsageError
from dpt_bench.core.mix import Mix, load_mix
from dpt_bench.core.recipe import Recipe, load_recipe
from dpt_bench.core.suite import Suite, SuiteDataset, load_suite
from dpt_bench.core.toml import read_toml

PREDICTORS = "dpt_bench.predictors"
CATALOGS: dict[str, TomlCatalog[Recipe] | TomlCatalog[Mix] | TomlCatalog[Suite]] = {
    "recipes": RECIPES,
    "mixes": MIXES,
    "suites": SUITES,
}


def _load_preset(path: Path) -> object:
    from dpt_bench.training.config import load_preset

    return load_preset(str(path))


SCHEMA_OF: dict[str, Callable[[Path], object]] = {
    "recipe": load_recipe,
    "mix": load_mix,
    "suite": load_suite,
    "preset": _load_preset,
}


def guess_kind(file: Path) -> str:
    """What a TOML seems to be, from its keys.

    Raises:
        UsageError: the keys fit nothing.
    """
    keys = set(read_toml(file))
    for kind, sign in (("recipe", "reader"), ("mix", "members"), ("suite", "datasets"), ("preset", "model")):
        if sign in keys:
            return kind
    raise UsageError(
        "cannot tell what this file describes", where=file, fix=f"name it with --kind {' | '.join(SCHEMA_OF)}"
    )


def titles(kind: str) -> dict[str, str]:
    """One line for every entry of a kind, by its name."""
    if kind in CATALOGS:
        catalog = CATALOGS[kind]
        return {name: _title(catalog.load(name)) for name in catalog.names()}
    if kind == "metrics":
        from dpt_bench.metrics import load_metric

        return {
            name: f"{load_metric(name).title} [{load_metric(name).unit}]" for name in plugin_names("dpt_bench.metrics")
        }
    if kind == "models":
        from dpt_bench.model import VARIANTS

        return {name: f"{spec.backbone}, {spec.readout} read-out, {spec.head} head" for name, spec in VARIANTS.items()}
    if kind == "predictors":
        return {name: _module_text(name).split("\n")[0] for name in plugin_names(PREDICTORS)}
    from dpt_bench.training.config import load_preset, preset_names

    return {name: load_preset(name).title for name in preset_names()}


def _module_text(predictor: str) -> str:
    """What a predictor's module says of itself, read without importing it: its libraries may be missing here."""
    if predictor not in plugin_names(PREDICTORS):
        raise UnknownNameError("predictor", predictor, plugin_names(PREDICTORS))
    spec = importlib.util.find_spec(f"{PREDICTORS}.{predictor}")
    assert spec is not None
    assert spec.origin is not None
    return ast.get_docstring(ast.parse(Path(spec.origin).read_text(encoding="utf-8"))) or predictor


def _title(entry: Recipe | Mix | Suite) -> str:
    return f"{entry.title} [{entry.status}]" if isinstance(entry, Suite) else entry.title


def describe(kind: str, name: str) -> str:
    """All facts of one entry, wrapped to the terminal.

    Raises:
        UnknownNameError: no entry has the name.
    """
    if kind == "recipes":
        return _recipe(RECIPES.load(name))
    if kind == "mixes":
        return _mix(MIXES.load(name))
    if kind == "suites":
        return _suite(SUITES.load(name))
    if kind == "predictors":
        return _module_text(name)
    if kind == "metrics":
        from dpt_bench.metrics import load_metric

        metric = load_metric(name)
        better = "higher" if metric.higher_is_better else "lower"
        return _block(
            name,
            {
                "what": metric.title,
                "unit": f"{metric.unit}, {better} is better",
                "compares": metric.needs,
                "source": metric.citation,
            },
        )
    return _dump(kind, name)


def _dump(kind: str, name: str) -> str:
    if kind == "models":
        from dpt_bench.model import VARIANTS

        if name not in VARIANTS:
            raise UnknownNameError("model", name, VARIANTS)
        return VARIANTS[name].model_dump_json(indent=2)
    from dpt_bench.training.config import load_preset

    return load_preset(name).model_dump_json(indent=2)


def _recipe(recipe: Recipe) -> str:
    facts = {
        "dataset": recipe.title,
        "target": f"{recipe.target.kind}, stored as {recipe.target.format}, sky: {recipe.target.sky_policy}",
        "reader": recipe.reader,
        "licence": recipe.licence,
        "cite": recipe.citation,
        "homepage": recipe.homepage,
        "obtain": recipe.obtain,
        "version": str(recipe.version),
    }
    for name, split in recipe.splits.items():
        count = f"{split.images:,} images" if split.images else "size not fixed"
        facts[f"split {name}"] = f"{count}. {split.note}".rstrip(". ") + "."
    for number, issue in enumerate(recipe.known_issues, 1):
        facts[f"known issue {number}"] = issue
    return _block(recipe.name, facts)


def _mix(mix: Mix) -> str:
    known = RECIPES.names()
    facts = {"mix": mix.title, "cite": mix.citation, "version": str(mix.version)}
    for member in mix.members:
        title = RECIPES.load(member.recipe).title if member.recipe in known else "not readable by this version"
        facts[member.recipe] = f"weight {member.weight:g}; {title}"
    return _block(mix.name, facts)


def _suite(suite: Suite) -> str:
    facts = {"suite": suite.title, "version": str(suite.version), "status": suite.status, "cite": suite.citation}
    if suite.note:
        facts["note"] = suite.note
    if suite.missing:
        facts["missing"] = ", ".join(suite.missing)
    return _block(suite.name, facts | {dataset.recipe: protocol(dataset) for dataset in suite.datasets})


def protocol(dataset: SuiteDataset) -> str:
    """One dataset's protocol, in the words of the leaderboard's pages."""
    from dpt_bench.leaderboard.protocol import protocol_words
    from dpt_bench.metrics import load_metric

    recipe = RECIPES.load(dataset.recipe)
    words = protocol_words(dataset, recipe, {name: load_metric(name) for name in dataset.metrics})
    sentences = [f"{topic}: {said[0].lower()}{said[1:]}" for topic, said in words if topic != "Metric"]
    return " ".join([*sentences, f"Metrics: {', '.join(dataset.metrics)}."])


def _block(title: str, facts: dict[str, str]) -> str:
    label = max(len(key) for key in facts) + 2
    width = max(shutil.get_terminal_size().columns, label + 30)
    lines = [title, "-" * len(title)]
    for key, text in facts.items():
        lines += textwrap.wrap(text, width, initial_indent=f"{key:<{label}}", subsequent_indent=" " * label) or [key]
    return "\n".join(lines)


def one_line(text: str) -> str:
    """Text cut to the terminal's width."""
    width = shutil.get_terminal_size().columns
    return text if len(text) <= width else text[: width - 1] + "…"
