"""Noise to read from: one tile of white and one of smooth noise, both periodic, the same in every process."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]
SIZE = 256
CELL = 8
"""Texels of the smooth tile's coarsest bump."""


@cache
def white_tile() -> Float:
    """float32 (256, 256), uniform in 0 to 1."""
    return np.random.default_rng(20).random((SIZE, SIZE), dtype=np.float32)


@cache
def smooth_tile() -> Float:
    """float32 (257, 257), 0 to 1: periodic bumps of three sizes, the first `CELL` texels wide; last row = the first."""
    total = np.zeros((SIZE, SIZE), np.float32)
    generator = np.random.default_rng(21)
    for octave, weight in enumerate((1.0, 0.5, 0.25)):
        cells = SIZE * 2**octave // CELL
        lattice = np.pad(generator.random((cells, cells), dtype=np.float32), 4, mode="wrap")
        step = SIZE // cells
        fine = cv2.resize(lattice, None, fx=step, fy=step, interpolation=cv2.INTER_CUBIC)
        total += weight * (fine[4 * step : 4 * step + SIZE, 4 * step : 4 * step + SIZE] - 0.5)
    spread = 0.5 + 0.5 * total / (2.2 * total.std())
    return np.pad(np.clip(spread, 0, 1).astype(np.float32), (0, 1), mode="wrap")


def cell_noise(column: NDArray[np.int32], row: NDArray[np.int32], seed: NDArray[np.int32] | int = 0) -> Float:
    """A uniform number for every integer cell; all arrays of one shape."""
    index = (column * np.int32(73) + row * np.int32(7919) + seed * np.int32(31)) & np.int32(SIZE * SIZE - 1)
    number: Float = white_tile().ravel()[index]
    return number


def smooth_noise(u: Float, v: Float, bump: Float | float = 1.0) -> Float:
    """Bumps of the size `bump` (same unit as u and v), 0 to 1; u and v float32 of one shape (N,)."""
    scale = np.float32(CELL) / bump
    size = np.float32(SIZE)
    across, along = (u * scale).astype(np.float32, copy=False), (v * scale).astype(np.float32, copy=False)
    across -= np.floor(across / size) * size
    along -= np.floor(along / size) * size
    count = across.size
    width = 4096
    rows = -(-count // width)
    if rows > 1:
        padded = np.zeros((2, rows * width), np.float32)
        padded[0, :count], padded[1, :count] = across, along
        across, along = padded[0].reshape(rows, width), padded[1].reshape(rows, width)
    else:
        across, along = across.reshape(1, -1), along.reshape(1, -1)
    if count == 0:
        return np.zeros(0, np.float32)
    found = cv2.remap(smooth_tile(), across, along, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    result: Float = np.asarray(found, np.float32).reshape(-1)[:count]
    return result
