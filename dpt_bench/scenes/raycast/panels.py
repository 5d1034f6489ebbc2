"""Patterns that are fitted to one face: pictures, screens, shelves, doors, windows, cupboards, sides of cars, rugs."""

from __future__ import annotations

import numpy as np

from dpt_bench.scenes.raycast.noise import cell_noise, smooth_noise
from dpt_bench.scenes.raycast.spot import Spot, Weights, between, cells, edge


def picture(spot: Spot) -> Weights:
    across, up = spot.u / spot.width, spot.v / spot.height
    blobs = smooth_noise(across * 3 + spot.shift(1.3), up * 3, 1.0)
    strokes = smooth_noise(across * 9, up * 9 + spot.shift(2.1), 1.0)
    rim = np.maximum(edge(across, 0.05), edge(up, 0.05))
    horizon = (up < 0.45) * 0.5
    return np.clip(blobs * 3 - 1 + horizon, 0, 1), rim * 0.9, np.where(rim > 0, 0.5, 0.6 + 0.8 * strokes)


def screen(spot: Spot) -> Weights:
    across, up = spot.u / spot.width, spot.v / spot.height
    bezel = np.maximum(edge(across, 0.03), edge(up, 0.04))
    line, within = cells(up, 0.045)
    length = cell_noise(line, line, spot.seed)
    text = (within > 0.35) * (across > 0.1) * (across < 0.12 + 0.6 * length) * (up < 0.85) * (length > 0.2)
    return text.astype(np.float32), bezel, np.where(bezel > 0, 0.15, 0.8 + 0.3 * up)


def shelf(spot: Spot) -> Weights:
    """Boards, and books of random height and colour between them; period_v is the distance of the boards."""
    row, up = cells(spot.v, spot.period_v)
    column, across = cells(spot.u, 0.045)
    book, tall = cell_noise(column, row, spot.seed), cell_noise(column, row, spot.seed + 5)
    board = np.maximum(up < 0.08, np.minimum(spot.u, spot.width - spot.u) < 0.03).astype(np.float32)
    gap = (up > 0.55 + 0.35 * tall) | (cell_noise(column // 7, row, spot.seed + 9) < 0.2)
    seen = spot.detail(0.045)
    spine = 0.7 + 0.6 * tall * (1 - 0.5 * edge(across, 0.12))
    shade = np.where(gap, 0.25, 1 + (spine - 1) * seen)
    return np.where(gap, 0.5, 0.5 + (book - 0.5) * seen), board, np.where(board > 0, 1.0, shade)


def door(spot: Spot) -> Weights:
    across, up = spot.u / spot.width, spot.v / spot.height
    panel = np.maximum(between(up, 0.08, 0.42), between(up, 0.52, 0.92)) * between(across, 0.18, 0.82)
    inner = np.maximum(between(up, 0.1, 0.4), between(up, 0.54, 0.9)) * between(across, 0.22, 0.78)
    knob = ((across - 0.9) * spot.width) ** 2 + ((up - 0.47) * spot.height) ** 2 < 0.035**2
    rim = np.maximum(edge(across, 0.05), (up > 0.97).astype(np.float32))
    return rim, knob.astype(np.float32), 1 - 0.28 * (panel - inner) - 0.06 * inner


def window(spot: Spot) -> Weights:
    across, up = spot.u / spot.width, spot.v / spot.height
    frame = np.maximum(edge(across, 0.05), edge(up, 0.04))
    frame = np.maximum(frame, np.maximum(between(across, 0.48, 0.52), between(up, 0.62, 0.65)))
    trees = smooth_noise(spot.u + spot.shift(1.0), spot.v, 0.5)
    outside = np.clip((0.25 + 0.5 * trees - up) * 6, 0, 1)
    return outside, frame, np.where(frame > 0, 0.5, 0.75 + 0.4 * up - 0.3 * outside)


def cupboard(spot: Spot) -> Weights:
    num_columns = np.maximum(np.round(spot.width / spot.period_u), 1)
    num_rows = np.maximum(np.round(spot.height / spot.period_v), 1)
    column, across = cells(spot.u, spot.width / num_columns)
    _, up = cells(spot.v, spot.height / num_rows)
    thin_u, thin_v = 0.012 * num_columns / spot.width, 0.012 * num_rows / spot.height
    line = np.maximum(edge(across, thin_u), edge(up, thin_v)) * spot.detail(0.03)
    grip = np.where((column & 1) == 0, 0.88, 0.12)
    handle = (np.abs(across - grip) * spot.width / num_columns < 0.02) * (np.abs(up - 0.55) < 0.1)
    grain = smooth_noise(spot.u * 5, spot.v * 0.4, 0.4)
    return grain * 0.7, handle * spot.detail(0.04), (0.95 + 0.1 * grain) * (1 - 0.6 * line)


def car_side(spot: Spot) -> Weights:
    across, up = spot.u / spot.width, spot.v / spot.height
    sill = (up < 0.16).astype(np.float32)
    doors = np.maximum(
        between(across, 0.495, 0.505), np.maximum(between(across, 0.27, 0.28), between(across, 0.73, 0.74))
    )
    handle = between(up, 0.74, 0.79) * np.maximum(between(across, 0.42, 0.47), between(across, 0.64, 0.69))
    return 0.0, np.maximum(sill, handle), (0.8 + 0.3 * up) * (1 - 0.55 * doors * spot.detail(0.04))


def car_end(spot: Spot) -> Weights:
    across, up = spot.u / spot.width, spot.v / spot.height
    lamps = between(up, 0.58, 0.84) * edge(across, 0.2) * (1 - edge(across, 0.02))
    grille = np.maximum(between(up, 0.06, 0.26), between(up, 0.4, 0.56) * between(across, 0.36, 0.64))
    return lamps, grille * (1 - lamps), 0.85 + 0.25 * up + 0.5 * lamps


def van_end(spot: Spot) -> Weights:
    """Two doors, small lamps low at the sides, a bumper and a number plate."""
    across, up = spot.u / spot.width, spot.v / spot.height
    lamps = between(up, 0.14, 0.24) * edge(across, 0.1) * (1 - edge(across, 0.02))
    plate = between(up, 0.15, 0.2) * between(across, 0.4, 0.6)
    dark = np.maximum(between(up, 0.0, 0.09), between(across, 0.493, 0.507) * (up > 0.09))
    return lamps, np.maximum(dark * (1 - lamps), plate * 0.4), 0.9 + 0.15 * up


def glass(spot: Spot) -> Weights:
    """Car windows: glass with pillars in the third colour, a reflection towards the top."""
    across, up = spot.u / spot.width, spot.v / spot.height
    pillar = np.maximum((up > 0.9).astype(np.float32), np.maximum(edge(across, 0.05), between(across, 0.48, 0.52)))
    return np.clip(up * 0.9 + 0.3 * smooth_noise(spot.u, spot.v, 1.5) - 0.2, 0, 1), pillar, 1.0


def rug(spot: Spot) -> Weights:
    margin = np.minimum(np.minimum(spot.u, spot.width - spot.u), np.minimum(spot.v, spot.height - spot.v))
    border = np.maximum(between(margin, 0.06, 0.12), between(margin, 0.2, 0.23))
    _, within_u = cells(spot.u, spot.period_u)
    _, within_v = cells(spot.v, spot.period_u)
    lozenge = (np.abs(within_u - 0.5) + np.abs(within_v - 0.5) < 0.33) * (margin > 0.25)
    return lozenge.astype(np.float32) * spot.detail(spot.period_u * 0.5), border, 0.85 + 0.3 * spot.noise(0.1)
