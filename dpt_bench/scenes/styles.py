"""One style a dataset: camera, content, air and look of its scenes in the sample world."""

from __future__ import annotations

from dataclasses import dataclass, replace

from dpt_bench.scenes.content.outlook import Outlook, Range
from dpt_bench.scenes.raycast.develop import Look

Size = tuple[int, int]


_NEUTRAL = Look()


@dataclass(frozen=True)
class Style:
    """How the scenes of one dataset are made.

    sizes: (height, width) in pixels, one of which is drawn for each scene. focal: fx as a share of the width, or of
    0.85 times the height in portrait pictures. contents: kinds of world and their weights. range_m: what can be
    measured; nothing is nearer, things beyond are sky. baseline_m: distance of the right eye. people: chance of people
    close to the camera, `people_m` away. drama: share of evening skies.
    """

    name: str
    sizes: tuple[Size, ...]
    focal: Range
    contents: tuple[tuple[str, float], ...]
    outlook: Outlook
    range_m: Range
    baseline_m: float = 0.2
    people: float = 0.0
    people_m: Range = (1.6, 5.0)
    drama: float = 0.12
    look: Look = _NEUTRAL

    @property
    def height(self) -> int:
        """Rows of the first size."""
        return self.sizes[0][0]

    @property
    def width(self) -> int:
        """Columns of the first size."""
        return self.sizes[0][1]

    def at_size(self, height: int, width: int) -> Style:
        """The same style with pictures of one size, such as a format's native one."""
        return replace(self, sizes=((height, width),))


# Hands tilt a camera far more than a car does. With less of it the mean depth map of the training set came close to a
# trained network on rooms and open country: little had to be learned from the picture.
_HAND = Outlook((1.0, 1.9), (-22, 14), 20, 3.0)
_ROOM = Outlook((0.7, 1.9), (-34, 12), 28, 3.0)
_DRIVER = Outlook((1.5, 1.8), (-5, 2), 9, 0.8)

_ALL = (
    Style(
        "megadepth",
        ((192, 256), (256, 192), (192, 288), (224, 224), (288, 208)),
        (0.7, 1.5),
        (("landmark", 0.5), ("landscape", 0.12), ("pavement", 0.26), ("street", 0.12)),
        Outlook((1.0, 1.9), (-10, 22), 16, 3.0),
        (0.8, 300.0),
        people=0.3,
        people_m=(2.0, 7.0),
        look=Look(saturation=(0.75, 1.2), noise=2.5),
    ),
    Style(
        "tartanair",
        ((192, 256),),
        (0.5, 0.5),
        (("room", 0.45), ("street", 0.25), ("pavement", 0.1), ("landscape", 0.2)),
        Outlook((0.7, 2.4), (-30, 18), 40, 6.0),
        (0.4, 300.0),
        baseline_m=0.25,
        drama=0.25,
        look=Look(noise=0.5, vignette=0.0, contrast=(0.9, 1.2)),
    ),
    Style(
        "redweb",
        ((192, 256), (256, 192), (160, 288), (176, 272)),
        (0.65, 1.7),
        (("pavement", 0.26), ("street", 0.16), ("landscape", 0.2), ("room", 0.22), ("landmark", 0.16)),
        _HAND,
        (0.6, 250.0),
        people=0.6,
        look=Look(saturation=(0.7, 1.25), exposure=(0.75, 1.25), noise=3.0),
    ),
    Style(
        "hrwsi",
        ((192, 288), (192, 256), (256, 192)),
        (0.7, 1.2),
        (("pavement", 0.2), ("street", 0.2), ("landscape", 0.2), ("room", 0.2), ("landmark", 0.2)),
        _HAND,
        (0.6, 250.0),
        people=0.5,
        look=Look(saturation=(0.8, 1.2), noise=2.0),
    ),
    Style(
        "blendedmvs",
        ((192, 256),),
        (0.9, 1.0),
        (("landmark", 0.5), ("landscape", 0.25), ("street", 0.1), ("room", 0.15)),
        Outlook((2.0, 12.0), (-32, -6), 30, 3.0),
        (1.0, 200.0),
        look=Look(noise=0.8, contrast=(0.85, 1.0)),
    ),
    Style(
        "diml",
        ((168, 300),),
        (0.8, 0.85),
        (("room", 1.0),),
        _ROOM,
        (0.5, 10.0),
        people=0.15,
        people_m=(1.5, 3.5),
        look=Look(noise=2.5, saturation=(0.8, 1.0)),
    ),
    Style(
        "movies",
        ((128, 304), (160, 288)),
        (0.8, 1.5),
        (("room", 0.3), ("pavement", 0.2), ("street", 0.2), ("landscape", 0.2), ("landmark", 0.1)),
        _HAND,
        (0.6, 250.0),
        baseline_m=0.07,
        people=0.75,
        people_m=(1.2, 4.0),
        drama=0.4,
        look=Look(contrast=(1.1, 1.35), warmth=(-0.12, 0.12), noise=3.0),
    ),
    Style(
        "wsvd",
        ((168, 300), (192, 256)),
        (0.7, 1.2),
        (("pavement", 0.25), ("street", 0.2), ("room", 0.25), ("landscape", 0.2), ("landmark", 0.1)),
        Outlook((1.0, 1.9), (-22, 14), 25, 3.0),
        (0.6, 250.0),
        baseline_m=0.07,
        people=0.5,
        look=Look(blur_px=0.7, noise=3.0, saturation=(0.8, 1.3)),
    ),
    Style(
        "apolloscape",
        ((208, 260),),
        (0.68, 0.7),
        (("street", 1.0),),
        Outlook((1.6, 2.0), (-8, 0), 7, 0.5),
        (1.5, 250.0),
        baseline_m=0.6,
        drama=0.05,
        look=Look(contrast=(0.9, 1.05), saturation=(0.7, 0.95)),
    ),
    Style(
        "irs",
        ((162, 288),),
        (0.5, 0.7),
        (("room", 1.0),),
        _ROOM,
        (0.4, 12.0),
        baseline_m=0.1,
        look=Look(noise=0.3, exposure=(0.7, 1.3), vignette=0.0),
    ),
    Style(
        "kitti",
        ((128, 424),),
        (0.58, 0.58),
        (("street", 1.0),),
        _DRIVER,
        (1.5, 250.0),
        baseline_m=0.54,
        drama=0.0,
        look=Look(contrast=(1.0, 1.25), saturation=(0.65, 0.9), noise=2.5),
    ),
    Style(
        "nyu",
        ((192, 256),),
        (0.81, 0.81),
        (("room", 1.0),),
        _ROOM,
        (0.5, 10.0),
        baseline_m=0.075,
        people=0.1,
        people_m=(1.5, 3.5),
        look=Look(noise=3.5, exposure=(0.65, 1.0), warmth=(0.0, 0.1), vignette=0.2),
    ),
    Style(
        "tum",
        ((192, 256),),
        (0.82, 0.82),
        (("office", 1.0),),
        Outlook((0.9, 1.9), (-36, 6), 40, 5.0),
        (0.4, 10.0),
        baseline_m=0.075,
        people=0.75,
        people_m=(1.3, 3.2),
        look=Look(noise=3.0, saturation=(0.8, 1.0), blur_px=0.6),
    ),
    Style(
        "eth3d",
        ((192, 288),),
        (0.7, 0.8),
        (("landmark", 0.4), ("landscape", 0.15), ("pavement", 0.2), ("room", 0.25)),
        Outlook((1.0, 1.9), (-20, 12), 25, 2.0),
        (0.6, 200.0),
        look=Look(noise=1.0),
    ),
    Style(
        "sintel",
        ((128, 304),),
        (0.7, 1.3),
        # by the names of its sequences: alleys, markets, temples, caves, and few mountains
        (("pavement", 0.35), ("landmark", 0.25), ("room", 0.25), ("landscape", 0.15)),
        Outlook((0.8, 2.5), (-24, 18), 30, 4.0),
        (0.5, 300.0),
        baseline_m=0.1,
        people=0.7,
        people_m=(1.2, 5.0),
        drama=0.5,
        look=Look(saturation=(1.25, 1.7), contrast=(1.1, 1.4), noise=0.5, vignette=0.25),
    ),
    Style(
        "diw",
        ((192, 256), (256, 192), (180, 272)),
        (0.7, 1.4),
        (("pavement", 0.3), ("landscape", 0.3), ("room", 0.2), ("landmark", 0.2)),
        Outlook((0.9, 2.2), (-24, 18), 30, 4.0),
        (0.5, 300.0),
        people=0.5,
        look=Look(saturation=(0.5, 1.4), exposure=(0.7, 1.3), noise=4.0),
    ),
)

STYLES: dict[str, Style] = {style.name: style for style in _ALL}
"""By recipe name."""

_ANYTHING = STYLES["diw"]


def style_for(recipe_name: str) -> Style:
    """The style of a recipe; a recipe without one of its own gets pictures of anything."""
    return STYLES.get(recipe_name) or replace(_ANYTHING, name=recipe_name)
