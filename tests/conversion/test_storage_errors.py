from __future__ import annotations

import errno

import pytest

from dpt_bench.conversion import storage_errors
from dpt_bench.core.errors import DataError, DptBenchError, UsageError


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage_errors, "PAUSES_S", (0.0, 0.0, 0.0))


class _Flaky:
    def __init__(self, failures: int, error: Exception) -> None:
        self.failures, self.error, self.calls = failures, error, 0

    def __call__(self) -> str:
        self.calls += 1
        if self.calls <= self.failures:
            raise self.error
        return "done"


def test_it_tries_again() -> None:
    assert storage_errors.retrying(_Flaky(3, OSError(errno.ETIMEDOUT, "slow"))) == "done"


def test_it_gives_up() -> None:
    work = _Flaky(99, OSError(errno.ETIMEDOUT, "slow"))
    with pytest.raises(TimeoutError):
        storage_errors.retrying(work)
    assert work.calls == 4


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "full"), OSError(errno.EROFS, "full"), PermissionError("full")]
)
def test_the_hopeless_is_tried_once(error: OSError) -> None:
    work = _Flaky(99, error)
    with pytest.raises(OSError, match="full"):
        storage_errors.retrying(work)
    assert work.calls == 1


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (OSError(errno.ENOSPC, "No space left"), DataError, "do not fit"),
        (OSError(errno.EROFS, "Read-only"), UsageError, "cannot be written"),
        (PermissionError("denied by the object store"), UsageError, "denied by the object store"),
        (OSError("503 Slow Down"), DataError, "503"),
    ],
)
def test_trouble_is_told_with_what_to_do(error: OSError, kind: type[DptBenchError], words: str) -> None:
    told = storage_errors.explain(error, "/out")
    assert type(told) is kind
    assert words in told.what
    assert told.where == "/out"
    assert told.fix


def test_other_errors_pass() -> None:
    work = _Flaky(1, ValueError("corrupt"))
    with pytest.raises(ValueError, match="corrupt"):
        storage_errors.retrying(work)
    assert work.calls == 1
