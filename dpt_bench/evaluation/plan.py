"""What an evaluation will do, checked in full before the first image is read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from dpt_bench.core.catalog import RECIPES, SUITES, TRAIN_RECIPES
from dpt_bench.core.errors import UnknownNameError, UsageError
from dpt_bench.core.provenance import package_version
from dpt_bench.core.recipe import Recipe
from dpt_bench.core.suite import Suite, SuiteDataset
from dpt_bench.evaluation.options import EvaluationOptions
from dpt_bench.metrics import load_metric
from dpt_bench.predictors import Predictor
from dpt_bench.readers import Reader, load_reader
from dpt_bench.results import Cell, MetricFacts
from dpt_bench.scoring import check_predictor, check_target, required_kind

SAMPLE_WORLD_MARKER = "SAMPLE_WORLD.json"


@dataclass(frozen=True)
class DatasetPlan:
    """One dataset: the protocol as it is applied, its items, and a cell for each predictor, in their order."""

    recipe: Recipe
    protocol: SuiteDataset
    root: Path
    reader: Reader
    items: pa.Table
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Place:
    """Where in its suite a dataset stands, and what its data are."""

    suite: Suite
    position: int
    recipe: Recipe
    sample_world: bool


@dataclass(frozen=True)
class Plan:
    suite: Suite
    predictors: tuple[Predictor, ...]
    datasets: tuple[DatasetPlan, ...]
    absent: dict[str, Path]


def make_plan(
    predictors: Sequence[Predictor], suite: str | Path | Suite, data: Path, options: EvaluationOptions
) -> Plan:
    """Resolve names, look for the datasets below `data`, and check that every predictor can be scored on each.

    Raises:
        UsageError: an unknown name, a suite that passes for a packaged one, no dataset at all below `data`, a folder
            that holds something else, or a predictor whose kind the suite cannot score.
    """
    loaded = suite if isinstance(suite, Suite) else SUITES.load(suite)
    _check_own(loaded)
    _check_distinct(predictors)
    chosen = _chosen(loaded, options)
    for protocol, recipe in chosen:
        _check(protocol, recipe, predictors)
    roots = {recipe.name: data / recipe.name for _, recipe in chosen}
    absent = {name: root for name, root in roots.items() if not root.is_dir()}
    if len(absent) == len(roots):
        raise UsageError(
            f"no dataset of the suite {loaded.name!r} was found" if data.is_dir() else "no such folder of datasets",
            where=data,
            fix=f"looked for {', '.join(map(str, absent.values()))}; {_where_to_get(list(absent))}",
        )
    present = [(protocol, recipe) for protocol, recipe in chosen if recipe.name not in absent]
    return Plan(
        loaded,
        tuple(predictors),
        tuple(_dataset(loaded, one, recipe, (data, predictors, options)) for one, recipe in present),
        absent,
    )


def _where_to_get(names: Sequence[str]) -> str:
    known = f"`dpt-bench list recipes {names[0]}` says where to get it, `dpt-bench sample-data` writes the sample world"
    raw = (
        "these are training sets: their raw trees are the data to give; "
        if set(names) <= {*TRAIN_RECIPES.names()}
        else ""
    )
    return raw + known


def _check_own(suite: Suite) -> None:
    """Boards know a protocol by name and version, so that a suite of the user's must not go by another one's."""
    if suite.name not in SUITES.names():
        return
    packaged = SUITES.load(suite.name)
    if suite.version == packaged.version and suite.datasets != packaged.datasets:
        raise UsageError(
            f"this suite is not {suite.name} version {suite.version}, whose name and version it has",
            where=f"{suite.name}.toml",
            fix="give the file another name, or another version",
        )


def _check_distinct(predictors: Sequence[Predictor]) -> None:
    seen = [(predictor.name, predictor.checkpoint_sha256) for predictor in predictors]
    if not seen:
        raise UsageError("no predictor was given", fix="give at least one model")
    for name in seen:
        if seen.count(name) > 1:
            raise UsageError(f"the model {name[0]!r} was given twice", fix="give each model once")


def _chosen(suite: Suite, options: EvaluationOptions) -> list[tuple[SuiteDataset, Recipe]]:
    pairs = [(protocol, RECIPES.load(protocol.recipe)) for protocol in suite.datasets]
    names = [recipe.name for _, recipe in pairs]
    for wanted in options.datasets or ():
        if wanted not in names:
            raise UnknownNameError(f"dataset of suite {suite.name}", wanted, names)
    return [pair for pair in pairs if options.datasets is None or pair[1].name in options.datasets]


def _check(protocol: SuiteDataset, recipe: Recipe, predictors: Sequence[Predictor]) -> None:
    if recipe.target.kind == "labels":
        raise UsageError("this dataset holds class labels, not depth", where=recipe.path, fix="leave it out")
    if protocol.split not in recipe.splits:
        raise UnknownNameError(f"split of {recipe.name}", protocol.split, recipe.splits)
    check_target(recipe.target.kind, protocol)
    for predictor in predictors:
        check_predictor(predictor.name, predictor.kind, protocol)


def _dataset(
    suite: Suite,
    protocol: SuiteDataset,
    recipe: Recipe,
    call: tuple[Path, Sequence[Predictor], EvaluationOptions],
) -> DatasetPlan:
    data, predictors, options = call
    root = data / recipe.name
    reader = load_reader(recipe)
    items = reader.list(root, recipe, protocol.split)
    position = suite.datasets.index(protocol)
    sample_world = (root / SAMPLE_WORLD_MARKER).exists()
    applied = protocol.for_sample_world() if sample_world else protocol
    place = Place(suite, position, recipe, sample_world)
    cells = tuple(_cell(place, applied, predictor, options.predictor_settings) for predictor in predictors)
    items = items.slice(0, options.limit)
    if options.part is not None:
        items = items.take(pa.array(range(options.part.index, len(items), options.part.count), pa.int64()))
    return DatasetPlan(recipe, applied, root, reader, items, cells)


def _cell(place: Place, protocol: SuiteDataset, predictor: Predictor, settings: Mapping[str, str]) -> Cell:
    suite, recipe = place.suite, place.recipe
    return Cell(
        model=predictor.name,
        checkpoint_sha256=predictor.checkpoint_sha256,
        kind=predictor.kind,
        scored_as=required_kind(protocol.for_prediction(predictor.kind)),
        suite=suite.name,
        suite_version=suite.version,
        dataset=recipe.name,
        position=place.position,
        split=protocol.split,
        metrics=tuple(_facts(name) for name in protocol.metrics),
        resized_by=predictor.preprocessing,
        resize_rule=predictor.input_words(protocol.resize),
        trained_on=predictor.trained_on,
        published_keys_sha256=recipe.splits[protocol.split].keys_sha256,
        sample_world=place.sample_world,
        settings=_settings(protocol, recipe, predictor)
        | {f"predictor.{name}": json.dumps(value) for name, value in settings.items()},
        package_version=package_version(),
    )


def _facts(name: str) -> MetricFacts:
    metric = load_metric(name)
    return MetricFacts(name=name, unit=metric.unit, better="higher" if metric.higher_is_better else "lower")


def _settings(protocol: SuiteDataset, recipe: Recipe, predictor: Predictor) -> dict[str, str]:
    """What may move a number, by name; titles, licences and places on this machine may not."""
    facts = {f"suite.{name}": value for name, value in protocol.model_dump(exclude={"recipe"}).items()}
    stored = recipe.model_dump(mode="json", include={"version", "reader", "layout", "target"})
    facts |= {f"recipe.{name}": value for name, value in stored.items()}
    facts["recipe.split"] = recipe.splits[protocol.split].list_file
    facts["predictor.kind"] = predictor.kind.value
    return {name: json.dumps(value, sort_keys=True) for name, value in facts.items()}
