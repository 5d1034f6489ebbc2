"""Fixtures that every test may use: where the real samples and the shared goldens are, one Ray, and small videos."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch is loaded; cli/main.py says why
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


@pytest.fixture(scope="session")
def ray_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Two CPUs of Ray, without dashboard and without calling home, for all tests of the session."""
    patch = pytest.MonkeyPatch()
    patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    patch.setenv("RAY_worker_niceness", "0")  # as the executor starts it
    patch.delenv("RAY_ADDRESS", raising=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Ray's own deprecations, while it starts, are not ours to mend
        import ray

        ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    yield
    ray.shutdown()
    patch.undo()


@pytest.fixture(scope="session")
def transformers_dpt() -> Callable[[str], Any]:
    """From a variant's name to transformers' network of the same shape, with fresh random weights."""
    from transformers import DPTConfig, DPTForDepthEstimation

    from dpt_bench.model.build import empty_model
    from dpt_bench.model.export._huggingface_config import config
    from dpt_bench.model.variants import VARIANTS

    return lambda variant: DPTForDepthEstimation(DPTConfig(**config(empty_model(VARIANTS[variant]))))


@pytest.fixture
def make_video(tmp_path: Path) -> Callable[..., Path]:
    """Writes RGB pictures as a video below tmp_path: lossless, or H.264 with B frames and few key frames."""
    av = pytest.importorskip("av")

    def write(
        name: str, pictures: Sequence[np.ndarray], *, lossless: bool = True, chapters_s: Sequence[float] = ()
    ) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with av.open(str(path), "w") as container:
            if chapters_s:
                ends = [*chapters_s[1:], len(pictures) / 24]
                container.set_chapters(
                    [
                        {
                            "id": number,
                            "start": round(1000 * start),
                            "end": round(1000 * end),
                            "time_base": Fraction(1, 1000),
                            "metadata": {},
                        }
                        for number, (start, end) in enumerate(zip(chapters_s, ends, strict=True))
                    ]
                )
            codec = ("ffv1", {}, "bgr0") if lossless else ("libx264", {"bf": "3", "g": "12", "qp": "0"}, "yuv444p")
            stream = container.add_stream(codec[0], rate=24, options=codec[1])
            stream.height, stream.width = pictures[0].shape[:2]
            stream.pix_fmt = codec[2]
            for picture in pictures:
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            container.mux(stream.encode(None))
        return path

    return write


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
