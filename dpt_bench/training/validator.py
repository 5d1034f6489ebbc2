"""A run's validations: the scores of its network on held-out splits, and pictures of some of them."""

from __future__ import annotations

from torch import Tensor

from dpt_bench.loading import Batch, ValidationLoader, ValidationOptions, WorkerOptions
from dpt_bench.training.learner import Learner
from dpt_bench.training.log import RunLog
from dpt_bench.training.pictures import Pictures
from dpt_bench.training.run import Run
from dpt_bench.training.tasks._contract import Task
from dpt_bench.training.validation import Scores, validate


class Validator:
    """num_images: that are scored each time; 0 where no dataset has the split."""

    def __init__(self, run: Run, datasets: tuple[str, ...], learner: Learner, task: Task) -> None:
        self._run, self._learner, self._task = run, learner, task
        self._loader = _loader(run, datasets)
        self.num_images = sum(self._loader.sizes.values())

    def scores(self, step: int, log: RunLog) -> Scores:
        """Of the whole split; every rank must call it, and has the same scores."""
        world = self._run.world
        pictures = Pictures(-(-self._run.preset.validation.pictures // len(self._loader.sizes)))

        def predict(batch: Batch) -> Tensor:
            prediction = self._learner.predict(batch)
            if world.is_main:
                pictures.add(prediction, batch)
            return prediction

        world.share(self._learner.evaluated.buffers())
        scores = validate(predict, self._loader, self._task, world, self._run.progress)
        sheet = pictures.sheet()
        if sheet is not None:
            log.picture("validation", step, sheet)
        return scores


def _loader(run: Run, datasets: tuple[str, ...]) -> ValidationLoader:
    choice = run.preset.validation
    options = ValidationOptions(
        size=run.preset.crop,
        split=choice.split,
        batch_size=choice.batch_size,
        datasets=datasets,
        max_images=choice.max_images,
        rank=run.world.rank,
        num_ranks=run.world.size,
        workers=WorkerOptions(run.preset.data.workers, pin_memory=run.world.device.type == "cuda"),
    )
    return ValidationLoader(run.shards, options)
