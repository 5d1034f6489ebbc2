from __future__ import annotations

import hashlib
from pathlib import Path

from dpt_bench.core.provenance import provenance, sha256_of_file, sha256_of_keys, sources_sha256


def test_the_identity_of_an_image_list_does_not_depend_on_its_order() -> None:
    assert sha256_of_keys(["b", "a"]) == sha256_of_keys(["a", "b"]) == hashlib.sha256(b"a\nb").hexdigest()


def test_file_hash(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"abc" * 100_000)
    assert sha256_of_file(tmp_path / "x") == hashlib.sha256(b"abc" * 100_000).hexdigest()


def test_provenance_names_version_and_platform() -> None:
    facts = provenance()
    assert facts["package_version"]
    assert facts["platform"]


def test_the_identity_of_code_is_that_of_its_names_and_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one.py").write_text("x = 1")
    (tmp_path / "two.py").write_text("y = 1")
    (tmp_path / "other.py").write_text("")

    def identity() -> str:
        sources_sha256.cache_clear()
        return sources_sha256("a", "two.py", root=tmp_path)

    seen = [identity()]
    for name, text in (("a/one.py", "x = 2"), ("two.py", "y = 2"), ("a/three.py", "")):
        (tmp_path / name).write_text(text)
        seen.append(identity())
    (tmp_path / "a" / "three.py").rename(tmp_path / "a" / "four.py")
    seen.append(identity())
    assert len(set(seen)) == 5
    (tmp_path / "other.py").write_text("z = 1")  # no part that was asked for
    (tmp_path / "a" / "notes.txt").write_text("z")
    assert identity() == seen[-1]
