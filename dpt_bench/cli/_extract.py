"""Runs the extraction of clips and sums its reports up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dpt_bench.core.catalog import TRAIN_RECIPES
from dpt_bench.core.errors import UsageError
from dpt_bench.core.progress import Progress
from dpt_bench.readers import load_reader
from dpt_bench.stereo import ClipReport, extract_clips


@dataclass(frozen=True)
class Summary:
    """Reports of an extraction. absent: clip -> why it was not tried."""

    root: Path
    reports: tuple[ClipReport, ...]
    absent: Mapping[str, str]

    @property
    def failed(self) -> list[ClipReport]:
        return [report for report in self.reports if report.error is not None]

    def lines(self, most: int) -> Iterator[str]:
        """For people: what is there now, what is not, at most so many of a kind."""
        frames = sum(report.extracted for report in self.reports)
        reused = sum(report.reused for report in self.reports)
        clips = len(self.reports) - len(self.failed)
        yield f"{self.root}: {frames:,} frames of {clips:,} clips ({reused:,} were there)"
        missing = [report for report in self.reports if report.missing]
        if missing:
            beyond = sum(report.missing for report in missing)
            yield f"{beyond:,} listed frames of {len(missing):,} clips lie beyond the end of their videos"
        yield from _listing("failed", {report.name: str(report.error) for report in self.failed}, most)
        yield from _listing("not there", self.absent, most)


def extract(dataset: str, raw: Path, workers: int, progress: Progress) -> Summary:
    """Extract the clips of a dataset below raw/<its name>.

    Raises:
        UsageError: no such dataset or folder, it has no videos, there are no lists, or PyAV is not installed.
    """
    recipe = TRAIN_RECIPES.load(dataset)
    reader = load_reader(recipe)
    if not hasattr(reader, "clips"):
        raise UsageError(f"{recipe.name} has no videos to extract frames from", fix="movies and wsvd have")
    root = raw / recipe.name
    if not root.is_dir():
        raise UsageError(f"the folder of {recipe.name} was not found", where=root, fix=f"obtain: {recipe.obtain}")
    plan = reader.clips(root, recipe)
    return Summary(root, tuple(extract_clips(root, plan.jobs, workers=workers, progress=progress)), plan.absent)


def _listing(what: str, items: Mapping[str, str], most: int) -> Iterator[str]:
    if not items:
        return
    yield f"{what}: {len(items):,}"
    for name, why in list(items.items())[:most]:
        yield f"  {name}: {why}"
    if len(items) > most:
        yield f"  and {len(items) - most:,} more"
