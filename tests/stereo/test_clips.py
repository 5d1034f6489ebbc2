"""Clip lists: our JSON lines, the published pickles without running them, and pickles that try something."""

from __future__ import annotations

import os
import pickle
import pickletools

import numpy as np
import pytest

from dpt_bench.core.errors import FormatError
from dpt_bench.stereo import Clip
from dpt_bench.stereo.clips import decode_clip_pickle, decode_clips, encode_clips

PUBLISHED = [
    {
        "name": "-A_ol17l90M",
        "clips": [
            {"frames": np.array([434, 435, 440], np.int32), "label": np.int32(1)},
            {"frames": np.array([900], np.int32), "label": np.int32(-1)},
        ],
    },
    {"name": "Z7p1Qiq6SkM.f134", "clips": [{"frames": np.arange(70000, 70003, dtype=np.int32), "label": np.int32(1)}]},
]
CLIPS = [
    Clip(video="-A_ol17l90M", clip=0, frames=(434, 435, 440), label=1),
    Clip(video="-A_ol17l90M", clip=1, frames=(900,), label=-1),
    Clip(video="Z7p1Qiq6SkM", clip=0, frames=(70000, 70001, 70002), label=1),
]


@pytest.mark.parametrize("protocol", range(5))
def test_published_pickles_of_any_protocol(protocol: int) -> None:
    assert decode_clip_pickle(pickle.dumps(PUBLISHED, protocol=protocol)) == CLIPS


@pytest.mark.parametrize("module", ["numpy.core.multiarray", "numpy._core.multiarray"])
def test_old_and_new_module_names_of_numpy(module: str) -> None:
    data = pickle.dumps(PUBLISHED, protocol=3)
    assert b"numpy._core.multiarray" in data
    assert decode_clip_pickle(data.replace(b"numpy._core.multiarray", module.encode())) == CLIPS


def test_big_endian_numbers() -> None:
    swapped = [{"name": "a", "clips": [{"frames": np.array([1, 2], ">i4"), "label": 1}]}]
    assert decode_clip_pickle(pickle.dumps(swapped))[0].frames == (1, 2)


class Hostile:
    def __init__(self, call) -> None:
        self.call = call

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize(
    "call",
    [
        (os.system, ("touch /tmp/dpt_bench_was_here",)),
        (eval, ("1 + 1",)),
        (getattr, ("text", "upper")),
        (np.load, ("x",)),
        (np.ndarray, ((10**12,),)),
        (np.dtype, ("O",)),
        (np.frombuffer, (b"1234",)),
    ],
)
def test_pickles_that_want_more_than_numbers_run_nothing(call, tmp_path) -> None:
    data = pickle.dumps([{"name": "a", "clips": [{"frames": Hostile(call), "label": 1}]}])
    with pytest.raises(FormatError):
        decode_clip_pickle(data)


def test_object_arrays_are_refused() -> None:
    data = pickle.dumps([{"name": "a", "clips": [{"frames": np.array([print], object), "label": 1}]}])
    with pytest.raises(FormatError, match=r"refused|not integers"):
        decode_clip_pickle(data)


@pytest.mark.parametrize("length", [0, 1, 10, 100, 200, -1])
def test_truncated_pickles(length: int) -> None:
    with pytest.raises(FormatError):
        decode_clip_pickle(pickle.dumps(PUBLISHED)[:length])


@pytest.mark.parametrize(
    "content",
    [3, {"a": 1}, ["x"], [{"name": 3, "clips": []}, 4], [{"name": "a", "clips": [{"frames": 1.5, "label": 1}]}]],
)
def test_pickles_of_something_else(content) -> None:
    with pytest.raises(FormatError, match="no list of clips"):
        decode_clip_pickle(pickle.dumps(content))


def test_garbage_never_escapes_as_another_error() -> None:
    rng = np.random.default_rng(0)
    good = bytearray(pickle.dumps(PUBLISHED, protocol=3))
    opcodes = [opcode.code.encode("latin1")[0] for opcode in pickletools.opcodes]
    for _ in range(300):
        data = good.copy()
        for place in rng.integers(0, len(data), 3):
            data[place] = rng.choice(opcodes)
        try:
            decode_clip_pickle(bytes(data))
        except FormatError:
            continue


def test_json_lines() -> None:
    data = encode_clips(CLIPS)
    assert data.splitlines()[1] == b'{"video":"-A_ol17l90M","clip":1,"frames":[900],"label":-1}'
    assert decode_clips(data) == CLIPS
    assert decode_clips(b'\n{"video":"a","clip":3,"frames":[434]}\r\n') == [Clip(video="a", clip=3, frames=(434,))]
    assert CLIPS[1].name == "-A_ol17l90M_1"


@pytest.mark.parametrize("line", [b"{", b"[]", b'{"video":"a"}', b'{"video":"a","clip":0,"frames":["x"]}', b"\xff"])
def test_a_wrong_line_is_named(line: bytes) -> None:
    with pytest.raises(FormatError, match="line 4 of the clip list"):
        decode_clips(encode_clips(CLIPS) + line)
