"""Fixtures that every test may use: where the real samples and the shared goldens are, and quiet threads."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


def _shared(name: str, variable: str) -> Path:
    folder = Path(os.environ.get(variable) or REPOSITORY.parent / "shared" / name)
    if not folder.is_dir():
        pytest.skip(f"../shared/{name} is absent (or set {variable})")
    return folder


@pytest.fixture(scope="session")
def samples() -> Path:
    """Folder of real dataset files."""
    return _shared("samples", "DPT_BENCH_SAMPLES")


@pytest.fixture(scope="session")
def shared_golden() -> Path:
    """Folder of reference outputs."""
    return _shared("golden", "DPT_BENCH_GOLDEN")


@pytest.fixture(scope="session")
def shared_facts() -> Path:
    """Folder of machine-readable facts."""
    return _shared("facts", "DPT_BENCH_FACTS")
