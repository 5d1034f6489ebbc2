"""Lists of clips: which frames of which video, as JSON lines of ours or as the pickles that WSVD is published as."""

from __future__ import annotations

import codecs
import io
import json
import pickle  # read through an unpickler below that can build nothing but numbers
import re
import struct
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from dpt_bench.core.errors import FormatError
from dpt_bench.core.toml import Strict

FORMAT_SUFFIX = re.compile(r"\.f\d+$")
"""youtube-dl's mark of a stream, `.f134`, that some names in the pickles carry behind the video's id."""

_DAMAGE = (
    *(pickle.UnpicklingError, EOFError, struct.error, LookupError, ValueError, TypeError, AttributeError, NameError),
    *(AssertionError, RuntimeError, MemoryError, OverflowError, BufferError),
)
"""What Python's own unpickler raises for damaged bytes."""

PLAIN_INTEGER = re.compile(r"[<>|=]?[iu][1248]")


class Clip(Strict):
    """A run of frames of a video.

    clip: its number among the clips of the video. frames: counted from 0 in the decoded video. label: 1 where the left
    eye comes first, -1 where it comes second.
    """

    video: str
    clip: int
    frames: tuple[int, ...]
    label: int = 1

    @property
    def name(self) -> str:
        return f"{self.video}_{self.clip}"


def decode_clips(data: bytes) -> list[Clip]:
    """Clips of a file with one JSON object a line: {"video": "...", "clip": 3, "frames": [434, 435], "label": 1}.

    Raises:
        FormatError: a line is no such object.
    """
    clips = []
    for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), 1):
        if line.strip():
            try:
                clips.append(Clip.model_validate_json(line))
            except ValidationError as error:
                detail = error.errors()[0]
                place = ".".join(str(part) for part in detail["loc"])
                raise FormatError(f"line {number} of the clip list: {place} {detail['msg']}") from None
    return clips


def encode_clips(clips: Iterable[Clip]) -> bytes:
    """The inverse of `decode_clips`."""
    return "".join(json.dumps(clip.model_dump(), separators=(",", ":")) + "\n" for clip in clips).encode()


def decode_clip_pickle(data: bytes) -> list[Clip]:
    """Clips of wsvd_{train,test}_clip_frame_ids.pkl: a list of {"name": ..., "clips": [{"frames", "label"}]}.

    The pickle can name numpy's arrays and scalars of integers; anything else in it is refused, and nothing is run.

    Raises:
        FormatError: the pickle is damaged, wants other things, or holds another structure.
    """
    try:
        videos = _NumbersOnly(io.BytesIO(data), encoding="latin1").load()
    except FormatError:
        raise
    except _DAMAGE as error:
        raise FormatError(f"the clip list is no sound pickle: {type(error).__name__} {error}") from None
    try:
        return [
            Clip(
                video=FORMAT_SUFFIX.sub("", video["name"]),
                clip=number,
                frames=tuple(_integers(clip["frames"])),
                label=_integers(clip["label"])[0],
            )
            for video in videos
            for number, clip in enumerate(video["clips"])
        ]
    except (KeyError, TypeError, IndexError, ValidationError) as error:
        raise FormatError(
            f"the pickle is no list of clips with name, clips, frames and label: {type(error).__name__} {error}"
        ) from None


def _integers(stored: object) -> list[int]:
    if isinstance(stored, _Array):
        return [int(number) for number in stored.numbers]
    if isinstance(stored, list):
        return [number for number in stored if isinstance(number, int)]
    if isinstance(stored, int):
        return [stored]
    raise TypeError(f"{type(stored).__name__} is no integer")


class _Integer:
    """Stands for numpy.dtype: integers only."""

    def __init__(self, code: object, *_: object) -> None:
        if not isinstance(code, str) or not PLAIN_INTEGER.fullmatch(code):
            raise FormatError(f"the clip list holds {code!r}, not integers")
        self.dtype = np.dtype(code)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.dtype = self.dtype.newbyteorder("=" if state[1] == "|" else state[1])


class _Array:
    """Stands for numpy.ndarray."""

    def __init__(self) -> None:
        self.numbers: NDArray[np.integer[Any]] = np.empty(0, np.int64)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _version, _shape, integer, _order, raw = state
        self.numbers = np.frombuffer(_bytes(raw), integer.dtype)


class _Shape:
    """Stands for the class numpy.ndarray where a pickle names it as an argument."""


def _reconstruct(*_: object) -> _Array:
    return _Array()


def _scalar(integer: _Integer, raw: object) -> int:
    return int(np.frombuffer(_bytes(raw), integer.dtype)[0])


def _bytes(raw: object) -> bytes:
    if isinstance(raw, str):  # Python 2 had no bytes
        return raw.encode("latin1")
    if not isinstance(raw, bytes):
        raise FormatError(f"the clip list holds {type(raw).__name__} in the place of an array's bytes")
    return raw


def _encode(text: str, encoding: str) -> bytes:
    """Stands for _codecs.encode, by which pickles of protocol 2 hold bytes."""
    if codecs.lookup(encoding).name != "iso8859-1":
        raise FormatError(f"the clip list holds text in {encoding!r}")
    return text.encode("latin1")


_STAND_INS: dict[str, object] = {
    "numpy.core.multiarray._reconstruct": _reconstruct,
    "numpy._core.multiarray._reconstruct": _reconstruct,
    "numpy.core.multiarray.scalar": _scalar,
    "numpy._core.multiarray.scalar": _scalar,
    "numpy.ndarray": _Shape,
    "numpy.dtype": _Integer,
    "_codecs.encode": _encode,
}


class _NumbersOnly(pickle._Unpickler):  # the one in Python: a few damaged bytes make the one in C take gigabytes
    def find_class(self, module: str, name: str) -> Any:
        stand_in = _STAND_INS.get(f"{module}.{name}")
        if stand_in is None:
            raise FormatError(f"the clip list wants {module}.{name}, which no list of numbers needs: it is refused")
        return stand_in
