"""Flow from files, and computed: DIS within a stated error on rendered pairs, RAFT's plumbing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dpt_bench.core.errors import FormatError, UsageError
from dpt_bench.formats import flo, npy, npz
from dpt_bench.scenes import Scene
from dpt_bench.stereo import compute_flow, decode_flow

FLOW = np.arange(24, dtype=np.float32).reshape(3, 4, 2)


@pytest.mark.parametrize(
    ("data", "ending"),
    [(flo.encode(FLOW), "flo"), (npy.encode(FLOW), "npy"), (npz.encode(FLOW), "npz"), (flo.encode(FLOW), "FLO")],
)
def test_flow_files(data: bytes, ending: str) -> None:
    found = decode_flow(data, ending)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, FLOW)


@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_other_floats_become_float32(dtype) -> None:
    assert decode_flow(npy.encode(FLOW.astype(dtype)), "npy").dtype == np.float32


def test_unknown_flow_becomes_nan_in_both_parts() -> None:
    stored = FLOW.copy()
    stored[0, 0, 0], stored[1, 1, 1], stored[2, 2, 0] = 1.666666752e9, np.nan, -np.inf
    found = decode_flow(flo.encode(stored), "flo")
    assert np.argwhere(np.isnan(found).all(axis=2)).tolist() == [[0, 0], [1, 1], [2, 2]]
    assert np.isnan(found).sum() == 6


@pytest.mark.parametrize("array", [FLOW.transpose(2, 0, 1), FLOW[..., 0], FLOW.astype(np.int16)])
def test_other_shapes_and_integers_are_refused(array: np.ndarray) -> None:
    with pytest.raises(FormatError, match=r"floats of shape \(height, width, 2\)"):
        decode_flow(npy.encode(array), "npy")


def test_dis_flow_of_rendered_pairs_has_a_median_error_below_half_a_pixel(stereo_scenes: list[Scene]) -> None:
    """The documented bound: 0.5 px over the frames, 1 px in each, for noisy pictures of 300 columns."""
    medians = []
    for scene in stereo_scenes:
        forward, backward = compute_flow(scene.image, scene.right.image, "dis")
        assert forward.shape == backward.shape == (*scene.image.shape[:2], 2)
        assert forward.dtype == np.float32
        for found, true in ((forward, scene.right.flow_forward), (backward, scene.right.flow_backward)):
            medians.append(np.median(np.abs(found[..., 0] - true[..., 0])))
    assert np.median(medians) < 0.5
    assert max(medians) < 1.0


def test_dis_flow_is_the_same_again(stereo_scenes: list[Scene]) -> None:
    scene = stereo_scenes[0]
    first, second = (compute_flow(scene.image, scene.right.image, "dis")[0] for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_eyes_of_different_or_tiny_size_are_refused() -> None:
    picture = np.zeros((40, 50, 3), np.uint8)
    with pytest.raises(FormatError) as raised:
        compute_flow(picture, picture[:-1], "dis")
    assert raised.value.reason == "shape-mismatch"
    with pytest.raises(FormatError) as raised:
        compute_flow(picture[:20], picture[:20], "dis")
    assert raised.value.reason == "too-small"


def save_raft(folder: Path, size: str) -> Path:
    import torch
    from torchvision.models import optical_flow

    torch.manual_seed(0)
    torch.save(getattr(optical_flow, size)(weights=None).state_dict(), folder / f"{size}.pth")
    return folder / f"{size}.pth"


def test_raft_flow_has_the_size_of_the_pictures_whatever_its_network_needs(tmp_path: Path) -> None:
    left, right = np.random.default_rng(0).integers(0, 256, (2, 100, 130, 3)).astype(np.uint8)
    forward, backward = compute_flow(left, right, "raft", save_raft(tmp_path, "raft_small"))
    assert forward.shape == backward.shape == (100, 130, 2)
    assert forward.dtype == np.float32
    assert np.isfinite(forward).all()
    assert np.isfinite(backward).all()
    assert not np.array_equal(forward, backward)


@pytest.mark.parametrize(("size", "is_large"), [("raft_small", False), ("raft_large", True)])
def test_the_weights_say_which_raft_they_belong_to(tmp_path: Path, size: str, is_large: bool) -> None:
    from dpt_bench.stereo import raft

    network = raft._load(save_raft(tmp_path, size))
    assert (network.mask_predictor is not None) is is_large
    assert not network.training


def test_raft_without_sound_weights_says_which_file(tmp_path: Path) -> None:
    picture = np.zeros((128, 128, 3), np.uint8)
    with pytest.raises(UsageError, match="not found"):
        compute_flow(picture, picture, "raft", tmp_path / "absent.pth")
    (tmp_path / "other.pth").write_bytes(b"not weights")
    with pytest.raises(UsageError, match="no weights of RAFT"):
        compute_flow(picture, picture, "raft", tmp_path / "other.pth")


def test_torch_and_pyav_are_not_imported_unasked() -> None:
    code = (
        "import sys, dpt_bench.stereo, dpt_bench.readers.movies, dpt_bench.readers.wsvd; "
        "assert not {'torch', 'torchvision', 'av'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
