"""Rows to build boards from, and results folders on disk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from dpt_bench.core.kinds import DepthKind
from dpt_bench.core.provenance import sha256_of_keys
from dpt_bench.formats.images import encode_png
from dpt_bench.leaderboard.sources import SuiteSources
from dpt_bench.results import Cell, ImageResult, MetricFacts, ResultStore, Score, SummaryRow
from dpt_bench.results.gallery import TILES, Gallery, Panel, write_gallery
from dpt_bench.results.published import PublishedRow

LIST = "1" * 64
HOSTILE = "<script>window.hit = 1</script>"


@pytest.fixture
def published() -> Callable[..., PublishedRow]:
    def make(model: str, dataset: str, value: str, **changes: object) -> PublishedRow:
        facts: dict[str, object] = {
            "suite": "toy",
            "suite_version": 1,
            "model": model,
            "trained_on": "MIX 6",
            "input": "",
            "dataset": dataset,
            "metric": "absrel",
            "value": value,
            "unit": "fraction",
            "better": "lower",
            "trained_on_dataset": False,
            "num_images": 100,
            "keys_sha256": None,
            "paper": "Paper",
            "table": "Table 1",
            "status": "verified",
            "note": "",
        }
        return PublishedRow.model_validate({**facts, **changes})

    return make


@pytest.fixture
def measured() -> Callable[..., SummaryRow]:
    def make(model: str, dataset: str, mean: float | None, **changes: object) -> SummaryRow:
        facts: dict[str, object] = {
            "model": model,
            "dataset": dataset,
            "metric": "absrel",
            "mean": mean,
            "ci_low": None if mean is None else mean * 0.9,
            "ci_high": None if mean is None else mean * 1.1,
            "unit": "fraction",
            "better": "lower",
            "on_board": True,
            "n_images": 100,
            "n_skipped": 0,
            "skips": "",
            "n_flagged": 0,
            "flags": "",
            "label": "complete",
            "trained_on": "redweb",
            "trained_on_dataset": False,
            "suite": "toy",
            "suite_version": 1,
            "split": "test",
            "keys_sha256": LIST,
            "kind": "affine_disparity",
            "scored_as": "affine_disparity",
            "resized_by": "suite",
            "resize_rule": "longer 384",
            "checkpoint_sha256": None,
            "package_version": "0.1.0",
        }
        return SummaryRow.model_validate({**facts, **changes})

    return make


@pytest.fixture
def sources() -> Callable[..., SuiteSources]:
    """Sources of a suite that no catalog knows."""

    def make(published: Sequence[PublishedRow] = (), measured: Sequence[SummaryRow] = ()) -> SuiteSources:
        return SuiteSources("toy", 1, None, {}, {}, tuple(measured), tuple(published))

    return make


@pytest.fixture(scope="session")
def write_results() -> Callable[..., Path]:
    """Fills a results folder: {model: {dataset: mean error}}, 20 images a dataset, of which one is skipped."""

    def write(
        folder: Path,
        models: dict[str, dict[str, float]],
        *,
        complete: bool = False,
        world: bool = False,
        pictures: bool = False,
        suite: str = "midas",
    ) -> Path:
        store = ResultStore(folder)
        store.create()
        with store.journal() as journal:
            for seed, (model, datasets) in enumerate(models.items()):
                for position, (dataset, error) in enumerate(datasets.items()):
                    cell = _cell(model, dataset, position, suite=suite, complete=complete, world=world)
                    store.declare(cell)
                    for result in _results(cell, error, seed, skip=not complete):
                        journal.append(result)
                    if pictures:
                        _write_pictures(store.folder / "gallery" / cell.file_stem, cell)
        store.compact()
        return folder

    return write


KEYS = tuple(f"scene/{index:04d}" for index in range(20))


def _cell(model: str, dataset: str, position: int, *, suite: str, complete: bool, world: bool) -> Cell:
    return Cell(
        model=model,
        checkpoint_sha256=None,
        kind=DepthKind.AFFINE_DISPARITY,
        scored_as=DepthKind.AFFINE_DISPARITY,
        suite=suite,
        suite_version=1,
        dataset=dataset,
        position=position,
        split="test",
        metrics=(
            MetricFacts(name="delta_above_1_25", unit="fraction", better="lower"),
            MetricFacts(name="absrel", unit="fraction", better="lower"),
        ),
        resized_by="suite",
        resize_rule="longer 384",
        trained_on=("redweb", "kitti") if "kitti" in model else ("redweb",),
        published_keys_sha256=sha256_of_keys(KEYS) if complete else None,
        sample_world=world,
        settings={},
        package_version="0.1.0",
    )


def _results(cell: Cell, error: float, seed: int, *, skip: bool) -> list[ImageResult]:
    draws = np.random.default_rng(seed).uniform(0.5, 1.5, (len(KEYS), 2)) * error
    return [
        ImageResult(
            model=cell.model,
            checkpoint_sha256=cell.checkpoint_sha256,
            kind=cell.kind,
            suite=cell.suite,
            suite_version=cell.suite_version,
            dataset=cell.dataset,
            key=key,
            scores=tuple(
                Score(metric=metric.name, value=None if skip and not place else float(value), unit=metric.unit)
                for metric, value in zip(cell.metrics, draws[place], strict=True)
            ),
            resized_by="suite",
            alignment_space="disparity",
            alignment="scale_and_shift",
            flags=("negative-scale",) if place == 3 else (),
            skipped="corrupt-file" if skip and not place else None,
        )
        for place, key in enumerate(KEYS)
    ]


def _write_pictures(folder: Path, cell: Cell) -> None:
    folder.mkdir(parents=True)
    panels = []
    for rank in ("best", "median", "worst"):
        files = {tile: f"{rank}-{tile}.png" for tile in TILES}
        for shade, file in enumerate(files.values()):
            (folder / file).write_bytes(encode_png(np.full((12, 16, 3), 60 * shade, np.uint8)))
        panels.append(Panel(rank=rank, key=KEYS[len(panels)], value=0.25, files=files))
    name = {
        field: getattr(cell, field) for field in ("model", "checkpoint_sha256", "suite", "suite_version", "dataset")
    }
    write_gallery(folder, Gallery(**name, metric=cell.metrics[0], panels=tuple(panels)))
