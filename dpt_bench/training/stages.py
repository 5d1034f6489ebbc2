"""The batches of a run from its first stage to its last: one loader after another, each going on where one left off."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from dpt_bench.core.errors import UsageError
from dpt_bench.loading import AugmentOptions, Loader, LoaderOptions, PackedBatch, WorkerOptions
from dpt_bench.shards import Shards
from dpt_bench.training.config import Preset
from dpt_bench.training.distributed import World
from dpt_bench.training.selection import Selection, select_stage


@dataclass(frozen=True)
class Stage:
    """Steps `first` to `end` - 1 of a run. name: None where a run has no stages."""

    name: str | None
    first: int
    end: int
    selection: Selection
    loader: Loader


class StagedLoader:
    """Iterating gives the batches from the position on to the end of the last stage.

    A dataset that an earlier stage drew from goes on with the samples that were not seen yet.
    """

    def __init__(self, shards: Shards, preset: Preset, selection: Selection, world: World) -> None:
        """Open the indexes.

        Raises:
            UsageError: a stage has none of its datasets, or the loss needs a step's images in one process; see also
                `Loader`.
        """
        if preset.trims_over_the_batch and world.size > 1:
            raise UsageError(
                "the loss ranks the residuals of all images of a step together, which several processes see in parts",
                where='loss.trim_scope = "batch"',
                fix="set loss.trim_scope=image, or loss.trim=0 as the code of the gist has it, or run one process",
            )
        self._whole = selection
        self.stages = tuple(
            Stage(None if choice is None else choice.name, first, end, chosen, _loader(shards, preset, chosen, world))
            for choice, first, end in preset.stage_bounds()
            for chosen in [select_stage(selection, choice)]
        )
        self._stage = self.stages[0]
        self._drawn: dict[str, int] = {}  # of datasets that the present stage may leave alone too

    @property
    def stage(self) -> Stage:
        """The stage in which the run stands."""
        return self._stage

    def trained_on(self) -> Selection:
        """The datasets of all stages that have begun."""
        return self._union(self.stages[: self.stages.index(self._stage) + 1])

    def selection(self) -> Selection:
        """The datasets of all stages."""
        return self._union(self.stages)

    def __iter__(self) -> Generator[PackedBatch]:
        for number in range(self.stages.index(self._stage), len(self.stages)):
            self._enter(number, self.state_dict())
            batches = cast("Generator[PackedBatch]", iter(self._stage.loader))
            try:
                while self._stage.loader.step < self._stage.end:
                    yield next(batches)
            finally:
                batches.close()

    def state_dict(self) -> dict[str, Any]:
        """JSON-able position."""
        state = self._stage.loader.state_dict()
        return state | {"counts": self._drawn | state["counts"]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a position; takes effect at the next `iter`.

        Raises:
            DataError: the state is of a run with another seed, or no state at all.
        """
        self._stage.loader.load_state_dict(state)  # refuses what is no state
        step = self._stage.loader.step
        self._enter(next((n for n, stage in enumerate(self.stages) if step < stage.end), len(self.stages) - 1), state)

    def epochs(self) -> dict[str, float]:
        """How often each dataset of the present stage was seen so far."""
        return self._stage.loader.epochs()

    def num_broken(self) -> int:
        """Samples that could not be read, in this process."""
        return sum(sum(stage.loader.broken.values()) for stage in self.stages)

    def _enter(self, number: int, state: Mapping[str, Any]) -> None:
        self._stage = self.stages[number]
        self._stage.loader.load_state_dict(state)
        self._drawn = dict(state["counts"])

    def _union(self, stages: tuple[Stage, ...]) -> Selection:
        return self._whole.only({name for stage in stages for name in stage.selection.names})


def _loader(shards: Shards, preset: Preset, selection: Selection, world: World) -> Loader:
    data = preset.data
    options = LoaderOptions(
        batch_size=preset.batch_size,
        seed=preset.seed,
        datasets=selection.names,
        weights=selection.weights,
        quota=data.draw == "quota",
        augment=AugmentOptions(
            data.crop_rule,
            preset.crop,
            data.flip,
            data.smallest_crop,
            zoom=data.zoom,
            colour=data.colour,
            greyscale=data.greyscale,
            blur=data.blur,
        ),
        window_shards=data.window_shards,
        max_broken=data.max_broken,
        rank=world.rank,
        num_ranks=world.size,
        workers=WorkerOptions(data.workers, pin_memory=world.device.type == "cuda"),
    )
    return Loader(shards, options)
