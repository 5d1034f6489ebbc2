"""Patterns that repeat over a surface of any size: plaster, bricks, boards, leaves, asphalt, house fronts, cloth."""

from __future__ import annotations

import numpy as np

from dpt_bench.scenes.raycast.noise import cell_noise, smooth_noise
from dpt_bench.scenes.raycast.spot import Spot, Weights, between, cells, edge


def plain(spot: Spot) -> Weights:
    return 0.0, 0.0, 0.94 + 0.12 * spot.noise(0.6)


def noise(spot: Spot) -> Weights:
    coarse = spot.noise(spot.period_u)
    fine = spot.noise(spot.period_u * np.float32(0.23))
    return np.clip(coarse * 2.2 - 0.6, 0, 1), np.clip(fine * 2.5 - 1.5, 0, 1) * 0.7, 0.78 + 0.44 * fine


def foliage(spot: Spot) -> Weights:
    clumps = spot.noise(spot.period_u)
    leaves = spot.noise(spot.period_u * np.float32(0.2))
    return np.clip(clumps * 2 - 0.5, 0, 1), np.clip(1.4 - 3 * leaves, 0, 0.8), 0.55 + 0.9 * leaves


def brick(spot: Spot) -> Weights:
    row, within_row = cells(spot.v, spot.period_v)
    column, within = cells(spot.u + spot.period_u * 0.5 * (row & 1), spot.period_u)
    seen = spot.detail(spot.period_v)
    mortar = np.maximum(edge(within, 0.03), edge(within_row, 0.08))
    tint = cell_noise(column, row, spot.seed)
    return 0.5 + (tint - 0.5) * seen, 0.2 + (mortar - 0.2) * seen, 0.9 + 0.2 * spot.noise(1.7)


def planks(spot: Spot) -> Weights:
    row, within_row = cells(spot.v, spot.period_v)
    column, within = cells(spot.u + spot.period_u * cell_noise(row, row, spot.seed), spot.period_u)
    seen = spot.detail(spot.period_v)
    gap = np.maximum(edge(within, 0.003), edge(within_row, 0.035))
    tint = cell_noise(column, row, spot.seed)
    grain = smooth_noise(spot.u * 0.3, spot.v * 4, 0.4)
    return 0.5 + (tint - 0.5) * seen, gap * seen * 0.8, 0.97 + (grain - 0.5) * 0.3 * seen


def tiles(spot: Spot) -> Weights:
    column, within_u = cells(spot.u, spot.period_u)
    row, within_v = cells(spot.v, spot.period_v)
    seen = spot.detail(spot.period_u)
    odd = ((column + row) & 1).astype(np.float32)
    grout = np.maximum(edge(within_u, 0.02), edge(within_v, 0.02))
    tint = cell_noise(column, row, spot.seed)
    return 0.5 + (odd - 0.5) * seen, grout * seen, 1 + (tint - 0.5) * 0.14 * seen


def stripes(spot: Spot) -> Weights:
    _, within = cells(spot.u, spot.period_u)
    seen = spot.detail(spot.period_u)
    return 0.5 + ((within < 0.5) - np.float32(0.5)) * seen, 0.0, 0.95 + 0.1 * spot.noise(0.8)


def facade(spot: Spot) -> Weights:
    """A grid of windows, fitted so that whole ones are on the wall; the lowest storey has wider ones."""
    num_columns = np.maximum(np.round(spot.width / spot.period_u), 1)
    column, across = cells(spot.u, spot.width / num_columns)
    row, up = cells(spot.v, spot.period_v)
    low = row == 0
    cut = spot.v > spot.height - 0.2 * spot.period_v
    pane = between(across, np.where(low, 0.12, 0.26), np.where(low, 0.88, 0.74))
    pane *= between(up, np.where(low, 0.06, 0.25), np.where(low, 0.74, 0.82)) * ~cut
    frame = between(across, np.where(low, 0.08, 0.21), np.where(low, 0.92, 0.79))
    frame *= between(up, np.where(low, 0.0, 0.19), np.where(low, 0.8, 0.87)) * ~cut
    bars = np.maximum(between(across, 0.485, 0.515), between(up, 0.6, 0.63))
    seen = spot.detail(spot.period_u * 0.3)
    glass = pane * (1 - bars)
    lit = cell_noise(column, row, spot.seed)
    glass_here = 0.25 + (glass - 0.25) * seen
    rim = np.maximum(frame - glass, 0) * seen
    shine = np.where(glass > 0.5, 0.45 + 1.3 * lit * lit + 0.3 * up, 0.94 + 0.12 * spot.noise(2.5))
    ledge = 1 - 0.25 * between(up, 0.0, 0.03) * seen
    return glass_here, rim, (1 + (shine - 1) * seen) * ledge


def road(spot: Spot) -> Weights:
    """Asphalt along v with lines; period_u is the width of a lane."""
    across = spot.u - spot.width / 2
    reach = np.abs(across)
    edge = between(reach, spot.width / 2 - 0.5, spot.width / 2 - 0.36)
    _, along = cells(spot.v, 9.0)
    lane, _ = cells(across / spot.period_u + 0.5, 1.0)
    off_line = np.abs(across - lane * spot.period_u)
    dashes = (off_line < 0.07) * (along < 0.4) * (reach < spot.width / 2 - 1)
    paint = np.maximum(edge, dashes) * np.clip(0.14 / (0.45 * spot.footprint), 0, 1)
    patches = spot.noise(3.0)
    grit = spot.noise(0.25)
    tracks = np.exp(-(((np.abs(off_line - spot.period_u * 0.5)) - 0.75) ** 2) * 6)
    return patches * 0.8, paint * (0.7 + 0.3 * grit), (0.86 + 0.28 * grit) * (1 - 0.12 * tracks)


def cloth(spot: Spot) -> Weights:
    folds = np.sin(spot.u * (6.0 / spot.period_u) + 5 * smooth_noise(spot.u, spot.v, 1.2))
    return 0.5 + 0.5 * folds * spot.detail(spot.period_u * 0.5), 0.0, 0.9 + 0.18 * folds
