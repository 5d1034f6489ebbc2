from __future__ import annotations

import hashlib
import tarfile
from pathlib import Path

import pytest

from dpt_bench.core.errors import SampleError
from dpt_bench.shards.writer import END_OF_ARCHIVE, TarWriter, write_tar

MEMBERS = {"json": b"{}", "jpg": b"x" * 700, "sky.png": b"y" * 512}


def test_standard_tools_read_the_tar(tmp_path: Path) -> None:
    write_tar(tmp_path / "t.tar", [("a/0", MEMBERS), ("b", {"jpg": b"", "json": b"[]"})])
    with tarfile.open(tmp_path / "t.tar") as tar:
        assert tar.getnames() == ["a/0.jpg", "a/0.sky.png", "a/0.json", "b.jpg", "b.json"]
        file = tar.extractfile("a/0.jpg")
        assert file is not None
        assert file.read() == b"x" * 700
        assert {member.mtime for member in tar} == {0}


def test_spans_cover_the_file_without_gaps(tmp_path: Path) -> None:
    path = tmp_path / "t.tar"
    spans = write_tar(path, [("a", MEMBERS), ("b", MEMBERS), ("c", {"jpg": b"1"})])
    assert [span.key for span in spans] == ["a", "b", "c"]
    assert spans[0].offset == 0
    assert [span.offset for span in spans[1:]] == [span.offset + span.length for span in spans[:-1]]
    assert path.stat().st_size == spans[-1].offset + spans[-1].length + len(END_OF_ARCHIVE)


def test_bytes_depend_on_the_members_alone(tmp_path: Path) -> None:
    backwards = dict(reversed(MEMBERS.items()))
    write_tar(tmp_path / "1.tar", [("a", MEMBERS)])
    write_tar(tmp_path / "2.tar", [("a", backwards)])
    assert (tmp_path / "1.tar").read_bytes() == (tmp_path / "2.tar").read_bytes()


def test_facts_are_those_of_the_file(tmp_path: Path) -> None:
    writer = TarWriter(tmp_path / "t.tar")
    writer.add("a", MEMBERS)
    facts = writer.finish()
    data = (tmp_path / "t.tar").read_bytes()
    assert facts.num_bytes == len(data)
    assert facts.sha256 == hashlib.sha256(data).hexdigest()


def test_an_exception_leaves_no_tar_that_looks_whole(tmp_path: Path) -> None:
    def broken() -> object:
        yield "a", MEMBERS
        raise KeyError("bug")

    with pytest.raises(KeyError):
        write_tar(tmp_path / "t.tar", broken())  # type: ignore[arg-type]
    assert not (tmp_path / "t.tar").read_bytes().endswith(END_OF_ARCHIVE)


@pytest.mark.parametrize("key", ["a.b", "ü", "", "a b", "x" * 99])
def test_a_bad_key_is_refused_before_a_byte_is_written(tmp_path: Path, key: str) -> None:
    writer = TarWriter(tmp_path / "t.tar")
    with pytest.raises(SampleError) as error:
        writer.add(key, MEMBERS)
    assert error.value.reason == "bad-key"
    assert writer.add("good", MEMBERS).offset == 0
    writer.abandon()
