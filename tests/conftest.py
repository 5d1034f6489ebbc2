"""Fixtures that every test may use: where the real samples and the shared goldens are, and quiet threads."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ALLOWED_SKIPS = ("../shared", "no CUDA device")
"""In CI a test may be skipped for these reasons alone; anything else is a hole in the machine's set-up."""
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


def _reason(report: pytest.TestReport) -> str:
    place = report.longrepr
    return str(place[2] if isinstance(place, tuple) else place).removeprefix("Skipped: ")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Fail a CI run in which a test was skipped for a reason that is not allowed."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or not os.environ.get("CI"):
        return
    reasons = {_reason(report) for report in reporter.stats.get("skipped", [])}
    strange = sorted(reason for reason in reasons if not any(allowed in reason for allowed in ALLOWED_SKIPS))
    if strange:
        reporter.write_line(f"CI does not accept these skips: {strange}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
