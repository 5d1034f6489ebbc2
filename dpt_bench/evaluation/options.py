"""What a caller may set for an evaluation, and what it gets back."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from dpt_bench.results import SummaryRow


@dataclass(frozen=True)
class Part:
    """Every `count`-th image of each dataset, from the `index`-th on: what one of several workers does."""

    index: int
    count: int


@dataclass(frozen=True)
class EvaluationOptions:
    """How to run; nothing here moves a number, and predictor_settings names what did.

    datasets: only these of the suite, by recipe name. limit: only the first N images of each (labelled partial).
    batch_size: images of one size that are predicted together. threads: how many read ahead, and how many score.
    cache: folder where predictions are kept for other suites, of cache_bytes at most; None: nowhere.
    predictor_settings: how the predictors were loaded (precision, variant), as far as it moves a number.
    part: this share of the images alone.
    panels: how many of the best, the median and the worst images of each model and dataset become pictures; 0: none.
    """

    datasets: tuple[str, ...] | None = None
    limit: int | None = None
    batch_size: int = 8
    threads: int = 2
    panels: int = 2
    part: Part | None = None
    cache: Path | None = None
    cache_bytes: int = 50_000_000_000
    predictor_settings: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class EvaluationReport:
    """What was done. Whatever was not evaluated is named here.

    absent: datasets of the suite without a folder -> where it was looked for. missing: sets of the protocol that the
    suite itself leaves out. n_new: images finished by this call, over all models; n_resumed: found finished;
    n_cached: predictions of this call that came from the cache, those for pictures too.
    summary: the rows of this call's models on its datasets.
    """

    suite: str
    suite_version: int
    evaluated: tuple[str, ...]
    absent: dict[str, Path]
    missing: tuple[str, ...]
    n_new: int
    n_resumed: int
    n_cached: int
    summary: tuple[SummaryRow, ...]
    results: Path
    summary_csv: Path
    leaderboard_csv: Path
