"""One rendered RGB-D view of the sample world: all that a raw dataset could have measured there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dpt_bench.core.sample import Camera


@dataclass(frozen=True, eq=False)
class StereoView:
    """The right eye of a scene, displaced by `Camera.baseline_m` along +x, and exact flow between the two.

    image: RGB uint8 (H, W, 3).
    flow_forward: float32 (H, W, 2), left to right, (u, v) in pixels on the left grid; u = -disparity, v = 0.
    flow_backward: float32 (H, W, 2), right to left, on the right grid; u = +disparity there.
    """

    image: NDArray[np.uint8]
    flow_forward: NDArray[np.float32]
    flow_backward: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Scene:
    """A view, complete and without sensor defects; readers' `write_example` add those of their dataset.

    name: unique in its world, e.g. "street_0007"; index counts the scenes of one world from 0.
    image: RGB uint8 (H, W, 3). depth_m: float32 (H, W), planar z in metres, inf at the sky.
    sky: bool (H, W). labels: uint8 (H, W), classes of `scenes.labels`.
    render_right: what `right` calls; most datasets never look at the second eye, and it costs as much as the first.
    """

    name: str
    index: int
    image: NDArray[np.uint8]
    depth_m: NDArray[np.float32]
    sky: NDArray[np.bool_]
    labels: NDArray[np.uint8]
    camera: Camera
    render_right: Callable[[], StereoView] = field(repr=False)

    @cached_property
    def right(self) -> StereoView:
        """The second eye, rendered when first asked for."""
        return self.render_right()
