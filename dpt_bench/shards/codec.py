"""A training sample in memory <-> the members of a shard (DESIGN section 4.2)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpt_bench.core.errors import FormatError, SampleError
from dpt_bench.formats import images, npy_zst

IMAGE = "jpg"
INVERSE_DEPTH = "inverse_depth.npy.zst"
SKY = "sky.png"
LABELS = "labels.png"
META = "json"
MEMBER_ORDER = (IMAGE, INVERSE_DEPTH, SKY, LABELS, META)

ENCODING_VERSION = 1
"""Enters the hash by which a build knows its shards. Raise it with any change of ours, from a Sample to its tar, after
which the same input and options give other bytes: a build that goes on then makes its older shards anew."""

KEY_PATTERN = r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*"
"""A dot in a key would split it: webdataset takes all after the first dot for the member's ending."""

STEPS = 65534
"""Codes 1..65535 hold 0..1, so half a step is 7.6e-6; code 0 is "invalid"."""
_VALUES = np.concatenate([[np.nan], np.arange(STEPS + 1) / STEPS]).astype(np.float32)


@dataclass(frozen=True)
class ShardSample:
    """A sample as shards hold it.

    image: RGB uint8 (H, W, 3). inverse_depth: float32 (H, W), normalised, 0 farthest to 1 nearest, NaN = invalid; None
        in a segmentation shard. sky: bool (H, W), None where the dataset has no sky signal. labels: uint8 (H, W), class
        indices, None in a depth shard. meta: what KEY.json holds.
    """

    key: str
    image: NDArray[np.uint8]
    inverse_depth: NDArray[np.float32] | None = None
    sky: NDArray[np.bool_] | None = None
    labels: NDArray[np.uint8] | None = None
    meta: dict[str, Any] = field(default_factory=dict)

    @property
    def valid_fraction(self) -> float:
        """Share of the pixels that have a target, sky included where it is valid."""
        if self.inverse_depth is not None:
            return np.count_nonzero(np.isfinite(self.inverse_depth)) / self.inverse_depth.size
        assert self.labels is not None
        return np.count_nonzero(self.labels != self.meta.get("ignore", 255)) / self.labels.size

    @property
    def sky_fraction(self) -> float | None:
        """Share of the pixels that are sky, None where the dataset has no sky signal."""
        return None if self.sky is None else np.count_nonzero(self.sky) / self.sky.size


@dataclass(frozen=True)
class CodedSample:
    """A sample of a depth shard as training reads it: a crop costs less to decode than the whole target.

    image: RGB uint8 (H, W, 3). codes: uint16 (H, W), see `quantise`.
    """

    key: str
    image: NDArray[np.uint8]
    codes: NDArray[np.uint16]


def is_valid_key(key: str) -> bool:
    """Whether a key can name members of a tar: [A-Za-z0-9_-] and single "/" between."""
    return re.fullmatch(KEY_PATTERN, key) is not None


def quantise(values: NDArray[np.floating]) -> NDArray[np.uint16]:
    """Normalised values, 0..1 or NaN, as codes: 0 = invalid, else 1 + round(65534 * value)."""
    scaled = np.multiply(values, STEPS, dtype=np.float64)
    scaled += 1.5  # the cast below truncates; NaN would cast to anything, so it becomes 0 first
    if (missing := np.isnan(values)).any():
        np.copyto(scaled, 0.0, where=missing)
    codes: NDArray[np.uint16] = scaled.astype(np.uint16)
    return codes


def dequantise(codes: NDArray[np.uint16]) -> NDArray[np.float32]:
    """Codes as float32 0..1, NaN where the code is 0; within half a step of what was quantised."""
    return np.take(_VALUES, codes)


def encode_members(sample: ShardSample, *, jpeg_quality: int = 95) -> dict[str, bytes]:
    """Ending -> bytes, in the order in which a shard holds them; the same sample gives the same bytes.

    Raises:
        SampleError: the sample has no target, or its meta cannot be written as JSON.
    """
    if (sample.inverse_depth is None) == (sample.labels is None):
        raise SampleError("bad-target", "a shard holds either an inverse depth or labels", where=sample.key)
    members = {IMAGE: images.encode_jpeg(sample.image, jpeg_quality)}
    if sample.inverse_depth is not None:
        members[INVERSE_DEPTH] = npy_zst.encode(quantise(sample.inverse_depth))
    if sample.sky is not None:
        members[SKY] = images.encode_mask(sample.sky)
    if sample.labels is not None:
        members[LABELS] = images.encode_png(sample.labels)
    members[META] = _encode_meta(sample)
    return members


def _encode_meta(sample: ShardSample) -> bytes:
    try:
        text = json.dumps(sample.meta, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise SampleError("bad-notes", f"facts of the sample are not JSON: {error}", where=sample.key) from error
    return text.encode("ascii")


def decode_members(key: str, members: Mapping[str, bytes]) -> ShardSample:
    """The sample whose members these are.

    Raises:
        FormatError: a member is missing or corrupt, or the target's size is not the image's.
    """
    if IMAGE not in members or META not in members or (INVERSE_DEPTH in members) == (LABELS in members):
        raise FormatError(f"the members are {sorted(members)}", where=key, reason="missing-member")
    parts = {ending: decode_member(ending, data) for ending, data in members.items()}
    sample = ShardSample(key, parts[IMAGE], parts.get(INVERSE_DEPTH), parts.get(SKY), parts.get(LABELS), parts[META])
    for grid in (sample.inverse_depth, sample.sky, sample.labels):
        if grid is not None:
            _check_size(key, sample.image, grid)
    return sample


def decode_coded(key: str, members: Mapping[str, bytes]) -> CodedSample:
    """The sample whose members these are, its target still as codes; the others are left alone.

    Raises:
        FormatError: as `decode_members`; also where there is no inverse depth.
    """
    if IMAGE not in members or INVERSE_DEPTH not in members:
        raise FormatError(f"the members are {sorted(members)}", where=key, reason="missing-member")
    image, codes = images.decode_rgb(members[IMAGE]), _decode_codes(members[INVERSE_DEPTH])
    _check_size(key, image, codes)
    return CodedSample(key, image, codes)


def _check_size(key: str, image: NDArray[np.uint8], grid: NDArray[Any]) -> None:
    size = image.shape[:2]
    if grid.shape != size:
        raise FormatError(f"the image is {size} but a target is {grid.shape}", where=key, reason="shape-mismatch")


def decode_member(ending: str, data: bytes) -> Any:
    """One member as array or dict; raw bytes for an ending that is none of ours.

    Raises:
        FormatError: the bytes are corrupt.
    """
    if ending == IMAGE:
        return images.decode_rgb(data)
    if ending == INVERSE_DEPTH:
        return dequantise(_decode_codes(data))
    if ending == SKY:
        return images.decode_mask(data)
    if ending == LABELS:
        return _expect(images.decode_gray(data), np.uint8, 2)
    return _decode_meta(data) if ending == META else data


def decoder(key: str, data: bytes) -> Any:
    """Handler for plain webdataset pipelines: `webdataset.WebDataset(url).decode(dpt_bench.shards.decoder)`.

    Samples then have `jpg` (uint8 (H, W, 3)), `inverse_depth.npy.zst` (float32 (H, W), NaN = invalid), `json`, and
    where they exist `sky.png` (bool) and `labels.png` (uint8). Other endings are left to webdataset's own handlers.
    """
    ending = key.removeprefix(".")
    return decode_member(ending, data) if ending in MEMBER_ORDER else None


def _decode_codes(data: bytes) -> NDArray[np.uint16]:
    return _expect(npy_zst.decode(data), np.uint16, 2)


def _decode_meta(data: bytes) -> dict[str, Any]:
    try:
        meta = json.loads(data)
    except ValueError as error:  # bad UTF-8 is one too
        raise FormatError(f"the sample's facts are not JSON: {error}") from error
    if not isinstance(meta, dict):
        raise FormatError("the sample's facts are not a JSON object")
    return meta


def _expect(array: NDArray[Any], dtype: type[np.generic], dimensions: int) -> NDArray[Any]:
    if array.dtype != dtype or array.ndim != dimensions:
        raise FormatError(f"expected {dtype.__name__} of {dimensions} dimensions, got {array.dtype} {array.shape}")
    return array
