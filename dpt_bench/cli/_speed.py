"""Measures networks side by side; a table on the terminal, a CSV and a Markdown file."""

from __future__ import annotations

import csv
import io
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
import typer

from dpt_bench.cli._precision import parse_precision
from dpt_bench.cli._progress import progress
from dpt_bench.cli._speed_measure import (
    Network,
    Setting,
    count_flops,
    count_parameters,
    machine,
    matrix_rate,
    peak_bytes,
    take_turns,
)
from dpt_bench.cli._table import show_table
from dpt_bench.core.errors import UsageError
from dpt_bench.core.progress import Progress
from dpt_bench.model import VARIANTS, load_model
from dpt_bench.model.inference import for_inference
from dpt_bench.predictors import load_predictor
from dpt_bench.predictors._contract import PredictorOptions
from dpt_bench.predictors._device import find_device
from dpt_bench.results.atomic import write_atomically


@dataclass(frozen=True)
class SpeedCall:
    """The command line of `dpt-bench speed`."""

    models: tuple[str, ...]
    out: Path
    size: str
    runs: int
    warm_up: int
    batch_size: int
    device: str
    precision: str
    compiled: bool


@dataclass(frozen=True)
class Cost:
    """A row. gflops: of the whole batch; matrix_share: of the rate that plain matrix products reach."""

    model: str
    parameters_m: float
    gflops: float
    median_ms: float
    mean_ms: float
    memory_mb: float
    matrix_share: float


def run_speed(call: SpeedCall) -> None:
    """Measure, print, write."""
    height, width = _size(call.size)
    setting = Setting(find_device(call.device), parse_precision(call.precision) == "bf16")
    images = torch.randn(call.batch_size, 3, height, width, device=setting.device)
    with progress() as shown:
        costs = measure([_network(spec, setting.device) for spec in call.models], images, setting, call, shown)
    how = [f"{call.batch_size} x 3 x {height} x {width}", call.precision, *(["compiled"] if call.compiled else [])]
    facts = {"machine": machine(setting.device), "input": ", ".join(how), "runs": f"{call.runs} of each, in turns"}
    files = {"speed.csv": as_csv(costs, facts), "speed.md": as_markdown(costs, facts)}
    for name, text in files.items():
        write_atomically(call.out / name, text.encode(), durable=False)
    typer.echo("\n".join(f"{name}: {fact}" for name, fact in facts.items()) + "\n")
    show_table([HEADER, *map(cells, costs)], numbers_from=1)
    typer.echo("\n" + "\n".join(str(call.out / name) for name in files))


def measure(
    networks: Sequence[Network], images: torch.Tensor, setting: Setting, call: SpeedCall, shown: Progress
) -> list[Cost]:
    """The costs of networks; time is measured in turns."""
    flops = [count_flops(network, images) for network in networks]
    if call.compiled:
        networks = [_compiled(network) for network in networks]
    task = "runs of all networks"
    shown.start(task, call.warm_up + call.runs)
    for _ in range(call.warm_up):
        take_turns(networks, images, setting, 1)
        shown.advance(task)
    memory = [peak_bytes(network, images, setting) for network in networks]
    times: list[list[float]] = [[] for _ in networks]
    for _ in range(call.runs):
        for series, one in zip(times, take_turns(networks, images, setting, 1), strict=True):
            series += one
        shown.advance(task)
    shown.finish(task)
    rate = matrix_rate(setting)
    return [
        Cost(
            model=network.name,
            parameters_m=count_parameters(network.module) / 1e6,
            gflops=flops[place] / 1e9,
            median_ms=1e3 * statistics.median(times[place]),
            mean_ms=1e3 * statistics.fmean(times[place]),
            memory_mb=memory[place] / 1e6,
            matrix_share=flops[place] / statistics.median(times[place]) / rate,
        )
        for place, network in enumerate(networks)
    ]


HEADER = ("model", "params\nM", "GFLOP", "median\nms", "mean\nms", "memory\nMB", "of matrix\nrate")


def cells(cost: Cost) -> list[str]:
    """A row as text, in the order of HEADER."""
    return [
        cost.model,
        f"{cost.parameters_m:.1f}",
        f"{cost.gflops:.1f}",
        f"{cost.median_ms:.1f}",
        f"{cost.mean_ms:.1f}",
        f"{cost.memory_mb:.0f}",
        f"{cost.matrix_share:.0%}",
    ]


def as_csv(costs: Sequence[Cost], facts: dict[str, str]) -> str:
    """One line a network, unrounded; the facts of the run are repeated in each."""
    rows: list[dict[str, Any]] = [{**asdict(cost), **facts} for cost in costs]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def as_markdown(costs: Sequence[Cost], facts: dict[str, str]) -> str:
    """The table of the terminal."""
    rows = [[name.replace("\n", " ") for name in HEADER], ["---", *(["---:"] * (len(HEADER) - 1))]]
    lines = [f"| {' | '.join(row)} |" for row in (*rows, *map(cells, costs))]
    return "\n".join([*lines, "", *(f"{name}: {fact}  " for name, fact in facts.items())]) + "\n"


def _network(spec: str, device: torch.device) -> Network:
    if spec in VARIANTS:
        named = for_inference(load_model(spec)).to(device)
        return Network(spec, named, named)
    predictor = load_predictor(spec, PredictorOptions(device=str(device)))
    module = getattr(predictor, "model", None)
    if module is None:
        raise UsageError("only networks of torch can be measured", where=spec, fix="give a name, a checkpoint or hf:")
    if hasattr(module, "config"):  # of transformers
        return Network(predictor.name, module, lambda images: module(pixel_values=images))
    return Network(predictor.name, module, module)


def _compiled(network: Network) -> Network:
    return Network(network.name, network.module, torch.compile(network.forward))


def _size(text: str) -> tuple[int, int]:
    sides = text.split("x")
    if len(sides) not in (1, 2) or not all(side.isdigit() and int(side) % 32 == 0 and int(side) for side in sides):
        raise UsageError("the size is a multiple of 32, or two as HEIGHTxWIDTH", where=f"--size {text}", fix="384")
    return int(sides[0]), int(sides[-1])
