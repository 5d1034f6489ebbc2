from __future__ import annotations

import hashlib
from pathlib import Path

from dpt_bench.core.provenance import provenance, sha256_of_file, sha256_of_keys


def test_the_identity_of_an_image_list_does_not_depend_on_its_order() -> None:
    assert sha256_of_keys(["b", "a"]) == sha256_of_keys(["a", "b"]) == hashlib.sha256(b"a\nb").hexdigest()


def test_file_hash(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"abc" * 100_000)
    assert sha256_of_file(tmp_path / "x") == hashlib.sha256(b"abc" * 100_000).hexdigest()


def test_provenance_names_version_and_platform() -> None:
    facts = provenance()
    assert facts["package_version"]
    assert facts["platform"]
