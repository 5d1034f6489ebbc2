from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import torch

from dpt_bench.core.errors import DataError, UsageError
from dpt_bench.loading import Batch
from dpt_bench.shards import open_shards
from dpt_bench.training.choices import StageChoice
from dpt_bench.training.config import load_preset
from dpt_bench.training.distributed import World
from dpt_bench.training.selection import select_datasets, select_stage
from dpt_bench.training.stages import StagedLoader

ALONE = World(0, 1, torch.device("cpu"))
STAGES = [
    {"name": "first", "steps": 3, "datasets": ["tartanair"]},
    {"name": "second", "steps": 2, "datasets": ["redweb"]},
    {"name": "all", "steps": 4},
]


def loader(shards: str, **overrides: Any) -> StagedLoader:
    changes = {"steps": "none", "batch_size": 2, "crop": 32, "data.workers": 0, "stages": STAGES, **overrides}
    preset = load_preset("demo", changes)
    opened = open_shards(shards)
    return StagedLoader(opened, preset, select_datasets(opened, preset.data), ALONE)


def datasets(batch: Batch) -> set[str]:
    return {batch.names[number] for number in batch.dataset.tolist()}


def keys(batches: list[Batch]) -> list[tuple[str, ...]]:
    return [batch.keys for batch in batches]


def test_each_stage_draws_from_its_datasets_and_the_last_one_ends_the_run(shards_url: str) -> None:
    subject = loader(shards_url)
    found = list(subject)
    assert len(found) == 9
    assert all(datasets(batch) == {"tartanair"} for batch in found[:3])
    assert all(datasets(batch) == {"redweb"} for batch in found[3:5])
    assert set().union(*(datasets(batch) for batch in found[5:])) <= {"redweb", "tartanair"}
    assert subject.stage.name == "all"


def test_a_dataset_goes_on_with_what_was_not_seen_yet(shards_url: str) -> None:
    """Six of seven samples are drawn in the first stage, the seventh comes before any is repeated."""
    stages = [
        {"name": "a", "steps": 3, "datasets": ["tartanair"]},
        {"name": "b", "steps": 1, "datasets": ["tartanair"]},
    ]
    drawn = [key for batch in loader(shards_url, stages=stages) for key in batch.keys]
    assert len(set(drawn[:7])) == 7


def test_a_dataset_goes_on_behind_a_stage_without_it(shards_url: str) -> None:
    """Six of its seven samples are drawn in the first stage: behind the pause the seventh comes first."""
    pause = {"name": "pause", "steps": 1, "datasets": ["redweb"]}
    stages = [{"name": "a", "steps": 3, "datasets": ["tartanair"]}, pause,
              {"name": "b", "steps": 1, "datasets": ["tartanair"]}]  # fmt: skip
    subject = loader(shards_url, stages=stages)
    drawn = [key for batch in islice(subject, 4) for key in batch.keys if key.startswith("tartanair")]
    resumed = loader(shards_url, stages=stages)
    resumed.load_state_dict(subject.state_dict())
    drawn += next(iter(resumed)).keys
    assert len(drawn) == 8
    assert len(set(drawn[:7])) == 7


@pytest.mark.parametrize("step", range(9))
def test_a_position_within_or_between_stages_is_gone_on_from(shards_url: str, step: int) -> None:
    whole = keys(list(loader(shards_url)))
    begun = loader(shards_url)
    assert keys(list(islice(begun, step))) == whole[:step]
    resumed = loader(shards_url)
    resumed.load_state_dict(begun.state_dict())
    assert keys(list(resumed)) == whole[step:]


def test_what_was_trained_on_grows_with_the_stages(shards_url: str) -> None:
    subject = loader(shards_url)
    assert subject.selection().names == ("redweb", "tartanair")
    assert subject.trained_on().names == ("tartanair",)
    assert subject.trained_on().described == "mix6 (1 of 3: tartanair)"
    list(islice(subject, 4))
    assert subject.trained_on().names == ("redweb", "tartanair")


def test_a_run_without_stages_is_one(shards_url: str) -> None:
    subject = loader(shards_url, stages=[], steps=5)
    assert [(stage.name, stage.first, stage.end) for stage in subject.stages] == [(None, 0, 5)]
    assert len(list(subject)) == 5
    assert subject.num_broken() == 0
    assert sum(subject.epochs().values()) > 0


def test_the_state_of_another_seed_is_refused(shards_url: str) -> None:
    with pytest.raises(DataError, match="seed"):
        loader(shards_url, seed=1).load_state_dict(loader(shards_url).state_dict())


def test_a_stage_by_the_name_of_a_mix(shards_url: str, tmp_path: Path) -> None:
    opened = open_shards(shards_url)
    everything = select_datasets(opened, load_preset("demo").data)
    assert select_stage(everything, StageChoice(name="x", steps=1, mix="curated3")).names == ("redweb",)
    assert select_stage(everything, None) is everything
    with pytest.raises(UsageError, match="none of its datasets") as caught:
        select_stage(everything, StageChoice(name="x", steps=1, datasets=("irs",)))
    assert "stages=[]" in str(caught.value)


def test_weights_follow_the_datasets(shards_url: str) -> None:
    opened = open_shards(shards_url)
    weighted = select_datasets(opened, load_preset("demo", {"data.weights": "mix"}).data)
    assert select_stage(weighted, StageChoice(name="x", steps=1, datasets=("tartanair",))).weights == {"tartanair": 2.0}
