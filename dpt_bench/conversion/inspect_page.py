"""The page about a shard folder: facts to words, charts and markup."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from dpt_bench.conversion.inspect_index import MOST_KEPT, IndexFacts, NumberFacts, Rejection
from dpt_bench.conversion.inspect_samples import SKY_COLOUR, Damaged
from dpt_bench.conversion.report import human_size
from dpt_bench.core.provenance import package_version
from dpt_bench.render.colour import colour_map
from dpt_bench.render.histogram import Histogram, count
from dpt_bench.render.page import Page, environment, render_page
from dpt_bench.shards.records import DatasetRecord, Manifest

_BINS = 40
_SIZES_SHOWN = 5
_PERCENTILE = 0.99


@dataclass(frozen=True)
class SampleShares:
    """Mean over `samples` decoded samples: shares of pixels by value (see SampleFacts), and of sky."""

    samples: int
    shares: NDArray[np.float64]
    is_labels: bool
    sky: float


@dataclass(frozen=True)
class Picture:
    """A picture beside the page, and the index row of its sample."""

    href: str
    row: Mapping[str, Any]


@dataclass(frozen=True)
class DatasetView:
    """All that the page shows of one dataset; no samples and no shares where the build has not finished an index."""

    name: str
    record: DatasetRecord
    facts: IndexFacts
    rejections: Sequence[Rejection]
    shares: SampleShares | None
    pictures: Sequence[Picture]
    damaged: Sequence[Damaged] = ()

    @property
    def num_bytes(self) -> int:
        return sum(shard.num_bytes for shard in self.record.shards)

    @property
    def num_rejected(self) -> int:
        return sum(rejection.count for rejection in self.rejections)

    @property
    def target(self) -> str:
        """What its samples hold, in words."""
        return "labels" if "labels" in self.facts.kinds else "inverse depth"

    @property
    def is_sampled(self) -> bool:
        """Whether quantiles and histograms are of a part of the rows."""
        return self.facts.num_samples > MOST_KEPT


@dataclass(frozen=True)
class ShardsView:
    """A shard folder; no manifest where no dataset is finished."""

    url: str
    manifest: Manifest | None
    datasets: Sequence[DatasetView]

    def weight(self, dataset: str) -> float | None:
        """Weight of a dataset in the mix, None for one that is no member."""
        members = self.manifest.members if self.manifest else ()
        return next((member.weight for member in members if member.dataset == dataset), None)


@dataclass(frozen=True)
class Chart:
    """A histogram with its words. ends: texts at its low and high end. mark: a value to mark, such as the mean."""

    title: str
    big: str
    notes: Sequence[str]
    histogram: Histogram
    ends: tuple[str, str]
    mark: float | None = None


def render_inspection(view: ShardsView) -> str:
    """The page as one HTML document; pictures are linked as they are named."""
    body = environment("dpt_bench.conversion").get_template("inspect.html.j2")
    markup = body.render(
        view=view,
        charts=_charts,
        size=human_size,
        percent=percent,
        number=number,
        sizes_words=_sizes_words,
        splits_words=_splits_words,
        near_to_far="".join(f"#{red:02x}{green:02x}{blue:02x}," for red, green, blue in colour_map("magma")[::51])[:-1],
        sky_colour="#{:02x}{:02x}{:02x}".format(*SKY_COLOUR),
    )
    footer = (
        f"Made by dpt_bench {package_version()}. Counts, sizes, fractions and ranges are of all samples, as "
        "index.parquet has them; inverse depth and pictures are of decoded samples, evenly spread."
    )
    title = f"Shards of {view.manifest.mix}" if view.manifest else "Shards"
    return render_page(Page(title, Markup(markup), _lead(view), (), footer))  # noqa: S704 - rendered with autoescape


def _lead(view: ShardsView) -> str:
    samples = sum(dataset.facts.num_samples for dataset in view.datasets)
    what = f"{samples:,} samples, {human_size(sum(dataset.num_bytes for dataset in view.datasets))}"
    if view.manifest is None:
        return f"{what}. No dataset is finished."
    mix = view.manifest
    return f"{what}: {mix.coverage} datasets of the mix {mix.mix}, version {mix.mix_version}."


def _charts(dataset: DatasetView) -> list[Chart]:
    facts = dataset.facts.numbers
    charts = [_shares_chart(dataset.shares)] if dataset.shares else []
    if facts["valid_fraction"].count:
        charts.append(_fraction_chart("Valid pixels", facts["valid_fraction"], ()))
    if facts["sky_fraction"].count:
        sky = facts["sky_fraction"]
        note = f"{sky.positive:,} of {sky.count:,} samples have sky"
        charts.append(_fraction_chart("Sky pixels", sky, (note,)))
    unit = _unit(dataset.facts.kinds)
    for name, title in (("lo", "lo, inverse depth of the farthest pixel"), ("hi", "hi, inverse depth of the nearest")):
        if facts[name].count:
            charts.append(_range_chart(title, facts[name], unit))
    return charts


def _shares_chart(shares: SampleShares) -> Chart:
    decoded = f"{shares.samples:,} decoded samples, each weighing the same"
    if shares.is_labels:
        classes = int(np.flatnonzero(shares.shares)[-1]) + 1 if shares.shares.any() else 1
        shape = Histogram(shares.shares[:classes], 0.0, float(classes))
        return Chart("Class indices", "", (decoded,), shape, ("0", str(classes - 1)))
    total = float(shares.shares.sum()) or 1.0
    middle = float(np.dot(shares.shares, (np.arange(shares.shares.size) + 0.5) / shares.shares.size)) / total
    left_out = f"sky, {percent(shares.sky)} of the pixels, is left out" if shares.sky else "no valid sky among them"
    notes = (decoded, left_out)
    return Chart(
        "Normalised inverse depth",
        f"mean {middle:.3f}",
        notes,
        Histogram(shares.shares, 0.0, 1.0),
        ("0 far", "near 1"),
        middle,
    )


def _fraction_chart(title: str, facts: NumberFacts, more: tuple[str, ...]) -> Chart:
    note = f"lowest {percent(facts.low)}, median {percent(float(np.median(facts.kept)))}, highest {percent(facts.high)}"
    shape = count(facts.kept, 0.0, 1.0, _BINS)
    return Chart(title, f"mean {percent(facts.mean)}", (note, *more), shape, ("0 %", "100 %"), facts.mean)


def _range_chart(title: str, facts: NumberFacts, unit: str) -> Chart:
    """Bins end at the 99th percentile, so that a few outliers do not flatten the rest; the last bin holds them."""
    low = min(0.0, facts.low)
    high = float(np.quantile(facts.kept, _PERCENTILE))
    high = high if high > low else facts.high
    median = float(np.median(facts.kept))
    note = f"lowest {number(facts.low)}, highest {number(facts.high)}"
    zeros = facts.count - facts.positive
    more = (f"0 in {zeros:,} of {facts.count:,} samples",) if zeros and facts.low == 0 else ()
    shape = count(facts.kept, low, high, _BINS)
    ends = number(shape.low), f"{number(shape.high)}{'+' if facts.high > shape.high else ''}"
    return Chart(title, f"median {number(median)}{unit}", (note, *more), shape, ends, median)


def _unit(kinds: Counter[str]) -> str:
    return " 1/m" if kinds and all(kind.startswith("metric") for kind in kinds) else ""


def _sizes_words(sizes: Counter[tuple[int, int]]) -> list[str]:
    """The most frequent sizes as "384 x 512: 1,234 (80 %)"; the rest in one line."""
    total = sizes.total()
    words = [
        f"{height} \N{MULTIPLICATION SIGN} {width}: {number_of:,} ({percent(number_of / total)})"
        for (height, width), number_of in sizes.most_common(_SIZES_SHOWN)
    ]
    rest = len(sizes) - _SIZES_SHOWN
    return [*words, f"and {rest:,} other sizes"] if rest > 0 else words


def _splits_words(samples: Mapping[str, int]) -> str:
    return " + ".join(f"{number_of:,} {split}" for split, number_of in samples.items() if number_of) or "none"


def percent(share: float) -> str:
    """0.1234 -> "12.3 %"."""
    return f"{100 * share:.1f} %"


def number(value: float) -> str:
    """Three significant digits, with a true minus sign."""
    return f"{value:.3g}".replace("-", "\N{MINUS SIGN}")
