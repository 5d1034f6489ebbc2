"""The MiDaS and DPT losses in plain numpy float64, image by image; `python tests/golden/loss_oracle.py` writes loss_golden.json.

Written from the formulas of arXiv:1907.01341v3, section 5, independently of dpt_bench.losses. Arrays are (B, H, W): prediction,
target disparity and a mask of 0 and 1.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np

CASES = {
    "A_dense_2x16x24": (1, 2, 16, 24, 1.1, False),
    "B_70pct_2x16x24": (2, 2, 16, 24, 0.7, False),
    "C_30pct_3x32x32": (3, 3, 32, 32, 0.3, False),
    "D_60pct_hole_2x33x47": (4, 2, 33, 47, 0.6, True),
    "E_1x8x8_dense": (5, 1, 8, 8, 1.1, False),
}
"""seed, B, H, W, valid share (1.1: all), upper half invalid."""
ALIGNMENTS = {
    "lsq": None,
    "mad": {"kind": "lower", "zeros": False},
    "mad_avgmedian": {"kind": "mean", "zeros": False},
    "mad_gist_zeros": {"kind": "lower", "zeros": True},
}


def make(seed, batch, height, width, valid_share, hole=False):
    """All draws from default_rng(seed).random, in this order: target, noise, mask, outliers."""
    rng = np.random.default_rng(seed)
    target = rng.random((batch, height, width)) + 0.05
    prediction = 3.0 * target + 1.5 * (rng.random((batch, height, width)) - 0.5) + 2.0
    mask = (rng.random((batch, height, width)) < valid_share).astype(np.float64)
    outliers = rng.random((batch, height, width)) < 0.05
    target = np.where(outliers, target * 8.0, target)
    if hole:
        mask[:, : height // 2] = 0.0
    return prediction, target, mask


def least_squares(prediction, target, mask):
    p, t = prediction[mask > 0], target[mask > 0]
    a00, a01, a11 = (p * p).sum(), p.sum(), float(p.size)
    b0, b1 = (p * t).sum(), t.sum()
    determinant = a00 * a11 - a01 * a01
    if determinant <= 0:
        return 0.0, 0.0
    return (a11 * b0 - a01 * b1) / determinant, (-a01 * b0 + a00 * b1) / determinant


def median(values, kind):
    return np.sort(values)[(len(values) - 1) // 2] if kind == "lower" else float(np.median(values))


def normalise(values, mask, kind="lower", zeros=False):
    valid = values[mask > 0]
    shift = median((mask * values).ravel() if zeros else valid, kind)
    scale = max(np.abs(valid - shift).sum() / max(valid.size, 1), 1e-6)
    return (values - shift) / scale, shift, scale


def align(prediction, target, mask, how):
    if how is None:
        fits = [least_squares(*image) for image in zip(prediction, target, mask, strict=True)]
        return np.stack([s * p + t for (s, t), p in zip(fits, prediction, strict=True)]), target
    sides = [
        np.stack([normalise(v, m, **how)[0] for v, m in zip(side, mask, strict=True)]) for side in (prediction, target)
    ]
    return sides[0], sides[1]


def trimmed_sum(residuals, trim):
    kept = int(len(residuals) * (1.0 - trim))
    return np.sort(residuals)[:kept].sum(), kept


def absolute_term(prediction, target, mask, trim, scope):
    residuals = [np.abs(p - t)[m > 0] for p, t, m in zip(prediction, target, mask, strict=True)]
    if scope == "batch":
        pooled = np.concatenate(residuals)
        return trimmed_sum(pooled, trim)[0] / (2.0 * len(pooled))
    return float(np.mean([trimmed_sum(r, trim)[0] / (2.0 * len(r)) for r in residuals]))


def kept_term(prediction, target, mask, trim):
    sums = [trimmed_sum(np.abs(p - t)[m > 0], trim) for p, t, m in zip(prediction, target, mask, strict=True)]
    return float(np.mean([total / kept for total, kept in sums]))


def squared_term(prediction, target, mask, scope):
    sums = [((p - t) ** 2 * m).sum() for p, t, m in zip(prediction, target, mask, strict=True)]
    return reduce(sums, [2 * m.sum() for m in mask], scope)


def gradient_term(prediction, target, mask, scope, denominator):
    total = 0.0
    for stride in (1, 2, 4, 8):
        sums, counts = [], []
        for p, t, full in zip(prediction, target, mask, strict=True):
            m = full[::stride, ::stride]
            r = (p - t)[::stride, ::stride] * m
            across = np.abs(r[:, 1:] - r[:, :-1]) * m[:, 1:] * m[:, :-1]
            down = np.abs(r[1:] - r[:-1]) * m[1:] * m[:-1]
            sums.append(across.sum() + down.sum())
            counts.append(m.sum() if denominator == "scale" else full.sum())
        total += reduce(sums, counts, scope)
    return total


def reduce(sums, counts, scope):
    if scope == "image":
        return float(np.mean([s / n for s, n in zip(sums, counts, strict=True)]))
    return float(sum(sums) / sum(counts))


def log_term(prediction, target, mask, variance_focus):
    terms = []
    for p, t, m in zip(prediction, target, mask, strict=True):
        d = np.log(p[m > 0]) - np.log(t[m > 0])
        terms.append((d * d).mean() - variance_focus * d.mean() ** 2)
    return float(np.mean(terms))


def zero_shot(prediction, depth, mask, cap):
    """Least squares in disparity, floored at 1 / cap, inverted; then metrics in depth."""
    scores = {"absrel": [], "bad125": [], "rmse": []}
    for p, z, m in zip(prediction, depth, mask, strict=True):
        v = m > 0
        disparity = np.zeros_like(z)
        disparity[v] = 1 / z[v]
        s, t = least_squares(p, disparity, m)
        aligned, truth = (1 / np.maximum(s * p + t, 1.0 / cap))[v], z[v]
        scores["absrel"].append(np.mean(np.abs(aligned - truth) / truth))
        scores["bad125"].append(100 * np.mean(np.maximum(aligned / truth, truth / aligned) > 1.25))
        scores["rmse"].append(math.sqrt(np.mean((aligned - truth) ** 2)))
    return {name: float(np.mean(values)) for name, values in scores.items()}


def all_numbers(prediction, target, mask):
    numbers = {}
    for name, how in ALIGNMENTS.items():
        p, t = align(prediction, target, mask, how)
        for scope in ("image", "batch"):
            numbers[f"{name}/mse/{scope}"] = squared_term(p, t, mask, scope)
            numbers[f"{name}/mae_notrim/{scope}"] = absolute_term(p, t, mask, 0.0, scope)
            numbers[f"{name}/trim20/{scope}"] = absolute_term(p, t, mask, 0.2, scope)
            for denominator in ("scale", "full"):
                key = f"{name}/grad_K4_{denominator}/{scope}"
                numbers[key] = gradient_term(p, t, mask, scope, denominator)
        numbers[f"{name}/trim20_divU/image"] = kept_term(p, t, mask, 0.2)
        numbers[f"{name}/TOTAL_paper trim20/image + 0.5*grad_full/image"] = (
            numbers[f"{name}/trim20/image"] + 0.5 * numbers[f"{name}/grad_K4_full/image"]
        )
        numbers[f"{name}/TOTAL_public trim20/batch + 0.5*grad_scale/batch"] = (
            numbers[f"{name}/trim20/batch"] + 0.5 * numbers[f"{name}/grad_K4_scale/batch"]
        )
    for image, (p, t, m) in enumerate(zip(prediction, target, mask, strict=True)):
        numbers[f"lsq_s_t[{image}]"] = [float(value) for value in least_squares(p, t, m)]
        numbers[f"mad_t_s_pred[{image}]"] = [float(value) for value in normalise(p, m)[1:]]
        numbers[f"mad_t_s_gt[{image}]"] = [float(value) for value in normalise(t, m)[1:]]
    for cap in (10, 80):
        numbers[f"zero_shot_cap{cap}"] = zero_shot(prediction, 1 / target, mask, float(cap))
    numbers["silog_lam0.5"] = log_term(prediction, target, mask, 0.5)
    numbers["silog_lam0.85"] = log_term(prediction, target, mask, 0.85)
    return numbers


def main():
    golden = {"_rule": "make(seed, B, H, W, valid_share, hole) in loss_oracle.py; float64; valid_share 1.1 = all valid"}
    for name, case in CASES.items():
        prediction, target, mask = make(*case)
        golden[name] = {
            "args": list(case),
            "n_valid": [int(count) for count in mask.sum((1, 2))],
            "pred00": float(prediction[0, 0, 0]),
            "gt00": float(target[0, 0, 0]),
            **all_numbers(prediction, target, mask),
        }
    Path(__file__).with_name("loss_golden.json").write_text(json.dumps(golden, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
