"""What the example trees of stereo sets share: pictures of both eyes, flow files, and flow that must be refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dpt_bench.formats import flo, images, npy, npz
from dpt_bench.readers._stereo_layout import StereoLayout
from dpt_bench.scenes.scene import Scene
from dpt_bench.stereo import join_eyes
from dpt_bench.stereo.rules import Flow

Picture = NDArray[np.uint8]
FLOW_ENCODERS: dict[str, Callable[[NDArray[np.float32]], bytes]] = {
    "flo": flo.encode,
    "npy": npy.encode,
    "npz": npz.encode,
}


@dataclass(frozen=True)
class Pair:
    """Two eyes and the flow between them; `first` is what lies in the first eye's files."""

    first: Picture
    second: Picture
    forward: Flow
    backward: Flow

    @classmethod
    def of(cls, scene: Scene) -> Pair:
        right = scene.right
        return cls(scene.image, right.image, right.flow_forward, right.flow_backward)

    def swapped(self) -> Pair:
        """The right eye first."""
        return Pair(self.second, self.first, self.backward, self.forward)


def encoded_pictures(pair: Pair, layout: StereoLayout, encode: Callable[[Picture], bytes]) -> list[bytes]:
    """One file an eye, or one for both, as the layout's packing wants it."""
    if layout.packing == "separate":
        return [encode(pair.first), encode(pair.second)]
    return [encode(join_eyes(pair.first, pair.second, layout.packing))]


def refused(pair: Pair, layout: StereoLayout) -> Iterator[tuple[str, Pair]]:
    """The pair with flow that each rule must refuse, by the rule's reason."""
    width = pair.forward.shape[1]
    rules = layout.rules.at_width(width)
    rows = int(pair.forward.shape[0] * rules.vertical_fraction * 1.5) + 1
    tilted = pair.forward.copy()
    tilted[:rows, :, 1] = 2 * rules.vertical_px
    yield "vertical-disparity", replace(pair, forward=tilted)
    squeeze = np.float32(0.5 * rules.range_px / max(float(np.ptp(pair.forward[..., 0])), 1e-6))
    yield "small-range", replace(pair, forward=pair.forward * squeeze, backward=pair.backward * squeeze)
    off = np.array([3 * rules.consistent_px, 0], np.float32)
    yield "inconsistent-flow", replace(pair, backward=pair.backward + off)


def encode_sky(sky: NDArray[np.bool_]) -> bytes:
    """8-bit grey, 255 at the sky."""
    return images.encode_png(np.where(sky, 255, 0).astype(np.uint8))
