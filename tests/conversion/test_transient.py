from __future__ import annotations

import errno

import pytest

from dpt_bench.conversion import transient


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transient, "PAUSES_S", (0.0, 0.0, 0.0))


class _Flaky:
    def __init__(self, failures: int, error: Exception) -> None:
        self.failures, self.error, self.calls = failures, error, 0

    def __call__(self) -> str:
        self.calls += 1
        if self.calls <= self.failures:
            raise self.error
        return "done"


def test_it_tries_again() -> None:
    assert transient.retrying(_Flaky(3, OSError(errno.ETIMEDOUT, "slow")), hopeless=set()) == "done"


def test_it_gives_up() -> None:
    work = _Flaky(99, OSError(errno.ETIMEDOUT, "slow"))
    with pytest.raises(TimeoutError):
        transient.retrying(work, hopeless=set())
    assert work.calls == 4


def test_the_hopeless_is_tried_once() -> None:
    work = _Flaky(99, OSError(errno.ENOSPC, "full"))
    with pytest.raises(OSError, match="full"):
        transient.retrying(work, hopeless={errno.ENOSPC})
    assert work.calls == 1


def test_other_errors_pass() -> None:
    work = _Flaky(1, ValueError("corrupt"))
    with pytest.raises(ValueError, match="corrupt"):
        transient.retrying(work, hopeless=set())
    assert work.calls == 1
