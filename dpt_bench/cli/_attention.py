"""Renders attention maps: the picture, the prediction, and a row of maps for each reference token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import typer
from numpy.typing import NDArray

from dpt_bench.cli._predict_outputs import near_is_bright
from dpt_bench.core.errors import UsageError
from dpt_bench.formats import images
from dpt_bench.model.attention import attention_maps, num_layers
from dpt_bench.predictors import load_predictor
from dpt_bench.predictors._contract import PredictorOptions
from dpt_bench.predictors.checkpoint import CheckpointPredictor
from dpt_bench.render.colour import colourise
from dpt_bench.render.montage import montage
from dpt_bench.resize import resize_image, resize_prediction
from dpt_bench.results.atomic import write_atomically

PLACES = {
    "upper-left": (0.0, 0.0),
    "upper-right": (1.0, 0.0),
    "lower-left": (0.0, 1.0),
    "lower-right": (1.0, 1.0),
    "centre": (0.5, 0.5),
}
_MARK = (80, 255, 80)
_PANEL_WIDTH = 320  # what the network sees is enlarged to about this
Rgb = NDArray[np.uint8]


@dataclass(frozen=True)
class AttentionCall:
    """The command line of `dpt-bench attention`."""

    model: str
    image: Path
    out: Path
    layers: str | None
    tokens: str
    variant: str | None
    device: str


def run_attention(call: AttentionCall) -> None:
    """Write the sheet and say where it is."""
    places = {name: _place(name) for name in _words(call.tokens)}
    predictor = load_predictor(call.model, PredictorOptions(call.device, variant=call.variant))
    if not isinstance(predictor, CheckpointPredictor):
        raise UsageError("attention maps need a checkpoint of ours, or a released one", where=call.model)
    layers = _layers(call.layers, num_layers(predictor.model))
    try:
        picture = images.decode_rgb(call.image.read_bytes(), upright=True)
    except OSError as error:
        raise UsageError(f"the picture cannot be read: {error.strerror}", where=call.image) from error
    values, size = predictor.prepare(picture)
    output, maps = attention_maps(predictor.model, values, layers, list(places.values()))
    larger = max(1, round(_PANEL_WIDTH / size[1]))
    shown = (size[0] * larger, size[1] * larger)
    seen = resize_image(picture, shown, "area")
    wide = resize_prediction(output[0].float().cpu().numpy(), shown, "bilinear").astype(np.float32)
    depth = near_is_bright(wide, predictor.kind)
    sheet = _sheet(seen, depth, maps.cpu().numpy(), places, layers)
    write_atomically(call.out, images.encode_png(sheet), durable=False)
    typer.echo(f"{call.out}: layers {', '.join(map(str, layers))} of {predictor.name}; tokens {', '.join(places)}")


def _sheet(
    seen: Rgb, depth: Rgb, maps: NDArray[np.float32], places: dict[str, tuple[float, float]], layers: Sequence[int]
) -> Rgb:
    rows, titles = [[seen, depth]], [["input", "prediction"]]
    grid = (maps.shape[2], maps.shape[3])
    for number, (name, place) in enumerate(places.items()):
        pictures = [_bright(maps[index, number], seen.shape[:2]) for index in range(len(layers))]
        rows.append([_marked(seen, place, grid), *(_marked(one, place, grid) for one in pictures)])
        titles.append([name, *(f"layer {layer}" for layer in layers)])
    return montage(rows, titles)


def _bright(attention: NDArray[np.float32], size: tuple[int, ...]) -> Rgb:
    large = resize_prediction(attention, (size[0], size[1]), "nearest")
    return colourise(large, low=0.0, high=float(np.quantile(attention, 0.995)))


def _marked(picture: Rgb, place: tuple[float, float], grid: tuple[int, int]) -> Rgb:
    """A frame around the token, at least three pixels thick."""
    marked = picture.copy()
    sides = [(picture.shape[axis] // grid[axis], grid[axis], place[1 - axis]) for axis in (0, 1)]
    (top, bottom), (left, right) = (
        (min(int(share * count), count - 1) * side, (min(int(share * count), count - 1) + 1) * side)
        for side, count, share in sides
    )
    inner = marked[top + 3 : bottom - 3, left + 3 : right - 3].copy()
    marked[top:bottom, left:right] = _MARK
    marked[top + 3 : bottom - 3, left + 3 : right - 3] = inner
    return marked


def _layers(text: str | None, count: int) -> list[int]:
    if text is None:
        return sorted({max(1, round(count * quarter / 4)) for quarter in (1, 2, 3, 4)})
    words = _words(text)
    if not all(word.isdigit() for word in words):
        raise UsageError("layers are whole numbers", where=f"--layers {text}", fix=f"name some of 1 to {count}")
    return [int(word) for word in words]


def _place(name: str) -> tuple[float, float]:
    if name in PLACES:
        return PLACES[name]
    try:
        x, y = (float(part) for part in name.split(":"))
    except ValueError:
        x = y = -1.0
    if not (0 <= x <= 1 and 0 <= y <= 1):
        raise UsageError(
            f"unknown token {name!r}",
            where="--tokens",
            fix=f"{', '.join(PLACES)}, or x:y from 0 to 1, such as 0.25:0.5",
        )
    return x, y


def _words(text: str) -> list[str]:
    words = list(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
    if not words:
        raise UsageError("nothing is named", where=text or "an empty list", fix="name at least one")
    return words
