"""It learns: the demo network, trained for ten minutes, against all that can be had without learning from images.

Rivals: the network untrained, a constant, a ramp, the mean depth map of the training set, and the network trained on
shuffled labels. Writes learns.json and learns.md (the table and the curves) into the folder. Run it on a quiet machine:
python tests/end_to_end/learns.py --folder FOLDER [--minutes 10].
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

HERE = Path(__file__).resolve().parent
DATASETS = ("diw", "eth3d", "sintel", "kitti", "nyu", "tum")
MIX6 = ("redweb", "diml", "movies", "megadepth", "wsvd", "tartanair", "hrwsi", "apolloscape", "blendedmvs", "irs")
TRAIN_VIEWS, EVAL_VIEWS = 400, 64
EVAL_PAIRS = 320
"""Images of DIW: one says of a network no more than right or wrong."""
TRIAL_STEPS = 60
REQUIRED = 0.20
MEAN_SIZE = (96, 96)


@dataclass(frozen=True)
class Comparison:
    """Errors on one evaluation set; the interval is that of the learned network's error minus the rival's."""

    dataset: str
    metric: str
    rival: str
    learned_error: float
    rival_error: float
    low: float
    high: float
    images: int

    @property
    def saved(self) -> float:
        return 1 - self.learned_error / self.rival_error

    @property
    def passed(self) -> bool:
        return self.saved >= REQUIRED and self.high < 0


def command(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "dpt_bench.cli.main", *arguments], check=True)


def make_world(folder: Path) -> None:
    """Raw trees and shards, unless they are there."""
    if not (folder / "raw").exists():
        dense = [name for name in DATASETS if name != "diw"]
        for names, views in (((*MIX6, *dense), EVAL_VIEWS), (("diw",), EVAL_PAIRS)):
            command("sample-data", str(folder), "--train-scenes", str(TRAIN_VIEWS), "--eval-scenes", str(views),
                    "--datasets", ",".join(names))  # fmt: skip
    if not (folder / "shards" / "manifest.json").exists():
        command("build-mix6", "--raw", str(folder / "raw"), "--out", str(folder / "shards"), "--executor", "processes",
                "--short-side", "128", "--shard-size", "50")  # fmt: skip


def steps_in(folder: Path, minutes: float) -> int:
    """How many steps this machine makes in that time, validations included, by a short trial."""
    out = folder / "runs" / "trial"
    if not (out / "log.jsonl").exists():
        trial = ("--set", f"steps={TRIAL_STEPS}", "--set", f"validation.every={TRIAL_STEPS}")
        command("train", "demo", "--shards", str(folder / "shards"), "--out", str(out), *trial)
    speeds = [line["images_per_second"] for line in log(out) if line["event"] == "step"]
    preset = json.loads(subprocess.run(
        [sys.executable, "-m", "dpt_bench.cli.main", "list", "presets", "demo"], check=True, capture_output=True
    ).stdout)  # fmt: skip
    return int(0.95 * minutes * 60 * float(np.median(speeds[1:])) / preset["batch_size"])


def train_both(folder: Path, steps: int) -> None:
    shards, runs = str(folder / "shards"), folder / "runs"
    settings = (f"steps={steps}", f"validation.every={max(1, steps // 6)}", f"checkpoints.every={max(1, steps // 3)}")
    if not (runs / "learned" / "best.pt").exists():
        chosen = [part for setting in settings for part in ("--set", setting)]
        command("train", "demo", "--shards", shards, "--out", str(runs / "learned"), *chosen)
    if not (runs / "shuffled" / "best.pt").exists():
        program = str(HERE / "shuffled_labels.py")
        subprocess.run([sys.executable, program, shards, str(runs / "shuffled"), *settings], check=True)


def predictors(folder: Path) -> list[Any]:
    from dpt_bench.predictors import load_predictor
    from dpt_bench.predictors.baseline import Baseline

    mean = mean_map(folder / "shards")
    network = [load_predictor(str(path)) for path in (folder / "runs" / "learned" / "best.pt", untrained(folder),
               folder / "runs" / "shuffled" / "best.pt")]  # fmt: skip
    for predictor, name in zip(network, ("learned", "untrained", "shuffled labels"), strict=True):
        predictor.name = name
    flat = [load_predictor("baseline:constant"), load_predictor("baseline:ramp")]
    return [*network, *flat, Baseline("mean depth map", lambda height, width: cv2.resize(mean, (width, height)))]


def untrained(folder: Path) -> Path:
    """The network that the training began with."""
    from dpt_bench.model.build import build_model
    from dpt_bench.model.checkpoint import Checkpoint, read_checkpoint, save_checkpoint
    from dpt_bench.training.learner import seed_torch

    path = folder / "runs" / "untrained.pt"
    spec = read_checkpoint(folder / "runs" / "learned" / "best.pt").spec
    seed_torch("weights", 0)
    save_checkpoint(path, Checkpoint(spec, build_model(spec).state_dict()))
    return path


def mean_map(url: Path) -> np.ndarray:
    """Mean normalised inverse depth at every place of the picture, over the training samples of all datasets."""
    from dpt_bench.resize import pick_pixels
    from dpt_bench.shards import open_shards

    shards = open_shards(url)
    total, count = np.zeros(MEAN_SIZE), np.zeros(MEAN_SIZE)
    for dataset in shards.datasets:
        for row in shards.index(dataset, "train", ["shard", "offset", "length"]).to_pylist():
            target = pick_pixels(shards.read(dataset, row).inverse_depth, MEAN_SIZE)
            seen = ~np.isnan(target)
            total += np.where(seen, target, 0)
            count += seen
    return (total / np.maximum(count, 1)).astype(np.float32)


def compare(folder: Path) -> list[Comparison]:
    from dpt_bench.core.catalog import SUITES
    from dpt_bench.evaluation import evaluate
    from dpt_bench.results.statistics import paired_difference
    from dpt_bench.results.store import ResultStore

    evaluate(predictors(folder), "midas", folder / "eval", folder / "learns")
    metric = {dataset.recipe: dataset.metrics[0] for dataset in SUITES.load("midas").datasets}
    scores: dict[tuple[str, str], dict[str, float]] = {}
    for result in ResultStore(folder / "learns").results():
        for score in result.scores:
            if score.metric == metric[result.dataset] and score.value is not None:
                scores.setdefault((result.dataset, result.model), {})[result.key] = score.value
    found = []
    for (dataset, rival), errors in sorted(scores.items()):
        learned = scores[dataset, "learned"]
        if rival != "learned":
            difference = paired_difference(learned, errors)
            means = (float(np.mean(list(learned.values()))), float(np.mean(list(errors.values()))))
            found.append(Comparison(dataset, metric[dataset], rival, *means, *difference.interval, difference.n_images))
    return found


def log(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]


def curves(folder: Path) -> str:
    """Validation scores by step as a table."""
    lines = ["| step | learned | shuffled labels |", "|---|---|---|"]
    both = [
        {line["step"]: line["rmse_disparity"] for line in log(folder / "runs" / name) if line["event"] == "validation"}
        for name in ("learned", "shuffled")
    ]
    return "\n".join([*lines, *(f"| {step:,} | {score:.4f} | {both[1].get(step, float('nan')):.4f} |"
                                for step, score in both[0].items())])  # fmt: skip


def table(found: Sequence[Comparison]) -> str:
    head = [
        "| evaluation set | error | rival | learned | rival's | saved | 95 % of the difference |",
        "|---|---|---|---|---|---|---|",
    ]
    return "\n".join([*head, *(
        f"| {one.dataset} ({one.images}) | {one.metric} | {one.rival} | {one.learned_error:.3f} | {one.rival_error:.3f} | "
        f"{one.saved:.0%} | {one.low:+.3f} to {one.high:+.3f} |" for one in found)])  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> list[Comparison]:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--folder", type=Path, required=True)
    options.add_argument("--minutes", type=float, default=10.0)
    options.add_argument("--steps", type=int, help="instead of minutes")
    chosen = options.parse_args(arguments)
    chosen.folder.mkdir(parents=True, exist_ok=True)
    make_world(chosen.folder)
    steps = chosen.steps or steps_in(chosen.folder, chosen.minutes)
    train_both(chosen.folder, steps)
    found = compare(chosen.folder)
    text = (
        f"{steps:,} steps\n\n{table(found)}\n\nValidation, RMSE in normalised disparity:\n\n{curves(chosen.folder)}\n"
    )
    (chosen.folder / "learns.md").write_text(text)
    (chosen.folder / "learns.json").write_text(json.dumps([asdict(one) for one in found], indent=2) + "\n")
    print(text)
    return found


if __name__ == "__main__":
    sys.exit(0 if all(one.passed for one in main()) else 1)
