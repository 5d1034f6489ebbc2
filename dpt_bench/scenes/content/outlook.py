"""How a photographer of a dataset holds the camera."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dpt_bench.scenes.raycast.view import Pose

Range = tuple[float, float]


@dataclass(frozen=True)
class Outlook:
    """height_m of the eye above the floor; pitch_deg, upwards positive; yaw_deg to either side; roll_deg, deviation."""

    height_m: Range
    pitch_deg: Range
    yaw_deg: float = 15.0
    roll_deg: float = 1.0

    def pose(self, rng: np.random.Generator, x: float, z: float, *, yaw: float = 0.0) -> Pose:
        """A pose above (x, z) that looks along `yaw` (radians), give or take."""
        turned = yaw + np.radians(rng.uniform(-self.yaw_deg, self.yaw_deg))
        return Pose(
            np.array([x, rng.uniform(*self.height_m), z]),
            float(turned),
            float(np.radians(rng.uniform(*self.pitch_deg))),
            float(np.radians(rng.normal(0, self.roll_deg))),
        )
