"""Colours that things of the sample world have, and how they are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from dpt_bench.scenes.raycast.materials import Colour

Choice = TypeVar("Choice")

WALLS: tuple[Colour, ...] = (
    (226, 220, 206), (212, 214, 216), (202, 208, 192), (219, 203, 178), (190, 203, 214), (206, 186, 176),
    (172, 190, 172), (228, 214, 170), (196, 174, 150), (160, 176, 190), (222, 222, 222),
)  # fmt: skip
WOODS: tuple[Colour, ...] = (
    (150, 105, 66), (118, 78, 48), (186, 142, 94), (92, 60, 40), (204, 170, 124), (134, 92, 70),
)  # fmt: skip
CARPETS: tuple[Colour, ...] = ((150, 140, 124), (110, 104, 100), (128, 96, 84), (92, 106, 124), (170, 156, 132))
FABRICS: tuple[Colour, ...] = (
    (130, 60, 52), (64, 84, 120), (92, 110, 84), (150, 132, 108), (84, 80, 84), (178, 150, 96), (120, 84, 110),
    (196, 188, 172), (52, 100, 104), (166, 92, 60),
)  # fmt: skip
CLOTHES: tuple[Colour, ...] = (
    (170, 44, 44), (40, 62, 120), (230, 230, 226), (44, 44, 50), (70, 110, 70), (210, 160, 50), (120, 140, 170),
    (140, 80, 120), (96, 70, 52), (200, 110, 60), (60, 130, 140),
)  # fmt: skip
TROUSERS: tuple[Colour, ...] = ((44, 54, 84), (40, 40, 44), (110, 100, 84), (74, 66, 58), (86, 96, 116))
SKINS: tuple[Colour, ...] = ((232, 190, 160), (206, 158, 124), (164, 116, 84), (112, 76, 56))
HAIRS: tuple[Colour, ...] = ((40, 30, 24), (90, 62, 40), (24, 22, 24), (160, 126, 78), (130, 126, 122))
CARS: tuple[Colour, ...] = (
    (190, 30, 34), (36, 60, 120), (228, 228, 228), (52, 54, 60), (150, 154, 160), (30, 84, 66), (210, 170, 60),
    (120, 40, 52), (96, 136, 170),
)  # fmt: skip
FACADES: tuple[Colour, ...] = (
    (188, 160, 128), (170, 112, 88), (206, 196, 176), (150, 146, 142), (196, 140, 104), (214, 188, 140),
    (158, 170, 176), (132, 96, 84), (222, 214, 204), (176, 184, 160),
)  # fmt: skip
BRICKS: tuple[Colour, ...] = ((154, 84, 64), (176, 110, 80), (134, 74, 60), (186, 146, 110))
STONES: tuple[Colour, ...] = ((186, 172, 146), (164, 160, 152), (206, 192, 164), (150, 134, 112), (196, 178, 156))
ROOFS: tuple[Colour, ...] = ((150, 76, 56), (92, 88, 92), (120, 64, 52), (84, 96, 104), (136, 110, 84))
LEAVES: tuple[Colour, ...] = ((84, 122, 54), (66, 104, 52), (110, 134, 62), (52, 92, 56), (140, 132, 58))
AUTUMN: tuple[Colour, ...] = ((176, 110, 44), (160, 76, 40), (188, 146, 56))
GRASSES: tuple[Colour, ...] = ((112, 138, 66), (92, 122, 58), (146, 146, 84), (128, 134, 72))
EARTHS: tuple[Colour, ...] = ((156, 132, 98), (178, 154, 116), (132, 112, 86), (190, 160, 112))
ROCKS: tuple[Colour, ...] = ((134, 128, 120), (150, 136, 116), (112, 108, 106), (160, 120, 92))
PAINTS: tuple[Colour, ...] = (
    (60, 100, 150), (190, 90, 50), (220, 190, 110), (80, 130, 90), (150, 60, 80), (230, 220, 200), (70, 60, 90),
)  # fmt: skip
GLASS: Colour = (62, 82, 104)
WHITE: Colour = (240, 240, 236)
DARK: Colour = (34, 34, 38)
METAL: Colour = (120, 124, 128)


def pick(rng: np.random.Generator, choices: Sequence[Choice]) -> Choice:
    """One of the choices."""
    return choices[int(rng.integers(len(choices)))]


def hue(rng: np.random.Generator, colours: Sequence[Colour], spread: float = 0.12) -> Colour:
    """One of the colours, slightly off in brightness and tint."""
    red, green, blue = pick(rng, colours)
    factors = rng.uniform(1 - spread, 1 + spread) * rng.uniform(1 - spread / 3, 1 + spread / 3, 3)
    return (
        float(min(red * factors[0], 250.0)),
        float(min(green * factors[1], 250.0)),
        float(min(blue * factors[2], 250.0)),
    )
