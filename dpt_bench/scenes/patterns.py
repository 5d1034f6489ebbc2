"""Procedural patterns: surface coordinates in metres to mixing weights of a material's three colours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dpt_bench.scenes.noise import Float, cell_noise, smooth_noise

Int = NDArray[np.int32]
Weights = tuple[Float | float, Float | float, Float | float]
"""Share of the second colour, share of the third over both, and a factor on the result."""


@dataclass(frozen=True)
class Spot:
    """Where pixels are on their faces, all float32 (N,), metres; v runs upwards from the face's lower edge.

    width, height: extent of the face. period_u, period_v: the material's size. footprint: width of the pixel on the
    surface, by which patterns finer than that fade into their mean. seed: int32 (N,).
    """

    u: Float
    v: Float
    width: Float
    height: Float
    period_u: Float
    period_v: Float
    footprint: Float
    seed: Int

    def detail(self, size: Float | float) -> Float:
        """1 where a feature of this size is well resolved, 0 where it is not."""
        return np.clip(size / self.footprint * 0.4 - 0.4, 0, 1).astype(np.float32)

    def noise(self, bump: Float | float, stretch: float = 1.0) -> Float:
        """Smooth noise, stretched along v, fading to 0.5 where it is not resolved."""
        raw = smooth_noise(self.u + self.seed.astype(np.float32) * np.float32(3.7), self.v / np.float32(stretch), bump)
        return 0.5 + (raw - 0.5) * self.detail(bump)


def _cells(position: Float, period: Float | float) -> tuple[Int, Float]:
    scaled = position / period
    whole = np.floor(scaled)
    return whole.astype(np.int32), scaled - whole


def _between(value: Float, low: Float | float, high: Float | float) -> Float:
    return ((value > low) & (value < high)).astype(np.float32)


def _edge(fraction: Float, share: Float | float) -> Float:
    """1 within `share` of either end of a 0 to 1 cell."""
    return (np.abs(fraction - 0.5) > 0.5 - share).astype(np.float32)


def _plain(spot: Spot) -> Weights:
    return 0.0, 0.0, 0.94 + 0.12 * spot.noise(0.6)


def _noise(spot: Spot) -> Weights:
    coarse = spot.noise(spot.period_u)
    fine = spot.noise(spot.period_u * np.float32(0.23))
    return np.clip(coarse * 2.2 - 0.6, 0, 1), np.clip(fine * 2.5 - 1.5, 0, 1) * 0.7, 0.78 + 0.44 * fine


def _foliage(spot: Spot) -> Weights:
    clumps = spot.noise(spot.period_u)
    leaves = spot.noise(spot.period_u * np.float32(0.2))
    return np.clip(clumps * 2 - 0.5, 0, 1), np.clip(1.4 - 3 * leaves, 0, 0.8), 0.55 + 0.9 * leaves


def _brick(spot: Spot) -> Weights:
    row, within_row = _cells(spot.v, spot.period_v)
    column, within = _cells(spot.u + spot.period_u * 0.5 * (row & 1), spot.period_u)
    seen = spot.detail(spot.period_v)
    mortar = np.maximum(_edge(within, 0.03), _edge(within_row, 0.08))
    tint = cell_noise(column, row, spot.seed)
    return 0.5 + (tint - 0.5) * seen, 0.2 + (mortar - 0.2) * seen, 0.9 + 0.2 * spot.noise(1.7)


def _planks(spot: Spot) -> Weights:
    row, within_row = _cells(spot.v, spot.period_v)
    column, within = _cells(spot.u + spot.period_u * cell_noise(row, row, spot.seed), spot.period_u)
    seen = spot.detail(spot.period_v)
    gap = np.maximum(_edge(within, 0.003), _edge(within_row, 0.035))
    tint = cell_noise(column, row, spot.seed)
    grain = smooth_noise(spot.u * 0.3, spot.v * 4, 0.4)
    return 0.5 + (tint - 0.5) * seen, gap * seen * 0.8, 0.97 + (grain - 0.5) * 0.3 * seen


def _tiles(spot: Spot) -> Weights:
    column, within_u = _cells(spot.u, spot.period_u)
    row, within_v = _cells(spot.v, spot.period_v)
    seen = spot.detail(spot.period_u)
    odd = ((column + row) & 1).astype(np.float32)
    grout = np.maximum(_edge(within_u, 0.02), _edge(within_v, 0.02))
    tint = cell_noise(column, row, spot.seed)
    return 0.5 + (odd - 0.5) * seen, grout * seen, 1 + (tint - 0.5) * 0.14 * seen


def _stripes(spot: Spot) -> Weights:
    _, within = _cells(spot.u, spot.period_u)
    seen = spot.detail(spot.period_u)
    return 0.5 + ((within < 0.5) - np.float32(0.5)) * seen, 0.0, 0.95 + 0.1 * spot.noise(0.8)


def _facade(spot: Spot) -> Weights:
    """A grid of windows, fitted so that whole ones are on the wall; the lowest storey has wider ones."""
    num_columns = np.maximum(np.round(spot.width / spot.period_u), 1)
    column, across = _cells(spot.u, spot.width / num_columns)
    row, up = _cells(spot.v, spot.period_v)
    low = row == 0
    cut = spot.v > spot.height - 0.2 * spot.period_v
    pane = _between(across, np.where(low, 0.12, 0.26), np.where(low, 0.88, 0.74))
    pane *= _between(up, np.where(low, 0.06, 0.25), np.where(low, 0.74, 0.82)) * ~cut
    frame = _between(across, np.where(low, 0.08, 0.21), np.where(low, 0.92, 0.79))
    frame *= _between(up, np.where(low, 0.0, 0.19), np.where(low, 0.8, 0.87)) * ~cut
    bars = np.maximum(_between(across, 0.485, 0.515), _between(up, 0.6, 0.63))
    seen = spot.detail(spot.period_u * 0.3)
    glass = pane * (1 - bars)
    lit = cell_noise(column, row, spot.seed)
    glass_here = 0.25 + (glass - 0.25) * seen
    rim = np.maximum(frame - glass, 0) * seen
    shine = np.where(glass > 0.5, 0.45 + 1.3 * lit * lit + 0.3 * up, 0.94 + 0.12 * spot.noise(2.5))
    ledge = 1 - 0.25 * _between(up, 0.0, 0.03) * seen
    return glass_here, rim, (1 + (shine - 1) * seen) * ledge


def _road(spot: Spot) -> Weights:
    """Asphalt along v with lines; period_u is the width of a lane."""
    across = spot.u - spot.width / 2
    reach = np.abs(across)
    edge = _between(reach, spot.width / 2 - 0.5, spot.width / 2 - 0.36)
    _, along = _cells(spot.v, 9.0)
    lane, _ = _cells(across / spot.period_u + 0.5, 1.0)
    off_line = np.abs(across - lane * spot.period_u)
    dashes = (off_line < 0.07) * (along < 0.4) * (reach < spot.width / 2 - 1)
    paint = np.maximum(edge, dashes) * np.clip(0.14 / (0.45 * spot.footprint), 0, 1)
    patches = spot.noise(3.0)
    grit = spot.noise(0.25)
    tracks = np.exp(-(((np.abs(off_line - spot.period_u * 0.5)) - 0.75) ** 2) * 6)
    return patches * 0.8, paint * (0.7 + 0.3 * grit), (0.86 + 0.28 * grit) * (1 - 0.12 * tracks)


def _picture(spot: Spot) -> Weights:
    across, up = spot.u / spot.width, spot.v / spot.height
    blobs = smooth_noise(across * 3 + spot.seed.astype(np.float32) * np.float32(1.3), up * 3, 1.0)
    strokes = smooth_noise(across * 9, up * 9 + spot.seed.astype(np.float32) * np.float32(2.1), 1.0)
    rim = np.maximum(_edge(across, 0.05), _edge(up, 0.05))
    horizon = (up < 0.45) * 0.5
    return np.clip(blobs * 3 - 1 + horizon, 0, 1), rim * 0.9, np.where(rim > 0, 0.5, 0.6 + 0.8 * strokes)


def _screen(spot: Spot) -> Weights:
    across, up = spot.u / spot.width, spot.v / spot.height
    bezel = np.maximum(_edge(across, 0.03), _edge(up, 0.04))
    line, within = _cells(up, 0.045)
    length = cell_noise(line, line, spot.seed)
    text = (within > 0.35) * (across > 0.1) * (across < 0.12 + 0.6 * length) * (up < 0.85) * (length > 0.2)
    return text.astype(np.float32), bezel, np.where(bezel > 0, 0.15, 0.8 + 0.3 * up)


def _shelf(spot: Spot) -> Weights:
    """Boards, and books of random height and colour between them; period_v is the distance of the boards."""
    row, up = _cells(spot.v, spot.period_v)
    column, across = _cells(spot.u, 0.045)
    book, tall = cell_noise(column, row, spot.seed), cell_noise(column, row, spot.seed + 5)
    board = np.maximum(up < 0.08, np.minimum(spot.u, spot.width - spot.u) < 0.03).astype(np.float32)
    gap = (up > 0.55 + 0.35 * tall) | (cell_noise(column // 7, row, spot.seed + 9) < 0.2)
    seen = spot.detail(0.045)
    spine = 0.7 + 0.6 * tall * (1 - 0.5 * _edge(across, 0.12))
    shade = np.where(gap, 0.25, 1 + (spine - 1) * seen)
    return np.where(gap, 0.5, 0.5 + (book - 0.5) * seen), board, np.where(board > 0, 1.0, shade)


def _door(spot: Spot) -> Weights:
    across, up = spot.u / spot.width, spot.v / spot.height
    panel = np.maximum(_between(up, 0.08, 0.42), _between(up, 0.52, 0.92)) * _between(across, 0.18, 0.82)
    inner = np.maximum(_between(up, 0.1, 0.4), _between(up, 0.54, 0.9)) * _between(across, 0.22, 0.78)
    knob = ((across - 0.9) * spot.width) ** 2 + ((up - 0.47) * spot.height) ** 2 < 0.035**2
    rim = np.maximum(_edge(across, 0.05), (up > 0.97).astype(np.float32))
    return rim, knob.astype(np.float32), 1 - 0.28 * (panel - inner) - 0.06 * inner


def _window(spot: Spot) -> Weights:
    across, up = spot.u / spot.width, spot.v / spot.height
    frame = np.maximum(_edge(across, 0.05), _edge(up, 0.04))
    frame = np.maximum(frame, np.maximum(_between(across, 0.48, 0.52), _between(up, 0.62, 0.65)))
    trees = smooth_noise(spot.u + spot.seed.astype(np.float32), spot.v, 0.5)
    outside = np.clip((0.25 + 0.5 * trees - up) * 6, 0, 1)
    return outside, frame, np.where(frame > 0, 0.5, 0.75 + 0.4 * up - 0.3 * outside)


def _cupboard(spot: Spot) -> Weights:
    num_columns = np.maximum(np.round(spot.width / spot.period_u), 1)
    num_rows = np.maximum(np.round(spot.height / spot.period_v), 1)
    column, across = _cells(spot.u, spot.width / num_columns)
    _, up = _cells(spot.v, spot.height / num_rows)
    thin_u, thin_v = 0.012 * num_columns / spot.width, 0.012 * num_rows / spot.height
    line = np.maximum(_edge(across, thin_u), _edge(up, thin_v)) * spot.detail(0.03)
    grip = np.where((column & 1) == 0, 0.88, 0.12)
    handle = (np.abs(across - grip) * spot.width / num_columns < 0.02) * (np.abs(up - 0.55) < 0.1)
    grain = smooth_noise(spot.u * 5, spot.v * 0.4, 0.4)
    return grain * 0.7, handle * spot.detail(0.04), (0.95 + 0.1 * grain) * (1 - 0.6 * line)


def _car_side(spot: Spot) -> Weights:
    across, up = spot.u / spot.width, spot.v / spot.height
    sill = (up < 0.16).astype(np.float32)
    doors = np.maximum(
        _between(across, 0.495, 0.505), np.maximum(_between(across, 0.27, 0.28), _between(across, 0.73, 0.74))
    )
    handle = _between(up, 0.74, 0.79) * np.maximum(_between(across, 0.42, 0.47), _between(across, 0.64, 0.69))
    return 0.0, np.maximum(sill, handle), (0.8 + 0.3 * up) * (1 - 0.55 * doors * spot.detail(0.04))


def _car_end(spot: Spot) -> Weights:
    across, up = spot.u / spot.width, spot.v / spot.height
    lamps = _between(up, 0.58, 0.84) * _edge(across, 0.2) * (1 - _edge(across, 0.02))
    grille = np.maximum(_between(up, 0.06, 0.26), _between(up, 0.4, 0.56) * _between(across, 0.36, 0.64))
    return lamps, grille * (1 - lamps), 0.85 + 0.25 * up + 0.5 * lamps


def _glass(spot: Spot) -> Weights:
    """Car windows: glass with pillars in the third colour, a reflection towards the top."""
    across, up = spot.u / spot.width, spot.v / spot.height
    pillar = np.maximum((up > 0.9).astype(np.float32), np.maximum(_edge(across, 0.05), _between(across, 0.48, 0.52)))
    return np.clip(up * 0.9 + 0.3 * smooth_noise(spot.u, spot.v, 1.5) - 0.2, 0, 1), pillar, 1.0


def _rug(spot: Spot) -> Weights:
    margin = np.minimum(np.minimum(spot.u, spot.width - spot.u), np.minimum(spot.v, spot.height - spot.v))
    border = np.maximum(_between(margin, 0.06, 0.12), _between(margin, 0.2, 0.23))
    column, within_u = _cells(spot.u, spot.period_u)
    row, within_v = _cells(spot.v, spot.period_u)
    lozenge = (np.abs(within_u - 0.5) + np.abs(within_v - 0.5) < 0.33) * (margin > 0.25)
    return lozenge.astype(np.float32) * spot.detail(spot.period_u * 0.5), border, 0.85 + 0.3 * spot.noise(0.1)


def _cloth(spot: Spot) -> Weights:
    folds = np.sin(spot.u * (6.0 / spot.period_u) + 5 * smooth_noise(spot.u, spot.v, 1.2))
    return 0.5 + 0.5 * folds * spot.detail(spot.period_u * 0.5), 0.0, 0.9 + 0.18 * folds


PATTERNS: dict[str, Callable[[Spot], Weights]] = {
    "plain": _plain,
    "noise": _noise,
    "foliage": _foliage,
    "brick": _brick,
    "planks": _planks,
    "tiles": _tiles,
    "stripes": _stripes,
    "facade": _facade,
    "road": _road,
    "picture": _picture,
    "screen": _screen,
    "shelf": _shelf,
    "door": _door,
    "window": _window,
    "cupboard": _cupboard,
    "car_side": _car_side,
    "car_end": _car_end,
    "glass": _glass,
    "rug": _rug,
    "cloth": _cloth,
}
"""By the names of `materials.Pattern`."""
