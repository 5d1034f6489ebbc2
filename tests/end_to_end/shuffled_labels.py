"""Trains a preset on shards in which every image has the target of another image of its dataset.

What such a network learns is what can be known without looking at the image. Usage: shuffled_labels.py SHARDS OUT KEY=VALUE...
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from dpt_bench.resize import pick_pixels
from dpt_bench.shards import Shards, open_shards
from dpt_bench.shards.codec import CodedSample
from dpt_bench.training import parse_settings, train

Place = tuple[str, int, int]


@dataclass(frozen=True)
class Shuffled(Shards):
    """partners: dataset -> place of a training sample -> that of the one whose target it gets."""

    partners: dict[str, dict[Place, Place]] = field(default_factory=dict)

    def read_coded(self, dataset: str, row: Mapping[str, Any]) -> CodedSample:
        sample = super().read_coded(dataset, row)
        other = self.partners[dataset].get((row["shard"], row["offset"], row["length"]))
        if other is None:
            return sample
        donor = super().read_coded(dataset, dict(zip(("shard", "offset", "length"), other, strict=True)))
        return replace(sample, codes=fitted(donor.codes, sample.image.shape[:2]))


def fitted(values: Any, size: tuple[int, int]) -> Any:
    """Brought to another size by repeating or leaving out pixels."""
    height, width = values.shape
    if size[0] <= height and size[1] <= width:
        return pick_pixels(values, size)
    rows = np.arange(size[0]) * height // size[0]
    columns = np.arange(size[1]) * width // size[1]
    return values[rows][:, columns]


def shuffled(shards: Shards, seed: int = 0) -> Shuffled:
    """A cycle through each dataset's training samples, so that none keeps its own target."""
    partners = {}
    for number, dataset in enumerate(shards.datasets):
        table = shards.index(dataset, "train", ["shard", "offset", "length"])
        places = [tuple(row.values()) for row in table.to_pylist()]
        order = np.random.default_rng((seed, number)).permutation(len(places))
        pairs = zip(order, np.roll(order, 1), strict=True)
        partners[dataset] = {places[one]: places[other] for one, other in pairs}
    return Shuffled(shards.store, shards.manifest, partners)


if __name__ == "__main__":
    report = train(
        "demo", shuffled(open_shards(sys.argv[1])), sys.argv[2], overrides=dict(parse_settings(sys.argv[3:]))
    )
    print(f"{report.status}: {report.steps} steps")
