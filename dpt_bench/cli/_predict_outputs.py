"""What `dpt-bench predict` writes of an image: a 16-bit PNG, an npy, and a picture for people."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dpt_bench.core.errors import UsageError
from dpt_bench.core.kinds import DepthKind
from dpt_bench.formats import images, npy
from dpt_bench.render.colour import colourise, colourise_depth
from dpt_bench.results.atomic import write_atomically

METRES = 1 / 256
"""One step of a PNG of metric depth, as in KITTI's files: 4 mm up to 256 m."""
_TOP = 65535


@dataclass(frozen=True)
class Outputs:
    """Files below `folder`: png/NAME.png, npy/NAME.npy, colour/NAME.png, as far as they are `wanted`."""

    folder: Path
    wanted: Sequence[str]
    kind: DepthKind
    model: str
    checkpoint_sha256: str | None = None

    def claim(self, *, force: bool) -> None:
        """Note whose predictions the folder holds.

        Raises:
            UsageError: those of another model are there, which a resumed run would keep and mix with its own; or the
                folder cannot be written.
        """
        file = self.folder / "predict.json"
        mine = {"model": self.model, "kind": self.kind.value, "checkpoint_sha256": self.checkpoint_sha256}
        if file.is_file() and not force:
            there = json.loads(file.read_text())
            if there != mine:
                fix = "choose another --out, or --force to replace them"
                raise UsageError(f"predictions of {there['model']!r} are there already", where=self.folder, fix=fix)
        try:
            write_atomically(file, json.dumps(mine, indent=1).encode(), durable=False)
        except OSError as error:
            what = f"the output folder cannot be written: {error.strerror}"
            raise UsageError(what, where=self.folder, fix="choose another --out") from error

    def exist(self, name: str) -> bool:
        return all(path.is_file() for path in self._paths(name).values())

    def write(self, name: str, values: NDArray[np.float32]) -> None:
        """Write the files of one image, each whole or not at all."""
        for what, path in self._paths(name).items():
            if what == "npy":
                data = npy.encode(values)
            elif what == "png":
                numbers, text = as_uint16(values, self.kind)
                data = images.encode_png(numbers, text={"model": self.model, "kind": self.kind.value, **text})
            else:
                data = images.encode_png(near_is_bright(values, self.kind))
            write_atomically(path, data, durable=False)

    def _paths(self, name: str) -> dict[str, Path]:
        endings = {"png": "png", "npy": "npy", "colour": "png"}
        return {what: self.folder / what / f"{name}.{endings[what]}" for what in self.wanted}


def as_uint16(values: NDArray[np.float32], kind: DepthKind) -> tuple[NDArray[np.uint16], dict[str, str]]:
    """Numbers of a 16-bit PNG, and the text that says how to read them.

    Metric depth is stored in steps of 1/256 m, 0 is kept for "none" as in KITTI; everything else from the image's least
    to its greatest number, as the released code stores relative depth.
    """
    if kind is DepthKind.METRIC_DEPTH:
        steps = np.clip(np.round(values.astype(np.float64) / METRES), 1, _TOP)
        return steps.astype(np.uint16), {"scale": repr(METRES)}
    low, high = float(values.min()), float(values.max())
    shares = (values.astype(np.float64) - low) / (high - low) if high > low else np.zeros(values.shape)
    return np.round(shares * _TOP).astype(np.uint16), {"low": repr(low), "high": repr(high)}


def near_is_bright(values: NDArray[np.float32], kind: DepthKind) -> NDArray[np.uint8]:
    """A picture of a prediction: RGB uint8 (H, W, 3)."""
    if kind.is_disparity:
        return colourise(values)
    if kind.is_affine or kind is DepthKind.ORDINAL:
        return colourise(-values)
    return colourise_depth(values)
