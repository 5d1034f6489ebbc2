from __future__ import annotations

import tarfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpt_bench.core.errors import FormatError, SampleError
from dpt_bench.shards import tar_header

_PART = st.text("abcXYZ019_-", min_size=1, max_size=60)
_PATHS = st.lists(_PART, min_size=1, max_size=4).map(lambda parts: "/".join(parts) + ".inverse_depth.npy.zst")


@settings(deadline=None, max_examples=100)
@given(_PATHS, st.integers(0, 8**11 - 1))
def test_tarfile_reads_what_we_write(path: str, size: int) -> None:
    header = tar_header.encode(path, size)
    info = tarfile.TarInfo.frombuf(header, "ascii", "strict")
    assert (info.name, info.size, info.mode, info.mtime, info.uid) == (path, size, 0o644, 0, 0)
    assert info.isfile()
    assert tar_header.decode(header) == (path, size)


@settings(deadline=None, max_examples=50)
@given(_PATHS, st.integers(0, 8**11 - 1))
def test_we_read_what_tarfile_writes(path: str, size: int) -> None:
    info = tarfile.TarInfo(path)
    info.size = size
    assert tar_header.decode(info.tobuf(tarfile.USTAR_FORMAT, "ascii", "strict")) == (path, size)


def test_a_part_that_is_too_long_rejects_the_key() -> None:
    with pytest.raises(SampleError, match="too long") as error:
        tar_header.encode("a" * 101, 1)
    assert error.value.reason == "bad-key"
    with pytest.raises(SampleError, match="too long"):
        tar_header.encode("a" * 156 + "/b.jpg", 1)


def test_a_member_that_is_too_large_is_rejected() -> None:
    with pytest.raises(SampleError, match="does not fit"):
        tar_header.encode("a.jpg", 8**11)


@pytest.mark.parametrize("place", [0, 100, 124, 148, 156, 257, 345, 500])
def test_a_changed_byte_is_found(place: int) -> None:
    header = bytearray(tar_header.encode("a/b.jpg", 77))
    header[place] ^= 5
    with pytest.raises(FormatError, match="damaged"):
        tar_header.decode(bytes(header))


def test_a_short_header_is_told() -> None:
    with pytest.raises(FormatError, match="512"):
        tar_header.decode(b"\0" * 100)
