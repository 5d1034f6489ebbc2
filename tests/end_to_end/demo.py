"""The demo: the main job end to end on the sample world, through the same commands that a user types.

Run by `nox -s demo`; everything it makes is below demo/, which is emptied first.
"""

from __future__ import annotations

import argparse
import csv
import shutil
import subprocess
import sys
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
BASELINES = ("baseline:constant", "baseline:ramp")
DATASETS = ("kitti", "nyu", "tum")
MIX6 = "redweb,diml,movies,megadepth,wsvd,tartanair,hrwsi,apolloscape,blendedmvs,irs"
WORLD = f"{MIX6},{','.join(DATASETS)}"
REQUIRED = 0.20
"""By which share the trained model's error must be lower than each baseline's on every evaluation set."""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--folder", type=Path, default=REPOSITORY / "demo")
    folder: Path = options.parse_args().folder
    shutil.rmtree(folder, ignore_errors=True)
    began = time.monotonic()
    at = {name: str(folder / name) for name in ("raw", "eval", "shards", "runs", "results", "site")}
    step(
        "sample world", "sample-data", str(folder), "--train-scenes", "240", "--eval-scenes", "64", "--datasets", WORLD
    )
    step("shards", "build-mix6", "--raw", at["raw"], "--out", at["shards"], "--executor", "ray",
         "--short-side", "128", "--shard-size", "50")  # fmt: skip
    step("verify", "verify", at["shards"])
    step("training", "train", "demo", "--shards", at["shards"], "--out", at["runs"] + "/demo")
    models = [f"{at['runs']}/demo/best.pt", *BASELINES]
    step("zero-shot", "zeroshot", *(part for model in models for part in ("--model", model)),
         "--data", at["eval"], "--out", at["results"])  # fmt: skip
    step("leaderboard", "leaderboard", at["results"], "--out", at["site"])
    closing(folder, time.monotonic() - began)


def step(title: str, *arguments: str) -> None:
    shown = " ".join(("dpt-bench", *arguments)).replace(f"{REPOSITORY}/", "")
    print(f"\n=== {title}\n$ {shown}", flush=True)
    began = time.monotonic()
    command = str(Path(sys.executable).with_name("dpt-bench"))
    code = subprocess.run([command, *arguments], check=False).returncode
    if code:
        sys.exit(f"demo: {title} ended with exit code {code}")
    print(f"--- {title}: {time.monotonic() - began:.0f} s", flush=True)


def closing(folder: Path, seconds: float) -> None:
    """Say what was made and where; fail when the trained model is not clearly better than the baselines."""
    with (folder / "results" / "leaderboard.csv").open(newline="") as file:
        rows = {row["model"]: row for row in csv.DictReader(file)}
    trained = next(row for name, row in rows.items() if name not in BASELINES)
    print("\n=== what was made")
    for name in ("raw", "eval", "shards", "runs/demo", "results/leaderboard.csv", "site/index.html"):
        print(f"  {folder / name}")
    print(f"\n{'share of pixels off by more than 1.25':<40}" + "".join(f"{name:>9}" for name in DATASETS))
    for name, row in rows.items():
        print(f"{name:<40}" + "".join(f"{float(row[dataset]):>9.3f}" for dataset in DATASETS))
    gains = {
        (name, dataset): 1 - float(trained[dataset]) / float(rows[name][dataset])
        for name in BASELINES
        for dataset in DATASETS
    }
    for name in BASELINES:
        print(f"{'error saved against ' + name:<40}" + "".join(f"{gains[name, dataset]:>9.0%}" for dataset in DATASETS))
    print("\nThe sample world is procedural: these numbers compare models with each other, never with a paper.")
    print(f"all of it took {seconds:.0f} s")
    below = [f"{dataset} against {name}" for (name, dataset), gain in gains.items() if gain < REQUIRED]
    if below:
        sys.exit(f"demo: the trained model must save {REQUIRED:.0%} of the error; it does not on {', '.join(below)}")


if __name__ == "__main__":
    main()
