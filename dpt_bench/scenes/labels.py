"""Semantic classes of the sample world. Names are those of ADE20K where it has the class."""

from __future__ import annotations

from enum import IntEnum


class Label(IntEnum):
    """Class indices of `Scene.labels`; 0 is the sky."""

    SKY = 0
    WALL = 1
    BUILDING = 2
    FLOOR = 3
    CEILING = 4
    ROAD = 5
    SIDEWALK = 6
    GRASS = 7
    EARTH = 8
    HILL = 9
    ROCK = 10
    TREE = 11
    PLANT = 12
    PERSON = 13
    CAR = 14
    POLE = 15
    FENCE = 16
    SIGNBOARD = 17
    WINDOW = 18
    DOOR = 19
    CABINET = 20
    SHELF = 21
    TABLE = 22
    CHAIR = 23
    SOFA = 24
    BED = 25
    LAMP = 26
    PAINTING = 27
    SCREEN = 28
    CURTAIN = 29
    RUG = 30
    BOX = 31
    COLUMN = 32
    SCULPTURE = 33
    BRIDGE = 34


CLASS_NAMES: tuple[str, ...] = tuple(label.name.lower() for label in Label)
"""Name of every class, by index."""

THIN_OR_MOVING = (Label.PERSON, Label.CAR, Label.POLE, Label.FENCE)
"""Classes that structure from motion over many photographs does not reconstruct."""
