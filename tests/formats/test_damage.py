"""Random damage to valid files of every format: they decode to something, or raise FormatError; nothing else happens."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpt_bench.core.errors import FormatError
from dpt_bench.formats import exr, flo, hdf5, images, npy, npy_zst, pfm, raw_float32, sintel_dpt

RNG = np.random.default_rng(1)
GRID = RNG.integers(0, 40, (12, 17))
DEPTH = GRID.astype(np.float32)
RGB = np.repeat((GRID * 6).astype(np.uint8)[..., None], 3, axis=2)

Case = tuple[bytes, Callable[[bytes], Any]]
CASES: dict[str, Case] = {
    "jpeg": (images.encode_jpeg(RGB), images.decode_rgb),
    "png rgb": (images.encode_png(RGB), images.decode_rgb),
    "png gray": (images.encode_png(GRID.astype(np.uint16), text={"scale": "2"}), images.decode_gray),
    "png mask": (images.encode_mask(GRID > 20), images.decode_mask),
    "png text": (images.encode_png(RGB, text={"offset": "0.5", "scale": "2"}), images.png_text),
    "size": (images.encode_jpeg(RGB), images.image_size),
    "pfm": (pfm.encode(DEPTH), pfm.decode),
    "exr": (exr.encode(DEPTH), exr.decode),
    "exr half": (exr.encode(DEPTH, "G", half=True), exr.decode),
    "flo": (flo.encode(np.stack([DEPTH, -DEPTH], axis=-1)), flo.decode),
    "sintel_dpt": (sintel_dpt.encode(DEPTH), sintel_dpt.decode),
    "npy": (npy.encode(DEPTH), npy.decode),
    "npy_zst": (npy_zst.encode(GRID.astype(np.uint16)), npy_zst.decode),
    "hdf5": (hdf5.encode({"depth": DEPTH}), lambda data: hdf5.decode(data, "depth")),
    "raw_float32": (raw_float32.encode(DEPTH), lambda data: raw_float32.decode(data, height=12, width=17)),
}
CHECKED = [
    "jpeg",
    "png rgb",
    "png gray",
    "png mask",
    "pfm",
    "exr",
    "flo",
    "sintel_dpt",
    "npy",
    "npy_zst",
    "raw_float32",
]


def decodes_or_refuses(decode: Callable[[bytes], Any], data: bytes) -> None:
    with suppress(FormatError):
        decode(data)


@pytest.mark.parametrize("name", CASES)
def test_whole_files_decode(name: str) -> None:
    data, decode = CASES[name]
    decode(data)


@pytest.mark.parametrize("name", CASES)
@settings(deadline=None, max_examples=60)
@given(damage=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=6))
def test_flipped_bytes(name: str, damage: list[tuple[float, int]]) -> None:
    data, decode = CASES[name]
    damaged = bytearray(data)
    for place, byte in damage:
        damaged[int(place * (len(data) - 1))] = byte
    decodes_or_refuses(decode, bytes(damaged))


@pytest.mark.parametrize("name", CASES)
@settings(deadline=None, max_examples=40)
@given(place=st.floats(0, 1), byte=st.integers(0, 255))
def test_damage_to_the_first_bytes(name: str, place: float, byte: int) -> None:
    data, decode = CASES[name]
    damaged = bytearray(data)
    damaged[int(place * min(63, len(data) - 1))] = byte
    decodes_or_refuses(decode, bytes(damaged))


@pytest.mark.parametrize("name", CHECKED)
@settings(deadline=None, max_examples=60)
@given(place=st.floats(0, 1, exclude_max=True))
def test_every_truncation_is_noticed(name: str, place: float) -> None:
    data, decode = CASES[name]
    with pytest.raises(FormatError):
        decode(data[: int(place * len(data))])


@pytest.mark.parametrize("name", ["hdf5", "png text", "size"])
@settings(deadline=None, max_examples=60)
@given(place=st.floats(0, 1))
def test_truncation_of_what_may_end_early(name: str, place: float) -> None:
    data, decode = CASES[name]
    decodes_or_refuses(decode, data[: int(place * len(data))])


@settings(deadline=None, max_examples=60)
@given(data=st.binary(max_size=200))
def test_noise(data: bytes) -> None:
    for _, decode in CASES.values():
        decodes_or_refuses(decode, data)
