"""A disk that is full, and a folder that must not be written, from the start or in the middle of a build."""

from __future__ import annotations

import ctypes
import os
import resource
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from dpt_bench.core.errors import DataError

CAP_DAC_OVERRIDE, PR_CAPBSET_DROP = 1, 24


Disk = tuple[Path, Callable[[int], AbstractContextManager[None]]]


@pytest.fixture(params=["tmpfs", "limit"])
def small_disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    """A folder that has so many kB inside the context: on a tmpfs, or, where none may be mounted, for each file."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = request.param == "tmpfs" and _mount(folder, 4)

    @contextmanager
    def of(kilobytes: int) -> Iterator[None]:
        if mounted:
            assert _mount(folder, kilobytes, "remount")
            yield
            return
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (kilobytes * 1024, before[1]))
        try:
            yield
        finally:  # at once: the limit is pytest's own too, whose report may go to a file
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    yield folder, of
    if mounted:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _mount(folder: Path, kilobytes: int, *options: str) -> bool:
    command = ["mount", "-t", "tmpfs", "-o", ",".join((f"size={kilobytes}k", *options)), "none", str(folder)]
    return os.geteuid() == 0 and subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_a_full_disk(trial: Any, small_disk: Disk) -> None:
    """It grows a little after each failure, so that the build fails at every kind of file, and goes on there."""
    disk, of = small_disk
    failures = []
    for kilobytes in range(4, 400, 4):
        try:
            with of(kilobytes):
                trial.build(disk / "out")
            break
        except DataError as error:
            failures.append(error)
    assert len(failures) > 3
    assert all("do not fit" in error.what and "run the same build again" in str(error.fix) for error in failures)
    trial.assert_as_undisturbed(disk / "out")


def _respect_permissions() -> None:
    """Take the superuser's right to write into read-only folders from the child."""
    if os.geteuid() == 0 and ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0):
        raise OSError("cannot drop CAP_DAC_OVERRIDE")


def test_a_read_only_target(trial: Any) -> None:
    trial.out.mkdir()
    trial.out.chmod(0o555)
    with trial.start_build(preexec_fn=_respect_permissions) as build:
        _, errors = trial.words_of(build)
    trial.out.chmod(0o755)
    assert build.returncode == 1
    assert "UsageError: the output folder cannot be written" in errors
    assert list(trial.out.iterdir()) == []
    trial.build()
    trial.assert_as_undisturbed()


@pytest.mark.parametrize("executor", ["serial", pytest.param("processes", marks=pytest.mark.slow)])
def test_a_target_that_becomes_read_only(trial: Any, executor: str) -> None:
    trial.disturb("hold", "train/a_004")
    with trial.start_build(executor=executor, preexec_fn=_respect_permissions) as build:
        trial.wait_until_it_happens()
        (trial.out / "toy").chmod(0o555)
        trial.calm()
        _, errors = trial.words_of(build)
    (trial.out / "toy").chmod(0o755)
    assert "UsageError: the output cannot be written: Permission denied" in errors
    trial.build()
    trial.assert_as_undisturbed()
